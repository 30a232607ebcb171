/* SPDX-License-Identifier: Apache-2.0 */
#include "configuration.h"
#include "command.h"
#include "plan.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WHY_MAX = 256 };

/* --- sending --- */

/*
 * Leaves out the command that was just refused, if it does not decide what is counted; the rest of
 * its packet is then sent again, because only one refusal of a packet is reported.
 */
static bool leave_out_refused(
	struct assay_instrument *ins, struct plan *plan, struct commands *list)
{
	struct state *st = ins->state;
	char name[5] = "";
	memcpy(name, st->x.refused, 4);
	if (commands_find(list, name) == NULL || command_decides(name))
		return false;
	assay_log(ins, ASSAY_LOG_WARN,
		"the instrument refused \"%s\": %s (code %02X); it does not change the counts "
		"and is left out",
		st->x.refused, packet_ack_text(st->x.refusal), st->x.refusal);
	for (size_t i = 0; i < list->count; i++) {
		const struct command *c = &list->items[i];
		if (!commands_belong(c->name, name))
			continue;
		plan_leave_out(plan, c, PLAN_REFUSED);
		if (st->refused.count < COMMANDS_MAX)
			st->refused.items[st->refused.count++] = *c;
	}
	commands_remove(&plan->general, name);
	return commands_remove(list, name);
}

static int send_list(
	struct assay_instrument *ins, struct plan *plan, struct commands *list, bool save)
{
	struct state *st = ins->state;
	char data[PACKET_REQUEST_DATA_MAX];
	size_t at = 0, len;
	/* Firmware before 6.08 has no request to configure without saving. */
	enum packet_request request = save || st->status.firmware < 0x68 ? REQUEST_CONFIGURE_SAVED
									 : REQUEST_CONFIGURE;
	for (size_t from = 0; (len = commands_pack(list, &at, ins->link == ASSAY_LINK_USB, data,
				       sizeof(data))) > 0;
		from = at) {
		int r = exchange_command(ins, &st->x, request, data, len);
		if (r == -EPROTO && leave_out_refused(ins, plan, list))
			at = from;
		else if (r < 0)
			return r;
	}
	return 0;
}

static bool differs(const struct assay_instrument *ins, const struct command *c)
{
	const struct state *st = ins->state;
	return readback_match(ins->host, st->readback, c) >= COMMAND_OTHER;
}

/*
 * Sends the general commands all or, if none differs from the readback, not at all, since the value
 * of one changes the meaning of others; of the presets only those that differ.
 */
static int send_plan(struct assay_instrument *ins, struct plan *plan, bool reset)
{
	struct state *st = ins->state;
	struct commands send = plan->general, ends = plan->presets;
	if (reset) {
		memmove(send.items + 1, send.items, (COMMANDS_MAX - 1) * sizeof(*send.items));
		send.items[0] = (struct command){"RESC", "Y"};
		send.count++;
	} else {
		size_t differing = 0;
		for (size_t i = 0; i < send.count; i++)
			differing += differs(ins, &send.items[i]);
		if (differing == 0)
			send.count = 0;
		differing = 0;
		for (size_t i = 0; i < ends.count; i++)
			if (differs(ins, &ends.items[i]))
				ends.items[differing++] = ends.items[i];
		ends.count = differing;
	}
	if (send.count + ends.count == 0)
		return 0;
	assay_log(ins, ASSAY_LOG_INFO, "sending %zu commands", send.count + ends.count);
	int r = exchange_command(ins, &st->x, REQUEST_DISABLE, NULL, 0);
	if (r == 0)
		r = send_list(ins, plan, &send, assay_flag(ins->settings, "save_to_flash"));
	if (r == 0)
		r = send_list(ins, plan, &ends, false);
	return r < 0 ? r : state_read_back(ins, st, st->readback, sizeof(st->readback));
}

/* --- comparing and reporting --- */

static int compare(struct assay_instrument *ins, const struct commands *list, char why[WHY_MAX])
{
	const struct state *st = ins->state;
	for (size_t i = 0; i < list->count; i++) {
		const struct command *c = &list->items[i];
		char got[32] = "nothing";
		enum command_match match = readback_match(ins->host, st->readback, c);
		readback_find(st->readback, c->name, got, sizeof(got));
		if (match == COMMAND_WRONG) {
			snprintf(why, WHY_MAX, "%s: sent %s=%s, and the instrument reads back %s",
				plan_setting_of(c->name), c->name, c->value, got);
			return -EPROTO;
		}
		if (match != COMMAND_SAME)
			assay_log(ins, match == COMMAND_OTHER ? ASSAY_LOG_WARN : ASSAY_LOG_INFO,
				"%s=%s reads back as %s", c->name, c->value, got);
	}
	return 0;
}

static void report_one(
	struct assay_instrument *ins, const struct plan_mapping *m, const char *command)
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
	if (m->kind == PLAN_FLAG) {
		struct assay_variable flag = {
			.type = ASSAY_SCALAR_BOOL, .integer = strcmp(word, "ON") == 0};
		assay_report(ins, m->setting, &flag);
	} else if (m->kind == PLAN_WORDS) {
		for (char *c = word; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		assay_report_text(ins, m->setting, word);
	} else {
		bool off = m->zero_is_off && strcmp(word, "OFF") == 0;
		if (!off && readback_number(ins->host, st->readback, command, &v) < 0)
			return;
		if (m->kind == PLAN_INTEGER)
			assay_report_int(ins, m->setting, off ? 0 : (int64_t)v);
		else
			assay_report_number(
				ins, m->setting, off ? 0 : v, unit != NULL ? unit : "1");
	}
}

static void report(struct assay_instrument *ins)
{
	const struct state *st = ins->state;
	for (const struct plan_mapping *m = plan_general; m->setting != NULL; m++)
		report_one(ins, m, m->command);
	for (const struct plan_mapping *m = plan_presets; m->setting != NULL; m++) {
		bool pret = strcmp(m->command, "PRET") == 0;
		if (pret && plan_lacks_pret(st) && assay_has(ins->settings, m->setting))
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

/* Sends and compares; `why` gets the reason for a refusal. */
static int change(struct assay_instrument *ins, struct plan *plan, char why[WHY_MAX])
{
	const struct state *st = ins->state;
	int r = send_plan(ins, plan, assay_flag(ins->settings, "reset"));
	if (r == -EPROTO && st->x.refused[0] != '\0')
		snprintf(why, WHY_MAX, "%s: the instrument refused \"%s\": %s (code %02X)",
			plan_setting_of(st->x.refused), st->x.refused,
			packet_ack_text(st->x.refusal), st->x.refusal);
	if (r == 0)
		r = compare(ins, &plan->general, why);
	if (r == 0)
		r = compare(ins, &plan->presets, why);
	return r;
}

/* A refused packet's other commands were applied, and a reset may have been. */
static bool put_back(struct assay_instrument *ins, struct plan *plan, const char *before)
{
	struct state *st = ins->state;
	struct commands list = {0};
	int r = state_read_back(ins, st, st->readback, sizeof(st->readback));
	if (r == 0)
		commands_restore(&list, before, st->readback);
	if (list.count > 0)
		r = send_list(ins, plan, &list, assay_flag(ins->settings, "save_to_flash"));
	if (r == 0 && list.count > 0)
		r = state_read_back(ins, st, st->readback, sizeof(st->readback));
	return r == 0 && strcmp(before, st->readback) == 0;
}

static int apply(struct assay_instrument *ins, struct plan *plan)
{
	struct state *st = ins->state;
	char before[READBACK_MAX], why[WHY_MAX] = "the instrument refused the configuration";
	int r = plan_make(ins, plan);
	if (r < 0)
		return r;
	memcpy(before, st->readback, sizeof(before));
	r = change(ins, plan, why);
	if (r == -EPROTO) {
		bool is_back = put_back(ins, plan, before);
		assay_explain(ins, "%s; the configuration before it %s put back", why,
			is_back ? "was" : "could not be");
	}
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
		r = apply(ins, &plan);
	if (r < 0)
		return r;
	if (plan.left_out[0] != '\0')
		assay_log(ins, ASSAY_LOG_INFO, "left out of the configuration for a %s: %s",
			status_device_name(st->status.device), plan.left_out);
	st->rebooted = false;
	st->presets = (struct presets){
		preset(ins, "PRET"), preset(ins, "PRER"), preset(ins, "PREL"), preset(ins, "PREC")};
	report(ins);
	if (plan.left_out[0] != '\0')
		assay_report_text(ins, "left_out", plan.left_out);
	return 0;
}

int configuration_read_back(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	int r = state_poll(ins, st);
	if (r == 0)
		r = state_read_back(ins, st, st->readback, sizeof(st->readback));
	if (r == 0)
		report(ins);
	return r;
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
			     : "another program changed the instrument's configuration");
	return configuration_configure(ins);
}
