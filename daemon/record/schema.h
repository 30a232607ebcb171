/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps of the format as tables, and one walk that reads by them.  The strict walk is the checker:
 * every key known and in order, every required key there, every value of its type, and then the
 * map's rule.  The lenient walk fills the views of <assay/record.h> and skips unknown keys.  Both
 * store the values of keys that have a place (schema_key.keep).
 */
#ifndef ASSAY_RECORD_SCHEMA_H
#define ASSAY_RECORD_SCHEMA_H

#include <assay/record.h>

#include "record/read.h"
#include "record/words.h"

/* The place of a fault, and a text: found, expected. */
struct schema_error {
	char path[160]; /* such as "vars[2].unit"; "" is the record itself */
	char text[160];
	size_t at; /* byte of the input */
};

/* The kinds of value, and the type that each is stored in. */
enum schema_kind {
	SCHEMA_UINT,   /* uint64_t */
	SCHEMA_FLOAT,  /* double */
	SCHEMA_NUMBER, /* integer or float: double */
	SCHEMA_BOOL,   /* bool */
	SCHEMA_TEXT,   /* struct assay_string; type.fits() where it is not any text */
	SCHEMA_UNIT,   /* struct assay_string; of the whitelist */
	SCHEMA_WORD,   /* int: type.words; or struct assay_string with type.keep_text */
	SCHEMA_FIXED,  /* const uint8_t *: type.size bytes */
	SCHEMA_BYTES,  /* struct assay_span */
	SCHEMA_MAP,    /* the members of type.map, at the same place */
	SCHEMA_LIST,   /* struct assay_span: an array of at least one type.item */
	SCHEMA_DICT, /* struct assay_span: a map of at least one pair; keys fit, values type.item */
	SCHEMA_BITS, /* struct assay_span: a map of unsigned integers to texts */
	SCHEMA_ANY,  /* struct assay_span */
	SCHEMA_CUSTOM, /* type.read() */
};

struct schema_walk;

struct schema_type {
	enum schema_kind kind;
	const char *expected;                              /* SCHEMA_TEXT: in words, with fits */
	bool (*fits)(struct assay_string text);            /* SCHEMA_TEXT; keys of SCHEMA_DICT */
	const struct words *words;                         /* SCHEMA_WORD */
	bool keep_text;                                    /* SCHEMA_WORD */
	bool of_any_technique;                             /* SCHEMA_UNIT */
	size_t size;                                       /* SCHEMA_FIXED */
	const struct schema_map *map;                      /* SCHEMA_MAP */
	const struct schema_type *item;                    /* SCHEMA_LIST, SCHEMA_DICT */
	int (*read)(struct schema_walk *walk, void *into); /* SCHEMA_CUSTOM */
};

#define SCHEMA_KEEP_NONE UINT16_MAX

struct schema_key {
	const char *name;
	uint8_t len;
	bool optional;
	uint16_t keep; /* offset in the struct that the map is stored in */
	const struct schema_type *type;
};

struct schema_map {
	const struct schema_key *keys;
	size_t count;
	bool extensible; /* x-... keys may follow */
	size_t size; /* of the struct that the keys are stored in, for `rule`; at most SCHEMA_KEPT_MAX */
	/* Strict walk: checks that types cannot express.  Returns 0 or schema_fail(). */
	int (*rule)(struct schema_walk *walk, const void *kept);
};

#define SCHEMA_KEPT_MAX 64

struct schema_walk {
	struct reader *r;
	bool strict;
	unsigned techniques;        /* units of these are allowed; 0: all */
	void *context;              /* for custom types and rules */
	struct schema_error *error; /* may be NULL */
};

/* Reads a value of this type, or the map with its head.  `into` may be NULL.  0 or -EBADMSG. */
int schema_read(struct schema_walk *walk, const struct schema_type *type, void *into);
int schema_read_map(struct schema_walk *walk, const struct schema_map *map, void *into);

/* The same for `pairs` pairs of a map, from its key number `first` on. */
int schema_read_pairs(struct schema_walk *walk, const struct schema_map *map, size_t first,
	size_t pairs, void *into);

/* Sets the error, at byte `at` of the input.  Callers add the path.  -EBADMSG. */
int schema_fail(struct schema_walk *walk, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts ".key" or "[index]" before the error's path.  Returns -EBADMSG. */
int schema_fail_in(struct schema_walk *walk, struct assay_string key);
int schema_fail_at(struct schema_walk *walk, size_t index);

/* Copies the reader's error, at the end of a walk; returns it. */
int schema_finish(struct schema_walk *walk);

#endif
