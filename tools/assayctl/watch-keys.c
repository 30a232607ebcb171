/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of watch. */
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "watch.h"

#define PAGE       10 /* instruments */
#define ZOOM_LEAST 0.005

const char *const keys_help[] = {
	"q          end",
	"up, down   choose an instrument (k, j)",
	"PgUp, PgDn ten instruments at once",
	"p, space   pause: keep the data on the screen",
	"l          scale of the plot: linear, logarithmic, square root",
	"+ -        zoom the plot",
	"left right move the zoomed part (h, .)",
	"0          the whole plot",
	"d          the list only, or also the chosen instrument",
	"?          this help, and back",
};

const size_t keys_help_count = sizeof keys_help / sizeof *keys_help;

static struct termios before;
static bool is_taken;

void keys_begin(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) < 0)
		return;
	struct termios now = before;
	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	now.c_cc[VMIN] = 0;
	now.c_cc[VTIME] = 0;
	now.c_cc[VSUSP] = _POSIX_VDISABLE; /* a shell would come up on this screen */
	is_taken = tcsetattr(STDIN_FILENO, TCSANOW, &now) == 0;
}

void keys_end(void)
{
	if (is_taken)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	is_taken = false;
}

int keys_fd(void)
{
	return is_taken ? STDIN_FILENO : -1;
}

/* --- actions --------------------------------------------------------------------------------- */

static void choose(struct watch *w, int step)
{
	const struct seen *order[SEEN_MAX];
	size_t count = watch_order(w, order), at = 0;
	if (count == 0)
		return;
	while (at < count && order[at] != w->view.chosen)
		at++;
	long to = (at < count ? (long)at : 0) + step;
	to = to < 0 ? 0 : to >= (long)count ? (long)count - 1 : to;
	w->view.chosen = order[to];
	w->view.from = 0;
	w->view.to = 1;
}

static void look_at(struct view *view, double from, double width)
{
	width = width < ZOOM_LEAST ? ZOOM_LEAST : width > 1 ? 1 : width;
	from = from < 0 ? 0 : from > 1 - width ? 1 - width : from;
	view->from = from;
	view->to = from + width;
}

static void zoom(struct view *view, double factor)
{
	double width = (view->to - view->from) * factor;
	look_at(view, (view->from + view->to - width) / 2, width);
}

static void up(struct watch *w)
{
	choose(w, -1);
}
static void down(struct watch *w)
{
	choose(w, 1);
}
static void page_up(struct watch *w)
{
	choose(w, -PAGE);
}
static void page_down(struct watch *w)
{
	choose(w, PAGE);
}
static void end(struct watch *w)
{
	w->view.must_end = true;
}
static void pause_or_not(struct watch *w)
{
	w->view.is_paused = !w->view.is_paused;
}
static void help(struct watch *w)
{
	w->view.is_help = !w->view.is_help;
}
static void list_only(struct watch *w)
{
	w->view.is_list_only = !w->view.is_list_only;
}
static void nearer(struct watch *w)
{
	zoom(&w->view, 0.5);
}
static void wider(struct watch *w)
{
	zoom(&w->view, 2);
}
static void whole(struct watch *w)
{
	look_at(&w->view, 0, 1);
}

static void left(struct watch *w)
{
	double width = w->view.to - w->view.from;
	look_at(&w->view, w->view.from - width / 4, width);
}

static void right(struct watch *w)
{
	double width = w->view.to - w->view.from;
	look_at(&w->view, w->view.from + width / 4, width);
}

static void next_scale(struct watch *w)
{
	w->view.scale = w->view.scale == PLOT_SQRT ? PLOT_LINEAR : w->view.scale + 1;
}

static const struct {
	const char *bytes; /* as terminals send them */
	void (*act)(struct watch *watch);
} keys[] = {
	{"q", end},
	{"Q", end},
	{"k", up},
	{"j", down},
	{"\033[A", up},
	{"\033OA", up},
	{"\033[B", down},
	{"\033OB", down},
	{"\033[5~", page_up},
	{"\033[6~", page_down},
	{"p", pause_or_not},
	{" ", pause_or_not},
	{"l", next_scale},
	{"+", nearer},
	{"=", nearer},
	{"-", wider},
	{"0", whole},
	{"h", left},
	{".", right},
	{"\033[D", left},
	{"\033OD", left},
	{"\033[C", right},
	{"\033OC", right},
	{"d", list_only},
	{"?", help},
};

void keys_take(struct watch *watch)
{
	static char bytes[64]; /* the start of a key whose rest has not come stays here */
	static size_t len;
	ssize_t n;
	while ((n = read(STDIN_FILENO, bytes + len, sizeof bytes - len)) > 0) {
		len += (size_t)n;
		size_t at = 0;
		while (at < len) {
			size_t used = 1;
			bool is_start = false;
			for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
				size_t size = strlen(keys[i].bytes), left_over = len - at;
				size_t same = size < left_over ? size : left_over;
				if (memcmp(keys[i].bytes, bytes + at, same) != 0)
					continue;
				if (same == size) {
					keys[i].act(watch);
					used = size;
					is_start = false;
					break;
				}
				is_start = true;
			}
			if (is_start)
				break;
			at += used;
		}
		memmove(bytes, bytes + at, len - at);
		len -= at;
	}
}
