/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assay-alert: looks at the daemon through its sockets and informs people by mail and webhook.  One
 * thread: it reads records, looks at the status, and starts processes that deliver.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#define LOG_TOPIC "alert"
#include "alert-state.h"
#include "base/clock.h"
#include "base/log.h"
#include "control.h"
#include "deliver.h"
#include "follow.h"
#include "look.h"
#include "post.h"

#define ANSWER_MS 3000
#define STORE_NS  (60 * NS_PER_S) /* positions alone are stored this often */
#define TURN_MS   200

struct alert {
	struct alert_options options;
	struct alert_state state;
	struct follow follow;
	struct requester *control;
	struct delivery_jobs delivery;
	uint64_t look_at, store_at;
	bool cannot_store;
};

static volatile sig_atomic_t is_ending;

static void on_signal(int number)
{
	is_ending = 1;
}

static void usage(FILE *to)
{
	fputs("usage: assay-alert [--config FILE] [--check | --test]\n"
	      "\n"
	      "  --config FILE    the configuration (default " ALERT_CONFIG_FILE ")\n"
	      "  --check          only check it: prints every error\n"
	      "  --test           send a test message on each channel, print the results, and end\n"
	      "  --version\n"
	      "  --help\n",
		to);
}

/* --- the service ----------------------------------------------------------------------------- */

static void look(struct alert *alert, uint64_t now)
{
	struct control_request request;
	struct control_reply reply;
	struct look look;
	uint64_t utc = clock_utc();
	control_request_init(&request, "status");
	int r = control_send(alert->control, &request, ANSWER_MS, &reply);
	if (r < 0)
		look_silent(&look, r == -ETIMEDOUT ? "no reply" : strerror(-r), utc);
	else if (!follow_is_connected(&alert->follow))
		look_silent(&look, "it replies, but publishes no heartbeat", utc);
	else
		look_read(&look, reply.body, &alert->options, utc);
	control_reply_finish(&reply);
	if (look.lab[0] != '\0')
		memcpy(alert->state.lab, look.lab, sizeof alert->state.lab);
	/* Without room conditions stay as they are, and are reported later. */
	if (outbox_has_room(&alert->state.outbox))
		conditions_take(&alert->state.conditions, &look, &alert->options, now,
			&alert->state.outbox);
	look_finish(&look);
}

static void store(struct alert *alert, uint64_t now)
{
	int r = alert_state_store(&alert->state, alert->options.state, now);
	if (r < 0 && !alert->cannot_store)
		log_error("%s: the state cannot be stored: %s", alert->options.state, strerror(-r));
	alert->cannot_store = r < 0;
	alert->state.outbox.changed = alert->follow.has_read = false;
	alert->store_at = now + STORE_NS;
}

static int turn(struct alert *alert)
{
	int r = follow_step(&alert->follow, TURN_MS, &alert->state.outbox);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || !outbox_has_room(&alert->state.outbox)) {
		const struct timespec pause = {.tv_nsec = TURN_MS * 1000000L};
		nanosleep(&pause, NULL);
	}
	uint64_t now = clock_boot();
	if (now >= alert->look_at) {
		look(alert, now);
		alert->look_at = now + alert->options.every;
	}
	/* Before it is delivered: after a crash it is at most delivered again. */
	if (alert->state.outbox.changed || (alert->follow.has_read && now >= alert->store_at))
		store(alert, now);
	deliver_step(&alert->delivery, &alert->state.outbox, &alert->options, alert->state.lab,
		clock_boot());
	if (alert->state.outbox.changed)
		store(alert, now);
	sd_notify(0, "WATCHDOG=1");
	return 0;
}

static int serve(struct alert *alert)
{
	char endpoint[4200];
	struct alert_options *options = &alert->options;
	int r = 0;
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	outbox_init(&alert->state.outbox, options);
	alert->state.marks = &alert->follow.marks;
	r = alert_state_load(&alert->state, options->state, clock_boot());
	if (r < 0) {
		log_error("%s: the state cannot be read: %s", options->state, strerror(-r));
		return 1;
	}
	snprintf(endpoint, sizeof endpoint, "ipc://%s/control", options->sockets);
	if (requester_create(&alert->control, NULL, endpoint, NULL) < 0 ||
		follow_start(&alert->follow, options, alert->control) != 0)
		return 1;
	/* Also shows at the start, not at the first alert, that the folder cannot be written. */
	store(alert, clock_boot());
	sd_notify(0, "READY=1");
	while (!is_ending && r == 0)
		r = turn(alert);
	sd_notify(0, "STOPPING=1");
	deliver_stop(&alert->delivery);
	store(alert, clock_boot());
	if (r < 0)
		log_error("%s", strerror(-r));
	return r < 0 || alert->cannot_store ? 1 : 0;
}

static void finish(struct alert *alert)
{
	follow_finish(&alert->follow);
	requester_destroy(alert->control);
	conditions_finish(&alert->state.conditions);
	outbox_finish(&alert->state.outbox);
	alert_options_finish(&alert->options);
}

/* --- a test message -------------------------------------------------------------------------- */

static int test(struct alert *alert)
{
	struct outbox *outbox = &alert->state.outbox;
	struct note note = {.event = NOTE_TEST,
		.about = "message",
		.text = "this is a test; the service assayd-alert can reach you"};
	const struct timespec pause = {.tv_nsec = 10000000};
	int failed = 0;
	outbox_init(outbox, &alert->options);
	outbox_put(outbox, &note);
	do {
		deliver_step(&alert->delivery, outbox, &alert->options, "", clock_boot());
		nanosleep(&pause, NULL); /* each process has a deadline */
	} while (deliver_is_busy(&alert->delivery));
	for (int i = 0; i < CHANNELS; i++) {
		const struct channel *channel = &outbox->channels[i];
		if (!channel->is_used)
			continue;
		printf("%s: %s\n", channel_name(i),
			channel->failures == 0 ? "delivered" : "NOT DELIVERED");
		failed |= channel->failures != 0;
	}
	return failed;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'}, {"test", no_argument, NULL, 't'},
		{"post", no_argument, NULL, 'p'}, {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'}, {0}};
	static struct alert alert = {.delivery.config = ALERT_CONFIG_FILE};
	int mode = 0;
	for (int c; (c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
		switch (c) {
		case 'c': alert.delivery.config = optarg; break;
		case 'k':
		case 't':
		case 'p': mode = c; break;
		case 'V': puts("assay-alert " ASSAY_VERSION); return 0;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}
	log_init(LOG_LEVEL_INFO, !isatty(STDERR_FILENO));
	int r = alert_options_load(&alert.options, alert.delivery.config);
	if (r == 0 && mode == 'k')
		printf("%s: no errors\n", alert.delivery.config);
	else if (r == 0)
		r = mode == 'p'   ? post_run(&alert.options)
		    : mode == 't' ? test(&alert)
				  : serve(&alert);
	finish(&alert);
	return r;
}
