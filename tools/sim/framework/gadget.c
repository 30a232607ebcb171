/* SPDX-License-Identifier: Apache-2.0 */
#include "gadget.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/usb/functionfs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIGFS "/sys/kernel/config"
#define ENGLISH  0x0409

struct gadget {
	char name[32];    /* of the function, "assay-PID" */
	char folder[80];  /* of the gadget in configfs */
	char mounted[40]; /* the FunctionFS; "": not mounted */
	char controller[64];
	int control, to_host, from_host;
};

struct descriptors {
	struct usb_functionfs_descs_head_v2 head;
	__le32 full_speed_count;
	struct usb_interface_descriptor interface;
	struct usb_endpoint_descriptor_no_audio in, out;
} __attribute__((packed));

struct strings {
	struct usb_functionfs_strings_head head;
	__le16 language;
	char interface[6];
} __attribute__((packed));

static int fail(const char *subject, int error)
{
	fprintf(stderr, "assay-sim: USB gadget: %s: %s\n", subject, strerror(error));
	return -error;
}

/* Writes one attribute below the gadget's folder. */
static int set(const struct gadget *g, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int set(const struct gadget *g, const char *name, const char *format, ...)
{
	char path[160], value[80];
	va_list ap;
	va_start(ap, format);
	int len = vsnprintf(value, sizeof(value), format, ap);
	va_end(ap);
	snprintf(path, sizeof(path), "%s/%s", g->folder, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(path, errno);
	int r = write(fd, value, (size_t)len) == len ? 0 : -errno;
	close(fd);
	return r < 0 ? fail(path, -r) : 0;
}

static int make_folder(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int make_folder(const char *format, ...)
{
	char path[200];
	va_list ap;
	va_start(ap, format);
	vsnprintf(path, sizeof(path), format, ap);
	va_end(ap);
	return mkdir(path, 0755) < 0 ? fail(path, errno) : 0;
}

/* The gadget in configfs: one configuration with one function. */
static int describe(struct gadget *g, const struct sim_usb *usb)
{
	char function[160], link[160];
	if (access(CONFIGFS "/usb_gadget", F_OK) < 0)
		return fail(CONFIGFS "/usb_gadget (mount configfs, load libcomposite)", errno);
	int r = make_folder("%s", g->folder);
	if (r == 0)
		r = set(g, "idVendor", "0x%04x", usb->vendor);
	if (r == 0)
		r = set(g, "idProduct", "0x%04x", usb->product);
	if (r == 0)
		r = set(g, "max_speed", "full-speed");
	if (r == 0)
		r = make_folder("%s/configs/c.1", g->folder);
	if (r == 0)
		r = make_folder("%s/functions/ffs.%s", g->folder, g->name);
	if (r < 0)
		return r;
	snprintf(function, sizeof(function), "%s/functions/ffs.%s", g->folder, g->name);
	snprintf(link, sizeof(link), "%s/configs/c.1/ffs.%s", g->folder, g->name);
	return symlink(function, link) < 0 ? fail(link, errno) : 0;
}

static struct usb_endpoint_descriptor_no_audio bulk(uint8_t address, uint16_t packet)
{
	return (struct usb_endpoint_descriptor_no_audio){
		.bLength = sizeof(struct usb_endpoint_descriptor_no_audio),
		.bDescriptorType = USB_DT_ENDPOINT,
		.bEndpointAddress = address,
		.bmAttributes = USB_ENDPOINT_XFER_BULK,
		.wMaxPacketSize = htole16(packet),
	};
}

static int write_descriptors(const struct gadget *g, const struct sim_usb *usb)
{
	struct descriptors descriptors = {
		.head = {.magic = htole32(FUNCTIONFS_DESCRIPTORS_MAGIC_V2),
			.flags = htole32(FUNCTIONFS_HAS_FS_DESC),
			.length = htole32(sizeof(descriptors))},
		.full_speed_count = htole32(3),
		.interface = {.bLength = sizeof(descriptors.interface),
			.bDescriptorType = USB_DT_INTERFACE,
			.bNumEndpoints = 2,
			.bInterfaceClass = USB_CLASS_VENDOR_SPEC,
			.iInterface = 1},
		.in = bulk(usb->in, usb->packet),
		.out = bulk(usb->out, usb->packet),
	};
	struct strings strings = {
		.head = {.magic = htole32(FUNCTIONFS_STRINGS_MAGIC),
			.length = htole32(sizeof(strings)),
			.str_count = htole32(1),
			.lang_count = htole32(1)},
		.language = htole16(ENGLISH),
		.interface = "assay",
	};
	if (write(g->control, &descriptors, sizeof(descriptors)) != sizeof(descriptors) ||
		write(g->control, &strings, sizeof(strings)) != sizeof(strings))
		return fail("descriptors", errno);
	return 0;
}

static int open_file(const struct gadget *g, const char *name, int flags)
{
	char path[60];
	snprintf(path, sizeof(path), "%s/%s", g->mounted, name);
	int fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? fail(path, errno) : fd;
}

static int open_function(struct gadget *g, const struct sim_usb *usb)
{
	char folder[] = "/tmp/assay-usb-XXXXXX";
	if (mkdtemp(folder) == NULL)
		return fail(folder, errno);
	if (mount(g->name, folder, "functionfs", 0, NULL) < 0) {
		int error = errno;
		rmdir(folder);
		return fail("functionfs", error);
	}
	snprintf(g->mounted, sizeof(g->mounted), "%s", folder);
	g->control = open_file(g, "ep0", O_RDWR);
	int r = g->control < 0 ? g->control : write_descriptors(g, usb);
	if (r == 0)
		r = g->to_host = open_file(g, "ep1", O_RDWR); /* in the order of the descriptors */
	if (r >= 0)
		r = g->from_host = open_file(g, "ep2", O_RDWR);
	return r < 0 ? r : 0;
}

int gadget_open(struct gadget **gadget, const struct sim_usb *usb, const char *controller)
{
	if (usb->stream != 0 || usb->report_len > 0) {
		fprintf(stderr,
			"assay-sim: this instrument has no --usb-gadget; use --usb-socket\n");
		return -EINVAL;
	}
	struct gadget *g = calloc(1, sizeof(*g));
	if (g == NULL)
		return -ENOMEM;
	g->control = g->to_host = g->from_host = -1;
	snprintf(g->name, sizeof(g->name), "assay-%d", (int)getpid());
	snprintf(g->folder, sizeof(g->folder), CONFIGFS "/usb_gadget/%s", g->name);
	snprintf(g->controller, sizeof(g->controller), "%s", controller);
	int r = describe(g, usb);
	if (r == 0)
		r = open_function(g, usb);
	if (r == 0)
		r = gadget_plug(g, true);
	if (r < 0)
		gadget_close(g);
	else
		*gadget = g;
	return r;
}

int gadget_plug(struct gadget *gadget, bool in)
{
	return set(gadget, "UDC", "%s\n", in ? gadget->controller : "");
}

int gadget_control(const struct gadget *gadget)
{
	return gadget->control;
}

int gadget_to_host(const struct gadget *gadget)
{
	return gadget->to_host;
}

int gadget_from_host(const struct gadget *gadget)
{
	return gadget->from_host;
}

static void close_file(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* The last one to close a file of the function unbinds the gadget from its controller. */
void gadget_close(struct gadget *gadget)
{
	if (gadget == NULL)
		return;
	char path[200];
	close_file(gadget->to_host);
	close_file(gadget->from_host);
	close_file(gadget->control);
	snprintf(path, sizeof(path), "%s/configs/c.1/ffs.%s", gadget->folder, gadget->name);
	unlink(path);
	snprintf(path, sizeof(path), "%s/configs/c.1", gadget->folder);
	rmdir(path);
	if (gadget->mounted[0] != '\0') {
		umount2(gadget->mounted, MNT_DETACH);
		rmdir(gadget->mounted);
	}
	snprintf(path, sizeof(path), "%s/functions/ffs.%s", gadget->folder, gadget->name);
	rmdir(path);
	rmdir(gadget->folder);
	free(gadget);
}
