/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean": collects the accepted names, offered one by one, and finds the one nearest to the
 * word in the file (edit distance with swaps; case, and '-' for '_', cost nothing).
 */
#ifndef ASSAY_BASE_SUGGEST_H
#define ASSAY_BASE_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>

struct suggest {
	const char *found; /* borrowed */
	const char *best;  /* borrowed from an offer; NULL: none is near */
	unsigned distance;
	size_t count;
	char list[300]; /* "a, b, c"; "": too many to help */
};

void suggest_init(struct suggest *s, const char *found);

/* Borrows `name` for as long as the suggestion is used. */
void suggest_offer(struct suggest *s, const char *name);
void suggest_offer_all(struct suggest *s, const char *const *names);

/*
 * The end of a message: "; did you mean 'usb'?", or ", expected one of serial, usb", or "" if no
 * name is near and there are too many.  Returns `text`.
 */
const char *suggest_text(const struct suggest *s, char *text, size_t size);

#define SUGGEST_TOKEN 36

/* "XRF_1 links" as [a-z0-9-]: "xrf-1-links"; NULL: it has other characters. */
const char *suggest_token(const char *found, char token[SUGGEST_TOKEN]);

/* Single-character edits from `a` to `b`; UINT_MAX for texts over 64 bytes. */
unsigned suggest_distance(const char *a, const char *b);

#endif
