/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include <systemd/sd-device.h>
#include <systemd/sd-event.h>

#include "base/event-loop.h"
#include "base/loop-ops.h"

#define ACCURACY_US 1000 /* of timers; sd-event's default is 250 ms */

struct event_loop {
	struct loop base; /* first */
	sd_event *event;
	bool stopping;
	int code;
};

static sd_event *event_of(const struct loop *loop)
{
	return ((const struct event_loop *)loop)->event;
}

/* --- from sd-event to the source -------------------------------------------------------------- */

static int on_time(sd_event_source *event, uint64_t usec, void *arg)
{
	struct loop_source *source = arg;
	source->fn.call(source->arg);
	return 0;
}

static int on_fd(sd_event_source *event, int fd, uint32_t events, void *arg)
{
	struct loop_source *source = arg;
	source->fn.ready(source->arg, events);
	return 0;
}

static int on_idle(sd_event_source *event, void *arg)
{
	struct loop_source *source = arg;
	source->fn.call(source->arg);
	return 0;
}

static int on_child(sd_event_source *event, const siginfo_t *info, void *arg)
{
	struct loop_source *source = arg;
	source->fn.exited(source->arg, info);
	return 0;
}

static int on_signal(sd_event_source *event, const struct signalfd_siginfo *info, void *arg)
{
	struct loop_source *source = arg;
	source->fn.call(source->arg);
	return 0;
}

static int on_folder(sd_event_source *event, const struct inotify_event *change, void *arg)
{
	struct loop_source *source = arg;
	source->fn.call(source->arg);
	return 0;
}

static int on_device(sd_device_monitor *monitor, sd_device *device, void *arg)
{
	struct loop_source *source = arg;
	sd_device_action_t action;
	if (sd_device_get_action(device, &action) >= 0 && action != SD_DEVICE_REMOVE &&
		action != SD_DEVICE_UNBIND)
		source->fn.call(source->arg);
	return 0;
}

/* The events that udev sends after its rules. */
static int add_monitor(struct loop_source *s)
{
	sd_device_monitor *monitor = NULL;
	int r = sd_device_monitor_new(&monitor);
	if (r >= 0)
		r = sd_device_monitor_filter_add_match_subsystem_devtype(monitor, "tty", NULL);
	if (r >= 0)
		r = sd_device_monitor_filter_add_match_subsystem_devtype(
			monitor, "usb", "usb_device");
	if (r >= 0)
		r = sd_device_monitor_attach_event(monitor, event_of(s->loop));
	if (r >= 0)
		r = sd_device_monitor_start(monitor, on_device, s);
	s->data = r < 0 ? sd_device_monitor_unref(monitor) : monitor;
	return r < 0 ? r : 0;
}

/* --- the table -------------------------------------------------------------------------------- */

static int event_add(struct loop_source *s)
{
	sd_event *event = event_of(s->loop);
	sd_event_source *added = NULL;
	int r = -EINVAL;
	switch (s->kind) {
	case LOOP_DEVICES: return add_monitor(s);
	case LOOP_TIMER:
		r = sd_event_add_time_relative(
			event, &added, CLOCK_BOOTTIME, 0, ACCURACY_US, on_time, s);
		break;
	case LOOP_FD: r = sd_event_add_io(event, &added, s->fd, s->events, on_fd, s); break;
	case LOOP_IDLE: r = sd_event_add_defer(event, &added, on_idle, s); break;
	case LOOP_CHILD: r = sd_event_add_child(event, &added, s->pid, WEXITED, on_child, s); break;
	case LOOP_SIGNAL: r = sd_event_add_signal(event, &added, s->signal, on_signal, s); break;
	case LOOP_FOLDER:
		r = sd_event_add_inotify(
			event, &added, s->path, IN_CREATE | IN_MOVED_TO | IN_ATTRIB, on_folder, s);
		break;
	}
	if (r >= 0 && (s->kind == LOOP_TIMER || s->kind == LOOP_IDLE))
		r = sd_event_source_set_enabled(added, SD_EVENT_OFF);
	if (r >= 0 && s->kind == LOOP_IDLE)
		r = sd_event_source_set_priority(added, SD_EVENT_PRIORITY_IDLE);
	s->data = added;
	return r < 0 ? r : 0;
}

static void event_set(struct loop_source *s, uint64_t value)
{
	switch (s->kind) {
	case LOOP_TIMER:
		sd_event_source_set_time_relative(s->data, value / 1000);
		sd_event_source_set_enabled(s->data, SD_EVENT_ONESHOT);
		break;
	case LOOP_IDLE:
		sd_event_source_set_enabled(s->data, value != 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
		break;
	case LOOP_FD: sd_event_source_set_io_events(s->data, (uint32_t)value); break;
	default: break;
	}
}

static void event_drop(struct loop_source *s)
{
	if (s->kind == LOOP_DEVICES)
		sd_device_monitor_unref(s->data);
	else
		sd_event_source_disable_unref(s->data);
}

static int event_run(struct loop *base)
{
	struct event_loop *loop = (struct event_loop *)base;
	int r = 0;
	while (r >= 0 && !loop->stopping)
		r = sd_event_run(loop->event, UINT64_MAX);
	loop->stopping = false;
	return r < 0 ? r : loop->code;
}

static void event_stop(struct loop *base, int code)
{
	struct event_loop *loop = (struct event_loop *)base;
	loop->stopping = true;
	loop->code = code;
}

static void event_close(struct loop *loop)
{
	sd_event_unref(event_of(loop));
	free(loop);
}

static const struct loop_ops event_ops = {
	.add = event_add,
	.set = event_set,
	.drop = event_drop,
	.run = event_run,
	.stop = event_stop,
	.close = event_close,
};

int event_loop_open(struct loop **out)
{
	struct event_loop *loop = calloc(1, sizeof *loop);
	if (loop == NULL)
		return -ENOMEM;
	int r = sd_event_new(&loop->event);
	if (r < 0) {
		free(loop);
		return r;
	}
	loop_init(&loop->base, &event_ops);
	*out = &loop->base;
	return 0;
}
