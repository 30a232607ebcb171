/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing JSON by pieces; commas are put where they belong.  Failure is sticky in the buffer.
 *
 *	json_open(&j, '{');
 *	json_pair(&j, "type", "object");
 *	json_key(&j, "required");
 *	json_open(&j, '[');
 *	json_text(&j, "site");
 *	json_close(&j, ']');
 *	json_close(&j, '}');
 */
#ifndef ASSAY_CONFIG_JSONOUT_H
#define ASSAY_CONFIG_JSONOUT_H

#include "base/buffer.h"

/* Zero but for `to` is a valid beginning. */
struct json {
	struct buffer *to;
	bool needs_comma;
};

void json_open(struct json *j, char bracket);
void json_close(struct json *j, char bracket);
void json_key(struct json *j, const char *key);
void json_text(struct json *j, const char *text);
void json_number(struct json *j, double value);
void json_bool(struct json *j, bool value);

/* What is JSON already. */
void json_literal(struct json *j, const char *json);

/* A key and a text; nothing where `text` is NULL. */
void json_pair(struct json *j, const char *key, const char *text);

/* The map {key: text} as a value. */
void json_single(struct json *j, const char *key, const char *text);

#endif
