/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system below the simulated daemon.  isolate.py links the daemon's own, unmodified code and
 * renames the functions that it calls: malloc() to sim_malloc() and so on.  sys-*.c define those:
 *
 *	sys-memory	memory that the daemon has allocated; all of it is freed when the daemon is killed
 *	sys-thread	mutexes, conditions and threads, on schedule.h
 *	sys-file	files below SYSTEM_STATE, on the simulated disk
 *	sys-fd		sockets to workers, pipes, eventfd, timerfd, poll
 *	sys-zmq		the ZeroMQ sockets
 *	sys-process	clocks, dice, processes, signals, the event loop, the service manager
 *
 * The world around the daemon (workers, clients, consumers, faults) uses this header.  Its
 * functions are called outside of the daemon's threads unless noted.
 */
#ifndef ASSAY_TESTS_SIM_SYSTEM_H
#define ASSAY_TESTS_SIM_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SYSTEM_STATE "/state" /* the journal's folder; all of the simulated disk lies below it */

struct disk;
struct stream;

struct system_part {
	const uint8_t *data;
	size_t len;
};

/* Reports to the world, within the daemon's threads: these functions do not block. */
struct system_world {
	/* The daemon started a worker, which has the other end of this stream. */
	void (*worker_started)(pid_t pid, struct stream *stream);
	/* Bytes came for it, there is room again, or the daemon closed its end. */
	void (*worker_stirred)(struct stream *stream);
	void (*worker_killed)(pid_t pid, int signal);

	void (*published)(const char *topic, size_t topic_len, const uint8_t *data, size_t len);
	/* The reply to a request of this peer, without its envelope. */
	void (*replied)(uint32_t peer, const struct system_part *parts, size_t count);

	void (*notified)(const char *state); /* to the service manager */
	void (*logged)(const char *line, size_t len);
	/* The daemon by itself; `left` pieces of memory were not freed. */
	void (*ended)(int code, size_t left);
};

/* --- the daemon's process -------------------------------------------------------------------- */

/* Borrows all of it until system_finish(); `catalog` is the reply of --describe. */
void system_open(const struct system_world *world, struct disk *disk, const char *config,
	const uint8_t *catalog, size_t catalog_len);
void system_close(void);

/* Starts the daemon; it runs in schedule_run(). */
void system_start(void);
bool system_is_running(void);

/* SIGKILL: all of the daemon is gone, its files are as they are in the cache. */
void system_kill(void);

/*
 * The same in the daemon's `nth` call from now that changes a file (1: the next), before that
 * call; `killed` runs afterwards.  0: no more.
 */
void system_kill_at(uint64_t nth, void (*killed)(void));

/* A signal to the daemon: SIGTERM, SIGHUP. */
void system_signal(int signal);

/* The machine is off and starts again: its clocks since boot start at 0. */
void system_reboot(void);

/* CLOCK_BOOTTIME of the machine. */
uint64_t system_boot(void);

/* CLOCK_REALTIME is set; the kernel disciplines it, or does not. */
void system_step_clock(int64_t ns);
void system_sync_clock(bool is_synchronised);

/* Every sync of a file takes so long. */
void system_set_sync_time(uint64_t ns);

/* No sync of a file ends before this time. */
void system_stall(uint64_t until);

/* Pieces of memory that the daemon has allocated and not freed. */
size_t system_memory(void);

/* --- a worker's end of its socket ------------------------------------------------------------ */

/* Bytes that fitted; 0: none do, or the daemon closed its end. */
size_t stream_write(struct stream *stream, const void *data, size_t len);
size_t stream_read(struct stream *stream, void *data, size_t size);
bool stream_is_over(const struct stream *stream); /* the daemon closed it, and all was read */

/* The worker's process has exited with this code, or by this signal; the stream is gone. */
void system_worker_exits(pid_t pid, struct stream *stream, int code, int signal);

/* --- clients --------------------------------------------------------------------------------- */

/* A request to the socket at this endpoint.  False: there is no such socket. */
bool system_request(const char *endpoint, uint32_t peer, const uint8_t *data, size_t len);

/* The client is gone: replies to it are dropped. */
void system_forget_peer(uint32_t peer);

#endif
