/* SPDX-License-Identifier: Apache-2.0 */
/* An instrument in YAML, ready to be pasted; it is checked before it is printed. */
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "record/json.h"
#include "scan.h"

/* A text in quotes; JSON's are those of YAML. */
static void put_quoted(FILE *to, const char *text)
{
	struct buffer quoted = {0};
	json_write_text(&quoted, text, strlen(text));
	if (!quoted.failed)
		fprintf(to, "%.*s", (int)quoted.len, (const char *)quoted.data);
	buffer_finish(&quoted);
}

static void put_link(
	FILE *to, const struct device_scan *scan, const char *const *words, size_t count)
{
	fprintf(to, "    link: {type: %s", words[0]);
	for (size_t i = 1; i < count + scan->link_count; i++) {
		const char *word = i < count ? words[i] : scan->link_words[i - count];
		const char *equals = strchr(word, '=');
		if (equals == NULL)
			continue;
		bool is_number = strspn(equals + 1, "0123456789") == strlen(equals + 1);
		fprintf(to, ", %.*s: ", (int)(equals - word), word);
		if (is_number && strncmp(word, "serial=", strlen("serial=")) != 0)
			fputs(equals + 1, to);
		else
			put_quoted(to, equals + 1);
	}
	fputs("}\n", to);
}

static char *make_block(const struct device_scan *scan, const struct catalog_driver *driver,
	const char *profile, const char *const *words, size_t count,
	const struct scan_answer *answer)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	const char *base = profile != NULL ? profile : driver->name, *slash = strrchr(base, '/');
	base = slash != NULL ? slash + 1 : base;
	fprintf(to, "  %.*s-%zu:\n    driver: %s\n", (int)strcspn(base, "."), base, scan->found,
		driver->name);
	if (profile != NULL) {
		fputs("    profile: ", to);
		put_quoted(to, profile);
		fputc('\n', to);
	} else if (driver->technique == NULL) {
		fputs("    technique: other\n", to);
	}
	put_link(to, scan, words, count);
	bool has_serial = answer->serial[0] != '\0' && strcmp(answer->serial, "none") != 0;
	if (answer->is_identity && !answer->is_declared && has_serial) {
		fputs("    identity: {serial: ", to);
		put_quoted(to, answer->serial);
		fputs("}\n", to);
	}
	fclose(to);
	return text;
}

/* Each line as a comment. */
static void put_commented(FILE *to, const char *text)
{
	while (*text != '\0') {
		int len = (int)strcspn(text, "\n");
		fprintf(to, "# %.*s\n", len, text);
		text += len + (text[len] == '\n');
	}
}

static void put_checked(struct device_scan *scan, const char *block)
{
	static const char head[] = "laboratory: {site: scan, node: scan}\ninstruments:\n";
	struct config *config = NULL;
	struct config_errors errors = {0};
	char *text = NULL;
	int len = asprintf(&text, "%s%s", head, block);
	if (len < 0)
		return;
	if (load_named_text("scan", text, (size_t)len, scan->catalog, &config, &errors) == 0) {
		fputs(block, scan->blocks);
	} else {
		put_commented(scan->blocks, block);
		for (size_t i = 0; i < errors.count; i++)
			if (!config_error_is_warning(&errors.items[i]))
				fprintf(scan->blocks, "#   to be completed: %s\n",
					errors.items[i].text);
	}
	config_errors_finish(&errors);
	config_destroy(config);
	free(text);
}

void scan_put_block(struct device_scan *scan, const struct catalog_driver *driver,
	const char *profile, const char *const *words, size_t count,
	const struct scan_answer *answer)
{
	scan->found++;
	if (answer->is_identity && !answer->is_declared)
		fprintf(scan->blocks, "# make %s, model %s, serial %s, firmware %s\n", answer->make,
			answer->model, answer->serial, answer->fw);
	char *block = make_block(scan, driver, profile, words, count, answer);
	if (block != NULL)
		put_checked(scan, block);
	free(block);
}
