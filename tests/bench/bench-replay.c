/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries per second that a consumer fetches: the replay thread in one process, a DEALER in
 * another, which requests the next page when it has the last one.
 *
 *	bench-replay FOLDER ENDPOINT SECONDS
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zmq.h>

#include "base/clock.h"
#include "core/commit/published.h"
#include "core/replay/replay.h"
#include "record/encode.h"
#include "record/entry.h"
#include "record/read.h"
#include "tool.h"

#define WAIT_MS 10000

struct pages {
	void *socket;
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t next, entries, bytes;
};

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	errno = -r;
	die(what);
}

/* --- the consumer ---------------------------------------------------------------------------- */

static void ask(struct pages *pages)
{
	struct buffer request = {0};
	struct map map;
	map_open(&map, &request);
	map_text(&map, "op", "fetch");
	map_bytes(&map, "journal", pages->journal, JOURNAL_ID_SIZE);
	map_text(&map, "prefix", "");
	map_uint(&map, "from", pages->next);
	map_uint(&map, "to", UINT64_MAX);
	map_close(&map);
	if (zmq_send(pages->socket, request.data, request.len, 0) < 0)
		die("zmq_send");
	buffer_finish(&request);
}

static void read_head(struct pages *pages, const void *data, size_t len)
{
	struct reader r;
	struct assay_string key, op = {0};
	size_t pairs;
	read_init(&r, data, len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (assay_string_is(key, "op"))
			read_text(&r, &op);
		else if (assay_string_is(key, "next"))
			read_uint(&r, &pages->next);
		else
			read_skip(&r);
	}
	errno = EBADMSG;
	if (read_finish(&r) < 0 || !assay_string_is(op, "data"))
		die("the reply");
}

/* Requests the next page as soon as the head of this one is there. */
static void receive(struct pages *pages)
{
	zmq_msg_t part;
	zmq_msg_init(&part);
	if (zmq_msg_recv(&part, pages->socket, 0) < 0)
		die("zmq_msg_recv");
	read_head(pages, zmq_msg_data(&part), zmq_msg_size(&part));
	if (pages->next == 0)
		pages->next = 1; /* round and round */
	ask(pages);
	while (zmq_msg_more(&part)) {
		if (zmq_msg_recv(&part, pages->socket, 0) < 0)
			die("zmq_msg_recv");
		pages->entries++;
		pages->bytes += zmq_msg_size(&part);
	}
	zmq_msg_close(&part);
}

static _Noreturn void consume(const char *endpoint, const uint8_t *journal, uint64_t time)
{
	int wait = WAIT_MS;
	struct pages pages = {.next = 1};
	memcpy(pages.journal, journal, sizeof pages.journal);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	void *context = zmq_ctx_new();
	pages.socket = zmq_socket(context, ZMQ_DEALER);
	if (zmq_setsockopt(pages.socket, ZMQ_RCVTIMEO, &wait, sizeof wait) < 0 ||
		zmq_connect(pages.socket, endpoint) < 0)
		die(endpoint);
	ask(&pages);
	receive(&pages);
	pages.entries = pages.bytes = 0;
	uint64_t now, begin = clock_boot();
	do {
		receive(&pages);
		now = clock_boot();
	} while (now < begin + time);
	double seconds = (double)(now - begin) / 1e9;
	printf("{\"entries\":%llu,\"bytes\":%llu,\"seconds\":%.4f,\"per_s\":%.1f}\n",
		(unsigned long long)pages.entries, (unsigned long long)pages.bytes, seconds,
		(double)pages.entries / seconds);
	fflush(stdout);
	_exit(0);
}

/* --- the daemon's side ----------------------------------------------------------------------- */

static void serve(const char *path, struct journal *journal, const char *endpoint, pid_t consumer)
{
	int status;
	struct replay *replay;
	struct replay_sources sources = {.node = "bench-1"};
	void *context = zmq_ctx_new();
	check(published_open(&sources.published, path, journal, NULL), "published_open");
	check(replay_start(&replay, context, endpoint, path, &sources), endpoint);
	if (waitpid(consumer, &status, 0) < 0)
		die("waitpid");
	replay_stop(replay);
	zmq_ctx_term(context);
	published_close(sources.published);
	if (status != 0)
		exit(1);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: bench-replay FOLDER ENDPOINT SECONDS\n", stderr);
		return 2;
	}
	uint64_t time = argument_seconds(argv[3]);
	mallopt(M_MMAP_THRESHOLD, 64 << 20); /* as the daemon has it */
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	struct journal *journal;
	struct journal_report report;
	struct journal_options options = {
		.path = argv[1], .entry = entry_place, .now = clock_utc()};
	check(journal_open(&journal, &io_posix, &options, &report), argv[1]);
	pid_t consumer = fork();
	if (consumer < 0)
		die("fork");
	if (consumer == 0)
		consume(argv[2], report.id, time);
	serve(argv[1], journal, argv[2], consumer);
	check(journal_close(journal), "journal_close");
	return 0;
}
