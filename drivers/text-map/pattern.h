/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns: the form of one line, such as "S {status S|D} {mass number} {unit word}".  Pure.
 *
 * A character stands for itself, a blank for one or more blanks, {name kind width} for a part.  The
 * name may be absent: the part is read over.  A width is a number of bytes.  Each part takes all
 * that it can and gives nothing back, so the time of a match is linear, and a line matches in one
 * way or not at all.  A match is of the whole line.
 */
#ifndef ASSAY_TEXT_MAP_PATTERN_H
#define ASSAY_TEXT_MAP_PATTERN_H

#include <assay/driver.h>

#define PARTS_MAX     128
#define PART_NAME_MAX 32

enum part_kind {
	PART_NUMBER,    /* -1.5e3; or a mark that stands for a number */
	PART_INTEGER,   /* decimal */
	PART_HEX,       /* 1 to 16 digits */
	PART_WORD,      /* up to a blank, or to the pattern's next character; not empty */
	PART_TEXT,      /* up to the pattern's next character; may be empty */
	PART_NUMBERS,   /* several, with blanks, commas or semicolons between them */
	PART_FLOAT32LE, /* width: how many, 4 bytes each, low byte first */
	PART_FLOAT32BE, /* high byte first */
	PART_BLANKS,    /* any number of blanks, or none */
	PART_ADDRESS,   /* the text of the setting `address` */
	PART_CHOICE,    /* one of several texts, A|B: the longest that is there; or =A alone */
};

/* A named part of a line that matched. */
struct part {
	const char *name; /* in the pattern; not terminated */
	size_t name_len;
	enum part_kind kind;
	bool is_mark;     /* for a number, such as ----- or #12: there is none */
	const char *text; /* in the line, without the blanks around it */
	size_t len;
};

struct parts {
	struct part list[PARTS_MAX];
	size_t count;
	bool is_double; /* a name came twice, or there are too many: the replies are no frame */
};

/*
 * Reads one character, escaped or not: \r \n \t \xHH, or a backslash before any other character
 * that is neither a letter nor a digit.  Returns the number of characters read; 0: not an escape.
 */
size_t pattern_character(const char *at, char *c);

/* The length of a text after its escapes were replaced, at most `size`; -1: a wrong escape. */
long pattern_unescape(const char *text, char *out, size_t size);

/* The reason why the pattern is wrong, with the place in it, in `why`; NULL: it is right. */
const char *pattern_fault(const char *pattern, const char *address, char *why, size_t size);

/*
 * Whether the whole line matches; then its named parts are added, else none.  A name that is there
 * already sets parts->is_double.  The pattern is right, and outlives the parts.
 */
bool pattern_match(const char *pattern, const char *address, const char *line, size_t len,
	struct parts *parts);

/* Calls `each` for the name of every named part. */
void pattern_names(
	const char *pattern, void (*each)(void *arg, const struct part *part), void *arg);

/* The part of that name, or NULL. */
const struct part *parts_find(const struct parts *parts, const char *name);

/* The length of the number at the start of the text, 0: none.  "+  12.5" is one. */
size_t pattern_number(const char *text, size_t len);

#endif
