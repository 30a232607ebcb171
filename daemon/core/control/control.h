/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: a ROUTER that takes one CBOR map with `op` and answers with one CBOR map,
 * {ok: true, ...} or {ok: false, error: {code, text}}.  Whatever envelope a request comes in goes
 * back with its reply, so REQ and DEALER peers both work.
 *
 * The operations are declared once, in control-ops.c: name, arguments, what they do.  Checking of
 * arguments, refusals that name what is accepted, and `help` are derived from that table.
 */
#ifndef ASSAY_CORE_CONTROL_CONTROL_H
#define ASSAY_CORE_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/core.h"
#include "core/runs/run.h"
#include "record/encode.h"
#include "record/read.h"

struct control;
struct control_call;

#define CONTROL_ARGS_MAX  12
#define CONTROL_BYTES_MAX (64u << 10) /* of one request */

enum control_type {
	CONTROL_TEXT = 1,
	CONTROL_UINT,
	CONTROL_BOOL,
	CONTROL_ITEM, /* any one CBOR item */
};

struct control_arg {
	const char *name; /* NULL ends the list */
	enum control_type type;
	bool required;
	const char *help;
};

struct control_op {
	const char *name;
	const char *help;
	struct control_arg args[CONTROL_ARGS_MAX + 1];
	/*
	 * Does it: writes pairs to call->reply and returns 0, or returns control_refuse(...), or
	 * takes the call with control_keep() and answers later.
	 */
	int (*run)(struct control_call *call);
};

/* Ends with .name NULL. */
extern const struct control_op control_ops[];

struct control_value {
	bool given;
	struct assay_string text; /* borrowed from the request */
	uint64_t number;
	bool flag;
	struct assay_span item;
};

/* One request under way. */
struct control_call {
	struct core *core;
	const struct control_op *op;
	struct control_value args[CONTROL_ARGS_MAX]; /* in the order of op->args */
	struct audit_actor actor;
	struct map reply; /* pairs besides `ok` */
};

/* Binds the socket; endpoint NULL: none, for tests.  Owned through `out`, or a negative errno. */
int control_open(struct control **out, struct core *core, const char *endpoint);
void control_close(struct control *control);

/* The value of the argument `name`, which the op must declare. */
const struct control_value *control_arg(const struct control_call *call, const char *name);

/* Copies a text argument, "" when it was not given; -EMSGSIZE when it does not fit. */
int control_copy_text(const struct control_call *call, const char *name, char *to, size_t size);

/* Makes the reply a refusal.  `code` is a word for programs, the text is for people. */
int control_refuse(struct control_call *call, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Keeps the call for later: returns a ticket for control_answer(), NULL when there is no memory.
 * The op then returns 0 and writes nothing.
 */
struct control_ticket;
struct control_ticket *control_keep(struct control_call *call);

/* Answers a kept call with the pairs in `pairs`, or, when `code` is not NULL, refuses it. */
void control_answer(struct control_ticket *ticket, const struct buffer *pairs, size_t count,
	const char *code, const char *text);

/*
 * Handles one request and writes its reply, unless it was kept: what the socket does with the
 * last part of a message, also for tests and fuzzing.
 */
void control_handle(struct control *control, const struct audit_actor *actor, const uint8_t *data,
	size_t len, struct buffer *reply, bool *kept);

#endif
