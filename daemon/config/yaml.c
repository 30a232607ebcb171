/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "config/errors.h"
#include "config/hint.h"
#include "config/yaml.h"
#include "record/text.h"

struct parse {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	const char *text;
	size_t len;
	const char *name;
	struct arena *arena;
	struct config_errors *errors;
	struct {
		size_t index;   /* in characters, as libyaml counts */
		const char *at; /* the same place in `text` */
	} seen;
};

static struct config_mark to_mark(const struct parse *p, yaml_mark_t mark)
{
	return (struct config_mark){p->name, (unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

static void report_syntax(struct parse *p)
{
	const yaml_parser_t *y = &p->parser;
	if (y->error == YAML_MEMORY_ERROR) {
		p->arena->failed = true;
		return;
	}
	struct config_mark mark = to_mark(p, y->problem_mark);
	char text[300];
	if (y->error == YAML_READER_ERROR) {
		mark = hint_mark_of_byte(p->text, p->len, y->problem_offset, p->name);
		snprintf(text, sizeof text, "this is not UTF-8 text (%s)", y->problem);
	} else {
		struct config_mark context = mark;
		if (y->context != NULL)
			context = to_mark(p, y->context_mark);
		hint_syntax(p->text, p->len, y->problem, context, &mark, text, sizeof text);
	}
	errors_add(p->errors, mark, "%s", text);
}

static bool next(struct parse *p)
{
	yaml_event_delete(&p->event);
	if (yaml_parser_parse(&p->parser, &p->event) == 1)
		return true;
	report_syntax(p);
	return false;
}

static struct node *reject(struct parse *p, struct config_mark mark, const char *text)
{
	errors_add(p->errors, mark, "%s", text);
	return NULL;
}

static struct node *parse_node(struct parse *p, unsigned depth);

/* Rejects all that people do not see, but line ends, tabs and blanks in the text. */
static bool is_visible(struct parse *p, struct config_mark mark, const char *text, size_t len)
{
	char shown[240];
	uint32_t code = 0;
	for (size_t i = 0, step; i < len; i += step) {
		step = utf8_next((const uint8_t *)text + i, len - i, &code);
		bool is_fine = code == '\n' || code == '\t' || glyph_of(code) < GLYPH_CONTROL;
		if (step != 0 && is_fine)
			continue;
		text_escape(shown, sizeof shown, (struct assay_string){text, len});
		errors_add(p->errors, mark,
			"this text contains a control or invisible character: '%s'; type it, "
			"instead of copying it",
			shown);
		return false;
	}
	return true;
}

/* Whether the rest of a line that YAML ignores looks like a part of the text: "holder #3". */
static bool is_cut_here(struct parse *p)
{
	const char *end = p->text + p->len;
	uint32_t code;
	if (p->seen.at == NULL)
		p->seen.at = p->text;
	for (; p->seen.index < p->event.end_mark.index && p->seen.at < end; p->seen.index++) {
		size_t left = (size_t)(end - p->seen.at);
		size_t step = utf8_next((const uint8_t *)p->seen.at, left, &code);
		p->seen.at += step != 0 ? step : 1;
	}
	const char *at = p->seen.at;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at > p->seen.at && at + 1 < end && at[0] == '#' && strchr(" \t\r\n#", at[1]) == NULL;
}

static struct node *parse_scalar(struct parse *p, struct node *node)
{
	const char *text = (const char *)p->event.data.scalar.value;
	size_t len = p->event.data.scalar.length;
	if (!is_visible(p, node->mark, text, len))
		return NULL;
	node->type = NODE_SCALAR;
	node->text = arena_text(p->arena, text, len);
	node->plain = p->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->is_cut = node->plain && is_cut_here(p);
	return node;
}

static struct node *parse_list(struct parse *p, struct node *list, unsigned depth)
{
	list->type = NODE_LIST;
	struct node **end = &list->first;
	while (next(p)) {
		if (p->event.type == YAML_SEQUENCE_END_EVENT)
			return list;
		struct node *item = parse_node(p, depth);
		if (item == NULL)
			return NULL;
		*end = item;
		end = &item->next;
		list->count++;
	}
	return NULL;
}

/* The key of the current event, or NULL after an error. */
static struct node *parse_key(struct parse *p, unsigned depth)
{
	struct config_mark mark = to_mark(p, p->event.start_mark);
	char why[300];
	struct node *key = parse_node(p, depth);
	if (key != NULL && key->type != NODE_SCALAR)
		return reject(p, mark, "a key must be a single word, found a list or a map");
	if (key != NULL && node_is_nothing(key))
		return reject(p, mark, "a name is missing before the colon");
	if (key != NULL && key->plain && key->text[0] == '-')
		return reject(p, mark, "a space is missing after the '-' of a list");
	if (key != NULL && strncmp(key->text, HINT_NO_BREAK, strlen(HINT_NO_BREAK)) == 0)
		return reject(p, mark, HINT_INDENTED);
	if (key != NULL && text_check_id(string_of(key->text), why, sizeof why) < 0)
		return reject(p, mark, why);
	return key;
}

/* {gain: 9,98 eV} is {gain: 9, "98 eV": nothing} to YAML. */
static bool is_decimal_comma(
	const struct node *before, const struct node *key, const struct node *value)
{
	size_t len = before != NULL && before->plain ? strlen(before->text) : 0;
	return len > 0 && isdigit((unsigned char)before->text[len - 1]) &&
	       isdigit((unsigned char)key->text[0]) && key->plain && node_is_nothing(value) &&
	       before->mark.line == key->mark.line;
}

static struct node *parse_map(struct parse *p, struct node *map, unsigned depth)
{
	map->type = NODE_MAP;
	struct node **end = &map->first, *before = NULL;
	while (next(p)) {
		if (p->event.type == YAML_MAPPING_END_EVENT)
			return map;
		struct node *key = parse_key(p, depth);
		if (key == NULL || !next(p))
			return NULL;
		struct node *value = parse_node(p, depth);
		if (value == NULL)
			return NULL;
		if (map->count >= YAML_KEYS_MAX)
			return reject(p, key->mark, "there are more than 1024 keys in one map");
		if (is_decimal_comma(before, key, value)) {
			errors_add(p->errors, before->mark,
				"found '%.30s,%.30s': a number has a decimal point, no comma",
				before->text, key->text);
			before->text = arena_printf(p->arena, "%s.%s", before->text, key->text);
			continue;
		}
		const struct node *same = node_get(map, key->text);
		if (same != NULL) { /* left out, so that the rest of the file is still read */
			errors_add(p->errors, key->mark, "'%s' is given twice, first in line %u",
				key->text, same->key_mark.line);
			continue;
		}
		value->key = key->text;
		value->key_mark = key->mark;
		*end = value;
		end = &value->next;
		before = value->type == NODE_SCALAR ? value : NULL;
		map->count++;
	}
	return NULL;
}

/* The reason why an event is not accepted; NULL: it is. */
static const char *why_rejected(const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return "an alias (*name) is not allowed here: write the value out; "
		       "a text that starts with * needs quotes";
	case YAML_SCALAR_EVENT:
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
		break;
	default: break;
	}
	if (anchor != NULL)
		return "an anchor (&name) is not allowed here; a text that starts with & needs "
		       "quotes";
	if (tag != NULL)
		return "a tag (!name) is not allowed here; a text that starts with ! needs quotes";
	return NULL;
}

static struct node *parse_node(struct parse *p, unsigned depth)
{
	struct config_mark mark = to_mark(p, p->event.start_mark);
	const char *why = why_rejected(&p->event);
	if (why != NULL)
		return reject(p, mark, why);
	if (depth >= YAML_DEPTH_MAX)
		return reject(p, mark, "maps and lists are nested too deeply here");
	struct node *node = arena_alloc(p->arena, sizeof *node);
	if (node == NULL)
		return NULL;
	node->mark = mark;
	switch (p->event.type) {
	case YAML_SCALAR_EVENT: return parse_scalar(p, node);
	case YAML_SEQUENCE_START_EVENT: return parse_list(p, node, depth + 1);
	case YAML_MAPPING_START_EVENT: return parse_map(p, node, depth + 1);
	default: assert(!"no other event starts a node"); return NULL;
	}
}

static struct node *parse_document(struct parse *p)
{
	if (!next(p) || !next(p)) /* the stream, the document */
		return NULL;
	if (p->event.type == YAML_STREAM_END_EVENT) {
		struct node empty = {.type = NODE_MAP, .mark = {p->name, 1, 1}};
		return arena_copy(p->arena, &empty, sizeof empty);
	}
	if (!next(p))
		return NULL;
	struct node *root = parse_node(p, 0);
	if (root == NULL || !next(p) || !next(p))
		return NULL;
	if (p->event.type != YAML_STREAM_END_EVENT)
		return reject(p, to_mark(p, p->event.start_mark),
			"a second document starts here; a file is one document");
	return root;
}

struct node *yaml_parse(const char *text, size_t len, const char *name, struct arena *arena,
	struct config_errors *errors)
{
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3; /* the byte order mark of Windows editors */
		len -= 3;
	}
	struct parse p = {.text = text, .len = len, .name = name, .arena = arena, .errors = errors};
	if (len > YAML_BYTES_MAX)
		return reject(
			&p, (struct config_mark){name, 1, 1}, "the file is larger than 1 MiB");
	if (yaml_parser_initialize(&p.parser) != 1) {
		arena->failed = true;
		return NULL;
	}
	yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p.parser, (const unsigned char *)text, len);
	struct node *root = parse_document(&p);
	yaml_event_delete(&p.event);
	yaml_parser_delete(&p.parser);
	return root;
}

struct node *yaml_parse_value(const char *text, bool as_map, const char *name, struct arena *arena,
	struct config_errors *errors)
{
	bool is_blank = text[strspn(text, " ")] == '\0';
	const char *whole = as_map ? arena_printf(arena, "{%s}", text) : is_blank ? "~" : text;
	return yaml_parse(whole, strlen(whole), name, arena, errors);
}

/* Opens regular files only: the loader must not wait for a FIFO or device. */
static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	struct stat st;
	int r = fstat(fd, &st) != 0           ? -errno
		: S_ISDIR(st.st_mode)         ? -EISDIR
		: !S_ISREG(st.st_mode)        ? -EINVAL
		: st.st_size > YAML_BYTES_MAX ? -EFBIG
					      : fd;
	if (r < 0)
		close(fd);
	return r;
}

static ssize_t read_all(int fd, struct buffer *to)
{
	for (;;) {
		uint8_t *room = buffer_reserve(to, 16384);
		if (room == NULL)
			return to->len > YAML_BYTES_MAX ? -EFBIG : -ENOMEM;
		ssize_t n = read(fd, room, 16384);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		to->len += (size_t)n;
	}
}

bool yaml_read(
	const char *path, struct arena *arena, struct config_errors *errors, struct assay_span *out)
{
	struct config_mark mark = {path, 1, 1};
	struct buffer text = {.limit = YAML_BYTES_MAX + 32768};
	int fd = open_file(path);
	ssize_t r = fd < 0 ? fd : read_all(fd, &text);
	if (fd >= 0)
		close(fd);
	*out = (struct assay_span){0};
	if (r == -ENOMEM)
		arena->failed = true;
	else if (r == -EFBIG)
		errors_add(errors, mark, "the file is larger than 1 MiB");
	else if (r < 0)
		errors_add(errors, mark, "the file cannot be read: %s",
			r == -EINVAL ? "it is not a regular file" : strerror((int)-r));
	else
		*out = (struct assay_span){arena_copy(arena, text.data, text.len), text.len};
	buffer_finish(&text);
	return out->data != NULL;
}
