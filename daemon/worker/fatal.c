/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LOG_TOPIC "worker"
#include "base/clock.h"
#include "base/log.h"
#include "wire/exit.h"
#include "wire/wire.h"
#include "worker/fatal.h"

static struct core_link *core_link;

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
