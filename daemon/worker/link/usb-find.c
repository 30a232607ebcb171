/* SPDX-License-Identifier: Apache-2.0 */
/* The node of a USB device, found in sysfs: libusb needs neither udev nor the file system for it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "worker/link/usb.h"
#include "worker/number.h"

#define DEVICES  "/sys/bus/usb/devices"
#define TEXT_MAX 127

/* One attribute of a device, without its line end; "" when it has none. */
static void read_attribute(const char *device, const char *name, char text[TEXT_MAX + 1])
{
	char path[512];
	text[0] = '\0';
	if (snprintf(path, sizeof path, DEVICES "/%.200s/%s", device, name) >= (int)sizeof path)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, text, TEXT_MAX);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static bool has_id(const char *device, const char *name, unsigned id)
{
	char text[TEXT_MAX + 1], wanted[8];
	if (id == 0)
		return true;
	read_attribute(device, name, text);
	snprintf(wanted, sizeof wanted, "%04x", id & 0xffff);
	return strcmp(text, wanted) == 0;
}

static bool is_wanted(const char *device, const struct port *port)
{
	char text[TEXT_MAX + 1];
	if (strchr(device, ':') != NULL) /* an interface */
		return false;
	if (port->path != NULL && strcmp(device, port->path) != 0)
		return false;
	if (!has_id(device, "idVendor", port->vid) || !has_id(device, "idProduct", port->pid))
		return false;
	if (port->serial == NULL)
		return true;
	read_attribute(device, "serial", text);
	return strcmp(text, port->serial) == 0;
}

static int open_node(struct link *link, const char *device)
{
	char text[TEXT_MAX + 1], path[64];
	int64_t bus, number;
	read_attribute(device, "busnum", text);
	if (number_parse_integer(text, strlen(text), &bus) < 0)
		return link_fail(link, ENODEV, "USB device %s has no bus number", device);
	read_attribute(device, "devnum", text);
	if (number_parse_integer(text, strlen(text), &number) < 0)
		return link_fail(link, ENODEV, "USB device %s has no number", device);
	snprintf(path, sizeof path, "/dev/bus/usb/%03d/%03d", (int)bus, (int)number);
	link->fd = open(path, O_RDWR | O_CLOEXEC);
	if (link->fd < 0)
		return link_fail(link, errno, "cannot open %s", path);
	return 0;
}

int usb_find_node(struct link *link, const struct port *port)
{
	char found[256] = "";
	unsigned count = 0;
	DIR *dir = opendir(DEVICES);
	if (dir == NULL)
		return link_fail(link, errno, "cannot list USB devices");
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] == '.' || !is_wanted(entry->d_name, port))
			continue;
		snprintf(found, sizeof found, "%s", entry->d_name);
		count++;
	}
	closedir(dir);
	if (count == 1)
		return open_node(link, found);
	snprintf(link->why, sizeof link->why, "%s USB device %04x:%04x%s%s%s%s",
		count == 0 ? "there is no" : "there is more than one", port->vid, port->pid,
		port->serial != NULL ? " with serial number " : "",
		port->serial != NULL ? port->serial : "", port->path != NULL ? " at " : "",
		port->path != NULL ? port->path : "");
	return count == 0 ? -ENODEV : -ENOTUNIQ;
}
