/* SPDX-License-Identifier: Apache-2.0 */
#include "action.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exception.h"
#include "registers.h"
#include "table.h"

static const char *const tables[] = {"coil", "holding", NULL};
static const char *const uses[] = {"hold", "pulse", "hazard", NULL};

const struct assay_setting action_columns[] = {
	{.name = "name", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED, .help = "of the action"},
	{.name = "use",
		.type = ASSAY_CHOICE,
		.choices = uses,
		.flags = ASSAY_REQUIRED,
		.help = "hold: a value during runs, pulse: once, hazard: switches something on"},
	{.name = "table",
		.type = ASSAY_CHOICE,
		.choices = tables,
		.flags = ASSAY_REQUIRED,
		.help = "function code 05 or 06"},
	{.name = "address",
		.type = ASSAY_INT,
		.max = 65535,
		.flags = ASSAY_REQUIRED,
		.help = "protocol address, counted from 0"},
	{.name = "value",
		.type = ASSAY_INT,
		.max = 65535,
		.flags = ASSAY_REQUIRED,
		.help = "that is written; of a coil 0 or 1"},
	{.name = "off",
		.type = ASSAY_INT,
		.max = 65535,
		.help = "value that switches a hazard off"},
	{.name = "multiple",
		.type = ASSAY_BOOL,
		.help = "function code 15 or 16 instead, for devices that have only those"},
	{.name = NULL},
};

/* --- rows ------------------------------------------------------------------------------------- */

static void read_row(const struct assay_settings *settings, size_t i, struct action *action)
{
	const struct assay_settings *row = assay_row(settings, "actions", i);
	*action = (struct action){
		.name = assay_text(row, "name"),
		.use = (enum action_use)register_name_index(uses, assay_text(row, "use")),
		.is_coil = strcmp(assay_text(row, "table"), "coil") == 0,
		.is_multiple = assay_flag(row, "multiple"),
		.address = (unsigned)(assay_int(row, "address") +
				      assay_int(settings, "address_offset")) &
			   0xffff,
		.value = (unsigned)assay_int(row, "value"),
		.off = (unsigned)assay_int(row, "off"),
	};
}

bool action_find(
	const struct assay_settings *settings, const char *name, size_t len, struct action *action)
{
	for (size_t i = 0; i < assay_count(settings, "actions"); i++) {
		read_row(settings, i, action);
		if (strlen(action->name) == len && memcmp(action->name, name, len) == 0)
			return true;
	}
	return false;
}

const char *action_next(const struct assay_settings *settings, const char *text,
	struct action *action, const char **error)
{
	text += strspn(text, " ,");
	size_t part = strcspn(text, ","), len = strcspn(text, "=, ");
	int64_t value;
	*error = NULL;
	if (*text == '\0')
		return NULL;
	if (!action_find(settings, text, len, action) || action->use != ACTION_HOLD)
		*error = "no row of actions with use: hold has this name";
	else if (text[len] == '=' && (assay_parse_integer(settings->host, text + len + 1,
					      part - len - 1, &value) != 0 ||
					     value < 0 || value > (action->is_coil ? 1 : 65535)))
		*error = "expected a value of 0 to 65535, of a coil 0 or 1";
	else if (text[len] == '=')
		action->value = (unsigned)value;
	return *error == NULL ? text + part : NULL;
}

/* --- writes and reads ------------------------------------------------------------------------- */

static int explain(
	struct assay_instrument *ins, const struct action *action, const char *what, int r)
{
	char why[EXCEPTION_TEXT];
	assay_explain(ins, "action '%.40s' %s: %s", action->name, what,
		exception_explain(r, why, sizeof(why)));
	return exception_is(r) ? -EPROTO : r;
}

/* "Modbus application protocol" 6.5, 6.6, 6.11 and 6.12: the reply repeats the first four bytes. */
static int write_value(struct assay_instrument *ins, const struct action *action, unsigned value)
{
	uint8_t request[9] = {(uint8_t)(action->address >> 8), (uint8_t)action->address};
	uint8_t reply[4];
	size_t len = 4;
	unsigned function = action->is_coil ? 5 : 6, word = value;
	if (action->is_coil && !action->is_multiple)
		word = value != 0 ? 0xff00 : 0;
	if (action->is_multiple) {
		function = action->is_coil ? 15 : 16;
		request[3] = 1;
		request[4] = action->is_coil ? 1 : 2;
		request[5] = (uint8_t)(action->is_coil ? value : value >> 8);
		request[6] = (uint8_t)value;
		len = action->is_coil ? 6 : 7;
	} else {
		request[2] = (uint8_t)(word >> 8);
		request[3] = (uint8_t)word;
	}
	ssize_t n = assay_modbus_raw(ins, function, request, len, reply, sizeof(reply), 4);
	if (n == -ECANCELED || n == -ENODEV)
		return (int)n;
	if (n < 0)
		return explain(ins, action, "is refused", (int)n);
	return memcmp(reply, request, 4) == 0 ? 0 : -EBADMSG;
}

static int read_value(struct assay_instrument *ins, const struct action *action, unsigned *value)
{
	uint8_t wire[2] = {0};
	int r = table_read(
		ins, action->is_coil ? TABLE_COILS : TABLE_HOLDING, action->address, 1, wire);
	if (r == -ECANCELED || r == -ENODEV)
		return r;
	if (r < 0)
		return explain(ins, action, "cannot be read", r);
	*value = action->is_coil ? wire[0] & 1u : (unsigned)wire[0] << 8 | wire[1];
	return 0;
}

/* --- held values ------------------------------------------------------------------------------ */

/* Reports the values of all actions that can be held, in the form that `hold` takes. */
int actions_read_back(struct assay_instrument *ins)
{
	char text[ACTION_HOLD_MAX] = "";
	size_t n = 0;
	for (size_t i = 0; i < assay_count(ins->settings, "actions"); i++) {
		struct action action;
		unsigned value = 0;
		read_row(ins->settings, i, &action);
		if (action.use != ACTION_HOLD)
			continue;
		int r = read_value(ins, &action, &value);
		if (r < 0)
			return r;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.32s=%u", n > 0 ? ", " : "",
			action.name, value);
	}
	if (n > 0)
		assay_report_text(ins, "hold", text);
	return 0;
}

int actions_hold(struct assay_instrument *ins)
{
	const char *text = assay_text(ins->settings, "hold"), *error = NULL;
	struct action action;
	while (text != NULL && (text = action_next(ins->settings, text, &action, &error)) != NULL) {
		unsigned value = 0;
		int r = read_value(ins, &action, &value);
		if (r == 0 && value != action.value) {
			r = write_value(ins, &action, action.value);
			r = r == 0 ? read_value(ins, &action, &value) : r;
		}
		if (r < 0)
			return r;
		if (value == action.value)
			continue;
		assay_explain(ins, "action '%.40s': the instrument has %u after %u was written",
			action.name, value, action.value);
		return -EPROTO;
	}
	return actions_read_back(ins);
}

/* --- pulses and hazards ----------------------------------------------------------------------- */

/* Writes the value, or the one that switches off, of all actions that the list names. */
static int write_list(struct assay_instrument *ins, const char *list, bool is_off)
{
	int first = 0;
	for (size_t i = 0; i < assay_count(ins->settings, list); i++) {
		const char *name = assay_text_at(ins->settings, list, i);
		struct action action;
		if (!action_find(ins->settings, name, strlen(name), &action))
			continue; /* check() rejects it */
		int r = write_value(ins, &action, is_off ? action.off : action.value);
		if (r < 0 && !is_off)
			return r;
		first = first == 0 ? r : first; /* the others are switched off, too */
	}
	return first;
}

int actions_start(struct assay_instrument *ins)
{
	int r = write_list(ins, "before_start", false);
	if (r < 0 || assay_count(ins->settings, "switch_on") == 0)
		return r;
	assay_hazard(ins, true);
	return write_list(ins, "switch_on", false);
}

/* All of the map: a former worker may have had other settings. */
int actions_make_safe(struct assay_instrument *ins)
{
	int first = 0;
	for (size_t i = 0; i < assay_count(ins->settings, "actions"); i++) {
		struct action action;
		read_row(ins->settings, i, &action);
		int r = action.use == ACTION_HAZARD ? write_value(ins, &action, action.off) : 0;
		first = first == 0 ? r : first;
	}
	if (first == 0)
		assay_hazard(ins, false);
	return first;
}

int actions_stop(struct assay_instrument *ins)
{
	int safe = write_list(ins, "switch_on", true);
	if (safe == 0 && assay_count(ins->settings, "switch_on") > 0)
		assay_hazard(ins, false);
	int r = write_list(ins, "after_stop", false);
	return safe < 0 ? safe : r;
}
