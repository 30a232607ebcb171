/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads published entries, the records in them, and the variables of a frame.
 *
 * Nothing here allocates, blocks or keeps state: every view borrows from the bytes it was read
 * from and is valid as long as they are.  All functions are thread-safe and may be given any
 * bytes.  Texts are UTF-8, not terminated, and come from instruments and people: escape them
 * before printing.  The format `assay/1` is described in docs/frame-format.
 */
#ifndef ASSAY_RECORD_H
#define ASSAY_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ASSAY_RECORD_MAX  (UINT32_C(16) << 20) /* bytes of one record */
#define ASSAY_TOPIC_MAX   160                  /* bytes of a topic */
#define ASSAY_TOKEN_MAX   32                   /* bytes of one token of a topic */
#define ASSAY_NAME_MAX    32                   /* bytes of a variable's or setting's name */
#define ASSAY_DEPTH_MAX   8                    /* nesting of a record */
#define ASSAY_DIMS_MAX    4                    /* dimensions of a variable */
#define ASSAY_VARS_MAX    256                  /* variables of a frame */
#define ASSAY_UUID_SIZE   16
#define ASSAY_SHA256_SIZE 32

enum assay_record_type {
	ASSAY_RECORD_RUN_START = 1,
	ASSAY_RECORD_FRAME,
	ASSAY_RECORD_RUN_END,
	ASSAY_RECORD_AMEND,
	ASSAY_RECORD_STATE,
	ASSAY_RECORD_AUDIT,
	ASSAY_RECORD_SEAL,
};

enum assay_frame_kind {
	ASSAY_KIND_SPECTRUM = 1,
	ASSAY_KIND_INTERFEROGRAM,
	ASSAY_KIND_CHROMATOGRAM,
	ASSAY_KIND_SCALAR,
	ASSAY_KIND_TABLE,
};

enum assay_var_role {
	ASSAY_ROLE_DATA = 1,
	ASSAY_ROLE_AXIS,
	ASSAY_ROLE_AUX,
	ASSAY_ROLE_UNCERTAINTY,
	ASSAY_ROLE_FLAGS,
};

/* The element type of an array, always little-endian in a record (RFC 8746). */
enum assay_element {
	ASSAY_ELEMENT_U8 = 1,
	ASSAY_ELEMENT_U16,
	ASSAY_ELEMENT_U32,
	ASSAY_ELEMENT_U64,
	ASSAY_ELEMENT_I8,
	ASSAY_ELEMENT_I16,
	ASSAY_ELEMENT_I32,
	ASSAY_ELEMENT_I64,
	ASSAY_ELEMENT_F32,
	ASSAY_ELEMENT_F64,
};

/* The forms that the data of a variable can have. */
enum assay_form {
	ASSAY_FORM_ARRAY = 1, /* one typed array */
	ASSAY_FORM_ND,        /* a typed array with several dimensions, the last one fastest */
	ASSAY_FORM_LINEAR,    /* start + i * step, i < count */
	ASSAY_FORM_INT,
	ASSAY_FORM_UINT, /* an integer above INT64_MAX; smaller ones are ASSAY_FORM_INT */
	ASSAY_FORM_FLOAT,
	ASSAY_FORM_TEXT,
	ASSAY_FORM_TEXTS, /* one text per element: assay_var_text() */
};

/* The quality of a frame, never a QC result. */
enum assay_quality_flag {
	ASSAY_QUALITY_GOOD = 1,
	ASSAY_QUALITY_UNCHECKED = 2,
	ASSAY_QUALITY_SUSPECT = 3,
	ASSAY_QUALITY_BAD = 4,
	ASSAY_QUALITY_MISSING = 9,
};

enum assay_sync {
	ASSAY_SYNC_NTP = 1,
	ASSAY_SYNC_PTP,
	ASSAY_SYNC_RTC,
	ASSAY_SYNC_NONE,
};

/* Borrowed bytes; `data` is NULL where the record does not have them. */
struct assay_span {
	const uint8_t *data;
	size_t len;
};

/* Borrowed UTF-8 without a terminator; `data` is NULL where the record does not have it. */
struct assay_string {
	const char *data;
	size_t len;
};

/* A record with its place in the journal. */
struct assay_entry_view {
	const uint8_t *journal; /* 16 bytes: one incarnation of the journal */
	uint64_t seq;           /* 1, 2, 3 ... without gaps in a journal */
	uint64_t prev;          /* seq of the previous entry on this topic, 0: first */
	uint64_t tc;            /* commit time, ns since 1970 UTC */
	struct assay_string topic;
	struct assay_span body; /* the record */
};

struct assay_stamp {
	uint64_t utc;  /* ns since 1970 UTC: receipt of the last byte of its data */
	uint64_t mono; /* CLOCK_BOOTTIME, ns; 0: not given */
	uint64_t unc;  /* ns; 0: not given */
	enum assay_sync sync;
	struct assay_string dev; /* the instrument's own time, untouched */
};

struct assay_inst {
	struct assay_string key, make, model, serial, fw, asset, source;
};

/*
 * Keys common to all types of records, and the most used others.  Pointers, texts and spans are
 * NULL, numbers 0, if the type has no such key or the record does not have it.
 */
struct assay_record_view {
	enum assay_record_type type;
	const uint8_t *id;     /* 16 bytes */
	const uint8_t *run;    /* 16 bytes */
	const uint8_t *ctx;    /* 32 bytes: SHA-256(0x00 || run-start entry) */
	const uint8_t *digest; /* 32 bytes: of a run-end */
	const uint8_t *config; /* 32 bytes: of a run-start */
	struct assay_stamp t;
	struct assay_inst inst;
	bool sim;
	uint64_t n;      /* frame */
	uint64_t frames; /* run-end */
	uint64_t size;   /* seal */
	/* run-start; of technique and method the id */
	struct assay_string number, technique, mode, sync, sample, person, method;
	struct assay_string status, why;           /* run-end */
	struct assay_string state, code, text;     /* state */
	struct assay_string event, actor, reason;  /* audit; the latter two also amend */
	struct assay_string note;                  /* seal */
	struct assay_span settings, setup, values; /* CBOR maps */
	struct assay_span refs, set, was;          /* CBOR: array, maps */
	struct assay_span body;                    /* the whole record */
};

/* A frame: read from a record, it gives its variables one after the other. */
struct assay_frame_view {
	struct assay_record_view record;
	enum assay_quality_flag quality;
	struct assay_span why; /* CBOR array of reasons */
	uint64_t retries, dropped;
	enum assay_frame_kind kind;
	bool partial;         /* replaces the previous frame, is never added to it */
	uint64_t step, steps; /* step `step` of `steps`; 0 of 0: the method has no steps */
	struct assay_string step_name;
	size_t vars_count;
	struct assay_span vars;   /* CBOR array */
	struct assay_span raw;    /* CBOR array of raw blocks */
	size_t next_var, next_at; /* assay_frame_next() */
};

struct assay_var_view {
	struct assay_string name, of, unit, label, basis;
	struct assay_string analyte, cas; /* analyte's name and CAS number */
	struct assay_string qty;          /* the quantity's term id */
	enum assay_var_role role;
	size_t dims_count;
	struct assay_string dims[ASSAY_DIMS_MAX]; /* names of the axis variables */
	enum assay_form form;
	size_t count;                 /* elements: 1 for a scalar form */
	size_t shape[ASSAY_DIMS_MAX]; /* ASSAY_FORM_ND: a length per dimension */
	enum assay_element element;   /* ASSAY_FORM_ARRAY, ASSAY_FORM_ND; FLOAT: F32 or F64 */
	struct assay_span data;       /* those: elements, maybe unaligned; ASSAY_FORM_TEXTS: CBOR */
	double start, step;           /* ASSAY_FORM_LINEAR */
	int64_t i;                    /* ASSAY_FORM_INT */
	uint64_t u;                   /* ASSAY_FORM_UINT */
	double f;                     /* ASSAY_FORM_FLOAT */
	struct assay_string text;     /* ASSAY_FORM_TEXT */
	struct assay_string channel;
};

/*
 * Reads the `len` bytes of one entry, from the second part of a message or from a replay, into
 * `entry`, which borrows from them.  Returns 0, or -EBADMSG if this is not an entry of version 1.
 * The record inside is not checked.
 */
int assay_entry_read(const void *data, size_t len, struct assay_entry_view *entry);

/*
 * Reads the record in entry.body.  `record` borrows from it.  Keys that this version does not
 * know are skipped.  Returns 0, -EBADMSG if it is not a record or violates the format's
 * encoding, or -EOPNOTSUPP for a record of an unknown type or version.
 */
int assay_record_read(const void *body, size_t len, struct assay_record_view *record);

/*
 * The same for a frame, with its quality, kind and variables.  -EINVAL: the record is of another
 * type.
 */
int assay_frame_read(const void *body, size_t len, struct assay_frame_view *frame);

/*
 * Gives the frame's next variable, which borrows from the frame's bytes.  Returns 1, 0 after the
 * last one, or -EBADMSG.  assay_frame_rewind() starts again.
 */
int assay_frame_next(struct assay_frame_view *frame, struct assay_var_view *var);
void assay_frame_rewind(struct assay_frame_view *frame);

/* Finds the frame's first variable of this name: 0 or -ENOENT.  Does not move assay_frame_next(). */
int assay_frame_find(
	const struct assay_frame_view *frame, const char *name, struct assay_var_view *var);

/*
 * Element i < var->count as a number, for plots and tables: exact for all forms except 64-bit
 * integers above 2^53.  NaN for texts.
 */
double assay_var_number(const struct assay_var_view *var, size_t i);

/* The same as an integer in `u` and `negative`.  False if the variable has no integers. */
bool assay_var_integer(const struct assay_var_view *var, size_t i, uint64_t *u, bool *negative);

/* Element i < var->count of ASSAY_FORM_TEXT or ASSAY_FORM_TEXTS; a NULL text for other forms. */
struct assay_string assay_var_text(const struct assay_var_view *var, size_t i);

/* Bytes of one element: 1, 2, 4 or 8. */
size_t assay_element_size(enum assay_element element);

/* The words of the format for these values, such as "run-start"; NULL for another value. */
const char *assay_record_type_name(enum assay_record_type type);
const char *assay_frame_kind_name(enum assay_frame_kind kind);
const char *assay_role_name(enum assay_var_role role);
const char *assay_quality_name(enum assay_quality_flag quality);
const char *assay_sync_name(enum assay_sync sync);
const char *assay_element_name(enum assay_element element);

/* True when `text` has exactly these bytes. */
bool assay_string_is(struct assay_string text, const char *word);

#ifdef __cplusplus
}
#endif
#endif
