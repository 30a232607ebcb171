/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "worker/orders.h"

int orders_init(
	struct orders *orders, struct monitor *monitor, struct channel *channel, size_t units)
{
	*orders = (struct orders){
		.monitor = monitor, .channel = channel, .count = units, .current = -1};
	orders->units = calloc(units, sizeof *orders->units);
	return orders->units != NULL ? 0 : -ENOMEM;
}

void orders_finish(struct orders *orders)
{
	for (size_t i = 0; i < orders->count && orders->units != NULL; i++)
		start_finish(&orders->units[i].start);
	free(orders->units);
	orders->units = NULL;
}

void start_finish(struct start *start)
{
	buffer_finish(&start->step);
	buffer_finish(&start->settings);
}

/* --- the I/O thread --------------------------------------------------------------------------- */

static int take_go(struct order *order, const struct wire_message *message)
{
	struct wire_go go;
	int r = wire_read_go(message, &go);
	order->go = r == 0;
	order->safe = r == 0 && go.safe;
	return r;
}

static int take_refuse(struct order *order, const struct wire_message *message)
{
	struct wire_text text;
	int r = wire_read_refuse(message, &text);
	order->refused = r == 0;
	return r;
}

static int take_start(struct order *order, const struct wire_message *message)
{
	struct wire_start start;
	int r = wire_read_start(message, &start);
	if (r < 0 || order->started)
		return -EBADMSG;
	start_finish(&order->start);
	order->start = (struct start){
		.mode = start.mode, .every_ns = start.every_ns, .frames = start.frames};
	buffer_append(&order->start.step, start.step.data, start.step.len);
	buffer_append(&order->start.settings, start.settings.data, start.settings.len);
	if (order->start.step.failed || order->start.settings.failed)
		return -ENOMEM;
	order->started = true;
	order->start_stop = order->start_abort = false;
	return 0;
}

/* Stop and abort mean the START that stands, else the run under way, whose slot they reach. */
static int interrupt(struct orders *orders, size_t unit, bool abort)
{
	struct order *order = &orders->units[unit];
	if (order->started) {
		order->start_stop = true;
		order->start_abort = order->start_abort || abort;
		return 0;
	}
	order->stop = true;
	order->abort = order->abort || abort;
	if (orders->current == (int)unit) {
		orders->channel->stopping = true;
		orders->channel->cancelled = orders->channel->cancelled || abort;
	}
	return 0;
}

static int take_order(struct orders *orders, const struct wire_message *message)
{
	if (message->unit >= orders->count)
		return -EBADMSG;
	struct order *order = &orders->units[message->unit];
	switch (message->type) {
	case WIRE_GO: return take_go(order, message);
	case WIRE_REFUSE: return take_refuse(order, message);
	case WIRE_START: return take_start(order, message);
	case WIRE_STOP: return interrupt(orders, message->unit, false);
	case WIRE_ABORT: return interrupt(orders, message->unit, true);
	default: return -EBADMSG;
	}
}

int orders_take_message(struct orders *orders, const struct wire_message *message)
{
	monitor_lock(orders->monitor);
	int r = take_order(orders, message);
	monitor_notify(orders->monitor);
	monitor_unlock(orders->monitor);
	return r;
}

void orders_quit(struct orders *orders)
{
	monitor_lock(orders->monitor);
	orders->quit = true;
	if (orders->current >= 0)
		orders->channel->stopping = orders->channel->cancelled = true;
	monitor_notify(orders->monitor);
	monitor_kick(orders->monitor); /* an exchange that waits is to be ended */
	monitor_unlock(orders->monitor);
}

/* --- the driver's thread ---------------------------------------------------------------------- */

void orders_enter(struct orders *orders, size_t unit)
{
	monitor_lock(orders->monitor);
	const struct order *order = &orders->units[unit];
	orders->current = (int)unit;
	orders->channel->stopping = order->stop || orders->quit;
	orders->channel->cancelled = order->abort || orders->quit;
	monitor_unlock(orders->monitor);
}

void orders_leave(struct orders *orders)
{
	monitor_lock(orders->monitor);
	orders->current = -1;
	orders->channel->stopping = orders->channel->cancelled = false;
	monitor_unlock(orders->monitor);
}

bool orders_is_aborted(struct orders *orders, size_t unit)
{
	monitor_lock(orders->monitor);
	bool aborted = orders->units[unit].abort || orders->quit;
	monitor_unlock(orders->monitor);
	return aborted;
}

bool orders_is_stopped(struct orders *orders, size_t unit)
{
	monitor_lock(orders->monitor);
	bool stopped = orders->units[unit].stop || orders->quit;
	monitor_unlock(orders->monitor);
	return stopped;
}

bool orders_is_quit(struct orders *orders)
{
	monitor_lock(orders->monitor);
	bool quit = orders->quit;
	monitor_unlock(orders->monitor);
	return quit;
}

void orders_clear_run(struct orders *orders, size_t unit)
{
	monitor_lock(orders->monitor);
	orders->units[unit].stop = orders->units[unit].abort = false;
	monitor_unlock(orders->monitor);
}

bool orders_take_start(struct orders *orders, size_t unit, struct start *start)
{
	monitor_lock(orders->monitor);
	struct order *order = &orders->units[unit];
	bool taken = order->started;
	if (taken) {
		start_finish(start);
		*start = order->start;
		order->start = (struct start){0};
		order->started = false;
		order->stop = order->start_stop;
		order->abort = order->start_abort;
	}
	monitor_unlock(orders->monitor);
	return taken;
}

int orders_take_answer(struct orders *orders, size_t unit, bool *safe)
{
	monitor_lock(orders->monitor);
	struct order *order = &orders->units[unit];
	int answer = order->refused ? -1 : order->go ? 1 : 0;
	*safe = order->safe;
	order->refused = order->go = order->safe = false;
	monitor_unlock(orders->monitor);
	return answer;
}

void orders_clear_answer(struct orders *orders, size_t unit)
{
	bool safe;
	(void)orders_take_answer(orders, unit, &safe);
}
