/* SPDX-License-Identifier: Apache-2.0 */
/* Output for people and for programs. */
#ifndef ASSAY_ASSAYCTL_PRINT_H
#define ASSAY_ASSAYCTL_PRINT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "record/read.h"

/* The CBOR item in `bytes` as one line of JSON. */
void print_json(const struct buffer *bytes);

/* Prints an object of libjansson as one line, and takes it.  NULL, of no memory, is legal. */
void print_object(json_t *object);

/* A text from elsewhere: control characters become '?'; the terminator is added. */
void print_safe(char *to, size_t size, struct assay_string text);

/* A setting of the record format as the configuration would have it: "60 s", "true", "[18, 28]". */
void print_setting(char *to, size_t size, const struct assay_span *value);

/* "2026-11-22 20:15:03Z" */
#define PRINT_TIME_SIZE 24
void print_time(char to[PRINT_TIME_SIZE], uint64_t utc);

/*
 * The pairs of one map, kept as texts: numbers, booleans and texts are looked up by key; byte
 * strings are hexadecimal; maps inside have their keys joined by '.', arrays are passed over.
 */
#define PAIRS_MAX 64
struct pairs {
	struct {
		char key[40];
		char value[260];
	} items[PAIRS_MAX];
	size_t count;
};

/* Reads the reader's next item, a map.  0 or -EBADMSG. */
int pairs_read(struct pairs *pairs, struct reader *r);

/* The value, "" when there is none; borrowed from `pairs`. */
const char *pairs_get(const struct pairs *pairs, const char *key);
bool pairs_has(const struct pairs *pairs, const char *key);
uint64_t pairs_number(const struct pairs *pairs, const char *key);

/*
 * Finds the array `key` in the reply's map and leaves the reader before its first item.  Returns
 * the number of items, or -EBADMSG.
 */
int reply_array(const struct buffer *reply, const char *key, struct reader *r, size_t *items);

/* The reply's own pairs.  0 or -EBADMSG. */
int reply_pairs(const struct buffer *reply, struct pairs *pairs);

#endif
