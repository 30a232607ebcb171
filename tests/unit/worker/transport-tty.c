/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instrument on a serial adapter: umockdev makes /dev/ttyUSB7 out of a pseudo-terminal, and this
 * file adds the modem lines, which such a terminal lacks, so that libserialport takes it.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <linux/serial.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "usb/mock.h"
#include "transport.h"

static const char description[] =
	"P: /devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/ttyUSB7/tty/ttyUSB7\n"
	"N: ttyUSB7\n"
	"E: SUBSYSTEM=tty\n"
	"E: DEVNAME=/dev/ttyUSB7\n"
	"E: MAJOR=188\n"
	"E: MINOR=7\n"
	"A: dev=188:7\\n\n";

static UMockdevTestbed *testbed;
static UMockdevIoctlBase *handler;
static int master = -1;
static bool is_rounding;
static struct tty_line line; /* on umockdev's thread; read between two calls of the link */

void tty_rounds_baud(bool on)
{
	is_rounding = on;
}

/* The line's settings are the pseudo-terminal's: it keeps them like any other. */
static void pass_on(UMockdevIoctlClient *client)
{
	int code = 0;
	GError *error = NULL;
	int r = umockdev_ioctl_client_execute(client, &code, &error);
	umockdev_ioctl_client_complete(client, r, code);
}

const struct tty_line *tty_line(void)
{
	return &line;
}

void tty_count_errors(const struct tty_errors *errors)
{
	line.errors = *errors;
}

static void complete(UMockdevIoctlClient *client, const void *value, size_t size)
{
	GError *error = NULL;
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(
		umockdev_ioctl_client_get_arg(client), 0, size, &error);
	mock_check(data != NULL, error);
	memcpy(data->data, value, size);
	umockdev_ioctl_client_complete(client, 0, 0);
	g_object_unref(data);
}

static void count(UMockdevIoctlClient *client)
{
	const struct serial_icounter_struct counts = {.parity = line.errors.parity,
		.frame = line.errors.framing,
		.overrun = line.errors.overrun,
		.buf_overrun = line.errors.buffer,
		.brk = line.errors.breaks};
	complete(client, &counts, sizeof counts);
}

static void set_lines(UMockdevIoctlClient *client, bool on)
{
	GError *error = NULL;
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(
		umockdev_ioctl_client_get_arg(client), 0, sizeof(int), &error);
	mock_check(data != NULL, error);
	int bits = *(int *)(void *)data->data;
	line.dtr = (bits & TIOCM_DTR) != 0 ? on : line.dtr;
	line.rts = (bits & TIOCM_RTS) != 0 ? on : line.rts;
	umockdev_ioctl_client_complete(client, 0, 0);
	g_object_unref(data);
}

static void set_break(UMockdevIoctlClient *client, bool on)
{
	line.breaks_sent += on;
	line.is_broken = on;
	umockdev_ioctl_client_complete(client, 0, 0);
}

static void keep_settings(UMockdevIoctlClient *client)
{
	GError *error = NULL;
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(
		umockdev_ioctl_client_get_arg(client), 0, sizeof(struct termios2), &error);
	mock_check(data != NULL, error);
	const struct termios2 *tio = (void *)data->data;
	line.baud = tio->c_ospeed;
	line.hangs_up = (tio->c_cflag & HUPCL) != 0;
	g_object_unref(data);
	pass_on(client);
}

static void tell_lines(UMockdevIoctlClient *client)
{
	int lines = (line.dtr ? TIOCM_DTR : 0) | (line.rts ? TIOCM_RTS : 0) | TIOCM_CTS | TIOCM_DSR;
	complete(client, &lines, sizeof lines);
}

/* An adapter that cannot make the rate takes the next one that it can, silently. */
static void tell_rounded(UMockdevIoctlClient *client)
{
	int code = 0;
	GError *error = NULL;
	int r = umockdev_ioctl_client_execute(client, &code, &error);
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(
		umockdev_ioctl_client_get_arg(client), 0, sizeof(struct termios2), &error);
	mock_check(data != NULL, error);
	struct termios2 *tio = (void *)data->data;
	if (tio->c_ospeed == 28800)
		tio->c_ispeed = tio->c_ospeed = 38400;
	umockdev_ioctl_client_complete(client, r, code);
	g_object_unref(data);
}

static gboolean on_ioctl(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer user)
{
	switch (umockdev_ioctl_client_get_request(client)) {
	case TIOCMGET: tell_lines(client); break;
	case TCGETS2:
		if (is_rounding)
			tell_rounded(client);
		else
			pass_on(client);
		break;
	case TCSETS2: keep_settings(client); break;
	case TIOCMBIS: set_lines(client, true); break;
	case TIOCMBIC: set_lines(client, false); break;
	case TIOCSBRK: set_break(client, true); break;
	case TIOCCBRK: set_break(client, false); break;
	case TIOCGICOUNT: count(client); break;
	case TIOCSERGETLSR: umockdev_ioctl_client_complete(client, -1, ENOTTY); break;
	case TIOCMSET: umockdev_ioctl_client_complete(client, 0, 0); break;
	default: pass_on(client); break;
	}
	return TRUE;
}

static void make(struct port *port)
{
	GError *error = NULL;
	testbed = umockdev_testbed_new();
	mock_check(umockdev_testbed_add_from_string(testbed, description, &error), error);
	handler = umockdev_ioctl_base_new();
	g_signal_connect(handler, "handle-ioctl", G_CALLBACK(on_ioctl), NULL);
	mock_check(umockdev_testbed_attach_ioctl(testbed, "/dev/ttyUSB7", handler, &error), error);
	master = umockdev_testbed_get_dev_fd(testbed, "/dev/ttyUSB7");
	assert_true(master >= 0);
	line = (struct tty_line){.dtr = true, .rts = true};
	port_init(port, NULL, port_kind_of(ASSAY_LINK_SERIAL));
	port->port = "/dev/ttyUSB7";
	port->baud = 28800; /* no rate of the old list: set by its number and read back */
}

static void drop(void)
{
	g_object_unref(handler);
	g_object_unref(testbed);
}

static void make_wrong(struct port *port)
{
	port_init(port, NULL, port_kind_of(ASSAY_LINK_SERIAL));
	port->port = "/dev/null";
}

static void say(const void *data, size_t len)
{
	const char *at = data;
	while (len > 0) {
		struct pollfd p = {.fd = master, .events = POLLOUT};
		assert_int_equal(poll(&p, 1, 5000), 1);
		ssize_t n = write(master, at, len < 512 ? len : 512);
		assert_true(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

static size_t hear(void *to, size_t size)
{
	transport_await(master);
	ssize_t n = read(master, to, size);
	assert_true(n > 0);
	return (size_t)n;
}

const struct transport transport_tty = {
	.name = "serial",
	.has_line = true,
	.large = 3000,
	.make = make,
	.drop = drop,
	.make_wrong = make_wrong,
	.say = say,
	.hear = hear,
};
