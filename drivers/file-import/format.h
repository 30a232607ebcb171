/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A format of files, as one table: how a data set is recognised, how its end is found, which of its
 * bytes make which frame, and how these bytes read.
 *
 * `fits`, `look` and `next` see the files; `decode` is pure and sees only the blocks of one frame, which
 * `next` has named, so that a journal can be decoded again.  All bytes are hostile: each count and each
 * offset is checked against the size of the file before it is used.
 */
#ifndef FILE_IMPORT_FORMAT_H
#define FILE_IMPORT_FORMAT_H

#include <assay/driver.h>

#include <stdbool.h>
#include <stdint.h>

#define FORMAT_SLICES 8
#define FORMAT_FACT   256 /* bytes of a text */

/* The files of one data set.  Paths are below it; a data set of one file has one, with its own name. */
struct source {
	unsigned files;
	const struct source_file {
		const char *path;
		uint64_t size;
	} * file;
	bool is_folder;
	const char *name;                      /* of the file or the folder */
	const struct assay_settings *settings; /* of the driver */
	/* The bytes [offset, offset + len) of a file: 0; -ENODATA: it ends before; or an error of the link. */
	int (*read)(struct source *s, unsigned file, uint64_t offset, void *to, size_t len);
};

/* The result of look(). */
enum format_found {
	FORMAT_FOREIGN = 1, /* not of this format, for all that its name or first bytes say */
	FORMAT_INCOMPLETE,  /* its own end mark is missing, or lies behind the end of the file */
	FORMAT_WHOLE,
	FORMAT_UNDECODED, /* whole, but of a version that cannot be read: `why` has one line */
	FORMAT_DAMAGED, /* the end is there, but the bytes before it contradict each other: `why` has one line */
};

/* Facts of the measurement that the files state.  UTF-8 without control characters; "" is not stated. */
struct format_facts {
	char sample[FORMAT_FACT], person[FORMAT_FACT], method[FORMAT_FACT], title[FORMAT_FACT];
	char make[FORMAT_FACT], model[FORMAT_FACT], serial[FORMAT_FACT], software[FORMAT_FACT];
	char acquired
		[FORMAT_FACT]; /* "2016-07-06T19:43:13", or the text of the file if it is ambiguous */
	char zone[FORMAT_FACT]; /* "Z", "+02:00", or "": local, zone unknown */
	char why[FORMAT_FACT];  /* of all but FORMAT_WHOLE: one line */
};

/*
 * The bytes of one frame: its raw blocks, in this order.  A slice may be in several frames (a header that
 * each one needs).  Bytes of the files that are in no slice are recorded behind those of the first frame.
 */
struct format_plan {
	const char *
		part; /* [a-z-], at most 24 characters: which kind of frame, for decode(); goes into the media type */
	struct format_slice {
		unsigned file;
		uint64_t offset, len;
	} slice[FORMAT_SLICES];
	unsigned count;
};

struct format {
	const char *name;       /* [a-z0-9-], at most 24 characters */
	const char *summary;    /* one line: program, names of files */
	const char *techniques; /* those that its frames can have, blanks between */
	size_t state_size;      /* of look() and next(), zeroed before look() */

	/* Cheap, by the names and the first bytes: whether look() is worth a try. */
	bool (*fits)(struct source *s);

	/*
	 * Finds whether all is there, fills the facts, and keeps in `state` all that next() needs.  An enum
	 * format_found, or a negative errno of source.read.
	 */
	int (*look)(struct source *s, void *state, struct format_facts *facts);

	/*
	 * The next frame: 1; 0: there is none; or a negative errno of source.read, -EBADMSG.  After look() it is
	 * called to the end twice: once to find the bytes that no frame has, once to read them.  `rewind` is
	 * true at the start of each pass.  NULL, and decode too, if look() finds it FORMAT_UNDECODED always.
	 */
	int (*next)(struct source *s, void *state, bool rewind, struct format_plan *plan);

	/*
	 * Interprets the blocks of one frame, in->raw[0 ... n) as next() named them; blocks of other bytes may
	 * follow.  0; or -EBADMSG, explained by assay_explain_decode(), before it has added anything to the
	 * frame: the frame then has its bytes only, and is suspect, file-damaged.
	 */
	int (*decode)(const struct assay_decoding *in, const char *part, struct assay_frame *out);
};

/* All formats, the surest first; ends with NULL. */
extern const struct format *const formats[];

#endif
