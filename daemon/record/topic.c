/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "record/topic.h"
#include "record/words.h"

#define TOKENS 6

static const char *const kinds_list[] = {
	"data", "state", "sim-data", "sim-state", "audit", "seal", "head"};
static const struct words kinds = {kinds_list, sizeof kinds_list / sizeof kinds_list[0]};

int topic_make(char out[ASSAY_TOPIC_MAX + 1], enum topic_kind kind, const char *technique,
	const char *site, const char *node, const char *instrument)
{
	const char *const tokens[] = {
		"a1", words_name(&kinds, (int)kind), technique, site, node, instrument};
	size_t len = 0;
	assert(tokens[1] != NULL);
	for (size_t i = 0; i < TOKENS; i++) {
		const char *token = tokens[i] != NULL ? tokens[i] : "-";
		size_t token_len = strlen(token);
		if (!token_is_valid(string_of(token)))
			return -EINVAL;
		if (len + token_len + 1 > ASSAY_TOPIC_MAX)
			return -EMSGSIZE;
		memcpy(out + len, token, token_len);
		len += token_len;
		out[len++] = '/';
	}
	out[len] = '\0';
	return (int)len;
}

int topic_parse(struct assay_string text, struct topic *topic)
{
	struct assay_string tokens[TOKENS];
	size_t at = 0;
	if (text.len > ASSAY_TOPIC_MAX)
		return -EINVAL;
	for (size_t i = 0; i < TOKENS; i++) {
		const char *slash = text.len > at ? memchr(text.data + at, '/', text.len - at)
						  : NULL;
		if (slash == NULL)
			return -EINVAL;
		tokens[i] = (struct assay_string){text.data + at, (size_t)(slash - text.data) - at};
		if (!token_is_valid(tokens[i]))
			return -EINVAL;
		at += tokens[i].len + 1;
	}
	int kind = words_find(&kinds, tokens[1]);
	if (at != text.len || !assay_string_is(tokens[0], "a1") || kind < 0)
		return -EINVAL;
	*topic = (struct topic){(enum topic_kind)kind, tokens[2], tokens[3], tokens[4], tokens[5]};
	return 0;
}

enum topic_kind topic_kind_of(enum assay_record_type type, bool sim)
{
	switch (type) {
	case ASSAY_RECORD_STATE: return sim ? TOPIC_SIM_STATE : TOPIC_STATE;
	case ASSAY_RECORD_AUDIT: return TOPIC_AUDIT;
	case ASSAY_RECORD_SEAL: return TOPIC_SEAL;
	default: return sim ? TOPIC_SIM_DATA : TOPIC_DATA;
	}
}
