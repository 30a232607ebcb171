/* SPDX-License-Identifier: Apache-2.0 */
#include "xml.h"

#include <errno.h>
#include <expat.h>
#include <string.h>

#include "text.h"

#define PIECE 16384

struct reader {
	XML_Parser parser;
	const struct xml_events *events;
	void *user;
	unsigned depth;
	char text
		[XML_TEXT]; /* of the element that was opened last: an element around it has none */
	size_t len;
};

static void on_open(void *user, const char *name, const char **attributes)
{
	struct reader *r = user;
	if (r->depth == XML_DEPTH) {
		XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	r->depth++;
	r->len = 0;
	if (r->events->open != NULL)
		r->events->open(r->user, name, attributes);
}

static void on_close(void *user, const char *name)
{
	struct reader *r = user;
	char text[XML_TEXT];
	text_set(text, TEXT_UTF_8, (const uint8_t *)r->text, r->len);
	r->depth--;
	r->len = 0;
	if (r->events->close != NULL)
		r->events->close(r->user, name, text);
}

static void on_text(void *user, const char *text, int len)
{
	struct reader *r = user;
	size_t room = sizeof r->text - r->len, n = (size_t)len < room ? (size_t)len : room;
	memcpy(r->text + r->len, text, n);
	r->len += n;
}

static void on_doctype(
	void *user, const char *name, const char *system, const char *public, int has_internal)
{
	struct reader *r = user;
	XML_StopParser(r->parser, XML_FALSE);
}

static int open_reader(struct reader *r, const struct xml_events *events, void *user)
{
	*r = (struct reader){.parser = XML_ParserCreate(NULL), .events = events, .user = user};
	if (r->parser == NULL)
		return -ENOMEM;
	XML_SetHashSalt(
		r->parser, 1); /* else it takes one from the system, which a driver may not ask */
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_open, on_close);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	return 0;
}

static int feed(struct reader *r, const uint8_t *bytes, size_t len, bool is_last)
{
	if (XML_Parse(r->parser, (const char *)bytes, (int)len, is_last) == XML_STATUS_OK)
		return 0;
	return XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY ? -ENOMEM : -EBADMSG;
}

int xml_parse(const uint8_t *bytes, size_t len, const struct xml_events *events, void *user)
{
	struct reader r;
	int e = len > XML_BYTES ? -EBADMSG : open_reader(&r, events, user);
	if (e < 0)
		return e;
	e = feed(&r, bytes, len, true);
	XML_ParserFree(r.parser);
	return e;
}

int xml_read(struct source *s, unsigned file, const struct xml_events *events, void *user)
{
	struct reader r;
	uint8_t piece[PIECE];
	uint64_t size = s->file[file].size, at = 0;
	int e = size > XML_BYTES ? -EBADMSG : open_reader(&r, events, user);
	if (e < 0)
		return e;
	do {
		size_t len = size - at < PIECE ? (size_t)(size - at) : PIECE;
		e = s->read(s, file, at, piece, len);
		at += len;
		if (e == 0)
			e = feed(&r, piece, len, at == size);
	} while (e == 0 && at < size);
	XML_ParserFree(r.parser);
	return e;
}

const char *xml_attribute(const char **attributes, const char *name)
{
	for (; attributes[0] != NULL; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return NULL;
}
