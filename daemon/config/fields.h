/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections of the configuration as tables.  A section is a YAML map; its table gives for each key
 * the values that are accepted, the member of a struct that takes them, and one line of help.
 * Reading, messages and the JSON Schema follow from the table.
 */
#ifndef ASSAY_CONFIG_FIELDS_H
#define ASSAY_CONFIG_FIELDS_H

#include "config/reading.h"

enum field_type {
	FIELD_TEXT = 1,   /* const char *: any text but the empty one */
	FIELD_TOKEN,      /* const char *: [a-z0-9-]{1,32} */
	FIELD_PATH,       /* const char *: absolute */
	FIELD_DEVICE,     /* const char *: the same, of a serial port */
	FIELD_HOST,       /* const char *: a host name or an IP address */
	FIELD_USB_SOCKET, /* const char *: bus and sockets such as 1-2.3 */
	FIELD_BOOL,       /* bool */
	FIELD_UINT,       /* unsigned: `min` ... `max` */
	FIELD_COUNT,      /* uint64_t: `min` ... `max` */
	FIELD_DURATION,   /* uint64_t: nanoseconds; `min`, `max` in seconds */
	FIELD_MS,         /* unsigned: milliseconds; `min`, `max` in seconds */
	FIELD_SIZE,       /* uint64_t: bytes; `min`, `max` in bytes */
	FIELD_DATE,    /* uint64_t: UTC nanoseconds; the start of the day, with FIELD_END its end */
	FIELD_CHOICE,  /* unsigned: the index in `choices` */
	FIELD_FLAGS,   /* unsigned: a list of `choices`, bit i for choice i */
	FIELD_SECTION, /* a map with `fields` of its own, in the same struct */
	FIELD_NODE,    /* const struct node *: read by the caller */
};

enum field_flag {
	FIELD_REQUIRED = 1 << 0,
	FIELD_HEX = 1 << 1, /* shown in hexadecimal */
	FIELD_END = 1 << 2,
};

/* A table ends with .name = NULL. */
struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	size_t offset;
	double min, max; /* both 0: only the type is the limit */
	const char *const *choices;
	const struct field *fields;
	const char *help;
};

/*
 * Reads `map` into the struct at `into`, which has the defaults already.  Unknown and missing keys
 * and wrong values are errors of the load; their members stay as they were.  `name` is that of the
 * section in messages ("journal"), `where` the place of an error about a missing key.  A NULL map
 * is a section left out.
 */
void fields_read(struct load *load, const struct node *map, const char *name,
	struct config_mark where, const struct field *fields, void *into);

/*
 * Returns whether `node` is a map, and reports an error if not.  A value left out counts as an
 * empty map if `may_be_empty`.
 */
bool fields_expect_map(
	struct load *load, const struct node *node, const char *name, bool may_be_empty);

/* The index in `choices` (ends with NULL) of the value of the key `name`; -1 after an error. */
int fields_find_choice(
	struct load *load, const struct node *node, const char *name, const char *const *choices);

/* "expected true or false", with the word to write instead of yes, no, on, off. */
const char *fields_expected_bool(const char *found);

#endif
