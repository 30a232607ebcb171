/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of the replay socket while it is handled: its arguments, read and checked by the
 * table of operations, and what was read from a journal for it.
 *
 * Thread: the replay thread's.
 */
#ifndef ASSAY_CORE_REPLAY_CALL_H
#define ASSAY_CORE_REPLAY_CALL_H

#include <assay/record.h>

#include "core/replay/ops.h"
#include "core/replay/read.h"

#define REPLAY_ARGS_MAX 8

enum replay_type {
	REPLAY_TEXT = 1,
	REPLAY_UINT,
	REPLAY_UUID,
	REPLAY_SHA256,
	REPLAY_RUN, /* a UUID or a number */
};

struct replay_arg {
	const char *name; /* NULL ends the list */
	enum replay_type type;
	bool required;
};

struct replay_value {
	bool given;
	struct assay_string text;
	uint64_t number;
	const uint8_t *bytes;
};

struct replay_call;

struct replay_op {
	const char *name;
	struct replay_arg args[REPLAY_ARGS_MAX + 1];
	/* Writes call->answer and returns 0, or returns replay_fail(...). */
	int (*run)(struct replay_call *call);
};

struct replay_call {
	const struct replay_desk *desk;
	const struct replay_op *op;
	struct replay_value args[REPLAY_ARGS_MAX]; /* in the order of op->args */
	struct replay_answer *answer;
	struct replay_part part; /* what was read */
	const char *code;        /* of the refusal */
	char text[600];
};

/* Ends with .name NULL. */
extern const struct replay_op replay_ops[];

/* The value of the argument `name`, which the op must declare. */
const struct replay_value *replay_arg(const struct replay_call *call, const char *name);

/* Makes the reply an error: the code is the CDDL's, the text is for people.  Returns -EINVAL. */
int replay_fail(struct replay_call *call, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The operations on durable cursors. */
int replay_cursor(struct replay_call *call);
int replay_cursors(struct replay_call *call);

#endif
