/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "base/key-file.h"
#include "base/tcp-address.h"
#include "config/sections.h"

#define DIR_DEFAULT "/run/assayd"

struct sockets_section {
	const char *dir;
	const struct node *live, *replay, *control;
	const char *listen[CONFIG_ROLES];
	const char *server_key, *authorised;
};

#define LISTEN(n, role, what)                                                          \
	{                                                                              \
		.name = n, .type = FIELD_TEXT,                                         \
		.offset = offsetof(struct sockets_section, listen[role]), .help = what \
	}

/* In the order of enum config_role. */
static const struct field listen_fields[] = {
	LISTEN("live", CONFIG_READ, "tcp://ADDRESS:PORT where records are published"),
	LISTEN("replay", CONFIG_REPLAY, "tcp://ADDRESS:PORT where old records are fetched"),
	LISTEN("control", CONFIG_CONTROL, "tcp://ADDRESS:PORT for commands"),
	{0},
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
	{"listen", FIELD_SECTION, .fields = listen_fields,
		.help = "for programs on other machines; needs server_key and authorised_keys"},
	{"server_key", FIELD_PATH, 0, offsetof(struct sockets_section, server_key),
		.help = "file of the daemon's secret key, made by `assayctl keygen`"},
	{"authorised_keys", FIELD_PATH, 0, offsetof(struct sockets_section, authorised),
		.help = "file of the keys of the programs that may connect by TCP"},
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
			"found a tcp:// endpoint without CURVE keys; expected ipc:///some/path "
			"here, "
			"and the tcp:// endpoint as %s below listen:",
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

/* Others than the daemon check configurations, too, and may not read its key. */
static void check_server_key(struct load *load, const struct node *node)
{
	struct key_pair pair;
	char why[KEY_FILE_ERRORS];
	int r = key_file_read(node->text, true, &pair, why);
	explicit_bzero(&pair, sizeof pair);
	if (r < 0 && r != -EACCES)
		load_error(load, node->mark, "%s", why);
}

/* The tcp:// endpoints.  None is used without both keys. */
static void read_listen(struct load *load, const struct node *map, const struct sockets_section *s)
{
	struct sockaddr_storage address;
	socklen_t len;
	const struct node *listen = node_get(map, "listen");
	bool is_used = false;
	for (size_t i = 0; i < CONFIG_ROLES; i++) {
		const struct node *node = node_get(listen, listen_fields[i].name);
		if (s->listen[i] == NULL)
			continue;
		is_used = true;
		if (tcp_address_read(s->listen[i], &address, &len) < 0)
			load_found(load, node,
				"expected an endpoint with a numeric address, such as "
				"tcp://192.0.2.1:5570 or tcp://[::]:5570");
		for (size_t j = 0; j < i; j++) {
			if (s->listen[j] != NULL && strcmp(s->listen[i], s->listen[j]) == 0)
				load_error(load, node->mark,
					"two sockets have the same endpoint '%.100s'",
					s->listen[i]);
		}
		load->config->listen[i] = s->listen[i];
	}
	if (is_used && (s->server_key == NULL || s->authorised == NULL))
		load_error(load, listen->key_mark,
			"a tcp:// endpoint without CURVE keys: `listen` needs server_key and "
			"authorised_keys");
	load->config->server_key = s->server_key;
	if (load->dir == NULL) /* a text alone: no other file is read */
		return;
	if (s->server_key != NULL)
		check_server_key(load, node_get(map, "server_key"));
	if (s->authorised != NULL)
		authorised_load(load, s->authorised);
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
	read_listen(load, map, &s);
}
