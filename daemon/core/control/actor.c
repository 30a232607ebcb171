/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "core/control/actor.h"

#define USERS_BYTES_MAX (1u << 20)

static void read_file(const char *path, struct buffer *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? 1 : 0;
	while (n > 0 && to->len < USERS_BYTES_MAX) {
		uint8_t *at = buffer_reserve(to, 4096);
		n = at != NULL ? read(fd, at, 4096) : 0;
		to->len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
	buffer_append(to, "", 1);
}

/* "name:password:uid:..."; a name is printable ASCII without blanks. */
static bool is_user(const char *line, unsigned uid, char *name, size_t size)
{
	size_t len = strcspn(line, ":");
	const char *rest = line[len] == ':' ? strchr(line + len + 1, ':') : NULL;
	unsigned found;
	char end;
	if (len == 0 || len >= size || rest == NULL || sscanf(rest, ":%u%c", &found, &end) != 2 ||
		end != ':' || found != uid)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (line[i] <= ' ' || line[i] > '~')
			return false;
	}
	memcpy(name, line, len);
	name[len] = '\0';
	return true;
}

static void name_user(const char *users, unsigned uid, char *name, size_t size)
{
	struct buffer text = {0};
	char *line, *rest = NULL;
	bool is_found = false;
	read_file(users, &text);
	if (!text.failed)
		rest = (char *)text.data;
	while (!is_found && (line = strsep(&rest, "\n")) != NULL)
		is_found = is_user(line, uid, name, size);
	if (!is_found)
		snprintf(name, size, "uid-%u", uid);
	buffer_finish(&text);
}

void actor_find(struct audit_actor *actor, const struct access_peer *peer, const char *users)
{
	*actor = (struct audit_actor){.id = "unknown", .auth = AUTH_NONE, .via = "control"};
	if (peer->is_local) {
		name_user(users, peer->uid, actor->id, sizeof actor->id);
		actor->auth = AUTH_OS;
		snprintf(actor->via, sizeof actor->via, "control pid %d", peer->pid);
	} else if (peer->name[0] != '\0') {
		snprintf(actor->id, sizeof actor->id, "%s", peer->name);
		actor->auth = AUTH_KEY;
	}
}
