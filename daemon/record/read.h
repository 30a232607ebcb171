/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded pull reader for CBOR that is not trusted: records, requests, replies, workers.
 *
 *	struct reader r;
 *	read_init(&r, data, len);
 *	read_map(&r, &pairs);
 *	while (pairs-- > 0 && read_key(&r, &key) == 0)
 *		if (assay_string_is(key, "seq")) read_uint(&r, &seq); else read_skip(&r);
 *	return read_finish(&r);
 *
 * Every call returns 0 or -EBADMSG.  The first error stays, with its place and a text, and all
 * later calls fail too, so that a caller may check once at the end; outputs of a failed call are
 * zero.  Rejected everywhere: indefinite lengths, integers and lengths that are not in their
 * shortest form, half floats, NaN and infinity outside arrays, undefined and other simple values,
 * tags except those of RFC 8746's little-endian arrays, texts that are not UTF-8, duplicate keys,
 * keys that are neither text nor unsigned integer, containers larger than the rest of the input,
 * nesting beyond the limit.  Texts and bytes borrow from the input.  Nothing allocates.  One
 * thread per reader.
 *
 * Most maps are read by a table of their keys instead: record/keys.h.
 */
#ifndef ASSAY_RECORD_READ_H
#define ASSAY_RECORD_READ_H

#include <assay/record.h>

#include "record/text.h"

#define READ_DEPTH_MAX 16    /* storage; the limit is reader.depth_max */
#define READ_ITEMS_MAX 65536 /* items of one message */
#define READ_KEYS_MAX  1024  /* keys of all maps that are open at a time */

enum read_type {
	READ_ERROR, /* an earlier error, or the end of the input */
	READ_UINT,
	READ_NEGINT,
	READ_BYTES,
	READ_TEXT,
	READ_ARRAY,
	READ_MAP,
	READ_TAG,
	READ_BOOL,
	READ_NULL,
	READ_FLOAT32,
	READ_FLOAT64,
};

/* One item; of a container or tag its head only. */
struct read_item {
	enum read_type type;
	size_t at;               /* offset of its first byte */
	uint64_t value;          /* integer (READ_NEGINT: -1 - value), items, pairs, tag, or bool */
	double number;           /* floats */
	struct assay_span bytes; /* READ_BYTES, READ_TEXT */
};

struct reader {
	const uint8_t *data;
	size_t len, at;
	size_t items;       /* read so far */
	unsigned depth_max; /* ASSAY_DEPTH_MAX unless changed after read_init() */
	unsigned depth;     /* containers open now */
	struct {
		uint64_t left; /* items to come; a map has two per pair */
		uint32_t keys; /* reader.keys in use when it was opened */
		bool is_map;
	} open[READ_DEPTH_MAX];
	uint64_t tag; /* of the item to come; 0: none */
	int error;
	size_t error_at;
	char text[120]; /* the error: found, expected */
	uint32_t keys_count;
	struct {
		uint32_t hash, at;
	} keys[READ_KEYS_MAX];
};

/* Starts at the first of `len` bytes, which are borrowed and must be less than 4 GiB. */
void read_init(struct reader *r, const void *data, size_t len);

/* The same for `pairs` pairs of a map, without the map's head. */
void read_init_pairs(struct reader *r, const void *data, size_t len, size_t pairs);

/* Sets the reader's error, if it has none, at byte `at`, with a printable text.  -EBADMSG. */
int read_fail(struct reader *r, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Reads the next item of any type; of a container only its head. */
int read_item(struct reader *r, struct read_item *item);

/* The type of the next item without reading it; READ_ERROR at the end. */
enum read_type read_peek(struct reader *r);

/*
 * One item of the named type.  Texts are not terminated.  read_fixed() gives a byte string of
 * exactly `len` bytes, such as a uuid.  read_double() takes integers and floats; read_int() rejects
 * integers outside int64_t.
 */
int read_map(struct reader *r, size_t *pairs);
int read_array(struct reader *r, size_t *items);
int read_tag(struct reader *r, uint64_t *tag);
int read_text(struct reader *r, struct assay_string *text);
int read_bytes(struct reader *r, struct assay_span *bytes);
int read_fixed(struct reader *r, size_t len, const uint8_t **data);
int read_uint(struct reader *r, uint64_t *value);
int read_int(struct reader *r, int64_t *value);
int read_bool(struct reader *r, bool *value);
int read_float(struct reader *r, double *value);
int read_double(struct reader *r, double *value);

/* The next key of the innermost map, which must be a text. */
int read_key(struct reader *r, struct assay_string *key);

/* A typed array (RFC 8746): its tag and bytes, whole elements. */
int read_typed(struct reader *r, enum assay_element *element, struct assay_span *data);

/*
 * The same, or one in tag 40 with the lengths of its dimensions, at most ASSAY_DIMS_MAX; their
 * product is the number of elements.  Without tag 40 `dims` is 0.
 */
int read_nd(struct reader *r, size_t *shape, size_t *dims, enum assay_element *element,
	struct assay_span *data);

/* Skips one item with everything in it, checked like all others. */
int read_skip(struct reader *r);

/* The same, and gives its encoded bytes. */
int read_raw(struct reader *r, struct assay_span *raw);

/* Call it last: the error if there was one, or -EBADMSG for bytes or items left over. */
int read_finish(struct reader *r);

#endif
