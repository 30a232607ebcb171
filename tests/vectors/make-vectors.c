/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the golden vectors, or compares the files that are there with them:
 *
 *	make-vectors write|compare DIR
 *
 * DIR gets NAME.cbor and NAME.json for every valid example, bad/NAME.cbor and bad/NAME.txt, the
 * expected error, for every other.  Written once per change of the format, read by all tests.
 */
#include <stdio.h>
#include <string.h>

#include "examples.h"
#include "record/json.h"

static const char *directory;
static bool comparing;

static int write_file(const char *path, const struct buffer *bytes)
{
	FILE *file = fopen(path, "wb");
	if (file == NULL)
		return -1;
	size_t written = fwrite(bytes->data, 1, bytes->len, file);
	return fclose(file) == 0 && written == bytes->len ? 0 : -1;
}

static int compare_file(const char *path, const struct buffer *bytes)
{
	static char found[65536];
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return -1;
	size_t len = fread(found, 1, sizeof found, file);
	fclose(file);
	return len == bytes->len && memcmp(found, bytes->data, len) == 0 ? 0 : -1;
}

/* Counts the failures. */
static int put_file(const char *name, const char *suffix, const struct buffer *bytes)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s.%s", directory, name, suffix);
	int error = comparing ? compare_file(path, bytes) : write_file(path, bytes);
	if (error < 0)
		fprintf(stderr, "%s: %s\n", path,
			comparing ? "differs from the output of make-vectors"
				  : "cannot be written");
	return error < 0;
}

static int put_both(const char *name, const struct buffer *cbor, struct buffer *json)
{
	buffer_append(json, "\n", 1);
	return put_file(name, "cbor", cbor) + put_file(name, "json", json);
}

static int put_example(const struct example *example)
{
	struct buffer cbor = {0}, json = {0};
	example->build(&cbor);
	int wrong = json_write_entry(&json, cbor.data, cbor.len) < 0;
	wrong += put_both(example->name, &cbor, &json);
	buffer_finish(&cbor);
	buffer_finish(&json);
	return wrong;
}

static int put_head(void)
{
	struct buffer cbor = {0}, json = {0};
	example_head(&cbor);
	int wrong = json_write(&json, cbor.data, cbor.len) < 0;
	wrong += put_both("head", &cbor, &json);
	buffer_finish(&cbor);
	buffer_finish(&json);
	return wrong;
}

static int put_bad(const struct bad_example *example)
{
	char name[128];
	struct buffer cbor = {0}, text = {0};
	snprintf(name, sizeof name, "bad/%s", example->name);
	example->build(&cbor);
	buffer_append(&text, example->error, strlen(example->error));
	buffer_append(&text, "\n", 1);
	int wrong = put_file(name, "cbor", &cbor) + put_file(name, "txt", &text);
	buffer_finish(&cbor);
	buffer_finish(&text);
	return wrong;
}

int main(int argc, char **argv)
{
	int wrong = 0;
	if (argc != 3 || (strcmp(argv[1], "write") != 0 && strcmp(argv[1], "compare") != 0)) {
		fprintf(stderr, "usage: make-vectors write|compare DIR\n");
		return 2;
	}
	comparing = strcmp(argv[1], "compare") == 0;
	directory = argv[2];
	for (size_t i = 0; i < examples_count; i++)
		wrong += put_example(&examples[i]);
	wrong += put_head();
	for (size_t i = 0; i < bad_examples_count; i++)
		wrong += put_bad(&bad_examples[i]);
	return wrong == 0 ? 0 : 1;
}
