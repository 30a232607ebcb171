/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "base/clock.h"
#include "transport.h"
#include "usbfs.h"

static void make_wrong(struct port *port)
{
	port_init(port, NULL, port_kind_of(ASSAY_LINK_USB));
	port->vid = 0x1234;
	port->pid = 0x5678;
	port->in = USBFS_IN;
	port->out = USBFS_OUT;
}

static size_t hear(void *to, size_t size)
{
	uint64_t limit = clock_boot() + 5 * NS_PER_S;
	size_t n;
	while ((n = usbfs_hear(to, size)) == 0) {
		if (clock_boot() > limit)
			fail_msg("the device received nothing");
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return n;
}

const struct transport transport_usb = {
	.name = "usb",
	.keeps_messages = true,
	.has_packets = true,
	.notices_loss = true,
	.is_file = true,
	.large = 24648, /* an Amptek spectrum of 8192 channels with its status */
	.make = usbfs_make,
	.drop = usbfs_drop,
	.make_wrong = make_wrong,
	.say = usbfs_say,
	.hear = hear,
	.leave = usbfs_leave,
	.refuse = usbfs_refuse,
};
