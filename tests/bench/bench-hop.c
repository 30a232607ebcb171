/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least latency that commit-then-publish can have: each block is appended, synced, then sent
 * over one PUB/SUB hop to another process.  Prints both steps and their sum per block.
 *
 *	bench-hop ENDPOINT FOLDER BYTES COUNT EVERY_MS
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "live.h"
#include "tool.h"

/* At the beginning of each block. */
struct times {
	uint64_t begin, synced;
};

static void subscribe(void *socket, const void *arg)
{
	uint64_t count = *(const uint64_t *)arg;
	struct samples sync = {0}, hop = {0}, sum = {0};
	zmq_msg_t body;
	zmq_msg_init(&body);
	for (uint64_t i = 0; i < count; i++) {
		live_receive(socket, &body);
		uint64_t now = clock_boot();
		struct times times;
		memcpy(&times, zmq_msg_data(&body), sizeof times);
		samples_add(&sync, times.synced - times.begin);
		samples_add(&hop, now - times.synced);
		samples_add(&sum, now - times.begin);
	}
	zmq_msg_close(&body);
	fputs("{", stdout);
	samples_print("sync", &sync);
	fputs(",", stdout);
	samples_print("hop", &hop);
	fputs(",", stdout);
	samples_print("sum", &sum);
	puts("}");
}

static void commit(int fd, uint8_t *block, size_t len, uint64_t offset)
{
	struct times times = {.begin = clock_boot()};
	append(fd, block, len, offset);
	if (fdatasync(fd) < 0)
		die("fdatasync");
	times.synced = clock_boot();
	memcpy(block, &times, sizeof times);
}

static void wait_until(uint64_t due)
{
	struct timespec at = {
		.tv_sec = (time_t)(due / NS_PER_S), .tv_nsec = (long)(due % NS_PER_S)};
	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &at, NULL) != 0)
		;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fputs("usage: bench-hop ENDPOINT FOLDER BYTES COUNT EVERY_MS\n", stderr);
		return 2;
	}
	size_t len = argument(argv[3], 1u << 30) + sizeof(struct times);
	uint64_t count = argument(argv[4], 1000000);
	uint64_t every = argument(argv[5], 60000) * NS_PER_MS;
	/* A block is sent a while after it left: two in turn. */
	uint8_t *blocks[2] = {noise(len), noise(len)};
	struct live live = {0};
	live_open(&live, argv[1], subscribe, &count);
	if (chdir(argv[2]) < 0)
		die(argv[2]);
	int fd = open(BENCH_FILE, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || unlink(BENCH_FILE) < 0)
		die(BENCH_FILE);

	uint64_t due = clock_boot();
	for (uint64_t i = 0; i < count; i++, due += every) {
		wait_until(due);
		commit(fd, blocks[i % 2], len, i * len);
		live_send(&live, blocks[i % 2], len);
	}
	live_close(&live);
	close(fd);
	free(blocks[0]);
	free(blocks[1]);
	return 0;
}
