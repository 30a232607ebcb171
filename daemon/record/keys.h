/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a CBOR map into a struct by a table of its keys: messages, requests, replies, files.
 * (The record format itself, with its order and rules, is record/schema.h.)
 *
 *	static const struct keys gap_keys = {.rows = (const struct key[]){
 *		{"from", KEY_UINT, KEY_AT(struct gap, from), .required = true},
 *		{"why", KEY_WORD, KEY_AT(struct gap, why), .words = &words_why},
 *		{0}}};
 *
 *	struct gap gap = {0};
 *	int r = keys_decode(&gap_keys, data, len, &gap);
 *
 * Keys may come in any order, each at most once.  Members whose keys are absent stay as they
 * were, so the caller initialises the struct with its defaults.  After an error the members may
 * be set in part.  Nothing allocates; the depth is the reader's.  Any thread.
 */
#ifndef ASSAY_RECORD_KEYS_H
#define ASSAY_RECORD_KEYS_H

#include <stddef.h>

#include "record/read.h"
#include "record/words.h"

#define KEYS_MAX 64 /* rows of one table */

/* The value of a key, and the type of the member that it is stored in. */
enum key_type {
	KEY_UINT = 1, /* an unsigned integer type, enum or bool of any size; at most `limit` */
	KEY_INT,      /* int64_t */
	KEY_NUMBER,   /* double, from an integer or float */
	KEY_BOOL,     /* bool */
	KEY_TEXT,     /* struct assay_string, borrowed; at most `limit` bytes */
	KEY_CHARS,    /* char[]: terminated copy of a text that fits and has no zero byte */
	KEY_WORD,     /* enum: a text of `words` */
	KEY_BYTES,    /* struct assay_span, borrowed; at most `limit` bytes */
	KEY_FIXED,    /* const uint8_t *: exactly `limit` bytes, borrowed */
	KEY_COPY,     /* uint8_t[]: exactly so many bytes, copied */
	KEY_RAW,      /* struct assay_span: any one encoded item, borrowed */
	KEY_RAW_MAP,  /* the same, a map */
	KEY_RAW_LIST, /* the same, an array */
	KEY_MAP,      /* struct: by the table `keys` */
	KEY_LIST,     /* struct[]: an array of maps by `keys`; their number goes to `count_at` */
	KEY_OTHER,    /* any, stored by read() */
};

struct key {
	const char *name;
	enum key_type type;
	bool required;
	bool lenient;      /* a value of another type, size or word: as if absent */
	uint32_t at, size; /* KEY_AT() */
	uint32_t count_at; /* KEY_LIST: offset of a size_t; elements are zeroed first */
	uint64_t limit;    /* 0: the member's type is the only limit */
	const struct words *words;
	const struct keys *keys;
	/*
	 * KEY_OTHER: reads one item and stores it in the member `to`.  Returns 0, read_fail(), or
	 * another negative errno, which keys_read() returns.
	 */
	int (*read)(struct reader *r, const struct key *key, void *to);
	const char *help; /* for lists of arguments; not used here */
};

/* Offset and size of the member of `type` (a struct) in which a key is stored. */
#define KEY_AT(type, member) .at = offsetof(type, member), .size = sizeof(((type *)0)->member)

struct keys {
	const struct key *rows; /* ends with .name NULL; at most KEYS_MAX */
	size_t size;            /* of the struct; needed for the elements of a KEY_LIST */
	bool open;              /* other keys are passed over; otherwise they are an error */
	const char *passed;     /* one other key that is passed over, such as "op"; may be NULL */
};

enum keys_fault {
	KEYS_MALFORMED = 1, /* no map, or the reader's error between its values */
	KEYS_WRONG,         /* a value that does not fit its `key` */
	KEYS_UNKNOWN,       /* `name` is not in the table */
	KEYS_MISSING,       /* `key` is required */
};

/* Result of keys_read() in detail. */
struct keys_found {
	uint64_t seen; /* bit i: the value of row i was stored */
	enum keys_fault fault;
	const struct key *key;
	struct assay_string name; /* borrowed from the input */
};

/*
 * Reads the next item of `r`, which must be a map, into the struct `into`.  `found` may be NULL.
 * Returns 0, -EBADMSG with the reader's error, which names the path of keys to the fault, or the
 * error of a KEY_OTHER.
 */
int keys_read(struct reader *r, const struct keys *keys, void *into, struct keys_found *found);

/* The same for a whole message with nothing after it, of at most ASSAY_DEPTH_MAX levels. */
int keys_decode(const struct keys *keys, const void *data, size_t len, void *into);

/* The values that a key accepts, such as "a text of at most 32 bytes"; cut to `size`.  Returns `to`. */
const char *key_expected(const struct key *key, char *to, size_t size);

/* The encoded value of a key of an encoded map, borrowed; {NULL, 0} when there is none. */
struct assay_span keys_value(struct assay_span map, struct assay_string name);

#endif
