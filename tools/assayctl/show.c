/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/file.h"
#include "capture/read.h"
#include "print.h"
#include "record/uuid.h"
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

static void print_record_json(const struct capture_file *file, const struct capture_record *record)
{
	char text[2 * CAPTURE_TEXT_MAX + 1], *hex = NULL;
	bool is_bytes = record->kind == CAPTURE_OUT || record->kind == CAPTURE_IN;
	if (is_bytes) {
		hex = malloc(HEX_SIZE(record->len));
		hex = hex != NULL ? hex_write(hex, record->data, record->len) : NULL;
	} else {
		text_of(record, text, sizeof text);
	}
	print_object(json_pack("{s:f, s:s, s:i, s:s}", "time", seconds_of(file, record), "kind",
		capture_kind_name(record->kind), "channel", record->channel,
		is_bytes ? "hex" : "text", is_bytes ? hex : text));
	free(hex);
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
			print_record_json(&file, &file.records[i]);
		else
			show_record(&file, &file.records[i]);
	}
	bool is_whole = file.is_whole;
	if (!is_whole)
		fprintf(stderr, "assayctl: %s: damaged or cut off at byte %zu\n", path, file.read);
	capture_file_close(&file);
	return is_whole ? 0 : 1;
}
