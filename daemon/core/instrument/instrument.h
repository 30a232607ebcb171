/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument as the core knows it: what the configuration says, what state it is in, who it
 * turned out to be, whether something harmful is on, and its open run.
 *
 *	off -> connecting -> idle -> armed -> busy -> idle ...		fault: from anywhere
 *
 * Every change of state is one log line and one `state` record.
 */
#ifndef ASSAY_CORE_INSTRUMENT_H
#define ASSAY_CORE_INSTRUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/list.h"
#include "config/config.h"
#include "core/instrument/change.h"
#include "core/core.h"
#include "core/runs/run.h"
#include "record/record.h"
#include "wire/wire.h"

struct instrument;
struct supervisor;

struct instrument {
	struct list link; /* core.instruments */
	struct core *core;
	const struct config_instrument *config;
	struct supervisor *supervisor;
	unsigned unit; /* on its port */
	struct ledger_topic *data_topic, *state_topic;

	enum device_state state;
	char text[WIRE_TEXT_MAX + 1]; /* why, for people */
	char values[256];             /* progress, for people: "real_time 12.5 s" */
	struct run_identity identity;
	bool identified; /* by the present worker */
	bool ready;      /* configured by the present worker */
	bool hazard;     /* something harmful is on, or may be after a crash */
	bool maintenance;
	struct buffer settings; /* CBOR, as configured or read back */
	struct change change;   /* of its settings, since the configuration was read */

	char refused[64];       /* serial number of the unit that was refused last; "": none */
	struct backoff backoff; /* of starts that the instrument refused, */
	uint64_t retry_at;      /* and when the next one is due; 0: none */
	bool starting;          /* a START is out: STARTED or ENDED answers it */
	bool repeating;         /* the worker begins run after run by itself until told otherwise */
	struct run *run;        /* the open one; NULL: none */
	struct run_request request; /* what an armed instrument waits to begin */
	uint64_t frames;            /* since the start of the core */
	uint64_t last_frame;        /* UTC */
	uint64_t largest_run;       /* bytes, since the start of the core; 0: none yet */
};

/* Makes one in state off, appended to core.instruments.  0 or -ENOMEM. */
int instrument_create(
	struct core *core, const struct config_instrument *config, struct instrument **out);
void instrument_destroy(struct instrument *instrument);

/* Its worker is being started: it is connecting. */
void instrument_attach(struct instrument *instrument, struct supervisor *supervisor);

/* Borrowed; NULL: none of that name. */
struct instrument *instrument_find(struct core *core, const char *key);

/* For the supervisor. */
const char *instrument_key(const struct instrument *instrument);
const struct config_instrument *instrument_config(const struct instrument *instrument);
struct inst_id instrument_inst(const struct instrument *instrument); /* borrows from it */
struct unit instrument_unit(const struct instrument *instrument);

/* A message of the worker about this unit.  0, or -EBADMSG when it is not what wire.h says. */
int instrument_message(struct instrument *instrument, const struct wire_message *message);

/* Something is going on in its worker that a stop ends. */
bool instrument_is_active(const struct instrument *instrument);

/* Nothing is going on: idle, or the next run of an instrument that runs by itself. */
void instrument_rest(struct instrument *instrument);

/* To be called once a second: begins again what the instrument had refused. */
void instrument_tick(struct instrument *instrument);

/* Ends the open continuous run and begins the next.  -ENOMEM. */
int instrument_renew(struct instrument *instrument);

/* The worker is gone: `why` for people, NULL when we asked it to go. */
void instrument_lost(struct instrument *instrument, const char *why);

/*
 * Asks for a run.  0: armed, and request->answer will be called; otherwise -EBUSY, -EINVAL,
 * -ENODEV, -ENOSPC with why and what to do in `text`.  Takes what the request owns in any case.
 */
int instrument_start(
	struct instrument *instrument, struct run_request *request, char *text, size_t size);

/* Ends the run: the present frame is finished, or discarded with `abort`.  -ENOENT: no run. */
int instrument_stop(struct instrument *instrument, bool abort, const struct audit_actor *actor);

/* The same for a reason of the core's, a literal, which goes into the run-end. */
int instrument_stop_for(struct instrument *instrument, const char *why);

/* Out of service for people's hands on it, and back.  -EBUSY while a run is open. */
int instrument_set_maintenance(struct instrument *instrument, bool on);

#endif
