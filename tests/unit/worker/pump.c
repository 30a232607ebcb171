/* SPDX-License-Identifier: Apache-2.0 */
#include "pump.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#define TURN_MS 20

static void look_at_cancel(struct pump *pump)
{
	uint64_t now = clock_boot(), at = atomic_load(&pump->cancel_at);
	uint64_t ask_at = atomic_load(&pump->ask_at);
	bool cancels = at != 0 && now >= at, asks = ask_at != 0 && now >= ask_at;
	if (!cancels && !asks)
		return;
	if (cancels)
		atomic_store(&pump->cancel_at, 0);
	if (asks)
		atomic_store(&pump->ask_at, 0);
	monitor_lock(&pump->monitor);
	pump->channel.cancelled = pump->channel.cancelled || cancels;
	pump->channel.stopping = pump->channel.stopping || asks;
	monitor_notify(&pump->monitor);
	monitor_unlock(&pump->monitor);
}

static void turn(struct pump *pump)
{
	struct pollfd fds[LINK_FDS_MAX + 2];
	int timeout = TURN_MS, n = 0;
	fds[n++] = (struct pollfd){.fd = pump->monitor.kick, .events = POLLIN};
	n += channel_watch(&pump->channel, fds + n, &timeout);
	int ready = poll(fds, (nfds_t)n, timeout);
	atomic_fetch_add(&pump->turns, 1);
	look_at_cancel(pump);
	if (ready > 0 && (fds[0].revents & POLLIN) != 0) {
		monitor_lock(&pump->monitor);
		monitor_unkick(&pump->monitor);
		monitor_unlock(&pump->monitor);
	}
	channel_handle(&pump->channel);
}

static void *run(void *arg)
{
	struct pump *pump = arg;
	while (!atomic_load(&pump->stop))
		turn(pump);
	return NULL;
}

int pump_start(struct pump *pump, const struct port *port)
{
	*pump = (struct pump){.stop = false};
	assert_int_equal(monitor_init(&pump->monitor), 0);
	channel_init(&pump->channel, &pump->monitor, &pump->link, &pump->heartbeat);
	int r = link_open(&pump->link, port);
	if (r < 0) {
		monitor_finish(&pump->monitor);
		return r;
	}
	if (port_kind_of(port->kind)->is_modbus) {
		pump->modbus = modbus_create(port, &pump->channel);
		assert_non_null(pump->modbus);
	}
	if (port->kind == ASSAY_LINK_HTTP) {
		pump->http = http_create(port, &pump->channel);
		assert_non_null(pump->http);
	}
	assert_int_equal(pthread_create(&pump->thread, NULL, run, pump), 0);
	return 0;
}

void pump_stop(struct pump *pump)
{
	atomic_store(&pump->stop, true);
	pthread_join(pump->thread, NULL);
	link_close(&pump->link);
	modbus_destroy(pump->modbus);
	http_destroy(pump->http);
	channel_finish(&pump->channel);
	monitor_finish(&pump->monitor);
}

void pump_cancel_in(struct pump *pump, int ms)
{
	atomic_store(&pump->cancel_at, clock_boot() + (uint64_t)ms * NS_PER_MS);
}

void pump_ask_to_stop_in(struct pump *pump, int ms)
{
	atomic_store(&pump->ask_at, clock_boot() + (uint64_t)ms * NS_PER_MS);
}

void pump_resume(struct pump *pump)
{
	monitor_lock(&pump->monitor);
	pump->channel.cancelled = pump->channel.stopping = false;
	monitor_unlock(&pump->monitor);
}
