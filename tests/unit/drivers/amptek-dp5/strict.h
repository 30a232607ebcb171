/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A double that refuses each command that its device does not have, with the acknowledge codes of
 * the guide, and the tests' own table of commands.  Written from the published lists, by device; the
 * driver's table is by command.
 */
#ifndef ASSAY_TESTS_DRIVERS_STRICT_H
#define ASSAY_TESTS_DRIVERS_STRICT_H

#include "bench.h"

enum { STRICT_DEVICES = 6 };

/* Whether a device has a command: sources agree, or one states it; 0: no; -1: it is disputed. */
int strict_has(unsigned device, const char *name);

/* All names, each once; ends with NULL. */
extern const char *const strict_names[];

/* Whether a refusal of the command must end the run. */
bool strict_decides(const char *name);

struct strict {
	unsigned device;
	bool has_disputed;
	char refuse[64];     /* these are refused as bad values, such as "MCST=0.00;" */
	char ignore[5];      /* this command is acknowledged without effect */
	char values[8192];   /* as read back: "MCAC=2048;..." */
	char received[8192]; /* all commands that were accepted, in order */
	unsigned packets, refusals;
	bool enabled;
	uint64_t since, counted; /* ms: enabled at, or counted when it was last disabled */
	bool is_asleep;          /* enabling is acknowledged and has no effect */
};

/* Makes `s` the device of the host; every command that it has reads back a value. */
void strict_attach(struct host *h, struct strict *s, unsigned device, bool has_disputed);

/* Sets a value as if another program had sent it. */
void strict_set(struct strict *s, const char *name, const char *value);

#endif
