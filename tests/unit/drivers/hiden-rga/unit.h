/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A HAL RC RGA for tests of the driver: logical devices, one scan table, its job and its data.  It
 * replies to one command with one line; a fault spoils the reply to the nth command.
 */
#ifndef ASSAY_TESTS_DRIVERS_UNIT_H
#define ASSAY_TESTS_DRIVERS_UNIT_H

#include "host.h"

enum unit_fault {
	UNIT_WHOLE,
	UNIT_LOST,    /* the command is run, its reply is lost */
	UNIT_DEAF,    /* neither: the command is lost */
	UNIT_TWICE,   /* the reply comes twice */
	UNIT_LATE,    /* it comes with that to the next command, before it */
	UNIT_LATER,   /* it comes with that to the command after the next one */
	UNIT_GARBLED, /* a character of the reply is none of a text */
	UNIT_EMPTY,   /* all but the end of the reply is lost */
	UNIT_FAULTS
};

struct unit_device {
	const char *name;
	double value, modes[2];
	bool is_missing; /* this unit does not have it */
};

struct unit_row {
	double start, stop, step;
	int mode, report;
	char input[16];
};

struct unit {
	struct host *h;
	const char *name;     /* the reply to "pget name" */
	const char *line_end; /* "\r\n" */
	const char *end;      /* of the data: "*C110*" */
	struct unit_device devices[16];
	struct unit_row rows[100];
	size_t row, row_count;
	bool is_stop_left_out, holds_no_emission;
	bool ends_first;     /* a job has ended before its data are fetched */
	const char *refuses; /* commands that begin so get *C042 */
	int trip;            /* a code in the middle of the data; the filament goes out */
	size_t piece;        /* characters of a data reply */
	unsigned polls;      /* replies before the data */
	const char *idle;    /* such a reply: "" */
	uint64_t busy_until; /* such replies until this time */
	const char *data;    /* instead of the scan's own */
	char text[20000];
	size_t at;
	bool is_running;
	unsigned jobs;
	enum unit_fault fault;
	size_t fault_at, commands; /* the number of the command, from 1; 0: never */
	void (*spoil)(struct unit *u, char *line, size_t size); /* of a fuzzer: alters a reply */
	void *spoil_data;
	char late[4200];
	int late_for; /* replies until it comes */
	char partial[200];
	size_t partial_len;
	char heard[20000]; /* all commands, each followed by ';' */
};

/* Puts the unit on the host's link. */
void unit_init(struct unit *u, struct host *h);

/* Aborts if there is none of this name. */
struct unit_device *unit_device(struct unit *u, const char *name);

/* The value that it measures at this mass, as it is printed with three digits. */
double unit_truth(double mass);

#endif
