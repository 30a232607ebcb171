/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame under construction: the variables and settings that decode() adds become the encoded part
 * `kind ... raw` that the core appends to a frame's record.  Each variable is encoded when it is
 * added; frame_message() puts the rest around them.  Keeps the first fault, with a text for the
 * driver's author.
 */
#ifndef ASSAY_WORKER_FRAME_H
#define ASSAY_WORKER_FRAME_H

#include <assay/driver.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "wire/wire.h"
#include "worker/raw.h"

#define FRAME_VARS_MAX    256
#define FRAME_WHY         200
#define FRAME_DEVICE_TIME 64
#define FRAME_PIECES      6
#define FRAME_GAPS_MAX    64

struct frame {
	struct assay_frame handle; /* first: the driver's view */
	int error;                 /* 0, -EINVAL: a variable breaks the format, -ENOMEM */
	char why[FRAME_WHY];
	enum assay_kind kind;
	bool partial;
	uint32_t quality, reasons; /* as in struct wire_frame */
	char device_time[FRAME_DEVICE_TIME + 1];
	uint64_t span; /* ns; 0: unknown */
	struct frame_gap {
		int64_t at; /* -1: unknown */
		uint64_t count;
	} gaps[FRAME_GAPS_MAX];
	size_t gap_count;
	struct buffer vars, settings; /* encoded items; pairs */
	size_t var_count, setting_count;
	struct buffer
		keys; /* name, analyte, basis and channel of each variable, each with its NUL */
	size_t key_ends[FRAME_VARS_MAX];
	struct buffer free_names; /* of all frames, not of the list of names, each with its NUL */
	size_t judged;            /* bytes of `free_names` that frame_free_name() has returned */
	struct arena scratch;
	struct buffer head, front, middle, tail; /* the parts around the variables */
};

/*
 * The step of a method that a frame belongs to, as CBOR: the step, and its own settings as read
 * back and as sent.  All empty in a run without steps.
 */
struct frame_step {
	struct assay_span step, settings, sent;
};

void frame_init(struct frame *frame, const struct assay_host *host);
void frame_finish(struct frame *frame);

/*
 * The next name of a variable that is not in the list of names; NULL: none since the last call.
 * Each is returned once in the life of the frame, of the first 4 KiB.
 */
const char *frame_free_name(struct frame *frame);

/* Empties it, keeps the memory unless it is very large. */
void frame_reset(struct frame *frame);

/*
 * Whether the driver's decode() makes the same of its input once more: a frame that depends on anything
 * else, such as the one before, could not be reproduced from the journal.
 */
bool frame_is_reproduced(const struct frame *frame, const struct assay_driver *driver,
	const struct assay_decoding *in);

/* The services of <assay/driver.h>. */
void frame_services(struct assay_host *host);

/* For the unit: lowers the quality by the reason of that name, which must exist. */
void frame_lower(struct frame *frame, enum assay_quality flag, const char *reason);

/* For the unit: takes back a reason that is not so, such as one that the driver cannot judge. */
void frame_withdraw(struct frame *frame, const char *reason);

/*
 * Makes the whole message: `head` has times, retries and dropped frames; quality, device time, part
 * and pairs are the frame's.  The pieces are borrowed until the frame or `raw` changes.  0, or a
 * negative errno with frame->why.
 */
int frame_message(struct frame *frame, unsigned unit, const struct wire_frame *head,
	const struct frame_step *step, struct raw *raw, enum unit_raw keep,
	struct iovec pieces[FRAME_PIECES]);

#endif
