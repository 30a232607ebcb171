/* SPDX-License-Identifier: Apache-2.0 */
#include "poll.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "action.h"
#include "check.h"
#include "decode.h"
#include "exception.h"
#include "identity.h"
#include "registers.h"

#define ILLEGAL_ADDRESS (ASSAY_MODBUS_EXCEPTION - 2)
#define BUSY_MS         100 /* until the first repetition; then twice as long */
#define BUSY_MAX        5
#define LASTING         3 /* polls in a row without a sound reply: not only one that was lost */

/* Splits a joined request that the instrument refuses, or does not answer, and logs it. */
static bool split(struct assay_instrument *ins, struct plan *plan, size_t index, int r)
{
	char name[PLAN_NAME_MAX], why[EXCEPTION_TEXT];
	size_t before = plan->count;
	memcpy(name, plan->blocks[index].name, sizeof(name));
	if (!plan_split(plan, index))
		return false;
	assay_log(ins, ASSAY_LOG_WARN,
		"%s: %s; it is read as %zu requests from now on: see max_gap, group, and the "
		"link's max_registers",
		name, exception_explain(r, why, sizeof(why)), plan->count - before + 1);
	return true;
}

/* --- identity --------------------------------------------------------------------------------- */

/* 0 if the instrument replies and has at least one of the map's areas. */
static int find_any_area(struct assay_instrument *ins)
{
	struct map *map = ins->state;
	struct plan *plan = &map->plan;
	uint8_t wire[TABLE_BYTES_MAX];
	char why[EXCEPTION_TEXT];
	int r = -ETIMEDOUT;
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_block *block = &plan->blocks[i];
		r = table_read(ins, block->table, block->address, block->count, wire);
		if (!exception_is(r))
			return r;
		if (exception_is_temporary(r))
			break;
		if (exception_is_refusal(r) && plan_split(plan, i))
			i--; /* its parts */
	}
	if (exception_is_temporary(r))
		assay_explain(ins, "the instrument does not reply with its registers: %s",
			exception_explain(r, why, sizeof(why)));
	else
		assay_explain(ins,
			"the instrument refuses all requests of the map; the last, %s: %s. "
			"Addresses are those on the wire, counted from 0 (a manual's 40001 is "
			"holding 0): check table, address and address_offset",
			plan->blocks[plan->count - 1].name, exception_explain(r, why, sizeof(why)));
	return -EPROTO;
}

int poll_identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct map *map = ins->state;
	int r = check_plan(ins, &map->plan);
	trigger_init(ins->settings, &map->trigger);
	if (r == 0)
		r = identity_read(ins, id);
	if (r == 0 && id->declared)
		r = find_any_area(ins);
	return r;
}

/* --- configuration ---------------------------------------------------------------------------- */

/*
 * An instrument with an identity need not have the map's registers: that is looked at here.  Optional
 * areas that it does not have are left out of the polls.
 */
int poll_configure(struct assay_instrument *ins)
{
	struct map *map = ins->state;
	uint8_t wire[TABLE_BYTES_MAX];
	int r = check_plan(ins, &map->plan);
	trigger_init(ins->settings, &map->trigger);
	if (r == 0 && assay_count(ins->settings, "identity") > 0)
		r = find_any_area(ins);
	for (size_t i = 0; r == 0 && i < map->plan.count; i++) {
		struct plan_block *block = &map->plan.blocks[i];
		if (!block->is_optional)
			continue;
		r = table_read(ins, block->table, block->address, block->count, wire);
		if (r == ILLEGAL_ADDRESS) {
			block->is_absent = true;
			assay_log(ins, ASSAY_LOG_WARN,
				"the instrument does not have the optional %s", block->name);
		}
		if (r != -ECANCELED && r != -ENODEV)
			r = 0;
	}
	return r == 0 ? actions_hold(ins) : r;
}

/* --- polling ---------------------------------------------------------------------------------- */

static void begin(struct map *map)
{
	map->next = map->answered = map->confirmed = 0;
	map->has_fired = false;
	map->repeats = 0;
}

int poll_start(struct assay_instrument *ins)
{
	struct map *map = ins->state;
	map->readings = 0;
	begin(map);
	return actions_start(ins);
}

/* A block that cannot be read is logged when that begins and when it ends. */
static void note_block(struct assay_instrument *ins, struct plan_block *block, int r)
{
	char why[EXCEPTION_TEXT];
	bool was_unreadable = block->is_unreadable;
	block->failures = r == 0 ? 0 : block->failures + 1;
	block->is_unreadable = r != 0 &&
			       (was_unreadable || exception_is(r) || block->failures >= LASTING);
	if (was_unreadable && r == 0)
		assay_log(ins, ASSAY_LOG_INFO, "%s can be read again", block->name);
	if (!was_unreadable && block->is_unreadable)
		assay_log(ins, ASSAY_LOG_WARN, "%s cannot be read: %s", block->name,
			exception_explain(r, why, sizeof(why)));
}

/*
 * -EAGAIN if the request is to be sent once more: after a lost or damaged reply, which is common on
 * RS-485 lines, and for some seconds while the device is busy.  A block that was unreadable in the
 * poll before has one request per poll, or it would take the time of the others in each poll.
 */
static int repeat_later(
	struct assay_instrument *ins, struct map *map, const struct plan_block *block, int r)
{
	bool is_lost = (r == -ETIMEDOUT && map->answered > 0) || r == -EBADMSG;
	int most = block->is_unreadable        ? 0
		   : is_lost                   ? 1
		   : exception_is_temporary(r) ? BUSY_MAX
					       : 0;
	if (map->repeats >= most)
		return r;
	int ms = is_lost ? 0 : BUSY_MS << map->repeats;
	map->repeats++;
	assay_retried(ins);
	return assay_again(ins, ms);
}

/*
 * Reads one block.  A block that fails does not end the poll, unless it times out and no block
 * before it had a reply: then the instrument is gone, and the other blocks would time out, too.
 * -EAGAIN: the poll goes on with this block, or its first part, in the next call.
 */
static int poll_block(struct assay_instrument *ins, struct map *map, size_t index)
{
	struct plan_block *block = &map->plan.blocks[index];
	int r = table_read(ins, block->table, block->address, block->count, map->wire[index]);
	map->results[index] = r;
	if (r == 0) {
		map->answered++;
		block->is_readable = true;
	}
	if (r == 0 || exception_is(r) || r == -EBADMSG || r == -ETIMEDOUT) {
		int again = r == 0 ? 0 : repeat_later(ins, map, block, r);
		if (again == -EAGAIN)
			return again;
	}
	if (r < 0)
		map->failed = index;
	bool is_silent = r == -ETIMEDOUT && map->answered > 0;
	if (!block->is_readable &&
		(exception_is_refusal(r) || (is_silent && plan_has_gaps(&map->plan, index))) &&
		split(ins, &map->plan, index, r)) {
		map->repeats = 0;
		return assay_again(ins, 0);
	}
	if (r < 0 && !is_silent && !exception_is(r) && r != -EBADMSG)
		return r;
	note_block(ins, block, r);
	return 0;
}

static int put_block(const struct map *map, struct assay_raw *raw, size_t index)
{
	const struct plan_block *block = &map->plan.blocks[index];
	char why[32];
	if (map->results[index] == 0)
		return assay_raw_add(raw, MAP_MEDIA_REGISTERS, block->name, map->wire[index],
			table_bytes(block->table, block->count));
	exception_describe(map->results[index], why, sizeof(why));
	return assay_raw_add(raw, MAP_MEDIA_FAILURE, block->name, why, strlen(why));
}

static struct reply reply_of(const struct plan_block *block, const uint8_t *wire)
{
	return (struct reply){.table = block->table,
		.address = block->address,
		.count = block->count,
		.data = wire};
}

/*
 * The blocks of the triggers have been read.  0 if there is a frame to read; -EAGAIN: look again
 * later.
 */
static int decide(struct assay_instrument *ins, struct map *map)
{
	char why[EXCEPTION_TEXT];
	for (size_t i = 0; i < map->next; i++) {
		const struct plan_block *block = &map->plan.blocks[i];
		struct reply reply = reply_of(block, map->wire[i]);
		if (map->results[i] != 0 && !block->is_absent) {
			assay_explain(ins,
				"%s decides when there is a frame, and cannot be read: %s",
				block->name, exception_explain(map->results[i], why, sizeof(why)));
			return -EPROTO;
		}
		if (!block->is_absent)
			trigger_note(&map->trigger, &reply);
	}
	map->has_fired = trigger_fires(&map->trigger);
	if (map->has_fired)
		return 0;
	begin(map);
	return assay_again(ins, (int)(assay_number(ins->settings, "watch") * 1000));
}

/*
 * All blocks have been read.  If the triggers are not as they were before, the values may be of two
 * frames: -EAGAIN, and the poll begins again.
 */
static int confirm(struct assay_instrument *ins, struct map *map)
{
	for (; map->confirmed < map->plan.count; map->confirmed++) {
		const struct plan_block *block = &map->plan.blocks[map->confirmed];
		uint8_t wire[TABLE_BYTES_MAX];
		struct reply reply = reply_of(block, wire);
		if (!block->is_trigger || block->is_absent)
			continue;
		int r = table_read(ins, block->table, block->address, block->count, wire);
		if (r < 0)
			return exception_is(r) ? -EBADMSG : r;
		if (trigger_note(&map->trigger, &reply)) {
			begin(map);
			return assay_again(ins, 0);
		}
	}
	trigger_accept(&map->trigger);
	return 0;
}

/* The blocks that are left: 0 after the last of them. */
static int poll_blocks(struct assay_instrument *ins, struct map *map)
{
	bool has_triggers = map->trigger.count > 0;
	for (; map->next < map->plan.count; map->next++) {
		const struct plan_block *block = &map->plan.blocks[map->next];
		int r = 0;
		if (has_triggers && !block->is_trigger && !map->has_fired)
			r = decide(ins, map);
		if (r == 0 && !block->is_absent)
			r = poll_block(ins, map, map->next);
		if (r < 0)
			return r;
		map->repeats = 0;
	}
	int r = 0;
	if (has_triggers && !map->has_fired)
		r = decide(ins, map);
	return has_triggers && r == 0 ? confirm(ins, map) : r;
}

int poll_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct map *map = ins->state;
	uint64_t readings = (uint64_t)assay_int(ins->settings, "readings");
	if (assay_stopping(ins) && map->next == 0)
		return ASSAY_DONE;
	int r = poll_blocks(ins, map);
	if (r == -EAGAIN)
		return r;
	size_t answered = map->answered;
	begin(map);
	if (r == 0 && answered == 0) {
		char why[EXCEPTION_TEXT];
		assay_explain(ins, "none of %zu requests got registers; the last, %s: %s",
			map->plan.count, map->plan.blocks[map->failed].name,
			exception_explain(map->results[map->failed], why, sizeof(why)));
		r = -EPROTO;
	}
	for (size_t i = 0; r == 0 && i < map->plan.count; i++)
		if (!map->plan.blocks[i].is_absent)
			r = put_block(map, raw, i);
	if (r < 0)
		return r;
	map->readings++;
	bool is_last = (readings > 0 && map->readings >= readings) || assay_stopping(ins);
	return is_last ? ASSAY_LAST : ASSAY_FRAME;
}
