/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usb-bus [--device SOCKET]... PROGRAM ARG...: under umockdev-wrapper, runs a program on a machine
 * with USB devices.  Each socket is that of an assay-sim with --usb-socket; its device is plugged in
 * while the simulator accepts the connection.  Without any there is the device of usbfs.h, which is
 * silent.
 *
 * Messages of the socket: first the descriptors of the device and of its configuration, the text of its
 * serial number with a NUL, "" for none, and the descriptor of its reports, if it has any (HID).  Then
 * one transfer each, behind the address of its endpoint; an address to the host goes back
 * alone when the host has taken the transfer.
 */
#include <errno.h>
#include <linux/hid.h>
#include <linux/usb/ch9.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <assay/driver.h>

#include "usb/device.h"
#include "usbfs.h"

#define REMOTES_MAX 8
#define MESSAGE_MAX 65537
#define RETRY_MS    10

static struct remote {
	const char *path;
	unsigned port;
	int fd; /* -1: not connected */
	struct usb_device *device;
	uint8_t report[512]; /* the descriptor */
	size_t report_len;
} remotes[REMOTES_MAX];

static size_t remote_count;

/* A transfer of the host; simulators always read. */
static void hear(void *context, unsigned address, const uint8_t *data, size_t len)
{
	struct remote *r = context;
	uint8_t head = (uint8_t)address;
	struct iovec parts[] = {{&head, 1}, {(void *)(uintptr_t)data, len}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t n = sendmsg(r->fd, &message, MSG_NOSIGNAL);
	(void)n; /* it left: the bytes are lost, as on a cable */
}

static void taken(void *context, unsigned address)
{
	hear(context, address, NULL, 0);
}

/* HID 1.11, 7.1.1: the host reads the descriptor of the reports; all else is refused. */
static int control(void *context, const uint8_t setup[8], uint8_t *data, size_t size)
{
	const struct remote *r = context;
	if (r->report_len == 0 || setup[0] != (USB_DIR_IN | USB_RECIP_INTERFACE) ||
		setup[1] != USB_REQ_GET_DESCRIPTOR || setup[3] != HID_DT_REPORT || setup[2] != 0)
		return -EPIPE;
	size_t n = r->report_len < size ? r->report_len : size;
	memcpy(data, r->report, n);
	return (int)n;
}

static void unplug(struct remote *r)
{
	if (r->device != NULL)
		usb_unplug(r->device);
	r->device = NULL;
	close(r->fd);
	r->fd = -1;
}

static void plug(struct remote *r, const uint8_t *hello, size_t len)
{
	size_t described = USB_DT_DEVICE_SIZE;
	if (len >= USB_DT_DEVICE_SIZE + USB_DT_CONFIG_SIZE)
		described += hello[USB_DT_DEVICE_SIZE + 2] | (size_t)hello[USB_DT_DEVICE_SIZE + 3]
								     << 8;
	const uint8_t *end = described < len ? memchr(hello + described, 0, len - described) : NULL;
	size_t reports = end != NULL ? len - (size_t)(end + 1 - hello) : 0;
	if (described == USB_DT_DEVICE_SIZE || end == NULL || reports > sizeof r->report) {
		fprintf(stderr, "usb-bus: %s: not a device\n", r->path);
		exit(2);
	}
	r->report_len = reports;
	memcpy(r->report, end + 1, reports);
	const char *serial = (const char *)hello + described;
	r->device = usb_plug(&(struct usb_plug){.descriptors = hello,
		.len = described,
		.serial = *serial != '\0' ? serial : NULL,
		.port = r->port,
		.context = r,
		.hear = hear,
		.taken = taken,
		.control = control});
}

static void take_message(struct remote *r)
{
	static uint8_t message[MESSAGE_MAX];
	ssize_t n = recv(r->fd, message, sizeof message, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		unplug(r);
	} else if (r->device == NULL) {
		plug(r, message, (size_t)n);
	} else {
		usb_send(r->device, message[0], message + 1, (size_t)n - 1);
	}
}

static void reach(struct remote *r)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", r->path);
	r->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(r->fd, (struct sockaddr *)&address, sizeof address) < 0) {
		close(r->fd);
		r->fd = -1;
	}
}

/* Waits for all devices, each of which may come and go, until a signal comes: its number. */
static int serve(int signals)
{
	struct signalfd_siginfo info;
	struct pollfd fds[REMOTES_MAX + 1];
	for (;;) {
		bool all = true;
		for (size_t i = 0; i < remote_count; i++) {
			if (remotes[i].fd < 0)
				reach(&remotes[i]);
			all = all && remotes[i].fd >= 0;
			fds[i] = (struct pollfd){.fd = remotes[i].fd, .events = POLLIN};
		}
		fds[remote_count] = (struct pollfd){.fd = signals, .events = POLLIN};
		poll(fds, remote_count + 1, all ? -1 : RETRY_MS);
		for (size_t i = 0; i < remote_count; i++)
			if (remotes[i].fd >= 0 && fds[i].revents != 0)
				take_message(&remotes[i]);
		if (fds[remote_count].revents != 0 &&
			read(signals, &info, sizeof info) == sizeof info)
			return (int)info.ssi_signo;
	}
}

static pid_t start(char **argv, const sigset_t *blocked)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	sigprocmask(SIG_UNBLOCK, blocked, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(argv[0], argv);
	_exit(127);
}

int main(int argc, char **argv)
{
	static const int passed[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	struct port port;
	sigset_t blocked;
	int status, at = 1;
	for (; at + 1 < argc && strcmp(argv[at], "--device") == 0; at += 2) {
		if (remote_count == REMOTES_MAX)
			return 2;
		remotes[remote_count] = (struct remote){
			.path = argv[at + 1], .port = (unsigned)remote_count + 1, .fd = -1};
		remote_count++;
	}
	if (at >= argc)
		return 2;
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
		sigaddset(&blocked, passed[i]);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	int signals = signalfd(-1, &blocked, SFD_CLOEXEC);
	if (remote_count == 0)
		usbfs_make(&port);
	else
		usb_open();
	pid_t child = start(argv + at, &blocked);
	while (waitpid(child, &status, WNOHANG) != child) {
		int number = serve(signals);
		if (number != SIGCHLD)
			kill(child, number);
	}
	usb_close();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
