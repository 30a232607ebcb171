/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A USB instrument at the level of usbfs: umockdev hands over the ioctls that libusb makes, and
 * this file answers them as the kernel would for a device with these endpoints.  Bytes move in
 * packets.
 *
 * The ioctls come on umockdev's own thread; the data shared with the test is under `lock`.
 */
#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "mock.h"
#include "usbfs.h"

#define PACKET       64
#define URBS_MAX     1024
#define MESSAGES_MAX 64
#define INTERFACE    0 /* and interface 1 belongs to another program */

/* Device, configuration, two interfaces, endpoints: as the node and sysfs give them. */
static const char description[] = "P: /devices/pci0000:00/0000:00:14.0/usb1/1-2\n"
				  "N: bus/usb/001/007="
				  "1201000200000040C4102A84000101020301"
				  "09023E0002010080FA"
				  "0904000005FF000000"
				  "07058102400000"
				  "07050202400000"
				  "07058302400000"
				  "07058403400001"
				  "07050502400000"
				  "0904010000FF000000\n"
				  "E: SUBSYSTEM=usb\n"
				  "E: DEVTYPE=usb_device\n"
				  "E: DEVNAME=/dev/bus/usb/001/007\n"
				  "E: BUSNUM=001\n"
				  "E: DEVNUM=007\n"
				  "E: MAJOR=189\n"
				  "E: MINOR=6\n"
				  "A: idVendor=10c4\\n\n"
				  "A: idProduct=842a\\n\n"
				  "A: busnum=1\\n\n"
				  "A: devnum=7\\n\n"
				  "A: serial=DP5-2524\\n\n"
				  "A: speed=480\\n\n";

struct message {
	uint8_t data[USBFS_MESSAGE_MAX];
	size_t len, at; /* `at`: sent */
};

static UMockdevTestbed *testbed;
static UMockdevIoctlBase *handler;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* under the lock */
static UMockdevIoctlData *waiting[URBS_MAX]; /* submitted and not yet done, in their order */
static UMockdevIoctlData *done[URBS_MAX];
static size_t waiting_count, done_count;

static struct pipe {
	uint8_t address;
	bool is_interrupt, is_halted;
	struct message *messages; /* to the host, or from it */
	size_t count;
} pipes[] = {
	{.address = USBFS_IN},
	{.address = USBFS_OUT},
	{.address = USBFS_STREAM},
	{.address = USBFS_REPORT, .is_interrupt = true},
	{.address = USBFS_OUT_2},
};

#define PIPES (sizeof pipes / sizeof pipes[0])

static bool is_gone, is_claimed, is_busy, has_dropped_rights;
static usbfs_on_control *on_control;

static struct pipe *pipe_of(unsigned address)
{
	for (size_t i = 0; i < PIPES; i++)
		if (pipes[i].address == address)
			return &pipes[i];
	return NULL;
}

/* A new message at the end of the pipe's. */
static struct message *add_message(struct pipe *pipe)
{
	assert_true(pipe->count < MESSAGES_MAX);
	struct message *m = &pipe->messages[pipe->count++];
	m->len = m->at = 0;
	return m;
}

static void drop_message(struct pipe *pipe)
{
	pipe->count--;
	memmove(pipe->messages, pipe->messages + 1, pipe->count * sizeof *pipe->messages);
}

static struct usbdevfs_urb *urb_of(UMockdevIoctlData *data)
{
	return (struct usbdevfs_urb *)(void *)data->data;
}

static UMockdevIoctlData *take(UMockdevIoctlData **list, size_t *count, size_t i)
{
	UMockdevIoctlData *data = list[i];
	memmove(list + i, list + i + 1, (*count - i - 1) * sizeof *list);
	(*count)--;
	return data;
}

static void finish(size_t i, int status, size_t len)
{
	UMockdevIoctlData *data = take(waiting, &waiting_count, i);
	urb_of(data)->status = status;
	urb_of(data)->actual_length = (int)len;
	done[done_count++] = data;
}

static uint8_t *buffer_of(UMockdevIoctlData *data)
{
	GError *error = NULL;
	UMockdevIoctlData *buffer = umockdev_ioctl_data_resolve(data,
		offsetof(struct usbdevfs_urb, buffer), (gsize)urb_of(data)->buffer_length, &error);
	mock_check(buffer != NULL, error);
	uint8_t *bytes = buffer->data; /* belongs to `data` as well */
	g_object_unref(buffer);
	return bytes;
}

/* --- the bus ---------------------------------------------------------------------------------- */

/*
 * One packet to the host.  It ends the transfer if it is short or fills it; one that does not fit is
 * an overflow, as on a real bus.
 */
static void give_packet(size_t i, const uint8_t *data, size_t len)
{
	struct usbdevfs_urb *urb = urb_of(waiting[i]);
	size_t have = (size_t)urb->actual_length;
	if (have + len > (size_t)urb->buffer_length) {
		finish(i, -EOVERFLOW, have);
		return;
	}
	if (len > 0)
		memcpy(buffer_of(waiting[i]) + have, data, len);
	urb->actual_length = (int)(have + len);
	if (len < PACKET || have + len == (size_t)urb->buffer_length)
		finish(i, 0, have + len);
}

/* The next packet of the oldest message; the device sends no empty one after whole packets. */
static void give_next(size_t i, struct pipe *pipe)
{
	struct message *m = &pipe->messages[0];
	size_t n = m->len - m->at < PACKET ? m->len - m->at : PACKET;
	give_packet(i, m->data + m->at, n);
	m->at += n;
	if (m->at == m->len)
		drop_message(pipe);
}

static void hear_urb(size_t i, struct pipe *pipe)
{
	struct usbdevfs_urb *urb = urb_of(waiting[i]);
	size_t n = (size_t)urb->buffer_length;
	bool follows = (urb->flags & USBDEVFS_URB_BULK_CONTINUATION) != 0 && pipe->count > 0;
	struct message *m = follows ? &pipe->messages[pipe->count - 1] : add_message(pipe);
	memcpy(m->data + m->len, buffer_of(waiting[i]), n);
	m->len += n;
	finish(i, 0, n);
}

/* The device's answer to a request: bytes moved, or -EPIPE. */
static void answer_control(size_t i)
{
	struct usbdevfs_urb *urb = urb_of(waiting[i]);
	uint8_t *bytes = buffer_of(waiting[i]);
	int n = on_control != NULL ? on_control(bytes, bytes + 8, (size_t)urb->buffer_length - 8)
				   : -EPIPE;
	finish(i, n < 0 ? n : 0, n < 0 ? 0 : (size_t)n);
}

/* Moves all bytes that can be moved; lock held. */
static void run_bus(void)
{
	for (size_t i = 0; i < waiting_count;) {
		struct pipe *pipe = pipe_of(urb_of(waiting[i])->endpoint);
		bool in = pipe != NULL && (pipe->address & 0x80) != 0;
		if (is_gone)
			finish(i, -ENODEV, 0);
		else if (pipe == NULL)
			answer_control(i);
		else if (pipe->is_halted)
			finish(i, -EPIPE, 0);
		else if (in && pipe->count > 0)
			give_next(i, pipe);
		else if (!in && !is_busy)
			hear_urb(i, pipe);
		else
			i++;
	}
}

/* --- ioctls ----------------------------------------------------------------------------------- */

/* As the checks of usbfs in the kernel: 0, or the errno. */
static int refusal(const struct usbdevfs_urb *urb)
{
	const struct pipe *pipe = pipe_of(urb->endpoint);
	if (is_gone)
		return ENODEV;
	if (!is_claimed || waiting_count == URBS_MAX)
		return EINVAL;
	if (urb->type == USBDEVFS_URB_TYPE_CONTROL)
		return urb->endpoint == 0 && urb->buffer_length >= 8 ? 0 : EINVAL;
	if (pipe == NULL)
		return ENOENT;
	if (urb->type !=
		(pipe->is_interrupt ? USBDEVFS_URB_TYPE_INTERRUPT : USBDEVFS_URB_TYPE_BULK))
		return EINVAL;
	return 0;
}

static void submit(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	GError *error = NULL;
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(
		arg, 0, sizeof(struct usbdevfs_urb), &error);
	mock_check(data != NULL, error);
	int refused = refusal(urb_of(data));
	if (refused != 0) {
		umockdev_ioctl_client_complete(client, -1, refused);
		g_object_unref(data);
		return;
	}
	urb_of(data)->actual_length = 0;
	if (urb_of(data)->buffer_length > 0)
		buffer_of(data);
	waiting[waiting_count++] = data;
	run_bus();
	umockdev_ioctl_client_complete(client, 0, 0);
}

static void reap(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	if (done_count == 0) {
		umockdev_ioctl_client_complete(client, -1, is_gone ? ENODEV : EAGAIN);
		return;
	}
	UMockdevIoctlData *data = take(done, &done_count, 0);
	GError *error = NULL;
	UMockdevIoctlData *slot = umockdev_ioctl_data_resolve(arg, 0, sizeof(void *), &error);
	mock_check(slot != NULL, error);
	umockdev_ioctl_data_set_ptr(slot, 0, data);
	umockdev_ioctl_client_complete(client, 0, 0);
	g_object_unref(slot);
	g_object_unref(data);
}

static void discard(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	gulong address = *(gulong *)(void *)arg->data;
	for (size_t i = 0; i < waiting_count; i++) {
		if (waiting[i]->client_addr == address) {
			finish(i, -ENOENT, 0);
			umockdev_ioctl_client_complete(client, 0, 0);
			return;
		}
	}
	umockdev_ioctl_client_complete(client, -1, EINVAL);
}

/* GET_CONFIGURATION is the only control transfer that libusb makes here. */
static void control(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	GError *error = NULL;
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(
		arg, 0, sizeof(struct usbdevfs_ctrltransfer), &error);
	mock_check(data != NULL, error);
	struct usbdevfs_ctrltransfer *transfer = (void *)data->data;
	if (transfer->bRequest != 8 || transfer->wLength != 1) {
		umockdev_ioctl_client_complete(client, -1, EPIPE);
	} else {
		UMockdevIoctlData *value = umockdev_ioctl_data_resolve(
			data, offsetof(struct usbdevfs_ctrltransfer, data), 1, &error);
		mock_check(value != NULL, error);
		value->data[0] = 1;
		umockdev_ioctl_client_complete(client, 1, 0);
		g_object_unref(value);
	}
	g_object_unref(data);
}

static void answer_value(
	UMockdevIoctlClient *client, UMockdevIoctlData *arg, const void *value, size_t size)
{
	GError *error = NULL;
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(arg, 0, size, &error);
	mock_check(data != NULL, error);
	memcpy(data->data, value, size);
	umockdev_ioctl_client_complete(client, 0, 0);
	g_object_unref(data);
}

static void refuse_or_do(UMockdevIoctlClient *client, int refused)
{
	umockdev_ioctl_client_complete(client, refused != 0 ? -1 : 0, refused);
}

static unsigned number_at(UMockdevIoctlData *arg)
{
	GError *error = NULL;
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(arg, 0, sizeof(unsigned), &error);
	mock_check(data != NULL, error);
	unsigned number = *(unsigned *)(void *)data->data;
	g_object_unref(data);
	return number;
}

static void claim(UMockdevIoctlClient *client, UMockdevIoctlData *arg, bool on)
{
	unsigned number = number_at(arg);
	int refused = number != INTERFACE ? (has_dropped_rights ? EACCES : EBUSY) : 0;
	is_claimed = refused == 0 ? on : is_claimed;
	refuse_or_do(client, refused);
}

static void clear_halt(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	struct pipe *pipe = pipe_of(number_at(arg));
	bool is_known = pipe != NULL && is_claimed;
	if (is_known)
		pipe->is_halted = false;
	refuse_or_do(client, is_known ? 0 : ENOENT);
}

static void drop_rights(UMockdevIoctlClient *client)
{
	has_dropped_rights = true;
	umockdev_ioctl_client_complete(client, 0, 0);
}

static gboolean on_ioctl(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer user)
{
	static const struct usbdevfs_connectinfo connected = {.devnum = 7};
	static const uint32_t capabilities = USBDEVFS_CAP_ZERO_PACKET |
					     USBDEVFS_CAP_BULK_CONTINUATION |
					     USBDEVFS_CAP_NO_PACKET_SIZE_LIM;
	UMockdevIoctlData *arg = umockdev_ioctl_client_get_arg(client);
	gboolean handled = TRUE;
	pthread_mutex_lock(&lock);
	switch (umockdev_ioctl_client_get_request(client)) {
	case USBDEVFS_CONNECTINFO: answer_value(client, arg, &connected, sizeof connected); break;
	case USBDEVFS_GET_CAPABILITIES: /* first on each descriptor, which has the rights */
		has_dropped_rights = false;
		answer_value(client, arg, &capabilities, sizeof capabilities);
		break;
	case USBDEVFS_GET_SPEED: umockdev_ioctl_client_complete(client, 3, 0); break;
	case USBDEVFS_CONTROL: control(client, arg); break;
	case USBDEVFS_CLAIMINTERFACE: claim(client, arg, true); break;
	case USBDEVFS_RELEASEINTERFACE: claim(client, arg, false); break;
	case USBDEVFS_GETDRIVER: refuse_or_do(client, ENODATA); break;
	case USBDEVFS_IOCTL: refuse_or_do(client, has_dropped_rights ? EACCES : ENODATA); break;
	case USBDEVFS_CLEAR_HALT: clear_halt(client, arg); break;
	case USBDEVFS_DROP_PRIVILEGES: drop_rights(client); break;
	case USBDEVFS_SUBMITURB: submit(client, arg); break;
	case USBDEVFS_REAPURB:
	case USBDEVFS_REAPURBNDELAY: reap(client, arg); break;
	case USBDEVFS_DISCARDURB: discard(client, arg); break;
	default: handled = FALSE; break;
	}
	pthread_mutex_unlock(&lock);
	return handled;
}

/* --- the device ------------------------------------------------------------------------------- */

void usbfs_make(struct port *port)
{
	GError *error = NULL;
	testbed = umockdev_testbed_new();
	mock_check(umockdev_testbed_add_from_string(testbed, description, &error), error);
	handler = umockdev_ioctl_base_new();
	g_signal_connect(handler, "handle-ioctl", G_CALLBACK(on_ioctl), NULL);
	mock_check(umockdev_testbed_attach_ioctl(testbed, "/dev/bus/usb/001/007", handler, &error),
		error);
	is_gone = is_claimed = is_busy = has_dropped_rights = false;
	on_control = NULL;
	for (size_t i = 0; i < PIPES; i++) {
		pipes[i].is_halted = false;
		pipes[i].count = 0;
		pipes[i].messages = malloc(MESSAGES_MAX * sizeof *pipes[i].messages);
		assert_non_null(pipes[i].messages);
	}
	port_init(port, NULL, port_kind_of(ASSAY_LINK_USB));
	port->vid = 0x10c4;
	port->pid = 0x842a;
	port->serial = "DP5-2524";
	port->in = USBFS_IN;
	port->out = USBFS_OUT;
}

void usbfs_drop(void)
{
	g_object_unref(handler);
	g_object_unref(testbed);
	for (size_t i = 0; i < waiting_count; i++)
		g_object_unref(waiting[i]);
	for (size_t i = 0; i < done_count; i++)
		g_object_unref(done[i]);
	waiting_count = done_count = 0;
	for (size_t i = 0; i < PIPES; i++)
		free(pipes[i].messages);
}

void usbfs_send(unsigned address, const void *data, size_t len)
{
	pthread_mutex_lock(&lock);
	assert_true(len <= USBFS_MESSAGE_MAX);
	struct message *m = add_message(pipe_of(address));
	memcpy(m->data, data, len);
	m->len = len;
	run_bus();
	pthread_mutex_unlock(&lock);
}

void usbfs_say(const void *data, size_t len)
{
	usbfs_send(USBFS_IN, data, len);
}

bool usbfs_send_packet(unsigned address, const void *data, size_t len)
{
	bool is_taken = false;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < waiting_count && !is_taken; i++) {
		is_taken = urb_of(waiting[i])->endpoint == address;
		if (is_taken)
			give_packet(i, data, len);
	}
	pthread_mutex_unlock(&lock);
	return is_taken;
}

size_t usbfs_hear_at(unsigned address, void *to, size_t size)
{
	size_t n = 0;
	struct pipe *pipe = pipe_of(address);
	pthread_mutex_lock(&lock);
	if (pipe->count > 0) {
		n = pipe->messages[0].len;
		assert_true(n <= size);
		memcpy(to, pipe->messages[0].data, n);
		drop_message(pipe);
	}
	pthread_mutex_unlock(&lock);
	return n;
}

size_t usbfs_hear(void *to, size_t size)
{
	return usbfs_hear_at(USBFS_OUT, to, size);
}

void usbfs_halt(unsigned address)
{
	pthread_mutex_lock(&lock);
	pipe_of(address)->is_halted = true;
	run_bus();
	pthread_mutex_unlock(&lock);
}

void usbfs_set_control(usbfs_on_control *answer)
{
	pthread_mutex_lock(&lock);
	on_control = answer;
	pthread_mutex_unlock(&lock);
}

bool usbfs_has_rights(void)
{
	pthread_mutex_lock(&lock);
	bool has = !has_dropped_rights;
	pthread_mutex_unlock(&lock);
	return has;
}

void usbfs_leave(void)
{
	pthread_mutex_lock(&lock);
	is_gone = true;
	run_bus();
	pthread_mutex_unlock(&lock);
}

void usbfs_refuse(bool on)
{
	pthread_mutex_lock(&lock);
	is_busy = on;
	run_bus();
	pthread_mutex_unlock(&lock);
}
