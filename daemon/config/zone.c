/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/reading.h"
#include "config/zone.h"

#define ZONES          "/usr/share/zoneinfo"
#define EXAMPLE        "Europe/Berlin"
#define NAME_MAX_BYTES 64

/* No absolute path and none out of the folder: parts of letters, digits, '_', '-' and '+'. */
static bool is_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+-/";
	return name[0] != '/' && strlen(name) <= NAME_MAX_BYTES &&
	       strspn(name, allowed) == strlen(name);
}

/* Files of zones start with "TZif"; folders and tables beside them do not. */
static bool is_zone(const char *name)
{
	char path[sizeof ZONES + NAME_MAX_BYTES + 1], magic[4];
	snprintf(path, sizeof path, ZONES "/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_read = fd >= 0 && read(fd, magic, sizeof magic) == sizeof magic;
	if (fd >= 0)
		close(fd);
	return is_read && memcmp(magic, "TZif", sizeof magic) == 0;
}

const char *zone_read(struct load *load, const struct node *node)
{
	if (node->type != NODE_SCALAR || node_is_nothing(node)) {
		load_found(load, node, "expected a time zone such as " EXAMPLE);
		return "";
	}
	if (strcmp(node->text, "UTC") == 0 || (is_name(node->text) && is_zone(node->text)))
		return node->text;
	if (is_zone(EXAMPLE))
		load_error(load, node->mark,
			"found '%.80s', expected a time zone of this computer such as " EXAMPLE
			": timedatectl list-timezones",
			node->text);
	else
		load_error(load, node->mark,
			"found '%.80s', but " ZONES " has no time zones: sudo apt install tzdata",
			node->text);
	return "";
}
