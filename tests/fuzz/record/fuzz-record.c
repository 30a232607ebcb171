/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an entry, a record, a worker's part, a heartbeat and a map read by a table. The
 * views and the JSON projection must handle every record that the checker accepts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "record/check.h"
#include "record/entry.h"
#include "record/json.h"
#include "record/keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static double read_elements(const struct assay_var_view *var)
{
	double sum = 0;
	uint64_t u;
	bool negative;
	size_t count = var->count < 100 ? var->count : 100;
	for (size_t i = 0; i < count; i++) {
		sum += assay_var_number(var, i);
		sum += assay_var_integer(var, i, &u, &negative) ? (double)u : 0;
		sum += (double)assay_var_text(var, i).len;
	}
	return sum;
}

/* Returns false when a variable could not be read. */
static bool read_vars(struct assay_frame_view *frame)
{
	struct assay_var_view var;
	volatile double sum = 0;
	int more;
	while ((more = assay_frame_next(frame, &var)) == 1)
		sum = sum + read_elements(&var);
	return more == 0;
}

static void read_views(const uint8_t *body, size_t size, bool is_valid)
{
	struct assay_record_view record;
	struct assay_frame_view frame;
	int read = assay_record_read(body, size, &record);
	must(!is_valid || read == 0);
	if (assay_frame_read(body, size, &frame) == 0)
		must(read_vars(&frame) || !is_valid);
	else
		must(!is_valid || record.type != ASSAY_RECORD_FRAME);
}

static void project(const uint8_t *body, size_t size, bool is_valid)
{
	struct buffer json = {.limit = 1 << 20};
	int written = json_write(&json, body, size);
	must(!is_valid || written == 0);
	must(json.failed || text_is_utf8(json.data, json.len));
	buffer_finish(&json);
}

static void try_record(const uint8_t *body, size_t size)
{
	struct schema_error error;
	bool is_valid = check_record(body, size, &error) == 0;
	if (!is_valid) {
		must(error.text[0] != '\0' && text_is_utf8(error.text, strlen(error.text)));
		must(text_is_utf8(error.path, strlen(error.path)));
	}
	read_views(body, size, is_valid);
	project(body, size, is_valid);
}

/* A table of all types of value, in itself and in a list. */
struct part {
	uint16_t number;
	int64_t integer;
	double value;
	bool flag;
	struct assay_string text;
	char copy[8];
	enum entry_way word;
	struct assay_span bytes, raw;
	const uint8_t *fixed;
	uint8_t id[4];
};

struct whole {
	struct part part, parts[2];
	size_t count;
};

static const struct keys part_keys = {.size = sizeof(struct part),
	.open = true,
	.rows = (const struct key[]){{"u", KEY_UINT, KEY_AT(struct part, number)},
		{"i", KEY_INT, KEY_AT(struct part, integer), .lenient = true},
		{"n", KEY_NUMBER, KEY_AT(struct part, value)},
		{"b", KEY_BOOL, KEY_AT(struct part, flag)},
		{"t", KEY_TEXT, KEY_AT(struct part, text), .limit = 9},
		{"c", KEY_CHARS, KEY_AT(struct part, copy), .lenient = true},
		{"w", KEY_WORD, KEY_AT(struct part, word), .words = &words_entry_way},
		{"y", KEY_BYTES, KEY_AT(struct part, bytes)},
		{"r", KEY_RAW, KEY_AT(struct part, raw)},
		{"f", KEY_FIXED, KEY_AT(struct part, fixed), .limit = 3},
		{"x", KEY_COPY, KEY_AT(struct part, id)}, {0}}};

static const struct keys whole_keys = {.passed = "op",
	.rows = (const struct key[]){
		{"p", KEY_MAP, KEY_AT(struct whole, part), .keys = &part_keys, .required = true},
		{"l", KEY_LIST, KEY_AT(struct whole, parts), .keys = &part_keys,
			.count_at = offsetof(struct whole, count)},
		{0}}};

static void try_keys(const uint8_t *data, size_t size)
{
	struct whole whole = {0};
	struct keys_found found;
	struct reader r;
	read_init(&r, data, size);
	int error = keys_read(&r, &whole_keys, &whole, &found);
	must((error == 0) == (found.fault == 0) && error == r.error);
	must(text_is_utf8(r.text, strlen(r.text)));
	must(whole.count <= 2 && memchr(whole.part.copy, 0, sizeof whole.part.copy) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_entry_view entry;
	struct head_view head;
	struct buffer json = {0};
	try_keys(data, size);
	bool is_valid = check_entry(data, size, NULL) == 0;
	bool is_entry = assay_entry_read(data, size, &entry) == 0;
	must(is_entry || !is_valid);
	if (is_entry)
		try_record(entry.body.data, entry.body.len);
	if (is_valid)
		must(json_write_entry(&json, data, size) == 0);
	buffer_finish(&json);
	try_record(data, size);
	if (size > 0)
		check_frame_part(data + 1, size - 1, data[0] & 7, 0, NULL);
	if (head_read(data, size, &head) == 0)
		must(head.topics.data >= data && head.topics.len <= size);
	return 0;
}
