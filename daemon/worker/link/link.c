/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "worker/link/link.h"

/* Of http and the Modbus kinds the stream below. */
static const struct {
	unsigned kind;
	const struct link_ops *ops;
} links[] = {
	{ASSAY_LINK_NONE, &link_none},
	{ASSAY_LINK_TCP, &link_tcp},
	{ASSAY_LINK_HTTP, &link_tcp},
	{ASSAY_LINK_UDP, &link_udp},
	{ASSAY_LINK_SERIAL, &link_serial},
	{ASSAY_LINK_USB, &link_usb},
	{ASSAY_LINK_FOLDER, &link_folder},
	{ASSAY_LINK_MODBUS_RTU, &link_serial},
	{ASSAY_LINK_MODBUS_TCP, &link_tcp},
};

int link_open(struct link *link, const struct port *port)
{
	*link = (struct link){.fd = -1};
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		if (links[i].kind == port->kind)
			link->ops = links[i].ops;
	}
	if (port->playback != NULL)
		link->ops = &link_playback;
	if (link->ops == NULL)
		return link_fail(link, EPROTONOSUPPORT, "link of kind %u", port->kind);
	int r = link->ops->open(link, port);
	if (r < 0)
		link->ops = NULL;
	return r;
}

void link_close(struct link *link)
{
	if (link->ops == NULL)
		return;
	if (link->ops->close != NULL)
		link->ops->close(link);
	else if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->ops = NULL;
}

int link_fail(struct link *link, int error, const char *format, ...)
{
	char what[140];
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	snprintf(link->why, sizeof link->why, "%s: %s", what, strerror(error));
	return -error;
}

ssize_t link_fd_result(struct link *link, ssize_t n)
{
	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n == 0)
		snprintf(link->why, sizeof link->why, "the other side closed the connection");
	else
		link_fail(link, errno, "the connection failed");
	return -ENODEV;
}

static int none_open(struct link *link, const struct port *port)
{
	return 0;
}

static int none_watch(
	struct link *link, bool reading, bool writing, struct pollfd *fds, int *timeout_ms)
{
	return 0;
}

static ssize_t none_receive(struct link *link, uint8_t *to, size_t size)
{
	return -EAGAIN;
}

static ssize_t none_send(struct link *link, const uint8_t *data, size_t len)
{
	return -EMSGSIZE;
}

const struct link_ops link_none = {
	.open = none_open,
	.watch = none_watch,
	.receive = none_receive,
	.send = none_send,
};
