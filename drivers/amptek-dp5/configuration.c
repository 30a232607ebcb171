/* SPDX-License-Identifier: Apache-2.0 */
#include "configuration.h"
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum kind { INTEGER, NUMBER, FLAG, WORDS };

/* A setting that is one command. */
struct mapping {
	const char *setting, *command;
	enum kind kind;
	int digits;
	bool zero_is_off;
};

static const struct mapping general[] = {
	{"channels", "MCAC", INTEGER, 0, false},
	{"peaking_time", "TPEA", NUMBER, 3, false},
	{"flat_top", "TFLA", NUMBER, 3, false},
	{"fast_peaking_time", "TPFA", NUMBER, 0, false},
	{"gain", "GAIN", NUMBER, 4, false},
	{"slow_threshold", "THSL", NUMBER, 3, false},
	{"fast_threshold", "THFA", NUMBER, 2, false},
	{"low_discriminator", "TLLD", INTEGER, 0, true},
	{"reset_lockout", "RESL", NUMBER, 0, true},
	{"pileup_rejection", "PURE", FLAG, 0, false},
	{"clock", "CLCK", WORDS, 0, false},
	{"input_polarity", "AINP", WORDS, 0, false},
	{"detector_bias", "HVSE", NUMBER, 1, true},
	{"cooler_temperature", "TECS", NUMBER, 1, true},
	{NULL, NULL, 0, 0, false},
};

static const struct mapping presets[] = {
	{"preset_time", "PRET", NUMBER, 1, false},
	{"preset_real_time", "PRER", NUMBER, 2, false},
	{"preset_live_time", "PREL", NUMBER, 2, false},
	{"preset_counts", "PREC", INTEGER, 0, false},
	{"preset_counts_first", "PRCL", INTEGER, 0, false},
	{"preset_counts_last", "PRCH", INTEGER, 0, false},
	{NULL, NULL, 0, 0, false},
};

/* What is to be sent; `left_out` is for the log. */
struct plan {
	struct commands general, presets;
	char left_out[512];
};

#define REFUSE(ins, ...) (assay_explain((ins), __VA_ARGS__), -EINVAL)

static const char *device_name(const struct state *st)
{
	return status_device_name(st->status.device);
}

/* --- what the settings ask for --- */

static void value_of(
	const struct assay_settings *s, const struct mapping *m, char *out, size_t size)
{
	bool off = false;
	switch (m->kind) {
	case INTEGER:
		snprintf(out, size, "%lld", (long long)assay_int(s, m->setting));
		off = assay_int(s, m->setting) == 0;
		break;
	case NUMBER:
		command_number(out, size, assay_number(s, m->setting), m->digits);
		off = assay_number(s, m->setting) == 0;
		break;
	case FLAG: snprintf(out, size, "%s", assay_flag(s, m->setting) ? "ON" : "OFF"); break;
	case WORDS:
		snprintf(out, size, "%s", assay_text(s, m->setting));
		for (char *c = out; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
		break;
	}
	if (off && m->zero_is_off)
		snprintf(out, size, "OFF");
}

static int take_settings(
	struct assay_instrument *ins, const struct mapping *m, struct commands *list)
{
	const struct state *st = ins->state;
	for (; m->setting != NULL; m++) {
		char value[32];
		if (!assay_has(ins->settings, m->setting))
			continue;
		/* Accumulation time on a device without that preset: see settle_presets(). */
		if (!command_is_for(m->command, st->status.device) &&
			strcmp(m->command, "PRET") != 0)
			return REFUSE(ins, "%s: the %s has no such setting (%s)", m->setting,
				device_name(st), m->command);
		value_of(ins->settings, m, value, sizeof(value));
		if (commands_set(list, m->command, value) < 0)
			return REFUSE(
				ins, "%s: %s cannot be sent as %s", m->setting, value, m->command);
	}
	return 0;
}

static void leave_out(struct plan *plan, const char *name, const char *why)
{
	size_t used = strlen(plan->left_out);
	snprintf(plan->left_out + used, sizeof(plan->left_out) - used, "%s%s (%s)",
		used > 0 ? ", " : "", name, why);
}

static bool is_preset(const char *name)
{
	for (const struct mapping *m = presets; m->setting != NULL; m++)
		if (strcmp(m->command, name) == 0)
			return true;
	return false;
}

/* Why a command of the text is not sent to this device; NULL: it is. */
static const char *objection(const struct command *c, unsigned device)
{
	if (c->value[0] == '\0' || c->value[0] == '?')
		return "no value";
	if (strcmp(c->name, "RESC") == 0)
		return "a reset is the setting 'reset'";
	if (strcmp(c->name, "MCAE") == 0)
		return "counting begins with a run";
	return command_is_for(c->name, device) ? NULL : "not on this device";
}

static int take_text(struct assay_instrument *ins, struct plan *plan)
{
	const struct state *st = ins->state;
	struct commands text = {0};
	char why[160];
	if (!assay_has(ins->settings, "configuration"))
		return 0;
	if (commands_parse(&text, assay_text(ins->settings, "configuration"), why, sizeof(why)) < 0)
		return REFUSE(ins, "configuration: %s", why);
	for (size_t i = 0; i < text.count; i++) {
		const struct command *c = &text.items[i];
		const char *why_not = objection(c, st->status.device);
		struct commands *list = is_preset(c->name) ? &plan->presets : &plan->general;
		if (why_not != NULL)
			leave_out(plan, c->name, why_not);
		else if (strcmp(c->name, "MCAS") == 0 && strcmp(c->value, "MCS") == 0)
			return REFUSE(ins,
				"configuration: MCAS=MCS counts over time, not energy; this "
				"driver would misread it");
		else
			list->items[list->count++] = *c;
	}
	return 0;
}

/* The total gain replaces its two factors, which would contradict it. */
static void settle_gain(struct assay_instrument *ins, struct plan *plan)
{
	if (!assay_has(ins->settings, "gain"))
		return;
	if (commands_remove(&plan->general, "GAIF"))
		leave_out(plan, "GAIF", "the setting gain counts");
	if (commands_remove(&plan->general, "GAIA"))
		leave_out(plan, "GAIA", "the setting gain counts");
}

static int check_settings(struct assay_instrument *ins)
{
	const struct assay_settings *s = ins->settings;
	int64_t channels = assay_int(s, "channels");
	if (channels & (channels - 1))
		return REFUSE(ins, "channels: %lld is not 256, 512, 1024, 2048, 4096 or 8192",
			(long long)channels);
	bool window = assay_has(s, "preset_counts_first") || assay_has(s, "preset_counts_last");
	if (window && !assay_has(s, "preset_counts"))
		return REFUSE(ins, "preset_counts_first and _last need preset_counts");
	if (assay_has(s, "preset_counts_last") &&
		assay_int(s, "preset_counts_last") < assay_int(s, "preset_counts_first"))
		return REFUSE(ins, "preset_counts_last lies before preset_counts_first");
	if (assay_has(s, "slice") && assay_has(s, "progress_every"))
		return REFUSE(ins, "slice delivers separate spectra and progress_every one that "
				   "grows: choose one");
	return 0;
}

/* A reset forgets what is not sent after it: nothing may lose bias or cooling unsaid. */
static int check_reset(struct assay_instrument *ins, const struct plan *plan)
{
	static const char *const kept[] = {"HVSE", "TECS"};
	const struct state *st = ins->state;
	if (command_is_for("TPEA", st->status.device) &&
		commands_find(&plan->general, "TPEA") == NULL)
		return REFUSE(ins, "reset: a peaking time must be given, it has no default");
	if (plan->general.count == COMMANDS_MAX)
		return REFUSE(ins, "configuration: more than %d commands", COMMANDS_MAX - 1);
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		double v;
		if (commands_find(&plan->general, kept[i]) == NULL &&
			readback_number(ins->host, st->readback, kept[i], &v) == 0 && v != 0)
			return REFUSE(ins, "reset: %s is %g now and would be lost: give %s",
				kept[i], v, i == 0 ? "detector_bias" : "cooler_temperature");
	}
	return 0;
}

/* --- presets --- */

static bool has_command(const struct state *st, const char *name)
{
	char value[32];
	return readback_find(st->readback, name, value, sizeof(value)) == 0;
}

static bool lacks_pret(const struct state *st)
{
	return st->lacks_pret || !has_command(st, "PRET");
}

/* Real time stands in for accumulation time where only that can be preset. */
static int move_pret(struct assay_instrument *ins, struct plan *plan)
{
	struct command pret = *commands_find(&plan->presets, "PRET");
	if (strcmp(pret.value, "OFF") != 0 && assay_has(ins->settings, "preset_real_time"))
		return REFUSE(ins,
			"preset_time is real time on the %s: give either it or "
			"preset_real_time",
			device_name(ins->state));
	commands_remove(&plan->presets, "PRET");
	return commands_set(&plan->presets, "PRER", pret.value);
}

/* What is not asked for is off, whatever the instrument was left with. */
static int settle_presets(struct assay_instrument *ins, struct plan *plan)
{
	static const char *const ends[] = {"PRET", "PRER", "PREL", "PREC"};
	const struct state *st = ins->state;
	if (lacks_pret(st) && commands_find(&plan->presets, "PRET") != NULL) {
		int r = move_pret(ins, plan);
		if (r < 0)
			return r;
	}
	bool pret = lacks_pret(st);
	for (size_t i = pret; i < sizeof(ends) / sizeof(*ends); i++) {
		const struct command *c = commands_find(&plan->presets, ends[i]);
		if (c != NULL && strcmp(c->value, "OFF") != 0) {
			if (!has_command(st, ends[i]))
				return REFUSE(ins, "the %s's firmware has no preset %s",
					device_name(st), ends[i]);
			if (assay_has(ins->settings, "slice"))
				return REFUSE(ins,
					"slice clears the spectrum again and again, so the "
					"preset %s would not be reached",
					ends[i]);
		} else if (c != NULL && !has_command(st, ends[i])) {
			commands_remove(&plan->presets, ends[i]);
		} else if (c == NULL && has_command(st, ends[i])) {
			commands_set(&plan->presets, ends[i], "OFF");
		}
	}
	return 0;
}

static int make_plan(struct assay_instrument *ins, struct plan *plan)
{
	*plan = (struct plan){0};
	int r = check_settings(ins);
	if (r == 0)
		r = take_text(ins, plan);
	if (r == 0)
		r = take_settings(ins, general, &plan->general);
	if (r == 0)
		r = take_settings(ins, presets, &plan->presets);
	if (r == 0)
		r = settle_presets(ins, plan);
	if (r == 0 && assay_flag(ins->settings, "reset"))
		r = check_reset(ins, plan);
	settle_gain(ins, plan);
	commands_sort(&plan->general);
	return r;
}

/* --- sending --- */

static const char *setting_of(const char *command)
{
	for (const struct mapping *m = general; m->setting != NULL; m++)
		if (strncmp(m->command, command, 4) == 0)
			return m->setting;
	for (const struct mapping *m = presets; m->setting != NULL; m++)
		if (strncmp(m->command, command, 4) == 0)
			return m->setting;
	return "configuration";
}

/* Before 6.08 there is no way to configure without saving. */
static enum packet_request configure_request(const struct state *st, bool save)
{
	return save || st->status.firmware < 0x68 ? REQUEST_CONFIGURE_SAVED : REQUEST_CONFIGURE;
}

static int send_list(struct assay_instrument *ins, const struct commands *list, bool save)
{
	struct state *st = ins->state;
	char data[PACKET_REQUEST_DATA_MAX];
	size_t at = 0, len;
	while ((len = commands_pack(list, &at, ins->link == ASSAY_LINK_USB, data, sizeof(data))) >
		0) {
		int r = exchange_order(ins, &st->x, configure_request(st, save), data, len);
		if (r == -EPROTO && st->x.refused[0] != '\0')
			assay_explain(ins,
				"%s: the instrument refused \"%s\": %s (code %02X); the "
				"other commands of that packet were applied",
				setting_of(st->x.refused), st->x.refused,
				packet_ack_text(st->x.refusal), st->x.refusal);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool differs(const struct assay_instrument *ins, const struct command *c)
{
	const struct state *st = ins->state;
	return readback_match(ins->host, st->readback, c) >= COMMAND_OTHER;
}

/* Which of the list to send: all or nothing, since one command changes what others mean. */
static void keep_if_any_differs(const struct assay_instrument *ins, struct commands *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (differs(ins, &list->items[i]))
			return;
	list->count = 0;
}

static void keep_those_that_differ(const struct assay_instrument *ins, struct commands *list)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++)
		if (differs(ins, &list->items[i]))
			list->items[kept++] = list->items[i];
	list->count = kept;
}

static int send_plan(struct assay_instrument *ins, const struct plan *plan, bool reset)
{
	struct state *st = ins->state;
	struct commands send = plan->general, ends = plan->presets;
	if (reset) {
		memmove(send.items + 1, send.items, (COMMANDS_MAX - 1) * sizeof(*send.items));
		send.items[0] = (struct command){"RESC", "Y"};
		send.count++;
	} else {
		keep_if_any_differs(ins, &send);
		keep_those_that_differ(ins, &ends);
	}
	if (send.count + ends.count == 0)
		return 0;
	assay_log(ins, ASSAY_LOG_INFO, "sending %zu commands", send.count + ends.count);
	int r = exchange_order(ins, &st->x, REQUEST_DISABLE, NULL, 0);
	if (r == 0)
		r = send_list(ins, &send, assay_flag(ins->settings, "save_to_flash"));
	if (r == 0)
		r = send_list(ins, &ends, false);
	return r < 0 ? r : state_read_back(ins, st, st->readback, sizeof(st->readback));
}

/* --- what came of it --- */

static int compare(struct assay_instrument *ins, const struct commands *list)
{
	const struct state *st = ins->state;
	for (size_t i = 0; i < list->count; i++) {
		const struct command *c = &list->items[i];
		char got[32] = "nothing";
		enum command_match match = readback_match(ins->host, st->readback, c);
		readback_find(st->readback, c->name, got, sizeof(got));
		if (match == COMMAND_WRONG) {
			assay_explain(ins, "%s: sent %s=%s, and the instrument reads back %s",
				setting_of(c->name), c->name, c->value, got);
			return -EPROTO;
		}
		if (match != COMMAND_SAME)
			assay_log(ins, match == COMMAND_OTHER ? ASSAY_LOG_WARN : ASSAY_LOG_INFO,
				"%s=%s reads back as %s", c->name, c->value, got);
	}
	return 0;
}

static void report_one(struct assay_instrument *ins, const struct mapping *m, const char *command)
{
	const struct state *st = ins->state;
	const char *unit = NULL;
	char word[32];
	double v;
	for (const struct assay_setting *s = configuration_settings; s->name != NULL; s++)
		if (strcmp(s->name, m->setting) == 0)
			unit = s->unit;
	if (readback_find(st->readback, command, word, sizeof(word)) < 0)
		return;
	if (m->kind == FLAG) {
		struct assay_variable flag = {
			.type = ASSAY_SCALAR_BOOL, .integer = strcmp(word, "ON") == 0};
		ins->host->report(ins, m->setting, &flag);
	} else if (m->kind == WORDS) {
		for (char *c = word; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		assay_report_text(ins, m->setting, word);
	} else {
		bool off = m->zero_is_off && strcmp(word, "OFF") == 0;
		if (!off && readback_number(ins->host, st->readback, command, &v) < 0)
			return;
		if (m->kind == INTEGER)
			assay_report_int(ins, m->setting, off ? 0 : (int64_t)v);
		else
			assay_report_number(
				ins, m->setting, off ? 0 : v, unit != NULL ? unit : "1");
	}
}

static void report(struct assay_instrument *ins)
{
	const struct state *st = ins->state;
	for (const struct mapping *m = general; m->setting != NULL; m++)
		report_one(ins, m, m->command);
	for (const struct mapping *m = presets; m->setting != NULL; m++) {
		bool pret = strcmp(m->command, "PRET") == 0;
		if (pret && lacks_pret(st) && assay_has(ins->settings, m->setting))
			report_one(ins, m, "PRER");
		else
			report_one(ins, m, m->command);
	}
	assay_report_text(ins, "configuration", st->readback);
}

static double preset(const struct assay_instrument *ins, const char *command)
{
	const struct state *st = ins->state;
	double v;
	return readback_number(ins->host, st->readback, command, &v) == 0 ? v : 0;
}

static int apply(struct assay_instrument *ins, struct plan *plan, bool reset)
{
	struct state *st = ins->state;
	int r = make_plan(ins, plan);
	if (r == 0)
		r = send_plan(ins, plan, reset);
	/* The sheet leaves open whether a TB-5 has PRET; its own refusal decides. */
	bool refused = r == -EPROTO && memcmp(st->x.refused, "PRET", 4) == 0;
	if (refused && st->status.device == DEVICE_TB5 && !st->lacks_pret) {
		st->lacks_pret = true;
		return apply(ins, plan, reset);
	}
	if (r == 0)
		r = compare(ins, &plan->general);
	if (r == 0)
		r = compare(ins, &plan->presets);
	return r;
}

int configuration_configure(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	struct plan plan;
	int r = state_poll(ins, st);
	if (r == 0)
		r = state_read_back(ins, st, st->readback, sizeof(st->readback));
	if (r == 0)
		r = apply(ins, &plan, assay_flag(ins->settings, "reset"));
	if (r < 0)
		return r;
	if (plan.left_out[0] != '\0')
		assay_log(ins, ASSAY_LOG_INFO, "left out of the configuration for a %s: %s",
			device_name(st), plan.left_out);
	st->rebooted = false;
	st->presets = (struct presets){
		preset(ins, "PRET"), preset(ins, "PRER"), preset(ins, "PREL"), preset(ins, "PREC")};
	report(ins);
	return 0;
}

int configuration_keep(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	char now[READBACK_MAX];
	int r = state_poll(ins, st);
	if (r == 0)
		r = state_read_back(ins, st, now, sizeof(now));
	if (r < 0 || (!st->rebooted && strcmp(now, st->readback) == 0))
		return r;
	assay_log(ins, ASSAY_LOG_WARN, "%s: sending the configuration again",
		st->rebooted ? "the instrument restarted"
			     : "somebody else changed the instrument's configuration");
	return configuration_configure(ins);
}
