/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests on the sockets control and replay: one CBOR map with the text `op` and the arguments of
 * that operation.  A table declares each operation once: name, help, arguments, function.  Parsing,
 * refusals that name the accepted words, and the operation `help` follow from it.
 *
 * Bytes only; router/envelope.h has the socket.  A call belongs to one thread.
 */
#ifndef ASSAY_CORE_ROUTER_CALL_H
#define ASSAY_CORE_ROUTER_CALL_H

#include <stddef.h>
#include <stdint.h>

#include "record/encode.h"
#include "record/keys.h"

#define CALL_BYTES_MAX (64u << 10) /* of one request */
#define CALL_ARGS_MAX  8192        /* bytes of an operation's struct of arguments */

struct audit_actor;
struct call;

struct op {
	const char *name, *help;
	struct keys args;     /* OP_ARGS(); each row has its help */
	const void *defaults; /* of the struct of arguments; NULL: zeros */
	/* Adds pairs to call->reply and returns 0, or returns call_refuse(). */
	int (*run)(struct call *call);
};

/* The arguments of an operation are read into a struct of this type; rows as in record/keys.h. */
#define OP_ARGS(type, ...) \
	.args = {.rows = (const struct key[]){__VA_ARGS__, {0}}, .size = sizeof(type)}

/* One request while it is handled. */
struct call {
	const struct op *const *ops; /* families: arrays that end with .name NULL; NULL ends them */
	void *on;                    /* the object of the operations of this table */
	const struct audit_actor *actor; /* of the request; NULL: not known.  Not used here */

	const struct op *op;
	const void *args; /* borrows from the request */
	struct map reply; /* opened and closed by the caller of the operation */
	const char *code; /* of the refusal: a literal, for programs */
	char text[600];   /* of the refusal: for people */

	_Alignas(max_align_t) uint8_t storage[CALL_ARGS_MAX];
};

/*
 * Finds the operation of a request and reads its arguments.  0, or a refusal with the code
 * bad-request, unknown-op, unknown-argument, missing-argument or bad-argument.
 */
int call_read(struct call *call, const uint8_t *data, size_t len);

/* Makes the reply a refusal.  Returns -EINVAL. */
int call_refuse(struct call *call, const char *code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The operation `help`: {ops: {name: {help, args: {name: {type, required, help}}}}}. */
int call_help(struct call *call);

/* Appends ", word" to a list of words in `text`, cut to `size`. */
void call_add_word(char *text, size_t size, const char *word);

#endif
