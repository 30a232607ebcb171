/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of watch: the latest data of each instrument, and the screen that shows them. */
#ifndef ASSAY_ASSAYCTL_WATCH_H
#define ASSAY_ASSAYCTL_WATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "plot.h"

#define SEEN_MAX   256
#define HISTORY    240 /* values of an instrument without spectra */
#define POINTS_MAX 16384

/* The latest data of one instrument; texts are printable. */
struct seen {
	char key[33], state[20], text[160], values[200], quality[12];
	bool sim;
	uint64_t since; /* of the state; UTC, 0: not known */
	uint64_t frames, rate_frames, rate_since;
	uint64_t last; /* frame, boot time; 0: none yet */
	double rate;   /* frames per second */
	/* the open run; number "": none */
	char number[100], sample[100], person[100];
	uint64_t start;  /* UTC */
	double preset;   /* seconds that it takes; 0: not known */
	bool is_run_new; /* the daemon was not asked for it yet */
	/* the first data variable */
	char x_name[60], y_name[60];
	double x_first, x_last;
	double y[POINTS_MAX];
	uint64_t times[HISTORY]; /* boot time, with `history` */
	size_t count;
	bool history; /* y is one value over time */
};

/* The place of the reader. */
struct view {
	const struct seen *chosen; /* NULL: the first */
	size_t top;                /* first line of the list */
	double from, to;           /* of the x axis, 0 to 1 */
	enum plot_scale scale;
	bool is_paused, is_help, is_list_only, must_end;
};

struct watch {
	const struct options *options;
	const char *wanted; /* NULL: all */
	bool plain;
	const volatile sig_atomic_t *must_stop;
	struct seen *seen[SEEN_MAX];
	size_t count;
	uint64_t head; /* of the last heartbeat */
	struct view view;
};

/* --- watch-order.c ----------------------------------------------------------------------------- */

/* The instruments in the order of the list: those at fault first.  Returns their number. */
size_t watch_order(const struct watch *watch, const struct seen *order[SEEN_MAX]);

/* --- watch-screen.c ---------------------------------------------------------------------------- */

/* Draws all; on a terminal over the former picture. */
void watch_draw(struct watch *watch);

/* --- watch-keys.c ------------------------------------------------------------------------------ */

/* Takes the terminal for keys, and gives it back as it was.  Nothing without one. */
void keys_begin(void);
void keys_end(void);

/* The descriptor to poll for keys; -1: there is no terminal. */
int keys_fd(void);

/* Reads and carries out all keys that were pressed. */
void keys_take(struct watch *watch);

/* The lines of the help. */
extern const char *const keys_help[];
extern const size_t keys_help_count;

#endif
