/* SPDX-License-Identifier: Apache-2.0 */
/* Serial ports and USB devices, from the kernel's description of them; nothing is opened. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-device.h>

#include "record/text.h"
#include "scan.h"

/* By the makers of the chips; `pid` 0: all of the vendor. */
static const struct {
	unsigned vid, pid;
} generic[] = {
	{0x0403, 0x6001}, /* FTDI FT232 */
	{0x0403, 0x6010}, /* FT2232 */
	{0x0403, 0x6011}, /* FT4232 */
	{0x0403, 0x6014}, /* FT232H */
	{0x0403, 0x6015}, /* FT-X */
	{0x067b, 0},      /* Prolific */
	{0x10c4, 0xea60}, /* Silicon Labs CP2102 */
	{0x10c4, 0xea70}, /* CP2105 */
	{0x10c4, 0xea71}, /* CP2108 */
	{0x1a86, 0},      /* WCH CH340, CH9102 */
	{0x04d8, 0x00dd}, /* Microchip MCP2221 */
	{0x110a, 0},      /* Moxa UPort */
	{0x0557, 0},      /* ATEN */
	{0x2341, 0},      /* Arduino */
};

bool scan_is_generic(const struct scan_device *device)
{
	for (size_t i = 0; i < sizeof generic / sizeof *generic; i++)
		if (device->vid == generic[i].vid &&
			(generic[i].pid == 0 || device->pid == generic[i].pid))
			return true;
	return !device->has_usb;
}

bool scan_default(
	const struct catalog_driver *driver, const char *kind, const char *key, unsigned *to)
{
	const struct port_kind *link = port_kind_named(string_of(kind));
	const char *defaults = catalog_link_defaults(driver, link->link);
	char start[40];
	snprintf(start, sizeof start, "%s: ", key);
	const char *at = defaults != NULL ? strstr(defaults, start) : NULL;
	*to = at != NULL ? (unsigned)strtoul(at + strlen(start), NULL, 0) : 0;
	return at != NULL;
}

bool scan_usb_numbers(const struct catalog_driver *driver, unsigned *vid, unsigned *pid)
{
	return scan_default(driver, "usb", "vid", vid) && scan_default(driver, "usb", "pid", pid);
}

static void take_text(sd_device *device, const char *attribute, char to[SCAN_TEXT])
{
	const char *text = NULL;
	if (sd_device_get_sysattr_value(device, attribute, &text) < 0 || text == NULL)
		return;
	snprintf(to, SCAN_TEXT, "%s", text);
	text_make_printable(to);
}

static unsigned take_hex(sd_device *device, const char *attribute)
{
	const char *text = NULL;
	if (sd_device_get_sysattr_value(device, attribute, &text) < 0 || text == NULL)
		return 0;
	return (unsigned)strtoul(text, NULL, 16);
}

static void take_usb(sd_device *usb, struct scan_device *to)
{
	const char *name = NULL;
	to->has_usb = true;
	to->vid = take_hex(usb, "idVendor");
	to->pid = take_hex(usb, "idProduct");
	take_text(usb, "manufacturer", to->make);
	take_text(usb, "product", to->product);
	take_text(usb, "serial", to->serial);
	if (sd_device_get_sysname(usb, &name) >= 0)
		snprintf(to->path, sizeof to->path, "%s", name);
}

/* The name that lasts, of all by-id names the first one. */
static void find_by_id(const char *port, char to[SCAN_TEXT])
{
	char real[PATH_MAX], wanted[PATH_MAX];
	glob_t found;
	if (realpath(port, wanted) == NULL || glob("/dev/serial/by-id/*", 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && to[0] == '\0'; i++)
		if (realpath(found.gl_pathv[i], real) != NULL && strcmp(real, wanted) == 0)
			snprintf(to, SCAN_TEXT, "%s", found.gl_pathv[i]);
	globfree(&found);
}

/* A port with hardware behind it: no console, and no place of a board that is empty. */
static bool take_port(sd_device *device, struct scan_device *to)
{
	const char *port = NULL, *type = NULL;
	sd_device *parent;
	if (sd_device_get_devname(device, &port) < 0 || sd_device_get_parent(device, &parent) < 0)
		return false;
	if (sd_device_get_sysattr_value(device, "type", &type) >= 0 && strcmp(type, "0") == 0)
		return false;
	*to = (struct scan_device){.is_serial = true};
	snprintf(to->port, sizeof to->port, "%s", port);
	find_by_id(port, to->by_id);
	sd_device *usb;
	if (sd_device_get_parent_with_subsystem_devtype(device, "usb", "usb_device", &usb) >= 0)
		take_usb(usb, to);
	return true;
}

static bool take_device(sd_device *device, struct scan_device *to)
{
	const char *type = NULL;
	if (sd_device_get_devtype(device, &type) < 0 || strcmp(type, "usb_device") != 0)
		return false;
	if (take_hex(device, "bDeviceClass") == 9) /* a hub */
		return false;
	*to = (struct scan_device){0};
	take_usb(device, to);
	return true;
}

static int list(struct device_scan *scan, const char *subsystem,
	bool (*take)(sd_device *device, struct scan_device *to))
{
	sd_device_enumerator *e = NULL;
	int r = sd_device_enumerator_new(&e);
	if (r >= 0)
		r = sd_device_enumerator_allow_uninitialized(e);
	if (r >= 0)
		r = sd_device_enumerator_add_match_subsystem(e, subsystem, 1);
	if (r >= 0)
		for (sd_device *d = sd_device_enumerator_get_device_first(e);
			d != NULL && scan->device_count < SCAN_DEVICES_MAX;
			d = sd_device_enumerator_get_device_next(e))
			scan->device_count += take(d, &scan->devices[scan->device_count]);
	sd_device_enumerator_unref(e);
	return r < 0 ? r : 0;
}

int scan_devices(struct device_scan *scan)
{
	int r = list(scan, "tty", take_port);
	return r == 0 ? list(scan, "usb", take_device) : r;
}
