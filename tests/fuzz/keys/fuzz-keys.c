/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a pair of CURVE keys, and the list of authorised keys: people edit them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/key-file.h"
#include "config/sections.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_list(const char *text, size_t size)
{
	struct arena arena = {0};
	struct config config = {0};
	struct config_errors errors = {0};
	struct load load = {.arena = &arena, .errors = &errors, .config = &config};
	authorised_read(&load, yaml_parse(text, size, "list", &arena, &errors));
	for (size_t i = 0; errors.count == 0 && i < config.key_count; i++) {
		if (config.keys[i].roles == 0 || config.keys[i].name[0] == '\0')
			abort();
	}
	config_errors_finish(&errors);
	config_errors_finish(&config.warnings);
	arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[KEY_FILE_ERRORS] = "";
	uint8_t key[KEY_FILE_SIZE];
	struct key_pair pair;
	int r = key_file_parse((const char *)data, size, &pair, why);
	if (r == 0 ? !key_file_decode(pair.public_key, key) : why[0] == '\0')
		abort();
	read_list((const char *)data, size);
	return 0;
}
