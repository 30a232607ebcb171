/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/ask.h"
#include "config/check.h"
#include "config/config.h"
#include "record/encode.h"
#include "record/keys.h"
#include "wire/check.h"

#define CHECK_S 10

struct check_finding {
	uint64_t level, row;
	struct assay_string setting, column, text;
};

enum { FINDING_ROW = 2 };

static const struct keys finding_keys = {
	.rows =
		(const struct key[]){
			{"level", KEY_UINT, KEY_AT(struct check_finding, level), .required = true},
			{"setting", KEY_TEXT, KEY_AT(struct check_finding, setting),
				.required = true},
			[FINDING_ROW] = {"row", KEY_UINT, KEY_AT(struct check_finding, row)},
			{"column", KEY_TEXT, KEY_AT(struct check_finding, column)},
			{"text", KEY_TEXT, KEY_AT(struct check_finding, text), .required = true},
			{0}},
	.open = true};

/* --- asking ----------------------------------------------------------------------------------- */

static int ask(const struct catalog *catalog, const struct catalog_driver *driver,
	const struct buffer *input, struct buffer *answer)
{
	const char *argv[] = {
		catalog->worker, "--check", driver->name, "--drivers", catalog->driver_dir, NULL};
	return ask_worker(argv, (struct assay_span){input->data, input->len}, CHECK_S, answer);
}

static const char *failure_text(int r)
{
	return r == -ETIMEDOUT ? "it hung" : r == -EIO ? "it failed or crashed" : strerror(-r);
}

/* Reads the findings of one map of settings; `take` gets each. */
static int read_findings(
	struct reader *r, void (*take)(void *arg, const struct check_finding *finding), void *arg)
{
	size_t count;
	if (read_array(r, &count) < 0 || count > CHECK_FINDINGS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		struct check_finding finding = {0};
		struct keys_found found;
		if (keys_read(r, &finding_keys, &finding, &found) < 0)
			return -EBADMSG;
		if ((found.seen >> FINDING_ROW & 1) == 0)
			finding.row = UINT64_MAX;
		take(arg, &finding);
	}
	return 0;
}

/* --- a configuration -------------------------------------------------------------------------- */

void check_add(struct load *load, const struct check_item *item)
{
	if (!item->driver->has_check || load->catalog->worker == NULL)
		return;
	struct check_item *copy = arena_copy(load->arena, item, sizeof *item);
	load->arena->failed |= copy == NULL;
	if (copy == NULL)
		return;
	struct check_item **end = &load->checks;
	while (*end != NULL)
		end = &(*end)->next;
	copy->next = NULL;
	*end = copy;
}

struct check_step {
	const struct config_step *step;
	const struct node *nodes;
	struct check_step *next;
};

void check_add_step(struct load *load, const struct config_step *step, const struct node *nodes)
{
	struct check_step own = {step, nodes, load->steps};
	struct check_step *copy = arena_copy(load->arena, &own, sizeof own);
	if (copy != NULL)
		load->steps = copy;
	load->arena->failed |= copy == NULL;
}

static const struct node *get(const struct node *map, struct assay_string key)
{
	const struct node *child = map != NULL && map->type == NODE_MAP ? map->first : NULL;
	while (child != NULL && !assay_string_is(key, child->key))
		child = child->next;
	return child;
}

/* The place of the value that the finding is about, or the nearest that the file has. */
static struct config_mark place_of(
	const struct check_item *item, const struct check_finding *finding)
{
	const struct node *node = get(item->nodes, finding->setting);
	if (node == NULL)
		node = get(item->calibration, finding->setting);
	if (node == NULL)
		return item->where;
	if (finding->row == UINT64_MAX || node->type != NODE_LIST)
		return node->mark;
	const struct node *row = node->first;
	for (uint64_t i = 0; i < finding->row && row != NULL; i++)
		row = row->next;
	const struct node *cell = get(row, finding->column);
	return cell != NULL ? cell->mark : row != NULL ? row->mark : node->mark;
}

/* A finding that was reported for an instrument. */
struct reported {
	const char *of, *text;
	struct reported *next;
};

struct taking {
	struct load *load;
	const struct check_item *item;
	struct reported *reported;
};

/* Findings of an instrument's own settings are not repeated for the steps of methods on it. */
static bool is_reported(struct taking *taking, const char *text)
{
	for (const struct reported *r = taking->reported; r != NULL; r = r->next)
		if (strcmp(r->of, taking->item->of) == 0 && strcmp(r->text, text) == 0)
			return true;
	struct reported own = {taking->item->of, text, taking->reported};
	struct reported *copy = arena_copy(taking->load->arena, &own, sizeof own);
	taking->load->arena->failed |= copy == NULL;
	taking->reported = copy;
	return false;
}

static void take(void *arg, const struct check_finding *finding)
{
	struct taking *taking = arg;
	struct load *load = taking->load;
	const struct check_item *item = taking->item;
	const char *text = arena_text(load->arena, finding->text.data, finding->text.len);
	if (text == NULL || (item->is_step && is_reported(taking, text)))
		return;
	if (!item->is_step)
		is_reported(taking, text);
	struct config_mark mark = place_of(item, finding);
	const char *on = item->is_step ? "on " : "", *of = item->is_step ? item->of : "";
	const char *colon = item->is_step ? ": " : "";
	if (finding->level == ASSAY_LOG_ERROR)
		load_error(load, mark, "%s%s%s%s", on, of, colon, text);
	else
		load_warning(load, mark, "%s%s%s%s", on, of, colon, text);
}

int check_take_answer(
	struct load *load, const struct catalog_driver *driver, struct assay_span answer)
{
	struct reader r;
	struct taking taking = {.load = load};
	const struct check_item *item;
	size_t count = 0, lists;
	int e = 0;
	for (item = load->checks; item != NULL; item = item->next)
		count += item->driver == driver;
	read_init(&r, answer.data, answer.len);
	if (read_array(&r, &lists) < 0 || lists != count)
		return -EBADMSG;
	for (item = load->checks; e == 0 && item != NULL; item = item->next) {
		taking.item = item;
		if (item->driver == driver)
			e = read_findings(&r, take, &taking);
	}
	return e == 0 && read_finish(&r) < 0 ? -EBADMSG : e;
}

static void run_driver(struct load *load, const struct catalog_driver *driver)
{
	struct buffer input = {0}, answer = {.limit = CHECK_BYTES_MAX};
	const struct check_item *item, *first = NULL;
	size_t count = 0;
	for (item = load->checks; item != NULL; item = item->next)
		count += item->driver == driver;
	encode_array(&input, count);
	for (item = load->checks; item != NULL; item = item->next) {
		if (item->driver != driver)
			continue;
		first = first != NULL ? first : item;
		encode_raw(&input, item->settings.data, item->settings.len);
	}
	int e = count == 0     ? 0
		: input.failed ? -ENOMEM
			       : ask(load->catalog, driver, &input, &answer);
	if (e == 0 && count > 0)
		e = check_take_answer(load, driver, (struct assay_span){answer.data, answer.len});
	if (e < 0)
		load_error(load, first->where, "the settings cannot be checked by driver %s: %s",
			driver->name, failure_text(e));
	buffer_finish(&input);
	buffer_finish(&answer);
}

static void add_step(
	struct load *load, const struct config_instrument *on, const struct config_step *step)
{
	const struct check_step *noted = load->steps;
	struct buffer merged = {0};
	char *why = NULL;
	while (noted != NULL && noted->step != step)
		noted = noted->next;
	int e = config_merge(on->driver, on->settings, step->settings, &merged, &why);
	free(why);
	load->arena->failed |= e == -ENOMEM;
	struct check_item item = {.driver = on->driver,
		.settings = load_keep(load, &merged),
		.nodes = noted != NULL ? noted->nodes : NULL,
		.where = step->mark,
		.of = on->key,
		.is_step = true};
	if (e == 0)
		check_add(load, &item);
}

void check_add_methods(struct load *load)
{
	const struct config *config = load->config;
	if (load->catalog->worker == NULL)
		return;
	for (size_t m = 0; m < config->method_count; m++)
		for (size_t i = 0; i < config->instrument_count; i++) {
			const struct config_method *method = &config->methods[m];
			const struct config_instrument *on = &config->instruments[i];
			bool fits = on->driver != NULL && method->driver != NULL &&
				    strcmp(on->driver->name, method->driver) == 0;
			for (size_t s = 0; fits && s < method->step_count; s++) {
				const struct config_step *step = &method->steps[s];
				add_step(load, on, step);
			}
		}
}

void check_run(struct load *load)
{
	const struct catalog *catalog = load->catalog;
	for (size_t i = 0; catalog->worker != NULL && i < catalog->count; i++)
		run_driver(load, &catalog->drivers[i]);
}

/* --- settings alone, for `assayctl set` -------------------------------------------------------- */

static void join_errors(void *arg, const struct check_finding *finding)
{
	struct buffer *text = arg;
	if (finding->level != ASSAY_LOG_ERROR)
		return;
	if (text->len > 0)
		buffer_append(text, "; ", 2);
	buffer_append(text, finding->text.data, finding->text.len);
}

int config_check_settings(const struct catalog *catalog, const struct catalog_driver *driver,
	struct assay_span settings, char **why)
{
	struct buffer input = {0}, answer = {.limit = CHECK_BYTES_MAX}, text = {0};
	struct reader r;
	size_t lists;
	*why = NULL;
	if (!driver->has_check || catalog->worker == NULL)
		return 0;
	encode_array(&input, 1);
	encode_raw(&input, settings.data, settings.len);
	int e = input.failed ? -ENOMEM : ask(catalog, driver, &input, &answer);
	if (e == 0) {
		read_init(&r, answer.data, answer.len);
		e = read_array(&r, &lists) < 0 || lists != 1
			    ? -EBADMSG
			    : read_findings(&r, join_errors, &text);
		if (e == 0 && read_finish(&r) < 0)
			e = -EBADMSG;
	}
	if (e == 0 && text.len > 0 && !text.failed)
		e = asprintf(why, "%.*s", (int)text.len, (const char *)text.data) < 0 ? -ENOMEM
										      : -EINVAL;
	else if (e < 0 && asprintf(why, "the settings cannot be checked by driver %s: %s",
				  driver->name, failure_text(e)) < 0)
		*why = NULL;
	buffer_finish(&input);
	buffer_finish(&answer);
	buffer_finish(&text);
	return e;
}
