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

/* The result of decode(), borrowed until the next request. */
struct decoded {
	struct assay_string kind;
	struct assay_span vars; /* CBOR array */
};

/* Starts it.  0, or a negative errno with `why`. */
int decoder_start(struct decoder *decoder, const struct options *options, const char *driver,
	char why[DECODER_TEXT]);

/*
 * Decodes one frame's raw blocks with these settings (CBOR array and map).  0; 1 with `why`: the
 * driver cannot; -EPIPE, -ETIMEDOUT: it crashed or hung, and is gone.
 */
int decoder_ask(struct decoder *decoder, struct assay_span settings, struct assay_span raw,
	struct assay_span references, struct decoded *decoded, char why[DECODER_TEXT]);

/* Legal on a zeroed one. */
void decoder_stop(struct decoder *decoder);

#endif
