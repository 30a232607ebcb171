/* SPDX-License-Identifier: Apache-2.0 */
/* The link serial, also under modbus-rtu: libserialport, or a pseudo-terminal opened raw. */
#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/link/serial.h"

#define PIECE           4096
#define BYTE_BITS       10  /* start, data, parity, stop: the fewest of usual lines */
#define PTY_MAJOR_FIRST 136 /* Documentation/admin-guide/devices.txt: UNIX98 PTY slaves */
#define PTY_MAJOR_LAST  143

/* --- pseudo-terminals: no baud, no modem lines, no entry in sysfs ----------------------------- */

static int open_pty(struct link *link, const char *path)
{
	struct termios tio;
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return link_fail(link, errno, "cannot open %s", path);
	if (tcgetattr(fd, &tio) < 0 || (cfmakeraw(&tio), tcsetattr(fd, TCSANOW, &tio)) < 0) {
		int error = errno;
		close(fd);
		return link_fail(link, error, "cannot make %s raw", path);
	}
	tcflush(fd, TCIFLUSH);
	link->fd = fd;
	return 0;
}

/* --- serial ports ----------------------------------------------------------------------------- */

static int error_of(enum sp_return r)
{
	switch (r) {
	case SP_ERR_ARG: return EINVAL;
	case SP_ERR_MEM: return ENOMEM;
	case SP_ERR_SUPP: return EOPNOTSUPP;
	default: return errno != 0 ? errno : EIO;
	}
}

/* Sets the line; `part` names the setting that failed. */
static enum sp_return set_line(struct sp_port *sp, const struct port *port, const char **part)
{
	static const enum sp_parity parities[] = {[PORT_PARITY_NONE] = SP_PARITY_NONE,
		[PORT_PARITY_EVEN] = SP_PARITY_EVEN,
		[PORT_PARITY_ODD] = SP_PARITY_ODD};
	static const enum sp_flowcontrol flows[] = {[PORT_FLOW_NONE] = SP_FLOWCONTROL_NONE,
		[PORT_FLOW_RTSCTS] = SP_FLOWCONTROL_RTSCTS,
		[PORT_FLOW_XONXOFF] = SP_FLOWCONTROL_XONXOFF};
	enum sp_return r;
	*part = "the baud rate";
	if ((r = sp_set_baudrate(sp, (int)port->baud)) != SP_OK)
		return r;
	*part = "the data bits";
	if ((r = sp_set_bits(sp, (int)port->data_bits)) != SP_OK)
		return r;
	*part = "the parity";
	if ((r = sp_set_parity(sp, parities[port->parity])) != SP_OK)
		return r;
	*part = "the stop bits";
	if ((r = sp_set_stopbits(sp, (int)port->stop_bits)) != SP_OK)
		return r;
	*part = "the flow control";
	return sp_set_flowcontrol(sp, flows[port->flow]);
}

/* Adapters round rates that they cannot make, silently: 28800 must not become 38400. */
static int check_baud(struct link *link, struct sp_port *sp, const struct port *port)
{
	struct sp_port_config *config;
	int wanted = (int)port->baud, baud = 0;
	if (sp_new_config(&config) != SP_OK)
		return -ENOMEM;
	enum sp_return r = sp_get_config(sp, config);
	if (r == SP_OK)
		r = sp_get_config_baudrate(config, &baud);
	sp_free_config(config);
	if (r == SP_OK && abs(baud - wanted) <= wanted / 50)
		return 0;
	snprintf(link->why, sizeof link->why, "%s runs at %d baud instead of %d", port->port, baud,
		wanted);
	return -EINVAL;
}

static int set_up(struct link *link, struct sp_port *sp, const struct port *port)
{
	const char *part;
	int fd;
	enum sp_return r = set_line(sp, port, &part);
	if (r != SP_OK)
		return link_fail(link, error_of(r), "cannot set %s of %s", part, port->port);
	int error = check_baud(link, sp, port);
	if (error < 0)
		return error;
	if (sp_get_port_handle(sp, &fd) != SP_OK)
		return link_fail(link, EIO, "%s has no descriptor", port->port);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return link_fail(link, EBUSY, "%s is used by another program", port->port);
	sp_flush(sp, SP_BUF_BOTH);
	link->fd = fd;
	return 0;
}

/* Drops the output first: if the instrument does not read it, close() blocks for 30 s. */
static void serial_close(struct link *link)
{
	struct sp_port *sp = link->own;
	if (sp == NULL) {
		tcflush(link->fd, TCOFLUSH);
		close(link->fd);
		return;
	}
	sp_flush(sp, SP_BUF_OUTPUT);
	sp_close(sp);
	sp_free_port(sp);
	link->own = NULL;
}

static int open_port(struct link *link, const struct port *port, const char *path)
{
	struct sp_port *sp;
	enum sp_return r = sp_get_port_by_name(path, &sp);
	if (r != SP_OK)
		return link_fail(link, error_of(r), "%s is not a serial port", port->port);
	errno = 0;
	r = sp_open(sp, SP_MODE_READ_WRITE);
	if (r != SP_OK) {
		int error = error_of(r);
		sp_free_port(sp);
		return link_fail(link, error, "cannot open %s", port->port);
	}
	int error = set_up(link, sp, port);
	if (error < 0) {
		sp_close(sp);
		sp_free_port(sp);
		return error;
	}
	link->own = sp;
	link->byte_ns = NS_PER_S * BYTE_BITS / port->baud;
	error = serial_set_up_line(link, port);
	if (error < 0)
		serial_close(link);
	return error;
}

/* ---------------------------------------------------------------------------------------------- */

/*
 * The kernel's own name of the device: libserialport looks it up in sysfs, where the links of udev,
 * such as those in /dev/serial/by-id, are missing.
 */
static int find_name(const struct stat *st, char *path, size_t size)
{
	char link[64], target[512];
	snprintf(link, sizeof link, "/sys/dev/char/%u:%u", major(st->st_rdev), minor(st->st_rdev));
	ssize_t n = readlink(link, target, sizeof target - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	const char *slash = strrchr(target, '/');
	int len = snprintf(path, size, "/dev/%s", slash != NULL ? slash + 1 : target);
	return len < (int)size ? 0 : -ENAMETOOLONG;
}

static int serial_open(struct link *link, const struct port *port)
{
	struct stat st;
	char path[128];
	if (port->port == NULL || stat(port->port, &st) < 0)
		return link_fail(link, port->port != NULL ? errno : EINVAL, "cannot open %s",
			port->port != NULL ? port->port : "a port without path");
	if (!S_ISCHR(st.st_mode))
		return link_fail(link, ENOTTY, "%s is not a serial port", port->port);
	if (major(st.st_rdev) >= PTY_MAJOR_FIRST && major(st.st_rdev) <= PTY_MAJOR_LAST)
		return open_pty(link, port->port);
	int r = find_name(&st, path, sizeof path);
	if (r < 0)
		return link_fail(link, -r, "%s is not a serial port", port->port);
	return open_port(link, port, path);
}

static bool is_hung_up(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/*
 * libserialport sets VMIN to 0: read() then returns 0 also if there is nothing yet.  If the other
 * side of a pseudo-terminal closes, read() fails with EIO.
 */
static ssize_t serial_receive(struct link *link, uint8_t *to, size_t size)
{
	ssize_t n = read(link->fd, to, size);
	if (n > 0)
		return n;
	if (n < 0 && errno != EIO)
		return link_fd_result(link, n);
	if (n == 0 && !is_hung_up(link->fd))
		return -EAGAIN;
	snprintf(link->why, sizeof link->why, "the port was unplugged");
	return -ENODEV;
}

static ssize_t serial_send(struct link *link, const uint8_t *data, size_t len)
{
	ssize_t n = write(link->fd, data, len);
	return n == 0 ? -EAGAIN : link_fd_result(link, n);
}

const struct link_ops link_serial = {
	.open = serial_open,
	.close = serial_close,
	.receive = serial_receive,
	.send = serial_send,
	.line = serial_line,
	.errors = serial_errors,
	.receive_max = PIECE,
};
