/* SPDX-License-Identifier: Apache-2.0 */
/* assay-metrics: the daemon's state for Prometheus, over HTTP on this machine or once to a file. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define LOG_TOPIC "metrics"
#include "base/clock.h"
#include "base/log.h"
#include "control.h"
#include "page.h"
#include "serve.h"

#define ANSWER_MS    2000
#define TURN_MS      50
#define ITEMS_MAX    2000 /* of one turn */
#define PORT_DEFAULT 9844

struct metrics {
	const char *sockets;
	uint16_t port;
	struct requester *control;
	struct assay_client *client;
	struct counts counts;
	struct server *server;
};

static volatile sig_atomic_t is_ending;

static void on_signal(int number)
{
	is_ending = 1;
}

static void usage(FILE *to)
{
	fputs("usage: assay-metrics [--dir DIR] [--port N | --once]\n"
	      "\n"
	      "  --dir DIR   folder of the daemon's sockets (default " ASSAY_RUN_DIR ")\n"
	      "  --port N    serve http://127.0.0.1:N/metrics (default 9844; 0: a free one)\n"
	      "  --once      print the page and end: 0, or 1 if the daemon does not reply\n"
	      "  --version\n"
	      "  --help\n",
		to);
}

/* Returns whether the daemon replied. */
static bool ask(struct metrics *metrics, struct buffer *to)
{
	struct control_request request;
	struct control_reply reply;
	control_request_init(&request, "status");
	int r = control_send(metrics->control, &request, ANSWER_MS, &reply);
	page_write(to, r == 0 ? reply.body : (struct assay_span){0}, &metrics->counts);
	control_reply_finish(&reply);
	return r == 0;
}

static void make_page(void *arg, struct buffer *to)
{
	ask(arg, to);
}

static int print_once(struct metrics *metrics)
{
	struct buffer page = {0};
	bool up = ask(metrics, &page);
	bool written = !page.failed && fwrite(page.data, 1, page.len, stdout) == page.len &&
		       fflush(stdout) == 0;
	buffer_finish(&page);
	return up && written ? 0 : 1;
}

/*
 * Counts the records that are there; nothing is fetched from before the start.  It waits a little: only
 * the time inside the call counts for the client's own deadlines.
 */
static int count_new(struct metrics *metrics)
{
	const struct assay_client_item *item;
	int r = 1;
	for (int i = 0; i < ITEMS_MAX && r > 0; i++) {
		r = assay_client_next(metrics->client, i == 0 ? TURN_MS : 0, &item);
		if (r > 0)
			counts_take(&metrics->counts, item);
	}
	return r == -ENOMEM ? r : 0; /* others pass when the daemon is there again */
}

static int serve(struct metrics *metrics)
{
	const struct assay_client_options options = {.size = sizeof options,
		.dir = metrics->sockets,
		.simulated = true,
		.start = ASSAY_START_NOW};
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	int r = assay_client_open(&metrics->client, &options);
	if (r < 0) {
		log_error("%s: %s", metrics->sockets, assay_client_error(NULL));
		return 1;
	}
	r = server_open(&metrics->server, &metrics->port, make_page, metrics);
	if (r < 0) {
		log_error("cannot listen on 127.0.0.1 port %u: %s", metrics->port, strerror(-r));
		return 1;
	}
	log_info("http://127.0.0.1:%u/metrics", metrics->port);
	sd_notify(0, "READY=1");
	while (!is_ending && r == 0) {
		r = count_new(metrics);
		server_run(metrics->server, TURN_MS);
		sd_notify(0, "WATCHDOG=1");
	}
	sd_notify(0, "STOPPING=1");
	return r < 0 ? 1 : 0;
}

/* A port, or -1. */
static long read_port(const char *text)
{
	char *end;
	errno = 0;
	long port = strtol(text, &end, 10);
	return errno != 0 || end == text || *end != '\0' || port < 0 || port > 65535 ? -1 : port;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"dir", required_argument, NULL, 'd'},
		{"port", required_argument, NULL, 'p'}, {"once", no_argument, NULL, 'o'},
		{"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {0}};
	static struct metrics metrics = {.sockets = ASSAY_RUN_DIR, .port = PORT_DEFAULT};
	char endpoint[4200];
	bool once = false;
	for (int c; (c = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
		long port = c == 'p' ? read_port(optarg) : 0;
		if (port < 0)
			c = '?';
		switch (c) {
		case 'd': metrics.sockets = optarg; break;
		case 'p': metrics.port = (uint16_t)port; break;
		case 'o': once = true; break;
		case 'V': puts("assay-metrics " ASSAY_VERSION); return 0;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}
	log_init(LOG_LEVEL_INFO, !isatty(STDERR_FILENO));
	snprintf(endpoint, sizeof endpoint, "ipc://%s/control", metrics.sockets);
	if (requester_create(&metrics.control, NULL, endpoint, NULL) < 0) {
		log_error("%s: %s", endpoint, strerror(ENOMEM));
		return 1;
	}
	int r = once ? print_once(&metrics) : serve(&metrics);
	server_close(metrics.server);
	assay_client_close(metrics.client);
	requester_destroy(metrics.control);
	counts_finish(&metrics.counts);
	return r;
}
