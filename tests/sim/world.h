/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world around the simulated daemon.
 *
 *	site		the configuration: instruments, reloads of other files
 *	worker		the workers' processes, one per port, with their instruments and faults
 *	progress	events that must come within a time: workers, runs, ends
 *	client		people and programs at the control socket
 *	consumer	programs that catch up by replay
 *	truth		entries committed, published and answered, and the rules that they keep
 *	simulate	lives of the daemon: kills, power cuts, clock steps, trouble of the disk
 *
 * All of it is drawn from one seed.  A broken rule is reported by wrong() and ends the simulation.
 */
#ifndef ASSAY_TESTS_SIM_WORLD_H
#define ASSAY_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "config/config.h"
#include "record/encode.h"
#include "record/read.h"
#include "schedule.h"
#include "system.h"

/* --- simulate -------------------------------------------------------------------------------- */

/* Something is not as it must be: the first one is the finding. */
void wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line in the log of what happened, shown with --verbose or when something is wrong. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Since when nothing is in trouble: the daemon is ready, the disk accepts writes.  NEVER:
 * something is.  Time limits start then.
 */
uint64_t healthy_since(void);

/* Since when the daemon is ready, in trouble or not; NEVER: it is not. */
uint64_t ready_since(void);

/* Has the daemon had the time to take a message that was sent at this time, and to commit it? */
bool has_been_taken(uint64_t sent);

extern struct disk *the_disk;

/* --- site ------------------------------------------------------------------------------------ */

#define SITE_INSTRUMENTS_MAX 6
#define SITE_FRAME_MAX       (48u << 10)
#define SITE_METHOD          "m-1"
#define SITE_CONTROL         "ipc:///run/sim/control"
#define SITE_REPLAY          "ipc:///run/sim/replay"

struct site_instrument {
	char key[16], serial[16];
	enum config_mode mode;
	bool simulated;
	unsigned host; /* instruments of one host share a port; 0: a port of its own */
	unsigned frames, every_s, new_run_s, level;
	size_t frame_bytes; /* of the raw block, at most */
};

struct site {
	struct site_instrument list[SITE_INSTRUMENTS_MAX];
	size_t count;
	bool always; /* journal: sync */
	unsigned sync_ms, segment_kib, reserve_mib;
	bool requires_sample;
	unsigned steps; /* of SITE_METHOD */
	bool is_wrong;  /* the file has an error */
	char path[64];  /* of the YAML file */
	uint8_t catalog[1024];
	size_t catalog_len;
};
extern struct site site;

void site_open(void);
void site_close(void);

/* Writes another file: instruments come, go or change.  `wrong`: one with an error. */
void site_change(bool with_error);

/* The same without the error. */
void site_mend(void);

const struct site_instrument *site_find(const char *key);

/* The daemon reads its configuration from now on. */
void site_starts(void);

/*
 * The configuration that the daemon has, known by its audit records: an instrument, NULL: it has
 * none of this key; since when, NEVER: the files changed, or it is not known.
 */
void site_audited(const char *event);
const struct site_instrument *site_in_force(const char *key);
uint64_t site_in_force_since(void);

/* --- worker ---------------------------------------------------------------------------------- */

void worker_started(pid_t pid, struct stream *stream);
void worker_stirred(struct stream *stream);
void worker_killed(pid_t pid, int signal);

/* The machine is off: they are gone, and hazards stay on. */
void workers_lose_power(void);

/* Every few seconds: is all that they sent committed? */
void workers_look(void);

/* How many faults they have: one in so many chances; 0: none. */
void workers_set_faults(uint64_t one_in);

/* The messages that a worker sent of a measurement, by its token; NULL: there was none. */
struct measurement {
	uint64_t token;
	char key[16];
	uint64_t started, last_sent; /* time */
	uint64_t sent, seen;         /* frames: sent by the worker, published */
	bool is_spoiled; /* one of them does not pass the check: the core ends the run */
	bool is_over;
	unsigned end; /* enum wire_end */
};
struct measurement *measurement_find(uint64_t token);

#define FRAME_MAGIC "SIMFRAME" /* in a frame's raw block, then token and index, both u64 */

/* --- progress -------------------------------------------------------------------------------- */

/* An instrument waits at most so long for its driver and its neighbours on the port. */
#define SLOTS_TAKE (200 * S)

void progress_open(void);
void progress_look(void);   /* every few seconds: does something take too long? */
void progress_forget(void); /* the daemon is gone */

/* A worker has read that it has this instrument; it is ready; its process has ended. */
void progress_worker(const char *key, pid_t pid);
void progress_ready(const char *key);
void progress_worker_ended(const char *key, pid_t pid);

/* A request to take it out of service was sent; one to put it back was answered. */
void progress_service(const char *key, bool on);

/* The clock was set: that must be recorded.  An audit record was published. */
void progress_clock_set(int64_t by);
void progress_audited(const char *event);

/* A request to stop this run was accepted. */
void progress_stopped(const char *number);

/* --- client ---------------------------------------------------------------------------------- */

void clients_open(void);
void clients_notice(void); /* a run begins or ends: people look it up, before it is committed */
void clients_look(void);   /* every few seconds: are they waiting for too long? */
void clients_forget(void); /* the daemon is gone: no answers come any more */
void client_replied(uint32_t peer, const struct system_part *parts, size_t count);

/* --- consumer -------------------------------------------------------------------------------- */

void consumers_open(void);
void consumers_published(const char *topic, size_t topic_len, const uint8_t *data, size_t len);
bool consumer_replied(uint32_t peer, const struct system_part *parts, size_t count);
void consumers_look(void);

/* --- truth ----------------------------------------------------------------------------------- */

struct truth_run {
	uint8_t id[16], ctx[32], journal[16];
	char number[100], key[33], topic[161], status[16];
	char first_sample[201], sample[201], operator[201]; /* as in the run-start, and now */
	bool on_demand;
	bool is_unsure;      /* the power took some of its records */
	bool ends_elsewhere; /* in a later journal */
	unsigned life, amends;
	uint64_t first, last, frames;
	uint64_t started, ended; /* when that was published */
	uint64_t token;          /* of its measurement; 0: no frame yet */
	bool has_method;
	uint64_t step, steps; /* of its last frame */
	void *digest;         /* while it is open */
};

void truth_open(bool always);
void truth_close(void);

void truth_published(const char *topic, size_t topic_len, const uint8_t *data, size_t len);
void truth_head(const uint8_t *data, size_t len);

/* The life of the daemon is over: orderly, killed, or by a power cut. */
enum life_end { LIFE_STOPPED, LIFE_KILLED, LIFE_POWER };
void truth_life_over(enum life_end end);

/* The clock was set back by over an hour: a new journal may start. */
void truth_clock_back(void);

/*
 * Compares journals on the disk with the published entries, their last entries or all; entries of
 * journal `id` up to `upto` that never were published are taken over.
 */
void truth_recovered(const uint8_t *id, uint64_t upto, bool all);

/*
 * The note of how far the journal is durable: not beyond the last committed entry.
 * `is_stopped`: it is that one.
 */
void truth_check_durable(bool is_stopped);

/* As `assayctl journal check`. */
void truth_inspect(void);

/* A while after a start: runs of the lives before must have ended. */
void truth_check_runs(void);

/* A committed run of this number; NULL: there is none. */
const struct truth_run *truth_run(const char *number, size_t len);

/* False: the daemon may have recovered entries that truth learns with the next publication only. */
bool truth_is_complete(void);

/* The open run of an instrument, NULL: none. */
const struct truth_run *truth_open_run(const char *key);

/* A random committed run, NULL: there is none yet. */
const struct truth_run *truth_any_run(void);

/* The event of the last audit record. */
const char *truth_last_event(void);

/* Is this the entry of that journal? */
bool truth_is_entry(const uint8_t *data, size_t len);
uint64_t truth_head_seq(void);
const uint8_t *truth_journal(void);
uint64_t truth_entries(void);
uint64_t truth_published_at(void); /* when the last entry was */

#endif
