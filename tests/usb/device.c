/* SPDX-License-Identifier: Apache-2.0 */
/*
 * umockdev hands over the ioctls that libusb makes, and this file answers them as the kernel would for
 * devices with these endpoints.
 *
 * The ioctls come on umockdev's own thread; all data is under `lock`.
 */
#include "device.h"

#include <errno.h>
#include <limits.h>
#include <linux/usb/ch9.h>
#include <linux/usbdevice_fs.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>
#include <glib/gstdio.h>

#include "mock.h"

#define URBS_MAX      1024
#define PIPES_MAX     8
#define DEVICES_MAX   99
#define INTERFACE     0 /* and others belong to another program */
#define DESCRIBED_MAX 512
#define CONTROL_MAX   4096

struct pipe {
	uint8_t address;
	bool is_interrupt, is_halted;
	size_t packet;
	GQueue messages; /* of GByteArray, to the host, or from it */
	size_t sent;     /* bytes of the first one */
};

struct usb_device {
	struct usb_plug plug;
	char syspath[80];
	unsigned number;
	UMockdevIoctlBase *handler;
	struct pipe pipes[PIPES_MAX];
	size_t pipe_count;
	UMockdevIoctlData *waiting[URBS_MAX]; /* submitted and not yet done, in their order */
	UMockdevIoctlData *done[URBS_MAX];
	size_t waiting_count, done_count;
	bool is_gone, is_claimed, is_busy, has_dropped_rights;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static UMockdevTestbed *testbed;
static struct usb_device *devices[DEVICES_MAX]; /* each that was ever plugged in */
static unsigned device_count;

static struct pipe *pipe_of(struct usb_device *d, unsigned address)
{
	for (size_t i = 0; i < d->pipe_count; i++)
		if (d->pipes[i].address == address)
			return &d->pipes[i];
	return NULL;
}

static void add_message(struct pipe *pipe, const void *data, size_t len)
{
	GByteArray *m = g_byte_array_new();
	g_byte_array_append(m, data, (guint)len);
	g_queue_push_tail(&pipe->messages, m);
}

static void drop_message(struct pipe *pipe)
{
	g_byte_array_unref(g_queue_pop_head(&pipe->messages));
	pipe->sent = 0;
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

static void finish(struct usb_device *d, size_t i, int status, size_t len)
{
	UMockdevIoctlData *data = take(d->waiting, &d->waiting_count, i);
	urb_of(data)->status = status;
	urb_of(data)->actual_length = (int)len;
	d->done[d->done_count++] = data;
}

/* The memory of the process behind a pointer at `offset`; NULL if the process was killed meanwhile. */
static UMockdevIoctlData *resolve(UMockdevIoctlData *data, size_t offset, size_t size)
{
	GError *error = NULL;
	UMockdevIoctlData *found = umockdev_ioctl_data_resolve(data, offset, size, &error);
	g_clear_error(&error);
	return found;
}

static uint8_t *buffer_of(UMockdevIoctlData *data)
{
	UMockdevIoctlData *buffer = resolve(
		data, offsetof(struct usbdevfs_urb, buffer), (size_t)urb_of(data)->buffer_length);
	if (buffer == NULL)
		return NULL;
	uint8_t *bytes = buffer->data; /* belongs to `data` as well */
	g_object_unref(buffer);
	return bytes;
}

/* --- the bus ---------------------------------------------------------------------------------- */

/*
 * One packet to the host.  It ends the transfer if it is short or fills it; one that does not fit is
 * an overflow, as on a real bus.
 */
static void give_packet(
	struct usb_device *d, const struct pipe *pipe, size_t i, const uint8_t *data, size_t len)
{
	struct usbdevfs_urb *urb = urb_of(d->waiting[i]);
	size_t have = (size_t)urb->actual_length;
	if (have + len > (size_t)urb->buffer_length) {
		finish(d, i, -EOVERFLOW, have);
		return;
	}
	if (len > 0)
		memcpy(buffer_of(d->waiting[i]) + have, data, len);
	urb->actual_length = (int)(have + len);
	if (len < pipe->packet || have + len == (size_t)urb->buffer_length)
		finish(d, i, 0, have + len);
}

/* The next packet of the oldest message; the device sends no empty one after whole packets. */
static void give_next(struct usb_device *d, size_t i, struct pipe *pipe)
{
	const GByteArray *m = g_queue_peek_head(&pipe->messages);
	size_t n = m->len - pipe->sent < pipe->packet ? m->len - pipe->sent : pipe->packet;
	give_packet(d, pipe, i, m->data + pipe->sent, n);
	pipe->sent += n;
	if (pipe->sent < m->len)
		return;
	drop_message(pipe);
	if (d->plug.taken != NULL)
		d->plug.taken(d->plug.context, pipe->address);
}

static void hear_urb(struct usb_device *d, size_t i, struct pipe *pipe)
{
	const struct usbdevfs_urb *urb = urb_of(d->waiting[i]);
	const uint8_t *bytes = buffer_of(d->waiting[i]);
	size_t n = (size_t)urb->buffer_length;
	bool follows = (urb->flags & USBDEVFS_URB_BULK_CONTINUATION) != 0 &&
		       !g_queue_is_empty(&pipe->messages);
	if (d->plug.hear != NULL)
		d->plug.hear(d->plug.context, pipe->address, bytes, n);
	else if (follows)
		g_byte_array_append(g_queue_peek_tail(&pipe->messages), bytes, (guint)n);
	else
		add_message(pipe, bytes, n);
	finish(d, i, 0, n);
}

/* The device's answer to a request: bytes moved, or -EPIPE. */
static int answer(const struct usb_device *d, const uint8_t setup[8], uint8_t *data, size_t size)
{
	return d->plug.control != NULL ? d->plug.control(d->plug.context, setup, data, size)
				       : -EPIPE;
}

static void answer_control(struct usb_device *d, size_t i)
{
	struct usbdevfs_urb *urb = urb_of(d->waiting[i]);
	uint8_t *bytes = buffer_of(d->waiting[i]);
	int n = answer(d, bytes, bytes + 8, (size_t)urb->buffer_length - 8);
	finish(d, i, n < 0 ? n : 0, n < 0 ? 0 : (size_t)n);
}

/* Moves all bytes that can be moved; lock held. */
static void run_bus(struct usb_device *d)
{
	for (size_t i = 0; i < d->waiting_count;) {
		struct pipe *pipe = pipe_of(d, urb_of(d->waiting[i])->endpoint);
		bool in = pipe != NULL && (pipe->address & USB_DIR_IN) != 0;
		if (d->is_gone)
			finish(d, i, -ENODEV, 0);
		else if (pipe == NULL)
			answer_control(d, i);
		else if (pipe->is_halted)
			finish(d, i, -EPIPE, 0);
		else if (in && !g_queue_is_empty(&pipe->messages))
			give_next(d, i, pipe);
		else if (!in && !d->is_busy)
			hear_urb(d, i, pipe);
		else
			i++;
	}
}

/* --- ioctls ----------------------------------------------------------------------------------- */

/* As the checks of usbfs in the kernel: 0, or the errno. */
static int refusal(struct usb_device *d, const struct usbdevfs_urb *urb)
{
	const struct pipe *pipe = pipe_of(d, urb->endpoint);
	if (d->is_gone)
		return ENODEV;
	if (!d->is_claimed || d->waiting_count == URBS_MAX)
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

static void submit(struct usb_device *d, UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data = resolve(arg, 0, sizeof(struct usbdevfs_urb));
	int refused = data == NULL ? ENODEV : refusal(d, urb_of(data));
	if (refused == 0 && urb_of(data)->buffer_length > 0 && buffer_of(data) == NULL)
		refused = ENODEV;
	if (refused != 0) {
		umockdev_ioctl_client_complete(client, -1, refused);
		g_clear_object(&data);
		return;
	}
	urb_of(data)->actual_length = 0;
	d->waiting[d->waiting_count++] = data;
	run_bus(d);
	umockdev_ioctl_client_complete(client, 0, 0);
}

static void reap(struct usb_device *d, UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	if (d->done_count == 0) {
		umockdev_ioctl_client_complete(client, -1, d->is_gone ? ENODEV : EAGAIN);
		return;
	}
	UMockdevIoctlData *slot = resolve(arg, 0, sizeof(void *));
	if (slot == NULL) {
		umockdev_ioctl_client_complete(client, -1, ENODEV);
		return;
	}
	UMockdevIoctlData *data = take(d->done, &d->done_count, 0);
	umockdev_ioctl_data_set_ptr(slot, 0, data);
	umockdev_ioctl_client_complete(client, 0, 0);
	g_object_unref(slot);
	g_object_unref(data);
}

static void discard(struct usb_device *d, UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	gulong address = *(gulong *)(void *)arg->data;
	for (size_t i = 0; i < d->waiting_count; i++) {
		if (d->waiting[i]->client_addr == address) {
			finish(d, i, -ENOENT, 0);
			umockdev_ioctl_client_complete(client, 0, 0);
			return;
		}
	}
	umockdev_ioctl_client_complete(client, -1, EINVAL);
}

/* GET_CONFIGURATION is the only control transfer that libusb makes here. */
static void control(struct usb_device *d, UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	UMockdevIoctlData *value = NULL;
	UMockdevIoctlData *data = resolve(arg, 0, sizeof(struct usbdevfs_ctrltransfer));
	const struct usbdevfs_ctrltransfer *transfer = data != NULL ? (void *)data->data : NULL;
	if (transfer != NULL && transfer->bRequest == USB_REQ_GET_CONFIGURATION &&
		transfer->wLength == 1)
		value = resolve(data, offsetof(struct usbdevfs_ctrltransfer, data), 1);
	if (value != NULL)
		value->data[0] = 1;
	umockdev_ioctl_client_complete(client, value != NULL ? 1 : -1, value != NULL ? 0 : EPIPE);
	g_clear_object(&value);
	g_clear_object(&data);
}

static void answer_value(
	UMockdevIoctlClient *client, UMockdevIoctlData *arg, const void *value, size_t size)
{
	UMockdevIoctlData *data = resolve(arg, 0, size);
	if (data != NULL)
		memcpy(data->data, value, size);
	umockdev_ioctl_client_complete(client, data != NULL ? 0 : -1, data != NULL ? 0 : ENODEV);
	g_clear_object(&data);
}

static void refuse_or_do(UMockdevIoctlClient *client, int refused)
{
	umockdev_ioctl_client_complete(client, refused != 0 ? -1 : 0, refused);
}

/* UINT_MAX when the process was killed. */
static unsigned number_at(UMockdevIoctlData *arg)
{
	UMockdevIoctlData *data = resolve(arg, 0, sizeof(unsigned));
	unsigned number = data != NULL ? *(unsigned *)(void *)data->data : UINT_MAX;
	g_clear_object(&data);
	return number;
}

static void claim(
	struct usb_device *d, UMockdevIoctlClient *client, UMockdevIoctlData *arg, bool on)
{
	unsigned number = number_at(arg);
	int refused = number != INTERFACE ? (d->has_dropped_rights ? EACCES : EBUSY) : 0;
	d->is_claimed = refused == 0 ? on : d->is_claimed;
	refuse_or_do(client, refused);
}

static void clear_halt(struct usb_device *d, UMockdevIoctlClient *client, UMockdevIoctlData *arg)
{
	struct pipe *pipe = pipe_of(d, number_at(arg));
	bool is_known = pipe != NULL && d->is_claimed;
	if (is_known)
		pipe->is_halted = false;
	refuse_or_do(client, is_known ? 0 : ENOENT);
}

static void drop_rights(struct usb_device *d, UMockdevIoctlClient *client)
{
	d->has_dropped_rights = true;
	umockdev_ioctl_client_complete(client, 0, 0);
}

static void drop_all(UMockdevIoctlData **list, size_t *count)
{
	while (*count > 0)
		g_object_unref(list[--*count]);
}

/* As the kernel does when a descriptor is closed, by a killed process too: another one has the rights. */
static void start_over(struct usb_device *d)
{
	drop_all(d->waiting, &d->waiting_count);
	drop_all(d->done, &d->done_count);
	d->is_claimed = d->has_dropped_rights = false;
}

static gboolean on_ioctl(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer user)
{
	struct usb_device *d = user;
	struct usbdevfs_connectinfo connected = {.devnum = d->number};
	static const uint32_t capabilities = USBDEVFS_CAP_ZERO_PACKET |
					     USBDEVFS_CAP_BULK_CONTINUATION |
					     USBDEVFS_CAP_NO_PACKET_SIZE_LIM;
	UMockdevIoctlData *arg = umockdev_ioctl_client_get_arg(client);
	gboolean handled = TRUE;
	pthread_mutex_lock(&lock);
	switch (umockdev_ioctl_client_get_request(client)) {
	case USBDEVFS_CONNECTINFO: answer_value(client, arg, &connected, sizeof connected); break;
	case USBDEVFS_GET_CAPABILITIES: /* first on each descriptor */
		start_over(d);
		answer_value(client, arg, &capabilities, sizeof capabilities);
		break;
	case USBDEVFS_GET_SPEED: umockdev_ioctl_client_complete(client, 3, 0); break;
	case USBDEVFS_CONTROL: control(d, client, arg); break;
	case USBDEVFS_CLAIMINTERFACE: claim(d, client, arg, true); break;
	case USBDEVFS_RELEASEINTERFACE: claim(d, client, arg, false); break;
	case USBDEVFS_GETDRIVER: refuse_or_do(client, ENODATA); break;
	case USBDEVFS_IOCTL: refuse_or_do(client, d->has_dropped_rights ? EACCES : ENODATA); break;
	case USBDEVFS_CLEAR_HALT: clear_halt(d, client, arg); break;
	case USBDEVFS_DROP_PRIVILEGES: drop_rights(d, client); break;
	case USBDEVFS_SUBMITURB: submit(d, client, arg); break;
	case USBDEVFS_REAPURB:
	case USBDEVFS_REAPURBNDELAY: reap(d, client, arg); break;
	case USBDEVFS_DISCARDURB: discard(d, client, arg); break;
	default: handled = FALSE; break;
	}
	pthread_mutex_unlock(&lock);
	return handled;
}

/* --- devices ---------------------------------------------------------------------------------- */

void usb_open(void)
{
	testbed = umockdev_testbed_new();
	char *root = umockdev_testbed_get_root_dir(testbed);
	char *folder = g_build_filename(root, "sys/bus/usb/devices", NULL);
	assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
	g_free(folder);
	g_free(root);
}

/* The endpoints of the interface. */
static void read_pipes(struct usb_device *d)
{
	int interface = -1;
	for (size_t at = 0; at + 2 <= d->plug.len; at += d->plug.descriptors[at]) {
		const uint8_t *one = d->plug.descriptors + at;
		assert_true(one[0] >= 2 && at + one[0] <= d->plug.len);
		if (one[1] == USB_DT_INTERFACE)
			interface = one[2];
		if (one[1] != USB_DT_ENDPOINT || interface != INTERFACE)
			continue;
		assert_true(d->pipe_count < PIPES_MAX && one[0] >= USB_DT_ENDPOINT_SIZE);
		d->pipes[d->pipe_count++] = (struct pipe){.address = one[2],
			.is_interrupt = (one[3] & USB_ENDPOINT_XFERTYPE_MASK) ==
					USB_ENDPOINT_XFER_INT,
			.packet = one[4] | (size_t)one[5] << 8,
			.messages = G_QUEUE_INIT};
	}
}

static void append_bytes(GString *text, const struct usb_device *d)
{
	for (size_t i = 0; i < d->plug.len; i++)
		g_string_append_printf(text, "%02X", d->plug.descriptors[i]);
}

/* The device as the node and sysfs give it. */
static char *describe(const struct usb_device *d)
{
	const uint8_t *device = d->plug.descriptors;
	GString *text = g_string_new(NULL);
	g_string_printf(
		text, "P: %s\nN: bus/usb/001/%03u=", strchr(d->syspath + 1, '/'), d->number);
	append_bytes(text, d);
	g_string_append_printf(text,
		"\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\nE: DEVNAME=/dev/bus/usb/001/%03u\n"
		"E: BUSNUM=001\nE: DEVNUM=%03u\nE: MAJOR=189\nE: MINOR=%u\n"
		"A: idVendor=%02x%02x\\n\nA: idProduct=%02x%02x\\n\n"
		"A: busnum=1\\n\nA: devnum=%u\\n\nA: speed=480\\n\n",
		d->number, d->number, d->number - 1, device[9], device[8], device[11], device[10],
		d->number);
	if (d->plug.serial != NULL)
		g_string_append_printf(text, "A: serial=%s\\n\n", d->plug.serial);
	g_string_append(text, "A: bConfigurationValue=1\\n\nH: descriptors=");
	append_bytes(text, d);
	g_string_append_c(text, '\n');
	return g_string_free(text, FALSE);
}

struct usb_device *usb_plug(const struct usb_plug *plug)
{
	GError *error = NULL;
	char node[40];
	assert_true(device_count < DEVICES_MAX);
	assert_true(plug->len >= USB_DT_DEVICE_SIZE && plug->len <= DESCRIBED_MAX);
	struct usb_device *d = g_new0(struct usb_device, 1);
	d->plug = *plug;
	d->plug.descriptors = g_memdup2(plug->descriptors, plug->len);
	d->plug.serial = g_strdup(plug->serial);
	d->number = device_count + 1;
	snprintf(d->syspath, sizeof d->syspath, "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-%u",
		plug->port);
	snprintf(node, sizeof node, "/dev/bus/usb/001/%03u", d->number);
	read_pipes(d);
	devices[device_count++] = d;
	d->handler = umockdev_ioctl_base_new();
	g_signal_connect(d->handler, "handle-ioctl", G_CALLBACK(on_ioctl), d);
	mock_check(umockdev_testbed_attach_ioctl(testbed, node, d->handler, &error), error);
	char *text = describe(d); /* last: a process that finds it can open it */
	mock_check(umockdev_testbed_add_from_string(testbed, text, &error), error);
	g_free(text);
	return d;
}

void usb_leave(struct usb_device *device)
{
	pthread_mutex_lock(&lock);
	device->is_gone = true;
	run_bus(device);
	pthread_mutex_unlock(&lock);
}

void usb_unplug(struct usb_device *device)
{
	usb_leave(device);
	umockdev_testbed_remove_device(testbed, device->syspath);
}

static void free_message(gpointer message)
{
	g_byte_array_unref(message);
}

void usb_close(void)
{
	for (unsigned i = 0; i < device_count; i++)
		g_object_unref(devices[i]->handler);
	g_object_unref(testbed);
	for (unsigned i = 0; i < device_count; i++) {
		struct usb_device *d = devices[i];
		start_over(d);
		for (size_t k = 0; k < d->pipe_count; k++)
			g_queue_clear_full(&d->pipes[k].messages, free_message);
		g_free((void *)(uintptr_t)d->plug.descriptors);
		g_free((void *)(uintptr_t)d->plug.serial);
		g_free(d);
	}
	device_count = 0;
}

void usb_send(struct usb_device *device, unsigned address, const void *data, size_t len)
{
	pthread_mutex_lock(&lock);
	add_message(pipe_of(device, address), data, len);
	run_bus(device);
	pthread_mutex_unlock(&lock);
}

bool usb_send_packet(struct usb_device *device, unsigned address, const void *data, size_t len)
{
	bool is_taken = false;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < device->waiting_count && !is_taken; i++) {
		is_taken = urb_of(device->waiting[i])->endpoint == address;
		if (is_taken)
			give_packet(device, pipe_of(device, address), i, data, len);
	}
	pthread_mutex_unlock(&lock);
	return is_taken;
}

size_t usb_hear(struct usb_device *device, unsigned address, void *to, size_t size)
{
	size_t n = 0;
	pthread_mutex_lock(&lock);
	struct pipe *pipe = pipe_of(device, address);
	if (!g_queue_is_empty(&pipe->messages)) {
		const GByteArray *m = g_queue_peek_head(&pipe->messages);
		n = m->len;
		assert_true(n <= size);
		memcpy(to, m->data, n);
		drop_message(pipe);
	}
	pthread_mutex_unlock(&lock);
	return n;
}

void usb_halt(struct usb_device *device, unsigned address)
{
	pthread_mutex_lock(&lock);
	pipe_of(device, address)->is_halted = true;
	run_bus(device);
	pthread_mutex_unlock(&lock);
}

void usb_refuse(struct usb_device *device, bool on)
{
	pthread_mutex_lock(&lock);
	device->is_busy = on;
	run_bus(device);
	pthread_mutex_unlock(&lock);
}

bool usb_has_rights(struct usb_device *device)
{
	pthread_mutex_lock(&lock);
	bool has = !device->has_dropped_rights;
	pthread_mutex_unlock(&lock);
	return has;
}
