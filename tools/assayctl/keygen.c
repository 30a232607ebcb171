/* SPDX-License-Identifier: Apache-2.0 */
/* keygen: a pair of CURVE keys in two files, of the daemon or of a program that connects by TCP. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "args.h"
#include "base/key-file.h"
#include "file.h"
#include "record/topic.h"

static int explain(const char *path, int error)
{
	if (error == -EEXIST)
		fprintf(stderr,
			"assayctl: %s: there is a key already, and it stays: choose another name, "
			"or move it away\n",
			path);
	else
		fprintf(stderr, "assayctl: %s: %s\n", path, strerror(-error));
	return 1;
}

/* A new file.  Never replaces one, and leaves none behind that is not complete. */
static int write_new(const char *path, mode_t mode, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	int r = file_write(fd, text, strlen(text));
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
		r = -errno;
	close(fd);
	if (r == 0)
		r = file_sync_folder(AT_FDCWD, path);
	if (r < 0)
		unlink(path);
	return r;
}

static void print_made(const struct options *options, const char *name, const char *public,
	const char *secret, const char *key)
{
	if (options->json) {
		/* A key in Z85 has neither quotes nor backslashes; a name is a token. */
		printf("{\"name\": \"%s\", \"key\": \"%s\"}\n", name, key);
		return;
	}
	printf("%s  the secret key: keep it on this machine, no other user may read it\n"
	       "%s  the public key\n"
	       "To let %s connect to assayd, add this line to the daemon's list of authorised\n"
	       "keys, with the roles that it needs (read, replay, control):\n"
	       "%s: {key: '%s', roles: [read, replay]}\n",
		secret, public, name, name, key);
}

int command_keygen(const struct options *options, const struct args *args)
{
	char public[PATH_MAX], secret[PATH_MAX], text[600];
	struct key_pair pair;
	const char *name = args->words[0];
	const char *dir = args_has(args, "to") ? args_text(args, "to") : ".";
	if (!token_is_valid(string_of(name)))
		return args_reject(args,
			"found the name '%s', expected [a-z0-9-], at most 32 "
			"characters",
			name);
	snprintf(public, sizeof public, "%s/%s.public", dir, name);
	snprintf(secret, sizeof secret, "%s/%s.secret", dir, name);
	if (access(public, F_OK) == 0)
		return explain(public, -EEXIST);
	if (zmq_curve_keypair(pair.public_key, pair.secret_key) < 0)
		return explain(secret, -errno);
	int len = snprintf(text, sizeof text,
		"# Secret key of %s. No other user may read this file.\n"
		"metadata\n    name = \"%s\"\ncurve\n    public-key = \"%s\"\n"
		"    secret-key = \"%s\"\n",
		name, name, pair.public_key, pair.secret_key);
	int r = write_new(secret, 0600, text);
	explicit_bzero(text, (size_t)len);
	explicit_bzero(pair.secret_key, sizeof pair.secret_key);
	if (r < 0)
		return explain(secret, r);
	snprintf(text, sizeof text,
		"# Public key of %s.\nmetadata\n    name = \"%s\"\ncurve\n    public-key = "
		"\"%s\"\n",
		name, name, pair.public_key);
	r = write_new(public, 0644, text);
	if (r < 0) {
		unlink(secret);
		return explain(public, r);
	}
	print_made(options, name, public, secret, pair.public_key);
	return 0;
}
