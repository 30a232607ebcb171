/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "interrupt.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = 1;
}

const volatile sig_atomic_t *interrupt_catch(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return &interrupted;
}
