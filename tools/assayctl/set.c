/* SPDX-License-Identifier: Apache-2.0 */
/* set: settings of an instrument at run time. */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "client.h"
#include "print.h"

struct done {
	struct assay_span settings;
	char number[128];
};

static const struct keys done_keys = {.rows = (const struct key[]){ROW_RAW(struct done, settings),
					      ROW_TEXT(struct done, number), {0}},
	.open = true};

static void print_done(struct assay_span reply)
{
	struct done done = {0};
	struct reader r;
	struct assay_string name;
	struct assay_span value;
	size_t pairs;
	keys_decode(&done_keys, reply.data, reply.len, &done);
	read_init(&r, done.settings.data, done.settings.len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &name) == 0 && read_raw(&r, &value) == 0; pairs--) {
		printf("%.*s = ", (int)name.len, name.data);
		print_setting(stdout, value);
		putchar('\n');
	}
	if (done.number[0] != '\0')
		printf("in force since %s\n", done.number);
	puts("until the next reload or restart; to keep it, write it into the configuration");
}

int command_set(const struct options *options, const struct args *args)
{
	struct control_request request;
	struct control_reply reply;
	struct map settings;
	control_request_init(&request, "set");
	map_text(&request.map, "instrument", args->words[0]);
	map_key(&request.map, "settings");
	map_open(&settings, &request.bytes);
	for (int i = 1; i < args->word_count; i++) {
		const char *word = args->words[i], *equals = strchr(word, '=');
		if (equals == NULL || equals == word) {
			control_request_finish(&request);
			return args_reject(args, "found '%s', expected NAME=VALUE", word);
		}
		settings.pairs++;
		encode_text_n(&request.bytes, word, (size_t)(equals - word));
		encode_text(&request.bytes, equals + 1);
	}
	map_close(&settings);
	int r = client_ask(options, &request, ASK_SECONDS, &reply);
	if (r == 0 && options->json)
		print_json(reply.body);
	else if (r == 0)
		print_done(reply.body);
	control_reply_finish(&reply);
	return r;
}
