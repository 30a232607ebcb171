/* SPDX-License-Identifier: Apache-2.0 */
/* The screen of watch: a line per instrument, and the chosen one with its run and a plot. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/clock.h"
#include "print.h"
#include "watch.h"

#define DETAIL_LINES 3 /* of the chosen instrument, before its plot */
#define PLOT_LEAST   3 /* rows, or there is none */
#define STALE_NS     (5 * NS_PER_S)

enum style { PLAIN, DIM, BAD, CHOSEN };

/* One line of the screen: what is longer than the screen is left out. */
struct cells {
	char text[4 * PLOT_WIDTH_MAX + 400];
	size_t len;
	int room; /* columns */
	bool has_styles;
};

static struct cells line_begin(int width, bool has_styles)
{
	return (struct cells){.room = width, .has_styles = has_styles};
}

static void put(struct cells *line, const char *bytes, size_t len)
{
	if (line->len + len < sizeof line->text) {
		memcpy(line->text + line->len, bytes, len);
		line->len += len;
		line->text[line->len] = '\0';
	}
}

/* Adds the characters for which there is room; they count as wide as a terminal draws them. */
static void put_text(struct cells *line, const char *text)
{
	mbstate_t state = {0};
	size_t left = strlen(text);
	while (left > 0) {
		wchar_t wide;
		size_t len = mbrtowc(&wide, text, left, &state);
		bool is_odd = len == 0 || len > left;
		int columns = is_odd ? 1 : wcwidth(wide);
		if (is_odd)
			len = 1;
		if (columns > line->room)
			return;
		if (is_odd || columns < 0) {
			if (line->room < 1)
				return;
			put(line, "?", 1);
			columns = 1;
			state = (mbstate_t){0};
		} else {
			put(line, text, len);
		}
		line->room -= columns;
		text += len;
		left -= len;
	}
}

__attribute__((format(printf, 3, 4))) static void line_add(
	struct cells *line, enum style style, const char *format, ...)
{
	static const char *const on[] = {"", "\033[2m", "\033[1;31m", "\033[7m"};
	char text[1200];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	bool has_style = line->has_styles && style != PLAIN;
	if (has_style)
		put(line, on[style], strlen(on[style]));
	put_text(line, text);
	if (has_style)
		put(line, "\033[0m", 4);
}

/* --- instruments ----------------------------------------------------------------------------- */

static bool is_state(const struct seen *s, const char *state)
{
	return strcmp(s->state, state) == 0;
}

/* Rate and quality are of now: it measures, and the last frame is not old. */
static bool is_fresh(const struct seen *s)
{
	uint64_t wait = s->rate > 0 ? (uint64_t)(3 * (double)NS_PER_S / s->rate) : 0;
	return is_state(s, "busy") && s->last != 0 &&
	       clock_boot() - s->last < (wait > STALE_NS ? wait : STALE_NS);
}

static bool is_down(const struct seen *s)
{
	return !is_state(s, "busy") && !is_state(s, "idle") && !is_state(s, "armed");
}

/* "0:07 of 1:00" */
static void write_progress(const struct seen *s, char *to, size_t size)
{
	uint64_t now = clock_utc();
	unsigned long long gone = now > s->start ? (now - s->start) / NS_PER_S : 0;
	unsigned long long whole = (unsigned long long)s->preset;
	int len = snprintf(to, size, "%llu:%02llu", gone / 60, gone % 60);
	if (whole > gone)
		snprintf(to + len, size - (size_t)len, " of %llu:%02llu", whole / 60, whole % 60);
}

/* "> xrf-1        busy   1.00/s good  0:07 of 1:00  LAB-1  Fe 12.5 %" */
static struct cells instrument_line(
	const struct watch *w, const struct seen *s, int width, bool styles)
{
	struct cells line = line_begin(width, styles);
	char text[64];
	bool is_chosen = s == w->view.chosen, is_bad = is_state(s, "fault");
	line_add(&line, is_chosen ? CHOSEN : PLAIN, "%s%-12s", is_chosen ? ">" : " ", s->key);
	line_add(&line, is_bad ? BAD : PLAIN, " %-7s", s->state);
	if (s->sim)
		line_add(&line, PLAIN, "  SIMULATED");
	if (is_down(s) && s->since != 0) {
		print_clock(text, s->since, "");
		line_add(&line, PLAIN, "  since %s", text);
	}
	if (s->text[0] != '\0' && !is_state(s, "busy"))
		line_add(&line, is_bad ? BAD : PLAIN, "  %s", s->text);
	/* Old numbers are grey, or where there is no grey left out. */
	enum style style = is_fresh(s) ? PLAIN : DIM;
	bool has_numbers = s->frames > 0 && (style == PLAIN || styles);
	if (has_numbers) {
		line_add(&line, style, "  %.2f/s", s->rate);
		line_add(&line, style, "  %s", s->quality);
	}
	if (is_state(s, "busy") && s->start != 0) {
		write_progress(s, text, sizeof text);
		line_add(&line, PLAIN, "  %s", text);
	}
	if (!is_down(s) && s->sample[0] != '\0')
		line_add(&line, PLAIN, "  %s", s->sample);
	if (has_numbers)
		line_add(&line, style, "  %s", s->values);
	return line;
}

/* --- the chosen instrument ------------------------------------------------------------------- */

static void add_detail(const struct seen *s, int row, struct cells *line)
{
	char text[PRINT_BOTH_SIZE];
	if (row == 0 && s->number[0] != '\0')
		line_add(line, PLAIN, "run %s%s", s->number,
			is_state(s, "busy") ? "" : ", which has ended");
	else if (row == 0)
		line_add(line, PLAIN, "%s: no run", s->key);
	if (row == 0 && s->sample[0] != '\0')
		line_add(line, PLAIN, "  sample %s", s->sample);
	if (row == 0 && s->person[0] != '\0')
		line_add(line, PLAIN, "  operator %s", s->person);
	if (row == 1 && is_down(s)) {
		line_add(line, PLAIN, "%s", s->text);
	} else if (row == 1 && s->start != 0) {
		print_both(text, s->start);
		line_add(line, PLAIN, "since %s", text);
		if (is_state(s, "busy")) {
			write_progress(s, text, sizeof text);
			line_add(line, PLAIN, ", %s", text);
		}
		line_add(line, PLAIN, ", %" PRIu64 " frames seen", s->frames);
	}
}

/* The part of the values that is looked at. */
static struct plot plot_of(const struct view *view, const struct seen *s, int width, int height)
{
	size_t first = (size_t)(view->from * (double)s->count);
	size_t last = (size_t)(view->to * (double)s->count);
	last = last > s->count ? s->count : last;
	first = first < last ? first : last > 0 ? last - 1 : 0;
	double step = s->count > 1 ? (s->x_last - s->x_first) / (double)(s->count - 1) : 0;
	return (struct plot){.y = s->y + first,
		.count = last - first,
		.x_first = s->x_first + step * (double)first,
		.x_last = s->x_first + step * (double)(last > 0 ? last - 1 : 0),
		.width = width - PLOT_LABELS - 1,
		.height = height,
		.scale = view->scale,
		.is_trend = s->history};
}

static struct cells detail_line(
	const struct watch *w, const struct seen *s, int row, int rows, int width, bool styles)
{
	struct cells line = line_begin(width, styles);
	char text[PLOT_LINE];
	if (row < DETAIL_LINES - 1) {
		add_detail(s, row, &line);
	} else if (s->count == 0 || rows - DETAIL_LINES < PLOT_LEAST + PLOT_EXTRA) {
		line_add(&line, PLAIN, "%s", row == DETAIL_LINES - 1 ? s->values : "");
	} else if (row == DETAIL_LINES - 1) {
		line_add(&line, PLAIN, "%s over %s, %s%s", s->y_name, s->x_name,
			plot_scale_names[w->view.scale],
			w->view.to - w->view.from < 1 ? ", zoomed" : "");
	} else {
		struct plot plot = plot_of(&w->view, s, width, rows - DETAIL_LINES - PLOT_EXTRA);
		plot_line(&plot, row - DETAIL_LINES, text);
		line_add(&line, PLAIN, "%s", text);
	}
	return line;
}

/* --- the screen ------------------------------------------------------------------------------ */

struct screen {
	int width, height;
	bool is_terminal;
	int list, detail; /* lines of each */
	size_t count;
	const struct seen *order[SEEN_MAX];
};

/* The list gets the lines that it needs, but leaves enough for the plot of the chosen one. */
static void divide(struct watch *w, struct screen *screen)
{
	int room = screen->height - 2, need = (int)screen->count;
	int plot = DETAIL_LINES + PLOT_LEAST + PLOT_EXTRA + 3;
	bool has_detail = !w->view.is_list_only && screen->count > 0 && room >= plot + 2;
	screen->list = !has_detail || need < room - plot ? need : room - plot;
	screen->list = screen->list < room ? screen->list : room;
	screen->detail = has_detail ? room - screen->list : 0;
	size_t at = 0;
	while (at < screen->count && screen->order[at] != w->view.chosen)
		at++;
	if (at == screen->count)
		w->view.chosen = screen->count > 0 ? screen->order[at = 0] : NULL;
	size_t lines = (size_t)screen->list;
	if (at < w->view.top)
		w->view.top = at;
	if (lines > 0 && at >= w->view.top + lines)
		w->view.top = at - lines + 1;
	if (w->view.top + lines > screen->count)
		w->view.top = screen->count - lines;
}

static struct cells head_line(const struct watch *w, const struct screen *screen)
{
	struct cells line = line_begin(screen->width, screen->is_terminal);
	char now[PRINT_BOTH_SIZE];
	size_t faults = 0;
	for (size_t i = 0; i < screen->count; i++)
		faults += is_state(screen->order[i], "fault");
	print_both(now, clock_utc());
	if (w->view.is_paused)
		line_add(&line, CHOSEN, "PAUSED");
	line_add(&line, PLAIN, "%s%s", w->view.is_paused ? " " : "", now);
	if (faults > 0)
		line_add(&line, BAD, "  %zu at fault", faults);
	if ((size_t)screen->list < screen->count)
		line_add(&line, PLAIN, "  %zu-%zu of %zu", w->view.top + 1,
			w->view.top + (size_t)screen->list, screen->count);
	line_add(&line, PLAIN, "  last entry %" PRIu64, w->head);
	return line;
}

static struct cells screen_line(const struct watch *w, const struct screen *screen, int row)
{
	int at = row - 1;
	struct cells line = line_begin(screen->width, screen->is_terminal);
	if (row == 0)
		return head_line(w, screen);
	if (row == screen->height - 1)
		line_add(&line, DIM, "%s",
			keys_fd() < 0
				? ""
				: "q end  j k choose  p pause  l scale  + - zoom  d list  ? help");
	else if (w->view.is_help)
		line_add(&line, PLAIN, "%s", at < (int)keys_help_count ? keys_help[at] : "");
	else if (at < screen->list)
		return instrument_line(w, screen->order[w->view.top + (size_t)at], screen->width,
			screen->is_terminal);
	else if (at < screen->list + screen->detail)
		return detail_line(w, w->view.chosen, at - screen->list, screen->detail,
			screen->width, screen->is_terminal);
	return line;
}

void watch_draw(struct watch *watch)
{
	struct winsize size = {.ws_col = 100, .ws_row = 40};
	static struct screen screen;
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	screen.is_terminal = isatty(STDOUT_FILENO);
	screen.width = size.ws_col > 0 ? size.ws_col : 80;
	screen.height = size.ws_row > 2 ? size.ws_row : 3;
	screen.count = watch_order(watch, screen.order);
	divide(watch, &screen);
	if (screen.is_terminal)
		fputs("\033[H", stdout);
	for (int row = 0; row < screen.height; row++) {
		struct cells line = screen_line(watch, &screen, row);
		fputs(line.text, stdout);
		if (screen.is_terminal)
			fputs("\033[K", stdout);
		if (row < screen.height - 1)
			putchar('\n');
	}
	if (!screen.is_terminal)
		putchar('\n');
	fflush(stdout);
}
