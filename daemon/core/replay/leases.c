/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/replay/cursors.h"
#include "core/replay/leases.h"
#include "record/text.h"

#define ID_MAX 255 /* of a connection */

struct lease {
	char name[CURSOR_NAME_MAX + 1]; /* "": free */
	pid_t pid;
	int process; /* a pidfd, readable once the process has ended; -1: none */
	uint8_t id[ID_MAX];
	size_t id_len;
	char program[64];
	uint64_t since; /* UTC */
	uint64_t seen;  /* CLOCK_BOOTTIME of its last request */
};

struct leases {
	struct lease list[CURSORS_MAX];
};

struct leases *leases_create(void)
{
	return calloc(1, sizeof(struct leases));
}

static void end(struct lease *lease)
{
	if (lease->name[0] != '\0' && lease->process >= 0)
		close(lease->process);
	lease->name[0] = '\0';
}

void leases_destroy(struct leases *leases)
{
	for (size_t i = 0; leases != NULL && i < CURSORS_MAX; i++)
		end(&leases->list[i]);
	free(leases);
}

static bool has_ended(const struct lease *lease)
{
	struct pollfd process = {.fd = lease->process, .events = POLLIN};
	return clock_boot() - lease->seen >= LEASE_NS ||
	       (lease->process >= 0 && poll(&process, 1, 0) > 0);
}

static bool is_same(const struct lease *lease, const struct lease_peer *peer)
{
	if (peer->pid > 0 || lease->pid > 0)
		return lease->pid == peer->pid;
	return lease->id_len == peer->id.len &&
	       memcmp(lease->id, peer->id.data, lease->id_len) == 0;
}

/* For people; the name is the process's own, and may be hidden from us. */
static void read_program(struct lease *lease)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/%d/comm", (int)lease->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, lease->program, sizeof lease->program - 1) : 0;
	if (fd >= 0)
		close(fd);
	lease->program[len > 0 ? len : 0] = '\0';
	lease->program[strcspn(lease->program, "\n")] = '\0';
	text_make_printable(lease->program);
}

static void begin(struct lease *lease, struct assay_string name, const struct lease_peer *peer)
{
	*lease = (struct lease){.pid = peer->pid, .process = -1, .since = clock_utc()};
	text_copy(lease->name, sizeof lease->name, name);
	lease->id_len = peer->id.len < ID_MAX ? peer->id.len : ID_MAX;
	memcpy(lease->id, peer->id.data, lease->id_len);
	if (peer->pid <= 0)
		return;
	lease->process = (int)syscall(SYS_pidfd_open, peer->pid, 0);
	if (lease->process < 0 && errno == ESRCH) /* its last request came after its end */
		end(lease);
	else
		read_program(lease);
}

static void describe(const struct lease *lease, char *who, size_t size)
{
	char since[32] = "", process[100] = "a peer whose process is not known";
	time_t seconds = (time_t)(lease->since / NS_PER_S);
	struct tm tm;
	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(since, sizeof since, "%Y-%m-%d %H:%M:%SZ", &tm);
	if (lease->pid > 0)
		snprintf(process, sizeof process, "%s, process %d",
			lease->program[0] != '\0' ? lease->program : "a program", (int)lease->pid);
	snprintf(who, size, "%s, since %s", process, since);
}

int leases_take(struct leases *leases, struct assay_string name, const struct lease_peer *peer,
	char *who, size_t size)
{
	struct lease *free_one = NULL, *lease = NULL;
	for (size_t i = 0; i < CURSORS_MAX; i++) {
		struct lease *one = &leases->list[i];
		if (one->name[0] != '\0' && has_ended(one))
			end(one);
		if (one->name[0] == '\0')
			free_one = one;
		else if (assay_string_is(name, one->name))
			lease = one;
	}
	if (lease != NULL && !is_same(lease, peer)) {
		describe(lease, who, size);
		return -EBUSY;
	}
	if (lease == NULL && (lease = free_one) != NULL)
		begin(lease, name, peer);
	if (lease != NULL)
		lease->seen = clock_boot();
	return 0;
}
