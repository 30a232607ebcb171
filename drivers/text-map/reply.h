/* SPDX-License-Identifier: Apache-2.0 */
/* One reply: where it ends, its checksum, and the pattern that it fits.  Pure. */
#ifndef ASSAY_TEXT_MAP_REPLY_H
#define ASSAY_TEXT_MAP_REPLY_H

#include <sys/types.h>

#include "checksum.h"
#include "pattern.h"

#define REPLY_MAX 16384 /* bytes of one reply */
#define WHY_MAX   400
#define MARK_MAX  16 /* bytes of `begin` and `end` */

/* How the replies to a row of `requests` are framed. */
struct reply_form {
	char begin[MARK_MAX], end[MARK_MAX];
	size_t begin_len, end_len; /* end_len 0: CR, LF or both end a line */
	size_t length;             /* not 0: so many bytes, without any end */
	bool is_lines;
	unsigned checksum; /* index of checksum_names */
	enum checksum_form checksum_form;
	bool is_after_end; /* the checksum; its data then include the end */
	size_t checksum_skip;
};

void reply_form_read(const struct assay_settings *settings, const struct assay_settings *row,
	struct reply_form *form);

/* The length of the reply at the start of the bytes; 0: it is not complete; -EBADMSG: too long. */
ssize_t reply_length(const struct reply_form *form, const char *bytes, size_t len);

/*
 * Adds the parts of a complete reply.  *is_checked: it has a checksum, a part that the table
 * `words` knows, or no part.  0, or -EBADMSG with the reason.  The parts borrow the bytes.
 */
int reply_read(const struct assay_settings *settings, const struct assay_settings *row,
	const char *bytes, size_t len, struct parts *parts, bool *is_checked, char why[WHY_MAX]);

/* Prints at most 60 characters of instrument text, all others than ASCII as \xHH. */
const char *reply_escaped(const char *bytes, size_t len, char out[WHY_MAX]);

/* The index of a text in a list of choices that has it. */
unsigned reply_choice(const char *const *names, const char *name);

#endif
