/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "client.h"
#include "print.h"

int client_no_answer(const char *endpoint, int error)
{
	fprintf(stderr, "assayctl: no answer from %s: %s\n", endpoint,
		error == -ETIMEDOUT ? "is assayd running?" : zmq_strerror(-error));
	return 1;
}

int client_try(const struct options *options, struct control_request *request, int seconds,
	struct control_reply *reply)
{
	struct requester *requester;
	int r = requester_create(&requester, NULL, options->control);
	if (r < 0) {
		*reply = (struct control_reply){0};
		control_request_finish(request);
		return r;
	}
	r = control_send(requester, request, seconds * 1000, reply);
	requester_destroy(requester);
	return r;
}

int client_explain(const struct options *options, int error, const struct control_reply *reply)
{
	if (error < 0 && error != -EBADMSG)
		return client_no_answer(options->control, error);
	if (options->json)
		print_json(reply->body);
	else if (error > 0)
		print_rejected(reply->error.text);
	else
		fprintf(stderr, "assayctl: unexpected reply from %s: not assayd\n",
			options->control);
	return 1;
}

int client_ask(const struct options *options, struct control_request *request, int seconds,
	struct control_reply *reply)
{
	int r = client_try(options, request, seconds, reply);
	return r == 0 ? 0 : client_explain(options, r, reply);
}

int client_ask_and_print(
	const struct options *options, struct control_request *request, const char *done)
{
	struct control_reply reply;
	int r = client_ask(options, request, ASK_SECONDS, &reply);
	if (r == 0 && options->json)
		print_json(reply.body);
	else if (r == 0)
		puts(done);
	control_reply_finish(&reply);
	return r;
}
