/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of MSScan.bin, as MSScan.xsd describes them: fields one after the other without gaps, a complex
 * type in place of a field is its fields, and the last field is the place of the spectrum.
 */
#include <errno.h>
#include <stdio.h>

#include "agilent-d.h"
#include "bytes.h"
#include "xml.h"

#define FIELDS 128
#define NAME   40
#define NESTED 4
#define RECORD 4096 /* bytes of a record */

/* A field of a complex type. */
struct field {
	char in[NAME], name[NAME], type[NAME];
};

struct schema {
	struct field fields[FIELDS];
	size_t count;
	bool is_too_long;
	char in[NAME]; /* the complex type that is open; "": none */
};

/* Without the prefix of its namespace. */
static const char *local(const char *name)
{
	const char *colon = strchr(name, ':');
	return colon != NULL ? colon + 1 : name;
}

static void copy(struct schema *schema, char to[NAME], const char *name)
{
	schema->is_too_long |= strlen(name) >= NAME;
	snprintf(to, NAME, "%.*s", NAME - 1, name);
}

static void open_element(void *user, const char *element, const char **attributes)
{
	struct schema *schema = user;
	const char *name = xml_attribute(attributes, "name"),
		   *type = xml_attribute(attributes, "type");
	if (strcmp(local(element), "complexType") == 0)
		copy(schema, schema->in, name != NULL ? name : "");
	if (strcmp(local(element), "element") != 0 || schema->in[0] == '\0' || name == NULL ||
		type == NULL)
		return;
	if (schema->count == FIELDS) {
		schema->is_too_long = true;
		return;
	}
	struct field *field = &schema->fields[schema->count++];
	copy(schema, field->in, schema->in);
	copy(schema, field->name, name);
	copy(schema, field->type, local(type));
}

static void close_element(void *user, const char *element, const char *text)
{
	if (strcmp(local(element), "complexType") == 0)
		((struct schema *)user)->in[0] = '\0';
}

static unsigned size_of(const char *type)
{
	static const struct {
		const char *name;
		unsigned size;
	} types[] = {
		{"byte", 1}, {"short", 2}, {"int", 4}, {"long", 8}, {"float", 4}, {"double", 8}};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strcmp(type, types[i].name) == 0)
			return types[i].size;
	return 0;
}

static void note_place(struct agilent_mh_record *to, const char *name, unsigned size)
{
	static const char *const names[MH_FIELDS] = {[MH_TIME] = "ScanTime",
		[MH_TOTAL] = "TIC",
		[MH_SCAN_TYPE] = "ScanType",
		[MH_OFFSET] = "SpectrumOffset",
		[MH_BYTES] = "ByteCount",
		[MH_POINTS] = "PointCount",
		[MH_UNPACKED] = "UncompressedByteCount",
		[MH_FIRST] = "MinX",
		[MH_LAST] = "MaxX"};
	for (int i = 0; i < MH_FIELDS; i++)
		if (strcmp(name, names[i]) == 0)
			to->place[i] = (struct agilent_mh_place){(uint16_t)to->size, (uint8_t)size};
}

/* Places the fields of a complex type behind those so far. */
static int place_fields(const struct schema *schema, const char *type, unsigned nested,
	struct agilent_mh_record *to)
{
	unsigned before = to->size;
	for (size_t i = 0; i < schema->count; i++) {
		const struct field *field = &schema->fields[i];
		if (strcmp(field->in, type) != 0)
			continue;
		unsigned size = size_of(field->type);
		if (size == 0) {
			int e = nested == NESTED
					? -ENOTSUP
					: place_fields(schema, field->type, nested + 1, to);
			if (e < 0)
				return e;
			continue;
		}
		note_place(to, field->name, size);
		to->size += size;
		if (to->size > RECORD)
			return -ENOTSUP;
	}
	return to->size > before ? 0 : -ENOTSUP; /* a type that is not there, or is empty */
}

int agilent_mh_layout(const uint8_t *xsd, size_t len, struct agilent_mh_record *to)
{
	static const struct xml_events events = {.open = open_element, .close = close_element};
	static const struct {
		enum agilent_mh_field field;
		unsigned size; /* 0: of a float or a double */
	} needed[] = {{MH_TIME, 0}, {MH_TOTAL, 0}, {MH_SCAN_TYPE, 4}, {MH_OFFSET, 8}, {MH_BYTES, 4},
		{MH_POINTS, 4}};
	struct schema schema = {.count = 0};
	*to = (struct agilent_mh_record){.size = 0};
	int e = xml_parse(xsd, len, &events, &schema);
	if (e == 0)
		e = schema.is_too_long ? -ENOTSUP : place_fields(&schema, "ScanRecordType", 0, to);
	for (size_t i = 0; i < sizeof needed / sizeof *needed && e == 0; i++) {
		unsigned size = to->place[needed[i].field].size;
		if (needed[i].size != 0 ? size != needed[i].size : size != 4 && size != 8)
			e = -ENOTSUP;
	}
	return e;
}

int64_t agilent_mh_integer(const uint8_t *at, size_t size)
{
	return size == 8 ? (int64_t)get_le64(at) : size == 4 ? (int32_t)get_le32(at) : 0;
}

double agilent_mh_number(const uint8_t *at, size_t size)
{
	return size == 8 ? get_le_f64(at) : size == 4 ? (double)get_le_f32(at) : 0;
}
