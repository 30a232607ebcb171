/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument as the core knows it: its configuration, the state of its machine, its identity,
 * whether something harmful is on, and its open run.  Every change of the state that people see is
 * one log line and one `state` record.
 */
#ifndef ASSAY_CORE_INSTRUMENT_INSTRUMENT_H
#define ASSAY_CORE_INSTRUMENT_INSTRUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/list.h"
#include "config/config.h"
#include "core/commit/audit.h"
#include "core/instrument/borrowed.h"
#include "core/instrument/change.h"
#include "core/instrument/hazard.h"
#include "core/instrument/machine.h"
#include "core/instrument/waiting.h"
#include "core/port/supervise.h"
#include "core/runs/run.h"
#include "record/record.h"
#include "wire/wire.h"

/* All instruments and their shared parts.  Everything except the list is borrowed. */
struct instruments {
	struct list list; /* struct instrument.link */
	const struct config *config;
	struct run_store *runs;
	struct audit_trail *audit;
	struct hazards hazards;
	struct borrowed_notes notes;
	uint64_t last_noting; /* number */
	bool stopping;        /* no run starts any more */
	const char *notice;   /* why no run starts, for people; NULL: runs may start */
	/* May a run start that takes about `expected` bytes?  As disk_check(). */
	int (*check_space)(void *arg, uint64_t expected, char *text, size_t size);
	void *arg;
};

struct instrument {
	struct list link; /* instruments.list */
	struct instruments *all;
	const struct config_instrument *config;
	struct supervisor *supervisor;
	unsigned unit; /* on its port */
	struct ledger_topic *data_topic, *state_topic;

	struct machine machine;
	enum device_state state; /* as last recorded, */
	uint64_t since;          /* and since when; UTC */
	char code[33];           /* the cause of a fault, for programs: "ETIMEDOUT"; "": none */
	char text[WIRE_TEXT_MAX + 1]; /* why, for people */
	char values[256];             /* progress, for people: "real_time 12.5 s" */
	struct run_identity identity;
	bool hazard;              /* something harmful is on, or may be after a crash */
	bool lacks_note;          /* of it: the disk failed */
	struct buffer settings;   /* CBOR, as sent or read back last */
	struct buffer own;        /* the same when it became ready: its own settings */
	struct change change;     /* of its settings, since the configuration was read */
	struct borrowed borrowed; /* values found before they were changed */
	bool is_looking;          /* the worker reads it back before it configures it */
	uint64_t noting;          /* number of the note that the machine waits for; 0: none */

	char rejected[64];          /* serial number of the unit that was rejected last; "": none */
	struct backoff backoff;     /* of starts that the instrument refused, */
	uint64_t retry_at;          /* and when the next one is due */
	struct run *run;            /* the open one; NULL: none */
	struct run_request request; /* of a START that is not answered */
	struct waiting_start waiting; /* a start until it is connected */
	uint64_t frames;              /* since the start of the core */
	uint64_t last_frame;          /* UTC */
	uint64_t largest_run;         /* bytes, since the start of the core; 0: none yet */
};

/* Makes one in state off, appended to the list.  0 or -ENOMEM. */
int instrument_create(
	struct instruments *all, const struct config_instrument *config, struct instrument **out);
void instrument_destroy(struct instrument *instrument);

/* Its worker is being started. */
void instrument_attach(struct instrument *instrument, struct supervisor *supervisor);

/* Borrowed; NULL: none of that name. */
struct instrument *instrument_find(const struct instruments *all, const char *key);

/* Callbacks for its port; `arg` is the instrument. */
extern const struct port_unit_ops instrument_port_ops;

/* The commit thread: makes the notes of hazards and borrowed settings durable. */
void instruments_sync_notes(void *instruments);

/* As in records; borrows from it. */
struct inst_id instrument_inst(const struct instrument *instrument);

/* The settings in force; borrowed until they are changed. */
struct assay_span instrument_settings(const struct instrument *instrument);

/* Something is under way in its worker that a stop ends. */
bool instrument_is_active(const struct instrument *instrument);

/*
 * A person or program requested a run, also of an instrument that measures by itself: it is open, or
 * its start is under way or waits for the connection.
 */
bool instrument_serves_request(const struct instrument *instrument);

/* If nothing is under way: starts the next run of one that runs by itself, or shows why not. */
void instrument_rest(struct instrument *instrument);

/* Once a second: answers a start that waits, writes a note that failed, starts again a run that the instrument had refused. */
void instrument_tick(struct instrument *instrument);

/* Ends the open continuous run and starts the next.  -ENOMEM. */
int instrument_renew(struct instrument *instrument);

/*
 * Requests a run.  0: armed, or it waits for the connection, and request->answer will be called;
 * otherwise -EBUSY, -EINVAL,
 * -ENODEV, -ENOSPC with reason and remedy in `text`.  Takes the parts that the request owns in any
 * case.
 */
int instrument_start(
	struct instrument *instrument, struct run_request *request, char *text, size_t size);

/* Ends the run: the present frame is finished, or discarded with `abort`.  -ENOENT: no run. */
int instrument_stop(struct instrument *instrument, bool abort, const struct audit_actor *actor);

/* The same for a reason of the core's, a literal, which goes into the run-end. */
int instrument_stop_for(struct instrument *instrument, const char *why);

/* Out of service for people's hands on it, and back.  -EBUSY while a run is open. */
int instrument_set_maintenance(struct instrument *instrument, bool on);

/*
 * Lays `part` (CBOR map name => setting, checked by config_parse_setting) over the settings in
 * force and ends the run that has the former ones.  Then calls `answer`, possibly before this
 * returns: with 0 once they are in force, or with a negative errno and the instrument's words if it
 * refused them.  -EBUSY while an on-demand run is open or another change is pending; -ENOMEM; then
 * nothing is changed and `answer` is not called.
 */
int instrument_set(struct instrument *instrument, struct assay_span part,
	const struct audit_actor *actor, void (*answer)(void *arg, int r, const char *text),
	void *arg);

/* The same configuration out of another file: takes its place. */
void instrument_reconfigure(struct instrument *instrument, const struct config_instrument *config);

#endif
