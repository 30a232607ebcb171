/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML of vendors' files, by expat, as calls for its elements.  A document with a DTD, and so with entities of
 * its own, is rejected: no entity expands.  Depth, length of a text and size are bounded.
 */
#ifndef FILE_IMPORT_XML_H
#define FILE_IMPORT_XML_H

#include "format.h"

#define XML_DEPTH 32
#define XML_TEXT  512        /* bytes of the text of an element with its NUL: the rest is cut */
#define XML_BYTES (4u << 20) /* of a document */

struct xml_events {
	/* `attributes` are names and values by turns, NULL at the end.  May be NULL. */
	void (*open)(void *user, const char *name, const char **attributes);
	/* The text directly in it, as text_convert() makes it.  May be NULL. */
	void (*close)(void *user, const char *name, const char *text);
};

/* 0; -EBADMSG: no XML that is all there, or more than the bounds; -ENOMEM. */
int xml_parse(const uint8_t *bytes, size_t len, const struct xml_events *events, void *user);

/* The same of a file; or an error of source.read. */
int xml_read(struct source *s, unsigned file, const struct xml_events *events, void *user);

/* The value of an attribute, or NULL. */
const char *xml_attribute(const char **attributes, const char *name);

#endif
