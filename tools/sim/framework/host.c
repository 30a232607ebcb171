/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "program.h"
#include "truth.h"

#define FDS_MAX 60

int endpoint_read(const char *option, const char *text, struct sim_endpoint *endpoint)
{
	const char *colon = strrchr(text, ':');
	const char *port_text = colon != NULL ? colon + 1 : text;
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	double port;
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(endpoint->host) || number_parse(port_text, &port) < 0 || port < 0 ||
		port > 65535 || strchr(port_text, '.') != NULL)
		return options_reject(
			option, text, "HOST:PORT with a port from 0 (any free one) to 65535");
	snprintf(endpoint->host, sizeof(endpoint->host), "%.*s", (int)len, text);
	if (len == 0)
		snprintf(endpoint->host, sizeof(endpoint->host), "127.0.0.1");
	endpoint->port = (uint16_t)port;
	return 0;
}

static int read_transport(struct sim_host *host, const struct program_options *o)
{
	struct sim_endpoint *endpoint = &host->endpoint;
	const char *path = o->pty != NULL ? o->pty : o->usb != NULL ? o->usb : o->usb_socket;
	if ((path != NULL) + (o->udp != NULL) + (o->tcp != NULL) != 1 ||
		(o->pty != NULL) + (o->usb != NULL) + (o->usb_socket != NULL) > 1) {
		fprintf(stderr, "assay-sim: expected one of --pty LINK, --udp HOST:PORT, --tcp "
				"HOST:PORT, --usb-gadget CONTROLLER, --usb-socket PATH\n");
		return -EINVAL;
	}
	if (path != NULL) {
		*endpoint = (struct sim_endpoint){.transport = o->pty != NULL ? SIM_PTY : SIM_USB,
			.path = path,
			.is_played = o->usb_socket != NULL};
		return 0;
	}
	endpoint->transport = o->udp != NULL ? SIM_UDP : SIM_TCP;
	return o->udp != NULL ? endpoint_read("udp", o->udp, endpoint)
			      : endpoint_read("tcp", o->tcp, endpoint);
}

static int read_options(struct sim_host *host, const struct program_options *o)
{
	double seed = 1, baud = 0;
	uint64_t duration = 0;
	char error[512];
	host->speed = 1;
	if (o->seed != NULL && (number_parse(o->seed, &seed) < 0 || seed < 0 || seed >= 0x1p53))
		return options_reject("seed", o->seed, "a whole number");
	if (o->speed != NULL && (number_parse(o->speed, &host->speed) < 0 || host->speed < 0.001 ||
					host->speed > 10000))
		return options_reject("speed", o->speed, "a factor from 0.001 to 10000");
	if (o->seconds != NULL && duration_parse(o->seconds, &duration) < 0)
		return options_reject("seconds", o->seconds, "a number of seconds");
	if (o->baud != NULL && (number_parse(o->baud, &baud) < 0 || baud < 0 || baud > 4e6))
		return options_reject("baud", o->baud, "bits per second, 0 for no limit");
	random_init(&host->random, (uint64_t)seed);
	random_init(&host->wire_random, ~(uint64_t)seed);
	host->baud = (unsigned)baud;
	host->ends = o->seconds != NULL ? host->started + duration : SIM_NEVER;
	for (unsigned i = 0; i < o->fault_count; i++) {
		if (fault_set(&host->faults, o->faults[i], host->started, error, sizeof(error)) <
			0) {
			fprintf(stderr, "assay-sim: %s\n", error);
			return -EINVAL;
		}
	}
	return 0;
}

int host_open(struct sim_host *host, const struct program_options *o)
{
	*host = (struct sim_host){.control.fd = -1, .signal_fd = -1, .started = clock_boot()};
	host->quiet = o->quiet;
	int r = read_transport(host, o);
	if (r == 0)
		r = read_options(host, o);
	if (r < 0)
		return r;

	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	host->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (host->signal_fd < 0)
		return -errno;

	if (o->truth != NULL && (host->truth = fopen(o->truth, "we")) == NULL) {
		r = -errno;
		fprintf(stderr, "assay-sim: --truth %s: %s\n", o->truth, strerror(-r));
		return r;
	}
	r = o->control != NULL ? control_open(&host->control, o->control) : 0;
	if (r < 0)
		fprintf(stderr, "assay-sim: --control %s: %s\n", o->control, strerror(-r));
	else if (o->fault_count > 0)
		host_log_faults(host);
	return r;
}

void host_close(struct sim_host *host)
{
	control_close(&host->control);
	if (host->signal_fd >= 0)
		close(host->signal_fd);
	if (host->truth != NULL)
		fclose(host->truth);
	host->truth = NULL;
	host->signal_fd = -1;
}

void host_log_faults(struct sim_host *host)
{
	char text[256];
	fault_print(&host->faults, text, sizeof(text));
	if (!host->quiet)
		fprintf(stderr, "assay-sim: faults %s\n", text);
	if (host->truth == NULL)
		return;
	truth_start(host->truth, sim_host_now(host), "faults");
	fprintf(host->truth, ",\"state\":\"%s\"", text);
	truth_end(host->truth);
}

const struct sim_endpoint *sim_host_endpoint(const struct sim_host *host)
{
	return &host->endpoint;
}

int sim_host_ready(struct sim_host *host, const char *format, ...)
{
	va_list ap;
	fputs("ready ", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	return fflush(stdout) == 0 ? 0 : -EIO;
}

uint64_t sim_host_now(const struct sim_host *host)
{
	return (uint64_t)((double)(clock_boot() - host->started) * host->speed);
}

uint64_t sim_host_real(const struct sim_host *host, uint64_t t)
{
	double real = (double)host->started + (double)t / host->speed;
	return t == SIM_NEVER || real > 1e19 ? SIM_NEVER : (uint64_t)real + 1;
}

int sim_host_wait(struct sim_host *host, struct pollfd *fds, size_t n, uint64_t deadline)
{
	struct pollfd all[FDS_MAX + 2];
	assert(n <= FDS_MAX);
	if (clock_boot() >= host->ends)
		return -ECANCELED;
	if (n > 0)
		memcpy(all, fds, n * sizeof(*fds));
	all[n] = (struct pollfd){.fd = host->signal_fd, .events = POLLIN};
	all[n + 1] = (struct pollfd){.fd = host->control.fd, .events = POLLIN};
	if (host->ends < deadline)
		deadline = host->ends;
	int r = poll(all, n + 2, deadline == SIM_NEVER ? -1 : clock_ms_until(deadline));
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (n > 0)
		memcpy(fds, all, n * sizeof(*fds));
	if (all[n].revents != 0)
		return -ECANCELED;
	if (all[n + 1].revents != 0) {
		r--;
		if (control_serve(&host->control, &host->faults))
			host_log_faults(host);
	}
	return r;
}

bool sim_host_is_stale(struct sim_host *host, size_t len)
{
	host->sent++;
	if (len == 0 ||
		!fault_strikes(&host->faults, FAULT_STALE, &host->wire_random, clock_boot()))
		return false;
	if (host->truth != NULL) {
		truth_start(host->truth, sim_host_now(host), "damaged");
		fprintf(host->truth, ",\"reply\":%" PRIu64 ",\"bytes\":%zu,\"stale\":true",
			host->sent, len);
		truth_end(host->truth);
	}
	return true;
}

bool sim_host_is_down(struct sim_host *host)
{
	return fault_strikes(&host->faults, FAULT_DISCONNECT, &host->wire_random, clock_boot());
}
