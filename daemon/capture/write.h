/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a recording: appends to a buffer; failure is sticky there. */
#ifndef ASSAY_CAPTURE_WRITE_H
#define ASSAY_CAPTURE_WRITE_H

#include "base/buffer.h"
#include "capture/capture.h"

void capture_write_head(struct buffer *out, const struct capture_head *head);

/* One record; more than CAPTURE_DATA_MAX bytes become several of the same time. */
void capture_write(struct buffer *out, const struct capture_record *record);

/* LOST and END: a text, cut at CAPTURE_TEXT_MAX. */
void capture_write_text(
	struct buffer *out, enum capture_kind kind, uint64_t mono, const char *text);

void capture_write_missing(struct buffer *out, uint64_t mono, uint64_t records, uint64_t bytes);

#endif
