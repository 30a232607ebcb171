/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "capture/file.h"
#include "capture/read.h"
#include "config/jsonout.h"
#include "print.h"
#include "show.h"

#define COLUMNS 16

/* Seconds since the recording began; before it, of the kept beginning, negative. */
static double seconds_of(const struct capture_file *file, const struct capture_record *record)
{
	return (double)(int64_t)(record->mono - file->head.mono) / 1e9;
}

static void text_of(const struct capture_record *record, char *to, size_t size)
{
	if (record->kind == CAPTURE_MISSING) {
		uint64_t records, bytes;
		capture_read_missing(record, &records, &bytes);
		snprintf(to, size, "%" PRIu64 " bytes in %" PRIu64 " pieces were not recorded",
			bytes, records);
		return;
	}
	print_safe(to, size, (struct assay_string){(const char *)record->data, record->len});
}

static void dump(const struct capture_record *record)
{
	for (size_t at = 0; at < record->len; at += COLUMNS) {
		char hex[3 * COLUMNS + 1] = "", text[COLUMNS + 1] = "";
		for (size_t i = 0; i < COLUMNS && at + i < record->len; i++) {
			unsigned char c = record->data[at + i];
			snprintf(hex + 3 * i, 4, "%02x ", c);
			text[i] = c >= 0x20 && c < 0x7f ? (char)c : '.';
		}
		printf("    %06zx  %-*s %s\n", at, 3 * COLUMNS, hex, text);
	}
}

static void show_record(const struct capture_file *file, const struct capture_record *record)
{
	char text[CAPTURE_TEXT_MAX + 1];
	printf("%+14.6f  %s", seconds_of(file, record), capture_kind_name(record->kind));
	if (record->channel != 0)
		printf(" 0x%02x", record->channel);
	if (record->kind == CAPTURE_OUT || record->kind == CAPTURE_IN) {
		printf("  %zu bytes\n", record->len);
		dump(record);
		return;
	}
	text_of(record, text, sizeof text);
	printf("%s%s\n", text[0] != '\0' ? "  " : "", text);
}

static void show_head(const char *path, const struct capture_head *head)
{
	char start[PRINT_TIME_SIZE];
	print_time(start, head->utc);
	printf("%s: link %s, recorded %s by assayd %s at %s/%s\n", path, head->link, start,
		head->version, head->site, head->node);
	for (size_t i = 0; i < head->unit_count; i++) {
		const struct capture_unit *unit = &head->units[i];
		printf("  %s: driver %s, %s %s, serial %s, firmware %s", unit->key, unit->driver,
			unit->make[0] != '\0' ? unit->make : "-",
			unit->model[0] != '\0' ? unit->model : "-",
			unit->serial[0] != '\0' ? unit->serial : "-",
			unit->fw[0] != '\0' ? unit->fw : "-");
		if (unit->unit_id != 0)
			printf(", unit id %u", unit->unit_id);
		printf("%s\n", unit->simulated ? ", SIMULATED" : "");
	}
}

/* One record as one line of JSON. */
static void print_record(const struct capture_file *file, const struct capture_record *record)
{
	struct buffer line = {0};
	struct json j = {.to = &line};
	char text[CAPTURE_TEXT_MAX + 1];
	json_open(&j, '{');
	json_key(&j, "time");
	json_number(&j, seconds_of(file, record));
	json_pair(&j, "kind", capture_kind_name(record->kind));
	json_key(&j, "channel");
	json_number(&j, record->channel);
	if (record->kind == CAPTURE_OUT || record->kind == CAPTURE_IN) {
		json_key(&j, "hex");
		buffer_append(&line, "\"", 1);
		for (size_t i = 0; i < record->len; i++) {
			snprintf(text, sizeof text, "%02x", record->data[i]);
			buffer_append(&line, text, 2);
		}
		buffer_append(&line, "\"", 1);
	} else {
		text_of(record, text, sizeof text);
		json_pair(&j, "text", text);
	}
	json_close(&j, '}');
	if (!line.failed)
		printf("%.*s\n", (int)line.len, (const char *)line.data);
	buffer_finish(&line);
}

int show_capture(const struct options *options, const char *path)
{
	static struct capture_file file;
	char why[CAPTURE_WHY];
	if (capture_file_open(&file, path, why) < 0) {
		fprintf(stderr, "assayctl: %s: %s\n", path, why);
		return 1;
	}
	if (!options->json)
		show_head(path, &file.head);
	for (size_t i = 0; i < file.count; i++) {
		if (options->json)
			print_record(&file, &file.records[i]);
		else
			show_record(&file, &file.records[i]);
	}
	bool is_whole = file.is_whole;
	if (!is_whole)
		fprintf(stderr, "assayctl: %s: damaged or cut off at byte %zu\n", path, file.read);
	capture_file_close(&file);
	return is_whole ? 0 : 1;
}
