/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "config/sections.h"

#define DIR_DEFAULT "/run/assayd"

struct sockets_section {
	const char *dir;
	const struct node *live, *replay, *control;
};

const struct field sockets_fields[] = {
	{"dir", FIELD_PATH, 0, offsetof(struct sockets_section, dir),
		.help = "folder of the sockets; default /run/assayd"},
	{"live", FIELD_NODE, 0, offsetof(struct sockets_section, live),
		.help = "endpoint where records are published, ipc:///some/path; default "
			"<dir>/live"},
	{"replay", FIELD_NODE, 0, offsetof(struct sockets_section, replay),
		.help = "endpoint where old records are fetched; default <dir>/replay"},
	{"control", FIELD_NODE, 0, offsetof(struct sockets_section, control),
		.help = "endpoint of assayctl; default <dir>/control"},
	{0},
};

static void check_length(struct load *load, const char *endpoint, struct config_mark mark)
{
	size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	const char *path = endpoint + strlen("ipc://");
	if (strlen(path) > max)
		load_error(load, mark,
			"the path of a socket may have %zu bytes, '%.60s...' has more", max, path);
}

/* The endpoint of the key `name`, by default the one below `dir`. */
static const char *read_endpoint(struct load *load, const struct node *node, const char *dir,
	struct config_mark dir_mark, const char *name)
{
	const char *text = node != NULL && node->type == NODE_SCALAR ? node->text : "";
	if (node == NULL) {
		text = arena_printf(load->arena, "ipc://%s/%s", dir, name);
		check_length(load, text, dir_mark);
	} else if (strncmp(text, "tcp://", 6) == 0) {
		load_error(load, node->mark,
			"found a tcp:// endpoint without CURVE keys: without a list of authorised "
			"keys the %s socket is ipc:// only; expected ipc:///some/path",
			name);
	} else if (strncmp(text, "ipc:///", 7) != 0) {
		load_found(load, node, "expected an endpoint such as ipc://%s/%s", dir, name);
	} else {
		check_length(load, text, node->mark);
	}
	return text;
}

static void check_different(struct load *load, const char *a, const char *b,
	const struct node *node_a, const struct node *node_b)
{
	const struct node *node = node_b != NULL ? node_b : node_a;
	if (node != NULL && a[0] != '\0' && strcmp(a, b) == 0)
		load_error(load, node->mark, "two sockets have the same endpoint '%.100s'", a);
}

void sockets_read(struct load *load, const struct node *map)
{
	struct sockets_section s = {.dir = DIR_DEFAULT};
	struct config_mark where = {0};
	fields_read(load, map, "sockets", where, sockets_fields, &s);
	const struct node *dir = node_get(map, "dir");
	if (dir != NULL)
		where = dir->mark;
	struct config *config = load->config;
	config->socket_dir = s.dir;
	config->live = read_endpoint(load, s.live, s.dir, where, "live");
	config->replay = read_endpoint(load, s.replay, s.dir, where, "replay");
	config->control = read_endpoint(load, s.control, s.dir, where, "control");
	check_different(load, config->live, config->replay, s.live, s.replay);
	check_different(load, config->live, config->control, s.live, s.control);
	check_different(load, config->replay, config->control, s.replay, s.control);
}
