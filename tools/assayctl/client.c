/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"
#include "print.h"

int client_no_answer(const char *endpoint, int error)
{
	const char *words = secure_error(error);
	if (words != NULL)
		fprintf(stderr, "assayctl: %s: %s\n", endpoint, words);
	else
		fprintf(stderr, "assayctl: no answer from %s: %s\n", endpoint,
			error == -ETIMEDOUT ? "is assayd running?" : zmq_strerror(-error));
	return 1;
}

/* The group that owns the folder of the socket, "assayd" if that cannot be read. */
static void name_group(const char *path, char to[64])
{
	char folder[sizeof((struct sockaddr_un *)0)->sun_path];
	struct stat st;
	snprintf(folder, sizeof folder, "%s", path);
	struct group *group = stat(dirname(folder), &st) == 0 ? getgrgid(st.st_gid) : NULL;
	snprintf(to, 64, "%s", group != NULL ? group->gr_name : "assayd");
}

static int explain_reach(const char *path, int error)
{
	char group[64];
	struct passwd *user = getpwuid(geteuid());
	name_group(path, group);
	if (error == ENOENT || error == ECONNREFUSED)
		fprintf(stderr,
			"assayctl: assayd is not running: nothing answers on %s; "
			"sudo systemctl start assayd\n",
			path);
	else if (error == EACCES || error == EPERM)
		fprintf(stderr,
			"assayctl: you are not in group %s: sudo adduser %s %s, then log in "
			"again\n",
			group, user != NULL ? user->pw_name : "USER", group);
	else
		fprintf(stderr, "assayctl: %s: %s\n", path, strerror(error));
	return 1;
}

int client_reach(const char *endpoint)
{
	static const char scheme[] = "ipc://";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = endpoint + sizeof scheme - 1;
	if (strncmp(endpoint, scheme, sizeof scheme - 1) != 0 || *path == '@')
		return 0;
	if (strlen(path) >= sizeof address.sun_path) {
		fprintf(stderr,
			"assayctl: %s: the path of a socket has at most %zu bytes, this one %zu\n",
			path, sizeof address.sun_path - 1, strlen(path));
		return 1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return 0;
	int error = connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
	close(fd);
	/* With a full queue the daemon is there. */
	return error == 0 || error == EAGAIN ? 0 : explain_reach(path, error);
}

int client_try(const struct options *options, struct control_request *request, int seconds,
	struct control_reply *reply)
{
	struct requester *requester;
	int r = requester_create(&requester, NULL, options->control, &options->keys);
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
	if (client_reach(options->control) != 0) {
		*reply = (struct control_reply){0};
		control_request_finish(request);
		return 1;
	}
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
