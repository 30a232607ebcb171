/* SPDX-License-Identifier: Apache-2.0 */
/* Techniques: a topic's token, a bit, and a term, mostly of the Chemical Methods Ontology. */
#ifndef ASSAY_RECORD_TECHNIQUES_H
#define ASSAY_RECORD_TECHNIQUES_H

#include <stdbool.h>

#include <assay/record.h>

enum technique_bit {
	TECHNIQUE_FTIR = 1 << 0,
	TECHNIQUE_NIR = 1 << 1,
	TECHNIQUE_RAMAN = 1 << 2,
	TECHNIQUE_UV_VIS = 1 << 3,
	TECHNIQUE_GC = 1 << 4,
	TECHNIQUE_MS = 1 << 5,
	TECHNIQUE_GCMS = 1 << 6,
	TECHNIQUE_XRF = 1 << 7,
	TECHNIQUE_WEIGHING = 1 << 8,
	TECHNIQUE_PH = 1 << 9,
	TECHNIQUE_ENVIRONMENT = 1 << 10,
	TECHNIQUE_OTHER = 1 << 11,
	TECHNIQUE_ALL = (1 << 12) - 1,
};

struct technique {
	const char *token;
	unsigned bit;
	const char *id, *name; /* of CHMO, or ASSAY: this project's own */
};

/* True for [a-z][a-z0-9-]{0,31}, in the list or not. */
bool technique_is_valid(struct assay_string token);

/* Of a token that is not in the list: the term of "other" with the token as its name, and no bit. */
struct technique technique_of(const char *token);

/* By token ("xrf") or by term id ("CHMO:0000307"); static, NULL when there is none. */
const struct technique *technique_find(struct assay_string token_or_id);

/* The i-th technique; NULL after the last. */
const struct technique *technique_at(size_t i);

#endif
