/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_TOPIC "worker"
#include "base/clock.h"
#include "base/log.h"
#include "wire/exit.h"
#include "wire/wire.h"
#include "worker/fatal.h"

#define STACK_BYTES (64u << 10)
#define CRASH_BYTES 1024

static struct core_link *core_link;

/* What the driver's thread runs. */
static struct {
	unsigned unit;
	const char *driver, *slot;
} running;
static struct buffer crash; /* reserved: a handler must not allocate */

void fatal_init(struct core_link *core)
{
	core_link = core;
}

void fatal_driver(const char *format, ...)
{
	char text[WIRE_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (core_link != NULL) {
		struct buffer message = {0};
		wire_write_state(
			&message, WIRE_PORT, "fault", "EINVAL", text, (struct assay_span){NULL, 0});
		core_link_send(core_link, &message);
		core_link_wait_sent(core_link, NS_PER_S);
	} else {
		log_error("%s", text);
	}
	_exit(WIRE_EXIT_DRIVER);
}

void fatal_enter(unsigned unit, const char *driver, const char *slot)
{
	running.unit = unit;
	running.driver = driver;
	running.slot = slot;
}

void fatal_place(char *text, size_t size)
{
	if (running.slot != NULL)
		snprintf(text, size, "driver %s, in %s", running.driver, running.slot);
	else
		snprintf(text, size, "assay-worker");
}

/* The handler is reset: the process then ends by the signal, also by one that another process sent. */
static void on_crash(int number)
{
	char text[160];
	if (running.slot != NULL && core_link != NULL) {
		snprintf(text, sizeof text, "driver %s crashed in %s (signal %d, %s)",
			running.driver, running.slot, number, sigdescr_np(number));
		wire_write_state(&crash, running.unit, "fault", "EFAULT", text,
			(struct assay_span){NULL, 0});
		core_link_last(core_link, &crash);
	}
	raise(number);
}

void fatal_catch(void)
{
#ifndef __SANITIZE_ADDRESS__               /* which reports more */
	static uint8_t stack[STACK_BYTES]; /* that of the thread may be full */
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	struct sigaction action = {
		.sa_handler = on_crash, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER)};
	sigemptyset(&action.sa_mask);
	if (buffer_reserve(&crash, CRASH_BYTES) == NULL ||
		sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL) < 0)
		return;
	sigset_t blocked; /* as all others in this thread */
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		sigaction(signals[i], &action, NULL);
		sigaddset(&blocked, signals[i]);
	}
	pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
#endif
}
