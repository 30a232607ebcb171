/* SPDX-License-Identifier: Apache-2.0 */
/* The page of metrics, in the text format 0.0.4 of Prometheus. */
#ifndef ASSAY_METRICS_PAGE_H
#define ASSAY_METRICS_PAGE_H

#include "base/buffer.h"
#include "counts.h"

/*
 * Appends the page: the daemon's reply to `status`, and the counts.  Without a reply (data NULL), or
 * with one that cannot be read, assay_up is 0 and only the counts are there.  The only error is that
 * `to` has failed.
 */
void page_write(struct buffer *to, struct assay_span reply, const struct counts *counts);

/* A label's value with escapes, terminated, cut to `size`. */
void page_escape(char *to, size_t size, struct assay_string text);

#endif
