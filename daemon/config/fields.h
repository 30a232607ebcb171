/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sections of the configuration as tables.  A section is a YAML map; its table says for each key
 * what may stand there, where it goes in a struct, and one line of help.  Reading, the messages
 * and the JSON Schema all come from the table.
 */
#ifndef ASSAY_CONFIG_FIELDS_H
#define ASSAY_CONFIG_FIELDS_H

#include "config/reading.h"

enum field_type {
	FIELD_TEXT = 1,   /* const char *: any text but the empty one */
	FIELD_TOKEN,      /* const char *: [a-z0-9-]{1,32} */
	FIELD_PATH,       /* const char *: absolute */
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
	FIELD_NODE,    /* const struct node *: read by somebody else */
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
	double min, max; /* both 0: only what the type can hold */
	const char *const *choices;
	const struct field *fields;
	const char *help;
};

/*
 * Reads `map` into the struct at `into`, whose defaults are there already.  Unknown and missing
 * keys and wrong values are errors of the load; what is wrong stays as it was.  `what` names the
 * section in messages ("journal"), `where` is the place at which something is missing.  A NULL map
 * is a section left out.
 */
void fields_read(struct load *load, const struct node *map, const char *what,
	struct config_mark where, const struct field *fields, void *into);

/*
 * Says that `node` is no map and returns false, or returns true.  Nothing at all counts as an
 * empty map where `may_be_empty`.
 */
bool fields_expect_map(
	struct load *load, const struct node *node, const char *what, bool may_be_empty);

/* "expected true or false", with what to write instead of yes, no, on, off. */
const char *fields_expected_bool(const char *found);

#endif
