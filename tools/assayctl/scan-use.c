/* SPDX-License-Identifier: Apache-2.0 */
/* The ports that belong to instruments of the daemon: they are left alone. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "print.h"
#include "scan.h"

struct scan_use {
	char key[40], link[300];
};

static void add_use(struct device_scan *scan, const char *key, const char *link)
{
	struct scan_use *more = realloc(scan->uses, (scan->use_count + 1) * sizeof *more);
	if (more == NULL)
		return;
	scan->uses = more;
	struct scan_use *use = &more[scan->use_count++];
	snprintf(use->key, sizeof use->key, "%s", key);
	snprintf(use->link, sizeof use->link, "%s", link);
}

static const struct keys use_keys = {.rows = (const struct key[]){ROW_TEXT(struct scan_use, key),
					     ROW_TEXT(struct scan_use, link), {0}},
	.open = true};

static void ask_daemon(struct device_scan *scan)
{
	struct control_request request;
	struct control_reply reply = {0};
	const char *control = scan->options->control;
	if (strncmp(control, "ipc://", 6) == 0 && access(control + 6, F_OK) != 0)
		return;
	control_request_init(&request, "status");
	if (client_try(scan->options, &request, ASK_SECONDS, &reply) == 0) {
		struct reader r;
		struct assay_span body = reply.body;
		for (size_t left = print_open_list(body, "instruments", &r); left > 0; left--) {
			struct scan_use use = {0};
			if (keys_read(&r, &use_keys, &use, NULL) < 0)
				break;
			add_use(scan, use.key, use.link);
		}
	}
	control_reply_finish(&reply);
}

void scan_uses(struct device_scan *scan)
{
	struct config *config = NULL;
	struct config_errors errors = {0};
	ask_daemon(scan);
	if (config_load(scan->options->config, scan->catalog, &config, &errors) == 0)
		for (size_t i = 0; i < config->instrument_count; i++)
			add_use(scan, config->instruments[i].key, config->instruments[i].port_name);
	config_errors_finish(&errors);
	config_destroy(config);
}

void scan_uses_finish(struct device_scan *scan)
{
	free(scan->uses);
}

/* "serial:/dev/a" and "serial:/dev/b" are one port if one is a link to the other. */
static bool is_same(const char *a, const char *b)
{
	char first[PATH_MAX], second[PATH_MAX];
	size_t kind = strcspn(a, ":");
	if (strcmp(a, b) == 0)
		return true;
	return a[kind] == ':' && a[kind + 1] == '/' && strncmp(a, b, kind + 1) == 0 &&
	       realpath(a + kind + 1, first) != NULL && realpath(b + kind + 1, second) != NULL &&
	       strcmp(first, second) == 0;
}

const char *scan_used(const struct device_scan *scan, const char *name)
{
	for (size_t i = 0; i < scan->use_count; i++)
		if (is_same(scan->uses[i].link, name))
			return scan->uses[i].key;
	return NULL;
}

/* Any port with its numbers that does not name another serial number or socket. */
const char *scan_used_usb(const struct device_scan *scan, const struct scan_device *device)
{
	char numbers[20];
	snprintf(numbers, sizeof numbers, "usb:%04x:%04x:", device->vid, device->pid);
	for (size_t i = 0; i < scan->use_count; i++) {
		const char *rest = scan->uses[i].link;
		if (strncmp(rest, numbers, strlen(numbers)) != 0)
			continue;
		char serial[SCAN_TEXT];
		const char *path = strrchr(rest, ':') + 1;
		rest += strlen(numbers);
		snprintf(serial, sizeof serial, "%.*s", path > rest ? (int)(path - rest - 1) : 0,
			rest);
		if ((strcmp(serial, "*") == 0 || strcmp(serial, device->serial) == 0) &&
			(strcmp(path, "*") == 0 || strcmp(path, device->path) == 0))
			return scan->uses[i].key;
	}
	return NULL;
}
