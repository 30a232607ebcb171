/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A USB instrument at the level of usbfs: umockdev hands over the ioctls that libusb makes, and
 * this file answers them as the kernel would for a device with one bulk endpoint each way.
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
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "mock.h"
#include "usbfs.h"

#define PACKET       64
#define URBS_MAX     8
#define MESSAGES_MAX 64

/* Device, configuration, interface, two bulk endpoints: as the node and sysfs give them. */
static const char description[] = "P: /devices/pci0000:00/0000:00:14.0/usb1/1-2\n"
				  "N: bus/usb/001/007="
				  "1201000200000040C4102A84000101020301"
				  "0902200001010080FA"
				  "0904000002FF000000"
				  "07058102400000"
				  "07050202400000\n"
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
	size_t len;
};

static UMockdevTestbed *testbed;
static UMockdevIoctlBase *handler;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* under the lock */
static UMockdevIoctlData *waiting[URBS_MAX]; /* submitted and not yet done, in their order */
static UMockdevIoctlData *done[URBS_MAX];
static size_t waiting_count, done_count;
static struct message said[MESSAGES_MAX], heard[MESSAGES_MAX];
static size_t said_count, heard_count;
static bool is_gone, is_claimed, is_cut, is_busy;

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
 * libusb splits a transfer larger than 16 KiB into several URBs.  A short packet ends them all: the
 * following ones, marked as continuations, are not filled, and not taken until a URB without the
 * mark comes.
 */
static void give_message(size_t i)
{
	struct message *m = &said[0];
	size_t at = 0;
	for (;;) {
		struct usbdevfs_urb *urb = urb_of(waiting[i]);
		size_t room = (size_t)urb->buffer_length;
		size_t n = m->len - at < room ? m->len - at : room;
		memcpy(buffer_of(waiting[i]), m->data + at, n);
		finish(i, 0, n);
		at += n;
		bool is_short = n < room;
		bool more = i < waiting_count && urb_of(waiting[i])->endpoint == USBFS_IN &&
			    (urb_of(waiting[i])->flags & USBDEVFS_URB_BULK_CONTINUATION) != 0;
		if (is_short && more)
			finish(i, -EREMOTEIO, 0);
		is_cut = is_short;
		if (is_short || !more)
			break;
	}
	said_count--;
	memmove(said, said + 1, said_count * sizeof *said);
}

static void hear_urb(size_t i)
{
	struct usbdevfs_urb *urb = urb_of(waiting[i]);
	struct message *m = &heard[heard_count];
	size_t n = (size_t)urb->buffer_length;
	bool follows = (urb->flags & USBDEVFS_URB_BULK_CONTINUATION) != 0 && heard_count > 0;
	if (follows)
		m--; /* the rest of a message */
	memcpy(m->data + m->len, buffer_of(waiting[i]), n);
	m->len += n;
	heard_count += !follows;
	finish(i, 0, n);
}

/* Moves all bytes that can be moved; lock held. */
static void run_bus(void)
{
	for (size_t i = 0; i < waiting_count;) {
		bool in = (urb_of(waiting[i])->endpoint & 0x80) != 0;
		if (is_gone) {
			finish(i, -ENODEV, 0);
		} else if (in && said_count > 0) {
			give_message(i);
		} else if (!in && !is_busy) {
			hear_urb(i);
		} else {
			i++;
		}
	}
}

/* --- ioctls ----------------------------------------------------------------------------------- */

static void submit(UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	GError *error = NULL;
	UMockdevIoctlData *data = umockdev_ioctl_data_resolve(
		arg, 0, sizeof(struct usbdevfs_urb), &error);
	mock_check(data != NULL, error);
	bool follows = (urb_of(data)->flags & USBDEVFS_URB_BULK_CONTINUATION) != 0;
	bool in = urb_of(data)->endpoint == USBFS_IN;
	int refusal = is_gone                                    ? ENODEV
		      : in && follows && is_cut                  ? EREMOTEIO
		      : !is_claimed || waiting_count == URBS_MAX ? EINVAL
								 : 0;
	if (refusal != 0) {
		umockdev_ioctl_client_complete(client, -1, refusal);
		g_object_unref(data);
		return;
	}
	is_cut = is_cut && !in;
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

static void claim(UMockdevIoctlClient *client, bool on)
{
	is_claimed = on;
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
	case USBDEVFS_GET_CAPABILITIES:
		answer_value(client, arg, &capabilities, sizeof capabilities);
		break;
	case USBDEVFS_GET_SPEED: umockdev_ioctl_client_complete(client, 3, 0); break;
	case USBDEVFS_CONTROL: control(client, arg); break;
	case USBDEVFS_CLAIMINTERFACE:
	case USBDEVFS_DISCONNECT_CLAIM: claim(client, true); break;
	case USBDEVFS_RELEASEINTERFACE: claim(client, false); break;
	case USBDEVFS_GETDRIVER: umockdev_ioctl_client_complete(client, -1, ENODATA); break;
	case USBDEVFS_IOCTL:
	case USBDEVFS_CLEAR_HALT: umockdev_ioctl_client_complete(client, 0, 0); break;
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
	is_gone = is_claimed = is_cut = is_busy = false;
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
	waiting_count = done_count = said_count = heard_count = 0;
}

void usbfs_say(const void *data, size_t len)
{
	pthread_mutex_lock(&lock);
	assert_true(len <= USBFS_MESSAGE_MAX && said_count < MESSAGES_MAX);
	memcpy(said[said_count].data, data, len);
	said[said_count++].len = len;
	run_bus();
	pthread_mutex_unlock(&lock);
}

size_t usbfs_hear(void *to, size_t size)
{
	size_t n = 0;
	pthread_mutex_lock(&lock);
	if (heard_count > 0) {
		n = heard[0].len;
		assert_true(n <= size);
		memcpy(to, heard[0].data, n);
		memmove(heard, heard + 1, --heard_count * sizeof *heard);
		heard[heard_count].len = 0;
	}
	pthread_mutex_unlock(&lock);
	return n;
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
