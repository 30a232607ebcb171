/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Modbus port in virtual time: the real session with modbus-map on one side, a bus of scripted
 * units on the other, and a core that starts each unit's run again whenever it can.  Everything
 * happens on one thread inside session_run(): ppoll(2), where the driver's thread waits, is played
 * here and lets time pass.
 */
#ifndef ASSAY_TESTS_WORKER_BUS_H
#define ASSAY_TESTS_WORKER_BUS_H

#include <assay/driver.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/port.h"
#include "wire/wire.h"

#define BUS_UNITS  8
#define BUS_BLOCKS 4
#define BUS_QUEUES 2

/* When a server of TCP closes the connection. */
enum bus_close {
	BUS_CLOSES_NEVER,
	BUS_CLOSES_AFTER_REPLY,
	BUS_CLOSES_IDLE,     /* after `idle` without a request */
	BUS_CLOSES_IN_REPLY, /* after a part of each reply number n `every` */
	BUS_CLOSES_AT_ONCE,  /* each connection number n `every`, and the others after a reply */
};

/* An instrument: its requests, the device behind them, and what the core got of it. */
struct bus_unit {
	enum assay_modbus_table table;
	unsigned blocks; /* requests per poll, of equal size */
	struct wire_start start;
	unsigned queue; /* it shares with others; requests of one are handled one after the other */
	uint64_t dead_from, dead_until; /* it does not answer then */
	/* The request number `stall_at` (from 1) of the unit takes so long. */
	unsigned stall_at;
	uint64_t stall;
	uint64_t slow;      /* each reply takes so much longer */
	unsigned busy_from; /* requests from this address on are refused as busy; 0: none are */
	uint64_t busy_until;
	unsigned requests; /* received */
	uint64_t replied_at;
	unsigned blocks_step; /* addresses from one block to the next; 0: far */
	size_t known; /* the device that the core has accepted: values of others are wrong */

	unsigned frames, wrong, missing, dropped, lost_runs, faults;
	unsigned retries;
	unsigned resumed, accepted; /* frames with the reason `resumed`; identities */
	uint64_t first_frame;
	unsigned frames_alone; /* of `frames`: before each unit had one */
	char fault[400];       /* the last one */
};

struct bus {
	struct port port;
	struct bus_unit units[BUS_UNITS];
	size_t count;
	uint64_t latency; /* of each reply */
	bool is_text;     /* units of tests/drivers/multidrop.c, whose replies have no address */
	bool echoes;      /* the adapter returns each request */
	uint64_t deaf;    /* a unit ignores requests so soon after its reply */
	unsigned most;    /* registers of one request; 0: as the protocol */
	uint64_t end;     /* when the core sends QUIT */
	/* Sends the reply (`len` bytes) of `unit` at `when`, or others; NULL: bus_reply(). */
	void (*reply)(struct bus *bus, struct bus_unit *unit, const uint8_t *data, size_t len,
		uint64_t when);
	uint64_t free_at[BUS_QUEUES];
	enum bus_close closes;
	uint64_t idle;
	bool is_racing; /* a request does not keep it from closing */
	unsigned every;
	unsigned connections, replies; /* made after the first one; sent */
	unsigned cuts;                 /* of `replies` */
	bool has_identity;             /* the units have a register with their serial number */
	unsigned exchanged_at;         /* other devices answer from this connection on; 0: never */
	bool rejects;                  /* the core rejects them */
};

#define BUS_OTHER 100 /* the device of unit i after the exchange: i + BUS_OTHER */

/* A bus of `count` units with ids 1 ... in order, and a start that is the same in each run. */
void bus_init(struct bus *bus, unsigned kind, size_t count);

/* Runs a session over the bus until bus->end; the bus keeps its state for another one. */
void bus_run(struct bus *bus);

/* Bytes from the instruments. */
void bus_reply(struct bus *bus, const uint8_t *data, size_t len, uint64_t when);

/* The value that each register or bit has. */
uint16_t bus_value(size_t unit, enum assay_modbus_table table, unsigned address);

uint64_t bus_now(void);

#endif
