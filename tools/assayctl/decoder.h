/* SPDX-License-Identifier: Apache-2.0 */
/* A driver's decode(), in a process of its own: assay-worker --reparse (wire/reparse.h). */
#ifndef ASSAY_ASSAYCTL_DECODER_H
#define ASSAY_ASSAYCTL_DECODER_H

#include <assay/record.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "command.h"

#define DECODER_TEXT 400

struct decoder {
	char driver[33], version[65]; /* of the module that is installed */
	pid_t pid;                    /* 0: none */
	int in, out, error;           /* to it, from it; its standard error: log_capture() */
	struct buffer answer;
};

/* Starts it.  0, or a negative errno with `why`. */
int decoder_start(struct decoder *decoder, const struct options *options, const char *driver,
	char why[DECODER_TEXT]);

/* True if all raw blocks of a frame have their bytes, not only hashes. */
bool decoder_has_data(struct assay_span raw);

/*
 * Decodes the frame's raw blocks and compares the variables with those of the frame.  0: the same; 1:
 * they differ, and `text` has the first difference; negative: it cannot be decoded, `text` has the
 * reason.
 */
int decoder_compare(struct decoder *decoder, const struct assay_frame_view *frame,
	struct assay_span settings, struct assay_span references, char text[DECODER_TEXT]);

/* Legal on a zeroed one. */
void decoder_stop(struct decoder *decoder);

#endif
