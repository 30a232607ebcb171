/* SPDX-License-Identifier: Apache-2.0 */
#include "serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "program.h"
#include "wire.h"

#define READS_MAX  64
#define FAULT_LOOK (20 * NS_PER_MS) /* a timed outage may end this much late */

struct serving {
	struct sim_host *host;
	struct sim_model *model;
	struct transport transport, discovery; /* discovery.ops is NULL without that port */
	struct wire wire;
};

static void client_changed(struct serving *s)
{
	wire_reset(&s->wire);
	sim_model_link_reset(s->model, sim_host_now(s->host));
}

static int read_all(struct serving *s)
{
	uint8_t data[65536];
	for (int i = 0; i < READS_MAX; i++) {
		if (s->transport.fd < 0)
			return 0;
		ssize_t n = s->transport.ops->receive(&s->transport, data, sizeof(data));
		if (n == -ECONNRESET) {
			client_changed(s);
			return 0;
		}
		if (n <= 0)
			return (int)n;
		sim_model_input(s->model, data, (size_t)n, sim_host_now(s->host));
	}
	return 0;
}

static int answer_discovery(struct serving *s)
{
	uint8_t data[64], reply[SIM_DISCOVERY_MAX];
	ssize_t n = s->discovery.ops->receive(&s->discovery, data, sizeof(data));
	if (n <= 0)
		return (int)n;
	size_t len = sim_model_discover(s->model, data, (size_t)n, sim_host_now(s->host), reply);
	if (len > 0)
		s->discovery.ops->send(&s->discovery, &s->discovery.peer, reply, len);
	return 0;
}

static uint64_t earliest(struct serving *s)
{
	uint64_t now = sim_host_now(s->host);
	uint64_t at = sim_host_real(s->host, sim_model_next_wakeup(s->model, now));
	uint64_t wire = wire_next(&s->wire);
	if (wire < at)
		at = wire;
	if (s->transport.poll_at < at)
		at = s->transport.poll_at;
	if (s->transport.is_down && clock_boot() + FAULT_LOOK < at)
		at = clock_boot() + FAULT_LOOK;
	return at;
}

static int step(struct serving *s)
{
	int r = 0;
	bool down = sim_host_is_down(s->host);
	if (down != s->transport.is_down) {
		s->transport.is_down = s->discovery.is_down = down;
		client_changed(s);
		host_log_faults(s->host);
		r = s->transport.ops->set_down(&s->transport, down);
	}
	if (r < 0)
		return r;
	sim_model_tick(s->model, sim_host_now(s->host));
	wire_work(&s->wire);
	struct pollfd fds[] = {
		{.fd = s->transport.poll_at != SIM_NEVER ? -1 : s->transport.fd,
			.events = (short)(POLLIN | (s->wire.is_blocked ? POLLOUT : 0))},
		{.fd = s->discovery.ops != NULL ? s->discovery.fd : -1, .events = POLLIN}};
	r = sim_host_wait(s->host, fds, 2, earliest(s));
	if (r >= 0 && fds[1].revents != 0)
		r = answer_discovery(s);
	if (r < 0)
		return r;
	bool look = s->transport.poll_at != SIM_NEVER && clock_boot() >= s->transport.poll_at;
	return fds[0].revents != 0 || look ? read_all(s) : 0;
}

static int open_discovery(struct serving *s, const struct sim_options *options)
{
	struct sim_endpoint endpoint = {.transport = SIM_UDP};
	const char *option = s->model->ops->discovery;
	const char *text = option != NULL ? options_text(options, option) : "";
	if (text[0] == '\0')
		return 0;
	if (s->host->endpoint.transport != SIM_UDP)
		return options_reject(option, text, "--udp beside it");
	int r = endpoint_read(option, text, &endpoint);
	return r < 0 ? r : transport_open(&s->discovery, &endpoint, 0);
}

static int serve_transport(struct serving *s, const struct sim_options *options)
{
	const struct sim_endpoint *endpoint = sim_host_endpoint(s->host);
	int r = transport_open(&s->transport, endpoint, s->model->ops->peer_hold_ns);
	if (r == 0)
		r = open_discovery(s, options);
	if (r == 0 && s->discovery.ops != NULL)
		r = sim_host_ready(s->host, "%s %s %s", s->transport.ready,
			s->model->ops->discovery, s->discovery.ready);
	else if (r == 0)
		r = sim_host_ready(s->host, "%s", s->transport.ready);
	while (r >= 0)
		r = step(s);
	transport_close(&s->discovery);
	transport_close(&s->transport);
	return r;
}

int serve(struct sim_host *host, const struct sim_model_ops *ops, const struct sim_options *options)
{
	struct serving s = {.host = host};
	if ((ops->transports & 1u << host->endpoint.transport) == 0) {
		fprintf(stderr, "assay-sim: %s has no such port; it has%s%s%s%s\n", ops->name,
			ops->transports & 1u << SIM_PTY ? " --pty" : "",
			ops->transports & 1u << SIM_UDP ? " --udp" : "",
			ops->transports & 1u << SIM_TCP ? " --tcp" : "",
			ops->transports & 1u << SIM_USB ? " --usb-gadget --usb-socket" : "");
		return -EINVAL;
	}
	host->endpoint.usb = ops->usb;
	struct sim_env env = {.truth = host->truth,
		.faults = &host->faults,
		.random = &host->random,
		.transport = host->endpoint.transport,
		.speed = host->speed};
	bool runs_itself = (ops->run_transports & 1u << host->endpoint.transport) != 0;
	if (!runs_itself) {
		env.emit = wire_emit;
		env.emit_stream = wire_emit_stream;
		env.stream_has_room = wire_stream_has_room;
		env.discard = wire_discard;
		env.context = &s.wire;
	}
	wire_init(&s.wire, host, &s.transport);
	int r = sim_model_create(ops, options, &env, &s.model);
	if (r == 0)
		r = runs_itself ? ops->run(s.model, options, host) : serve_transport(&s, options);
	sim_model_destroy(s.model);
	wire_finish(&s.wire);
	if (r == -ECANCELED)
		return 0;
	if (r < 0 && r != -EINVAL)
		fprintf(stderr, "assay-sim: %s: %s\n", ops->name, strerror(-r));
	return r;
}
