/* SPDX-License-Identifier: Apache-2.0 */
/* set: settings of an instrument at run time. */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "client.h"
#include "print.h"

#define ASK_SECONDS 120 /* the present measurement of a repeated run is finished first */

static void print_done(const struct buffer *reply)
{
	static struct reader r;
	static struct pairs f;
	struct assay_string key, name;
	size_t pairs, inner;
	read_init(&r, reply->data, reply->len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (!assay_string_is(key, "settings")) {
			read_skip(&r);
			continue;
		}
		read_map(&r, &inner);
		for (; inner > 0 && read_key(&r, &name) == 0; inner--) {
			char text[200];
			struct assay_span value = {0};
			read_raw(&r, &value);
			print_setting(text, sizeof text, &value);
			printf("%.*s = %s\n", (int)name.len, name.data, text);
		}
	}
	if (reply_pairs(reply, &f) == 0 && pairs_get(&f, "number")[0] != '\0')
		printf("in force since %s\n", pairs_get(&f, "number"));
	puts("until the next reload or restart; to keep it, write it into the configuration");
}

int command_set(const struct options *options, const struct args *args)
{
	struct request request;
	struct map settings;
	client_begin(&request, "set");
	map_text(&request.map, "instrument", args->words[0]);
	map_key(&request.map, "settings");
	map_open(&settings, &request.bytes);
	for (int i = 1; i < args->word_count; i++) {
		const char *word = args->words[i], *equals = strchr(word, '=');
		if (equals == NULL || equals == word) {
			buffer_finish(&request.bytes);
			return args_reject(args, "found '%s', expected NAME=VALUE", word);
		}
		settings.pairs++;
		encode_text_n(&request.bytes, word, (size_t)(equals - word));
		encode_text(&request.bytes, equals + 1);
	}
	map_close(&settings);
	struct buffer reply = {0};
	int r = client_ask(options, &request, ASK_SECONDS, &reply);
	if (r == 0 && options->json)
		print_json(&reply);
	else if (r == 0)
		print_done(&reply);
	buffer_finish(&reply);
	return r;
}
