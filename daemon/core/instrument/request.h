/* SPDX-License-Identifier: Apache-2.0 */
/* May this run begin?  What the instrument, the site, the method and the disk say to a request. */
#ifndef ASSAY_CORE_RUNS_REQUEST_H
#define ASSAY_CORE_RUNS_REQUEST_H

#include "core/instrument/instrument.h"

/*
 * 0, or -EBUSY, -EINVAL, -ENODEV, -ENOSPC, -ESHUTDOWN with why, and what to do about it, in `text`.
 * Changes nothing.
 */
int request_check(const struct instrument *instrument, const struct run_request *request,
	char *text, size_t size);

/*
 * The settings of its step (0 without a method): the instrument's, those of the request over them,
 * and those of the method on top.  Appended to `out`.  Errors as of config_merge().
 */
int request_settings(const struct instrument *instrument, const struct run_request *request,
	size_t step, struct buffer *out, char **why);

/*
 * Appends the CBOR map of those settings that are not as the configuration says, because they were
 * changed at run time or come with the request; a method is left out of it.  How many there are.
 */
size_t request_differences(
	const struct instrument *instrument, const struct run_request *request, struct buffer *out);

#endif
