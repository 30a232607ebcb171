/* SPDX-License-Identifier: Apache-2.0 */
/* May this run begin?  What the instrument, the site, the method and the disk say to a request. */
#ifndef ASSAY_CORE_REQUEST_H
#define ASSAY_CORE_REQUEST_H

#include "core/instrument.h"

/*
 * 0, or -EBUSY, -EINVAL, -ENODEV, -ENOSPC, -ESHUTDOWN with why, and what to do about it, in `text`.
 * Changes nothing.
 */
int request_check(const struct instrument *instrument, const struct run_request *request,
	char *text, size_t size);

#endif
