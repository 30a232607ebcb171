/* SPDX-License-Identifier: Apache-2.0 */
/* One request a line, such as "/cmd.htm?WRK=1&NSS=2"; "+n" lets n seconds pass. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "bruker/bruker.h"
#include "url.h"

#define S UINT64_C(1000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void send_request(struct sim_model *m, char *url, uint64_t now)
{
	struct sim_http_request request = {.method = "GET", .body = (const uint8_t *)""};
	struct sim_http_reply reply = {.status = 200, .type = "text/html"};
	char *body;
	size_t body_len;
	url_split(url, &request);
	for (size_t i = 0; i < request.n_arguments; i++)
		if (strcmp(request.arguments[i].key, "RES") == 0)
			request.arguments[i].value = "40"; /* a small file */
	reply.body = open_memstream(&body, &body_len);
	sim_model_respond(m, &request, &reply, now);
	fclose(reply.body);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sim_random random;
	random_init(&random, 1);
	struct sim_env env = {.random = &random, .speed = 1};
	struct sim_model *m;
	uint64_t now = 0;
	if (sim_model_create(&bruker_model, NULL, &env, &m) < 0)
		return 0;
	char *text = strndup((const char *)data, len), *rest = text;
	send_request(m, (char[]){"/cmd.htm?WRK=8&RES=40"}, now);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] == '+')
			sim_model_tick(m, now += (uint64_t)strtoul(line + 1, NULL, 10) % 1000 * S);
		else
			send_request(m, line, now);
		assert(sim_model_next_wakeup(m, now) >= now);
	}
	free(text);
	sim_model_destroy(m);
	return 0;
}
