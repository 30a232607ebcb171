/* SPDX-License-Identifier: Apache-2.0 */
/* From the parts of one round of replies to a frame.  Pure. */
#ifndef ASSAY_TEXT_MAP_FRAME_H
#define ASSAY_TEXT_MAP_FRAME_H

#include "reply.h"

/*
 * Adds variables and quality to `out`, or with NULL only checks that this can be done.  0; -EBADMSG:
 * the parts contradict the profile; -EPROTO: the instrument reports an error; both with the reason.
 */
int frame_build(const struct assay_settings *settings, const struct parts *parts, bool is_checked,
	struct assay_frame *out, char why[WHY_MAX]);

/* Only the part of it about the table `words`. */
int frame_words(
	const struct assay_settings *settings, const struct parts *parts, char why[WHY_MAX]);

/* The driver's decode slot. */
int frame_decode(const struct assay_decoding *in, struct assay_frame *out);

#endif
