/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_TOPIC "sockets"
#include "base/clock.h"
#include "base/gate.h"
#include "base/log.h"
#include "base/zmtp.h"

#define GATES_MAX      8 /* the first is for all other addresses */
#define LISTENERS_MAX  64
#define PEERS_MAX      (GATES_MAX * GATE_PEERS_MAX)
#define FDS_MAX        65536
#define SWEEP_EVERY_NS (100 * NS_PER_MS)
#define LOG_EVERY_NS   (60 * NS_PER_S)

struct gate {
	char path[GATE_PATH];
	enum gate_kind kind;
	unsigned peers;
	unsigned full, broken; /* connections closed since the last log line, by reason */
	uint64_t logged_at;
};

struct gate_peer {
	struct gate *gate; /* NULL: free */
	int fd;
	uint64_t cookie; /* of the socket: libzmq closes it, and the number is given again */
	struct zmtp zmtp;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct gate gates[GATES_MAX];
static struct {
	int fd;
	struct gate *gate;
} listeners[LISTENERS_MAX];
static unsigned listener_count;
static struct gate_peer peers[PEERS_MAX];
static atomic_uint_least16_t place[FDS_MAX]; /* of the descriptor in `peers`, plus 1 */
static size_t topics;                        /* bytes, of all peers */
static size_t new_topics;                    /* bytes that may come now */
static uint64_t renewed_at, swept_at;
static uint64_t not_curve; /* peers */
static struct gate_refusal last_not_curve;

/* --- peers, with the lock held --------------------------------------------------------------- */

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof cookie;
	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

static bool is_open(const struct gate_peer *peer)
{
	return cookie_of(peer->fd) == peer->cookie;
}

static void forget(struct gate_peer *peer)
{
	atomic_store(&place[peer->fd], 0);
	topics -= peer->zmtp.topics;
	peer->gate->peers--;
	peer->gate = NULL;
}

static void note_not_curve(const struct gate_peer *peer)
{
	struct sockaddr_storage at;
	struct gate_refusal *last = &last_not_curve;
	socklen_t len = sizeof at;
	not_curve++;
	memcpy(last->path, peer->gate->path, sizeof last->path);
	if (getpeername(peer->fd, (struct sockaddr *)&at, &len) < 0 ||
		getnameinfo((struct sockaddr *)&at, len, last->address, sizeof last->address, NULL,
			0, NI_NUMERICHOST) != 0)
		last->address[0] = '\0';
}

/* Its next recv() finds the end. */
static void cut(struct gate_peer *peer)
{
	if (peer->zmtp.state == ZMTP_NOT_CURVE)
		note_not_curve(peer);
	else
		peer->gate->broken++;
	if (is_open(peer))
		shutdown(peer->fd, SHUT_RDWR);
	forget(peer);
}

/* libzmq's thread does nothing else meanwhile: not for each of many connections. */
static void forget_closed(void)
{
	uint64_t now = clock_boot();
	if (now < swept_at + SWEEP_EVERY_NS)
		return;
	swept_at = now;
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (peers[i].gate != NULL && !is_open(&peers[i]))
			forget(&peers[i]);
	}
}

static struct gate_peer *with_most_topics(void)
{
	struct gate_peer *most = NULL;
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (peers[i].gate != NULL &&
			(most == NULL || peers[i].zmtp.topics > most->zmtp.topics))
			most = &peers[i];
	}
	return most;
}

static struct gate *gate_of(int listener)
{
	for (unsigned i = 0; i < listener_count; i++) {
		if (listeners[i].fd == listener)
			return listeners[i].gate;
	}
	return &gates[0];
}

/* Connections take the lowest numbers that are free: from the limit on, few are left for others. */
static bool leaves_reserve(int fd)
{
	struct rlimit limit;
	return fd < FDS_MAX && getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	       (rlim_t)fd + GATE_RESERVE < limit.rlim_cur;
}

static bool admit(struct gate *gate, int fd)
{
	if (atomic_load(&place[fd]) != 0)
		forget(&peers[place[fd] - 1]);
	if (gate->peers >= GATE_PEERS_MAX)
		forget_closed();
	if (gate->peers >= GATE_PEERS_MAX)
		return false;
	struct gate_peer *peer = peers;
	while (peer->gate != NULL)
		peer++;
	*peer = (struct gate_peer){.gate = gate,
		.fd = fd,
		.cookie = cookie_of(fd),
		.zmtp = {.is_publisher = gate->kind == GATE_PUBLISHER,
			.needs_curve = gate->kind == GATE_CURVE}};
	gate->peers++;
	atomic_store(&place[fd], (uint_least16_t)(peer - peers + 1));
	return true;
}

/* libzmq handles subscriptions while nothing is published: they have a limit in time, too. */
static bool may_subscribe(size_t bytes)
{
	uint64_t now = clock_boot();
	uint64_t more = (now - renewed_at) / (NS_PER_S / GATE_TOPICS_MAX);
	if (more > 0) {
		new_topics = more < GATE_TOPICS_MAX - new_topics ? new_topics + more
								 : GATE_TOPICS_MAX;
		renewed_at = now;
	}
	bool may = bytes <= new_topics;
	new_topics -= may ? bytes : 0;
	return may;
}

/* False: the connection is over. */
static bool take(int fd, const void *data, size_t len)
{
	struct gate_peer *peer = atomic_load(&place[fd]) != 0 ? &peers[place[fd] - 1] : NULL;
	if (peer == NULL)
		return true;
	if (!is_open(peer)) {
		forget(peer);
		return true;
	}
	size_t before = peer->zmtp.topics;
	bool is_fine = zmtp_take(&peer->zmtp, data, len);
	topics += peer->zmtp.topics - before;
	if (is_fine && peer->zmtp.topics > before)
		is_fine = may_subscribe(peer->zmtp.topics - before);
	if (topics > GATE_TOPICS_MAX)
		forget_closed();
	if (!is_fine)
		cut(peer);
	else if (topics > GATE_TOPICS_MAX)
		cut(with_most_topics());
	return peer->gate != NULL;
}

/* --- instead of the C library's -------------------------------------------------------------- */

/*
 * EAGAIN, as if the connection had gone again: libzmq 4.3 takes most other errors for a mistake of its
 * own and ends the process.
 */
int accept4(int listener, __SOCKADDR_ARG address, socklen_t *len, int flags)
{
	int fd = (int)syscall(SYS_accept4, listener, address.__sockaddr__, len, flags);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			errno = EAGAIN;
		return -1;
	}
	pthread_mutex_lock(&lock);
	struct gate *gate = gate_of(listener);
	bool is_admitted = leaves_reserve(fd) && admit(gate, fd);
	gate->full += !is_admitted;
	pthread_mutex_unlock(&lock);
	if (is_admitted)
		return fd;
	close(fd);
	errno = EAGAIN;
	return -1;
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
	ssize_t n = syscall(SYS_recvfrom, fd, data, len, flags, NULL, NULL);
	if (n <= 0 || fd >= FDS_MAX || atomic_load(&place[fd]) == 0)
		return n;
	pthread_mutex_lock(&lock);
	bool goes_on = take(fd, data, (size_t)n);
	pthread_mutex_unlock(&lock);
	return goes_on ? n : 0;
}

/* --- the sockets ----------------------------------------------------------------------------- */

static struct gate *find_gate(const char *path)
{
	struct gate *gate = &gates[1];
	while (gate < gates + GATES_MAX && gate->path[0] != '\0' && strcmp(gate->path, path) != 0)
		gate++;
	return gate < gates + GATES_MAX ? gate : &gates[0];
}

void gate_watch(int listener, const char *path, enum gate_kind kind)
{
	pthread_mutex_lock(&lock);
	struct gate *gate = find_gate(path);
	if (gate != &gates[0] && gate->path[0] == '\0') {
		snprintf(gate->path, sizeof gate->path, "%s", path);
		gate->kind = kind;
	}
	unsigned i = 0;
	while (i < listener_count && listeners[i].fd != listener)
		i++;
	if (i < LISTENERS_MAX) {
		listeners[i].fd = listener;
		listeners[i].gate = gate;
		listener_count = i < listener_count ? listener_count : i + 1;
	}
	pthread_mutex_unlock(&lock);
}

void gate_look(const char *path)
{
	uint64_t now = clock_boot();
	pthread_mutex_lock(&lock);
	struct gate *gate = find_gate(path);
	unsigned full = gate->full, broken = gate->broken;
	bool is_due = (full > 0 || broken > 0) &&
		      (gate->logged_at == 0 || now >= gate->logged_at + LOG_EVERY_NS);
	if (is_due) {
		gate->full = gate->broken = 0;
		gate->logged_at = now;
	}
	pthread_mutex_unlock(&lock);
	if (is_due && full > 0)
		log_warn("%s: %u connections refused: at most %u are open, and %u descriptors stay "
			 "free",
			path, full, GATE_PEERS_MAX, GATE_RESERVE);
	if (is_due && broken > 0)
		log_warn("%s: %u connections closed: too many subscriptions, too large a message, "
			 "or not ZMTP 3",
			path, broken);
}

uint64_t gate_not_curve(struct gate_refusal *last)
{
	pthread_mutex_lock(&lock);
	uint64_t count = not_curve;
	*last = last_not_curve;
	pthread_mutex_unlock(&lock);
	return count;
}
