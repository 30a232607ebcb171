/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#define NAME_LEN 4

/* One "XXXX=param;"; a piece without "=" or with another name length has no name. */
struct piece {
	const char *text;
	size_t len; /* with the semicolon, if there is one */
	bool is_named, has_parameter, is_ended;
	const char *parameter;
	size_t parameter_len;
};

static struct piece next_piece(const char *text, size_t len)
{
	const char *semicolon = memchr(text, ';', len);
	size_t body = semicolon != NULL ? (size_t)(semicolon - text) : len;
	const char *equals = memchr(text, '=', body);
	size_t name = equals != NULL ? (size_t)(equals - text) : body;
	struct piece c = {.text = text,
		.len = body + (semicolon != NULL),
		.is_named = name == NAME_LEN,
		.has_parameter = equals != NULL,
		.is_ended = semicolon != NULL};
	for (size_t i = 0; i < name; i++)
		if (!(text[i] >= 'A' && text[i] <= 'Z') && !(text[i] >= '0' && text[i] <= '9'))
			c.is_named = false;
	if (equals != NULL) {
		c.parameter = equals + 1;
		c.parameter_len = body - name - 1;
	}
	return c;
}

static bool is_one_of(const struct piece *c, const char *names)
{
	for (; *names != '\0'; names += NAME_LEN)
		if (memcmp(c->text, names, NAME_LEN) == 0)
			return true;
	return false;
}

static void note_effect(
	struct config_result *result, const struct settings *s, const struct piece *c)
{
	if (is_one_of(c, "RESC")) {
		result->disables = true;
		result->enables = false;
	}
	if (is_one_of(c, "RESCPRETPRERPRELPRECPRCLPRCH"))
		result->sets_presets = true;
	if (is_one_of(c, "MCAE")) {
		result->enables = settings_is(s, "MCAE", "ON");
		result->disables = !result->enables;
	}
}

struct config_result config_apply(struct settings *s, const char *text, size_t len)
{
	struct config_result result = {.ack = ACK_OK};
	for (size_t at = 0; at < len; result.commands++) {
		struct piece c = next_piece(text + at, len - at);
		enum ack ack;
		if (!c.is_named || !c.has_parameter || !c.is_ended)
			ack = ACK_COMMAND;
		else if (is_one_of(&c, "RESC") && at > 0)
			ack = ACK_PARAMETER;
		else
			ack = settings_set(s, c.text, c.parameter, c.parameter_len);
		if (ack == ACK_OK) {
			note_effect(&result, s, &c);
		} else {
			result.ack = ack;
			result.bad = c.text;
			result.bad_len = c.len;
		}
		at += c.len;
		result.is_preset_only = result.commands == 0 && ack == ACK_OK && at == len &&
					is_one_of(&c, "PRETPRERPRELPREC");
	}
	return result;
}

static const char *read_sca(struct settings *s, const struct piece *c, char *value, size_t size)
{
	const struct sca *sca = &s->sca[s->sca_index];
	switch (c->text[3]) {
	case 'L': snprintf(value, size, "%d", sca->low); return value;
	case 'H': snprintf(value, size, "%d", sca->high < 0 ? 0 : sca->high); return value;
	case 'O': return sca->output;
	default:
		if (settings_set(s, "SCAI", c->parameter, c->parameter_len) != ACK_OK)
			return "??";
		snprintf(value, size, "%d", s->sca_index + 1);
		return value;
	}
}

static const char *read_value(struct settings *s, const struct piece *c, char *value, size_t size)
{
	const char *found = c->is_named ? settings_get(s, c->text) : NULL;
	if (found == NULL)
		return "??";
	if (is_one_of(c, "SCAISCALSCAHSCAO"))
		return is_one_of(c, "SCAI") && !c->has_parameter ? "??"
								 : read_sca(s, c, value, size);
	return found;
}

size_t config_read_back(struct settings *s, const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;
	for (size_t at = 0; at < len && n < size;) {
		char value[SETTING_VALUE];
		struct piece c = next_piece(text + at, len - at);
		size_t name = 0;
		while (name < c.len && name < NAME_LEN && c.text[name] != ';' &&
			c.text[name] != '=')
			name++;
		int written = snprintf(out + n, size - n, "%.*s=%s;", (int)name, c.text,
			read_value(s, &c, value, sizeof(value)));
		n += written > 0 ? (size_t)written : 0;
		at += c.len;
	}
	return n < size ? n : size - 1;
}
