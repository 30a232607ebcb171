/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#define TEXT_MAX 1024

static int address_of(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memcpy(address->sun_path, path, strlen(path) + 1);
	return 0;
}

static void remove_socket(const char *path)
{
	struct stat st;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
}

int control_open(struct control *control, const char *path)
{
	struct sockaddr_un address;
	control->fd = -1;
	int r = address_of(path, &address);
	if (r < 0)
		return r;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	remove_socket(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*control = (struct control){.fd = fd, .path = path};
	return 0;
}

void control_close(struct control *control)
{
	if (control->fd < 0)
		return;
	close(control->fd);
	remove_socket(control->path);
	control->fd = -1;
}

/* Works on a copy: a text with one bad switch changes nothing. */
static bool set_switches(struct sim_faults *faults, char *text, char *reply, size_t size)
{
	struct sim_faults changed = *faults;
	bool any = false;
	char *rest = NULL;
	for (char *word = strtok_r(text, " \n", &rest); word != NULL;
		word = strtok_r(NULL, " \n", &rest)) {
		int n = snprintf(reply, size, "error ");
		if (fault_set(&changed, word, clock_boot(), reply + n, size - (size_t)n) < 0)
			return false;
		any = true;
	}
	*faults = changed;
	int n = snprintf(reply, size, "ok ");
	fault_print(faults, reply + n, size - (size_t)n);
	return any;
}

bool control_serve(struct control *control, struct sim_faults *faults)
{
	char text[TEXT_MAX], reply[TEXT_MAX];
	bool changed = false;
	for (int i = 0; i < 16; i++) {
		struct sockaddr_un peer;
		socklen_t len = sizeof(peer);
		ssize_t n = recvfrom(control->fd, text, sizeof(text) - 1, MSG_DONTWAIT,
			(struct sockaddr *)&peer, &len);
		if (n < 0)
			break;
		text[n] = '\0';
		changed |= set_switches(faults, text, reply, sizeof(reply));
		if (len > sizeof(sa_family_t))
			(void)sendto(control->fd, reply, strlen(reply), MSG_DONTWAIT,
				(struct sockaddr *)&peer, len);
	}
	return changed;
}

static int exchange(int fd, const char *path, const char *text, char *reply, unsigned size)
{
	struct sockaddr_un address;
	int r = address_of(path, &address);
	if (r < 0)
		return r;
	/* With only the family given the kernel chooses an address. */
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	if (bind(fd, (struct sockaddr *)&own, sizeof(sa_family_t)) < 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		send(fd, text, strlen(text), 0) < 0)
		return -errno;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	r = poll(&p, 1, 2000);
	if (r <= 0)
		return r < 0 ? -errno : -ETIMEDOUT;
	ssize_t n = recv(fd, reply, size - 1, 0);
	if (n < 0)
		return -errno;
	reply[n] = '\0';
	return strncmp(reply, "ok", 2) == 0 ? 0 : -EINVAL;
}

int control_request(const char *path, const char *text, char *reply, unsigned size)
{
	reply[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int r = exchange(fd, path, text, reply, size);
	close(fd);
	return r;
}
