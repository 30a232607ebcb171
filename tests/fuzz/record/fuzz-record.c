/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an entry, a record, a worker's part and a heartbeat.  What the checker accepts,
 * the views and the JSON projection must handle.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "record/check.h"
#include "record/entry.h"
#include "record/json.h"

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
	char text[SCHEMA_ERROR_MAX];
	bool is_valid = check_record(body, size, &error) == 0;
	if (!is_valid) {
		must(schema_error_format(&error, text, sizeof text)[0] != '\0');
		must(text_is_utf8(text, strlen(text)));
	}
	read_views(body, size, is_valid);
	project(body, size, is_valid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_entry_view entry;
	struct head_view head;
	struct buffer json = {0};
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
		head_last(&head, (struct assay_string){"a1/", 3});
	return 0;
}
