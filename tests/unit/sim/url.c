/* SPDX-License-Identifier: Apache-2.0 */
#include "url.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define S UINT64_C(1000000000)

void url_split(char *url, struct sim_http_request *request)
{
	char *query = strchr(url, '?');
	request->path = url;
	request->n_arguments = 0;
	if (query == NULL)
		return;
	*query++ = '\0';
	for (char *pair; (pair = strsep(&query, "&")) != NULL &&
			 request->n_arguments < SIM_HTTP_ARGUMENTS_MAX;) {
		char *value = strchr(pair, '=');
		if (value != NULL)
			*value++ = '\0';
		request->arguments[request->n_arguments++] = (struct sim_http_argument){
			pair, value};
	}
}

static void send_request(struct sim_model *m, char *url, uint64_t now)
{
	struct sim_http_request request = {.method = "GET", .body = (const uint8_t *)""};
	struct sim_http_reply reply = {.status = 200, .type = "text/html"};
	char *body;
	size_t body_len;
	url_split(url, &request);
	reply.body = open_memstream(&body, &body_len);
	sim_model_respond(m, &request, &reply, now);
	fclose(reply.body);
	free(body);
}

void url_session(const struct sim_model_ops *ops, const uint8_t *data, size_t len)
{
	struct sim_random random;
	random_init(&random, 1);
	struct sim_env env = {.random = &random, .speed = 1};
	struct sim_model *m;
	uint64_t now = 0;
	if (sim_model_create(ops, NULL, &env, &m) < 0)
		return;
	char *text = strndup((const char *)data, len), *rest = text;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		if (line[0] == '+')
			sim_model_tick(m, now += strtoul(line + 1, NULL, 10) % 1000 * S);
		else
			send_request(m, line, now);
		assert(sim_model_next_wakeup(m, now) >= now);
	}
	free(text);
	sim_model_destroy(m);
}
