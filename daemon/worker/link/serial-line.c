/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line of a serial port beside its bytes: modem lines, break, baud rate, errors that the receiver
 * counts.  By ioctls that the filter of calls lets pass for serial links; libserialport makes others.
 */
#include <asm/termbits.h>
#include <errno.h>
#include <linux/serial.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "worker/link/serial.h"

_Static_assert(sizeof(struct termios2) == 44, "TCGETS2_ in confine-plan.c has this size");

#define BYTE_BITS 10 /* as in serial.c */

static int fail(struct link *link, const char *action)
{
	if (errno == ENOTTY || errno == EINVAL)
		return link_fail(link, ENOTSUP, "this adapter cannot %s", action);
	if (errno == EIO || errno == ENODEV) {
		snprintf(link->why, sizeof link->why, "the port was unplugged");
		return -ENODEV;
	}
	return link_fail(link, errno, "cannot %s", action);
}

static int set_modem(struct link *link, int bit, bool on, const char *action)
{
	return ioctl(link->fd, on ? TIOCMBIS : TIOCMBIC, &bit) < 0 ? fail(link, action) : 0;
}

/* An adapter that cannot make the rate takes the next one that it can, silently. */
static int set_baud(struct link *link, int baud)
{
	struct termios2 tio;
	if (baud < 50 || baud > 4000000)
		return link_fail(link, EINVAL, "%d is no baud rate", baud);
	if (ioctl(link->fd, TCGETS2, &tio) < 0)
		return fail(link, "read the baud rate");
	tio.c_cflag = (tio.c_cflag & ~((tcflag_t)CBAUD | (tcflag_t)CBAUD << IBSHIFT)) | BOTHER |
		      BOTHER << IBSHIFT;
	tio.c_ispeed = tio.c_ospeed = (speed_t)baud;
	if (ioctl(link->fd, TCSETS2, &tio) < 0 || ioctl(link->fd, TCGETS2, &tio) < 0)
		return fail(link, "change the baud rate");
	if (abs((int)tio.c_ospeed - baud) > baud / 50)
		return link_fail(link, EINVAL, "the adapter makes %u baud instead of %d",
			tio.c_ospeed, baud);
	link->byte_ns = NS_PER_S * BYTE_BITS / (unsigned)baud;
	return 0;
}

static int read_modem(struct link *link)
{
	int bits;
	if (ioctl(link->fd, TIOCMGET, &bits) < 0)
		return fail(link, "read the modem lines");
	return ((bits & TIOCM_DSR) != 0 ? ASSAY_LINE_HAS_DSR : 0) |
	       ((bits & TIOCM_CTS) != 0 ? ASSAY_LINE_HAS_CTS : 0) |
	       ((bits & TIOCM_CD) != 0 ? ASSAY_LINE_HAS_DCD : 0) |
	       ((bits & TIOCM_RI) != 0 ? ASSAY_LINE_HAS_RI : 0);
}

/* Whether output waits; what the adapter cannot report counts as sent. */
static int has_output(struct link *link)
{
	int waiting = 0, empty = TIOCSER_TEMT;
	if (ioctl(link->fd, TIOCOUTQ, &waiting) < 0)
		return fail(link, "read the output that waits");
	return waiting > 0 ||
	       (ioctl(link->fd, TIOCSERGETLSR, &empty) == 0 && (empty & TIOCSER_TEMT) == 0);
}

int serial_line(struct link *link, int act, int value)
{
	if (link->own == NULL)
		return link_fail(link, ENOTSUP, "a pseudo-terminal has no line");
	switch (act) {
	case ASSAY_LINE_DTR: return set_modem(link, TIOCM_DTR, value != 0, "set DTR");
	case ASSAY_LINE_RTS: return set_modem(link, TIOCM_RTS, value != 0, "set RTS");
	case ASSAY_LINE_BAUD: return set_baud(link, value);
	case ASSAY_LINE_READ: return read_modem(link);
	case ASSAY_LINE_BREAK:
		return ioctl(link->fd, value != 0 ? TIOCSBRK : TIOCCBRK) < 0
			       ? fail(link, "send a break")
			       : 0;
	case LINK_LINE_OUTPUT: return has_output(link);
	}
	return link_fail(link, EINVAL, "the line has no action %d", act);
}

static bool read_counts(struct link *link, struct serial_icounter_struct *counts)
{
	return link->own != NULL && ioctl(link->fd, TIOCGICOUNT, counts) == 0;
}

/* The system's counts run on from an earlier opening. */
struct link_errors serial_errors(struct link *link)
{
	struct serial_icounter_struct counts;
	struct link_errors now = {0}, before = link->counted;
	if (!read_counts(link, &counts))
		return now;
	now = (struct link_errors){(unsigned)counts.parity, (unsigned)counts.frame,
		(unsigned)counts.overrun + (unsigned)counts.buf_overrun, (unsigned)counts.brk};
	link->counted = now;
	return (struct link_errors){now.parity - before.parity, now.framing - before.framing,
		now.overrun - before.overrun, now.breaks - before.breaks};
}

int serial_set_up_line(struct link *link, const struct port *port)
{
	struct termios2 tio;
	serial_errors(link); /* from here on */
	if (port->dtr == PORT_DTR_KEPT) {
		if (ioctl(link->fd, TCGETS2, &tio) < 0)
			return fail(link, "read the settings of the line");
		tio.c_cflag &= ~(tcflag_t)HUPCL;
		if (ioctl(link->fd, TCSETS2, &tio) < 0)
			return fail(link, "keep DTR on");
	}
	int r = port->dtr == PORT_DTR_OFF ? set_modem(link, TIOCM_DTR, false, "set DTR") : 0;
	if (r == 0 && port->rts == PORT_RTS_OFF)
		r = set_modem(link, TIOCM_RTS, false, "set RTS");
	return r;
}
