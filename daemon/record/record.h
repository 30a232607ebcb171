/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds records: from the core's structs to the bytes that are committed.  Each function appends
 * one record to `to`; the only error is that `to` has failed.  Everything is borrowed for the call.
 * Texts are UTF-8; NULL, 0 and empty spans mean "absent" where the format allows it.
 */
#ifndef ASSAY_RECORD_RECORD_H
#define ASSAY_RECORD_RECORD_H

#include <assay/record.h>

#include "base/buffer.h"
#include "record/quality.h"
#include "record/stamp.h"
#include "record/words.h"

#define RECORD_VERSION 1

struct inst_id {
	const char *key;
	const char *make, *model, *serial; /* in run-start and frame never NULL; serial "none" */
	const char *fw, *asset;
	enum id_source source;
};

struct term {
	const char *id, *name; /* CHMO, PSI-MS */
};

struct software {
	const char *name, *version;
	const uint8_t *sha256;
};

struct method {
	const char *id, *version;
	const uint8_t *sha256;
};

struct run_ref {
	enum ref_kind rel;
	const uint8_t *run, *ctx;
};

struct batch {
	const char *id; /* NULL: no batch */
	uint64_t i, of; /* of 0: not known */
};

struct calibration {
	const char *id;
	struct term kind;  /* id NULL: absent */
	uint64_t from, to; /* ns since 1970 UTC */
	const uint8_t *sha256;
};

struct sample {
	const char *id; /* "none" where there is none */
	enum sample_type type;
	enum entry_way entered;
	const char *scheme, *container, *position;
	uint64_t replicate; /* counted from 1; 0: absent */
	const char *aliquot, *lot, *request, *hs_declared, *goods;
};

struct actor {
	const char *id; /* of an operator "none" where there is none */
	enum auth_way auth;
	const char *via; /* "control", "config", "signal" ...; NULL: absent */
};

/* The first keys of every record except audit and seal. */
struct record_base {
	const uint8_t *id; /* 16 random bytes: they also salt the leaf hash */
	struct stamp t;
	struct inst_id inst;
};

/* Encoded `x-...` pairs for the record's end. */
struct record_extra {
	struct assay_span pairs;
	size_t count;
};

struct run_start {
	struct record_base base;
	const uint8_t *run;
	const char *number;
	struct term technique;
	bool sim;
	enum run_mode mode;
	struct software driver, core, vendor_sw;
	const uint8_t *config; /* 32 bytes */
	const char *sync;
	struct sample sample;
	struct actor operator; /* id never NULL */
	struct method method;
	const struct run_ref *refs;
	size_t refs_count;
	struct batch batch;
	const struct calibration *cal;
	size_t cal_count;
	const struct inst_id *parts;
	size_t parts_count;
	struct assay_span settings, setup, env; /* encoded maps */
	struct record_extra extra;
};
void record_run_start(struct buffer *to, const struct run_start *start);

/* A frame as the core attests it, before the part that the worker encoded. */
struct frame_head {
	struct record_base base;
	const uint8_t *run, *ctx;
	uint64_t n;
	bool sim;
	struct quality q;
};

/* `part` holds `pairs` pairs, as check_frame_part() passed them; appended as they are. */
void record_frame(
	struct buffer *to, const struct frame_head *head, struct assay_span part, size_t pairs);

struct run_end {
	struct record_base base;
	const uint8_t *run;
	uint64_t frames;
	enum run_status status;
	const char *why;
	struct actor actor; /* id NULL: absent */
	const uint8_t *digest;
	const struct quality_counts *quality; /* NULL: absent; as it is without frames */
	struct record_extra extra;
};
void record_run_end(struct buffer *to, const struct run_end *end);

struct amend {
	struct record_base base;
	const uint8_t *run, *ctx;
	struct actor actor;
	const char *reason;
	struct assay_span set, was; /* encoded maps */
	struct record_extra extra;
};
void record_amend(struct buffer *to, const struct amend *amend);

struct dev_state {
	struct record_base base;
	bool sim;
	enum device_state state;
	const char *code, *text;
	struct assay_span values; /* encoded map */
	struct record_extra extra;
};
void record_state(struct buffer *to, const struct dev_state *state);

struct audit {
	const uint8_t *id;
	struct stamp t;
	const char *event;
	struct actor actor;
	struct assay_span before, after; /* one encoded item each */
	const char *reason;
	struct record_extra extra;
};
void record_audit(struct buffer *to, const struct audit *audit);

struct seal {
	uint64_t size;
	const uint8_t *root;
	const char *note;
	struct record_extra extra;
};
void record_seal(struct buffer *to, const struct seal *seal);

#endif
