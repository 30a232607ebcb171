/* SPDX-License-Identifier: Apache-2.0 */
/* Asks an instrument for its identity: assay-worker --try, which is confined as always. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/printable.h"
#include "config/ask.h"
#include "scan.h"

#define ARGS_MAX (10 + 2 * SCAN_WORDS_MAX)

static void take_member(json_t *event, const char *key, char *to, size_t size)
{
	const char *text = json_string_value(json_object_get(event, key));
	snprintf(to, size, "%s", text != NULL ? text : "");
	text_make_printable(to);
}

/* One line: an identity, or a failure. */
static void take_event(const char *line, size_t len, struct scan_answer *answer)
{
	json_t *event = json_loadb(line, len, 0, NULL);
	const char *name = json_string_value(json_object_get(event, "event"));
	if (name != NULL && strcmp(name, "identity") == 0) {
		answer->is_identity = true;
		answer->is_declared = json_is_true(json_object_get(event, "declared"));
		take_member(event, "make", answer->make, sizeof answer->make);
		take_member(event, "model", answer->model, sizeof answer->model);
		take_member(event, "serial", answer->serial, sizeof answer->serial);
		take_member(event, "fw", answer->fw, sizeof answer->fw);
	} else if (name != NULL && strcmp(name, "failed") == 0) {
		take_member(event, "code", answer->code, sizeof answer->code);
		take_member(event, "text", answer->text, sizeof answer->text);
		answer->is_silent = strcmp(answer->code, "ETIMEDOUT") == 0;
	}
	json_decref(event);
}

void scan_ask(const struct device_scan *scan, const char *name, const char *const *words,
	size_t count, unsigned seconds, struct scan_answer *answer)
{
	const char *argv[ARGS_MAX] = {scan->options->worker, "--try", "--json", "--frames", "0",
		"--drivers", scan->options->drivers, name};
	size_t used = 8;
	struct buffer out = {.limit = 1 << 20};
	*answer = (struct scan_answer){0};
	for (size_t i = 0; i < count && used + 1 < ARGS_MAX; i++)
		argv[used++] = words[i];
	for (size_t i = 0; i < scan->link_count && used + 1 < ARGS_MAX; i++)
		argv[used++] = scan->link_words[i];
	if (clock_boot() >= scan->end) {
		snprintf(answer->text, sizeof answer->text, "the time of --seconds is over");
		return;
	}
	int r = ask_worker(argv, (struct assay_span){NULL, 0}, seconds, &out);
	for (size_t at = 0; at < out.len;) {
		const char *line = (const char *)out.data + at;
		const char *end = memchr(line, '\n', out.len - at);
		size_t len = end != NULL ? (size_t)(end - line) : out.len - at;
		take_event(line, len, answer);
		at += len + 1;
	}
	if (r == -ETIMEDOUT) {
		answer->is_silent = true;
		snprintf(answer->text, sizeof answer->text, "nothing came within %u s", seconds);
	} else if (!answer->is_identity && answer->text[0] == '\0') {
		snprintf(
			answer->text, sizeof answer->text, "assay-worker failed: %s", strerror(-r));
	}
	buffer_finish(&out);
}
