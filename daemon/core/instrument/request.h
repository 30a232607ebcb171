/* SPDX-License-Identifier: Apache-2.0 */
/* Decides if a requested run may start: the instrument, the site, the method and the disk. */
#ifndef ASSAY_CORE_INSTRUMENT_REQUEST_H
#define ASSAY_CORE_INSTRUMENT_REQUEST_H

#include "core/instrument/instrument.h"

/*
 * 0 with request->steps set, or -EBUSY, -EINVAL, -ENODEV, -ENOSPC, -ESHUTDOWN with reason and
 * remedy in `text`.  Changes nothing else.
 */
int request_check(
	const struct instrument *instrument, struct run_request *request, char *text, size_t size);

/* Sets request->steps alone, for a run that needs no other check.  As request_check(). */
int request_settle(
	const struct instrument *instrument, struct run_request *request, char *text, size_t size);

/*
 * The texts that people give: what they do not see is rejected, and so is a sample id that does not
 * match the site's pattern.  "" is right.  0, or -EINVAL with the reason in `text`.
 */
int request_check_texts(const struct config *config, const char *sample, const char *operator,
	const char * note, char *text, size_t size);

/*
 * Takes the sample id that the instrument reports for a run that starts now: as that of the request,
 * if this has none and the id is one that people may give; else as request->reported, if it differs.
 */
void request_take_sample(const struct instrument *instrument, struct run_request *request,
	struct assay_string reported);

/* Whether the settled request has values that stay, which neither the file has nor a note. */
bool request_borrows(const struct instrument *instrument, const struct run_request *request);

#endif
