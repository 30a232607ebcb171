/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics: a1/<kind>/<technique>/<site>/<node>/<instrument>/, tokens of [a-z0-9-]{1,32}, '-' where
 * a token does not apply, at most 160 bytes (libzmq 4.3.4 loses subscriptions of 246 to 255).
 */
#ifndef ASSAY_RECORD_TOPIC_H
#define ASSAY_RECORD_TOPIC_H

#include <assay/record.h>

#include "record/text.h"

enum topic_kind {
	TOPIC_DATA = 1, /* run-start, frame, run-end, amend */
	TOPIC_STATE,
	TOPIC_SIM_DATA, /* of simulated instruments */
	TOPIC_SIM_STATE,
	TOPIC_AUDIT,
	TOPIC_SEAL,
	TOPIC_HEAD, /* heartbeat, not journaled */
};

struct topic {
	enum topic_kind kind;
	struct assay_string technique, site, node, instrument;
};

/*
 * Writes a topic with its terminator and returns its length, or -EINVAL for a token that is not
 * one, -EMSGSIZE when it gets too long.  NULL stands for "-".
 */
int topic_make(char out[ASSAY_TOPIC_MAX + 1], enum topic_kind kind, const char *technique,
	const char *site, const char *node, const char *instrument);

/* The way back; `topic` borrows from `text`.  0 or -EINVAL.  This is also the check. */
int topic_parse(struct assay_string text, struct topic *topic);

/* The topic kind on which a record of this type and truth travels. */
enum topic_kind topic_kind_of(enum assay_record_type type, bool sim);

#endif
