/* SPDX-License-Identifier: Apache-2.0 */
/* The endpoints of TCP and their two files of keys: a rule that a file breaks is one error. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "base/key-file.h"
#include "config/load.h"
#include "drivers.h"

#define KEY_A "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define KEY_B "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define LIST  "lims: {key: '" KEY_A "', roles: [read, replay]}\n"

#define KEYS   "server_key: %1$s/server, authorised_keys: %1$s/list}"
#define LISTEN "sockets: {listen: {live: 'tcp://*:5570', replay: 'tcp://[::]:5571'}, " KEYS

static char folder[] = "/tmp/assay-sockets-XXXXXX";

static void put(const char *name, mode_t mode, const char *text)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
	char text[400];
	struct key_pair pair;
	if (mkdtemp(folder) == NULL || zmq_curve_keypair(pair.public_key, pair.secret_key) < 0)
		return -1;
	snprintf(text, sizeof text, "curve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n",
		pair.public_key, pair.secret_key);
	put("server", 0600, text);
	put("open", 0640, text);
	put("list", 0644, LIST);
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"server", "open", "list", "assayd.yaml"};
	char path[200];
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static struct config *load(const char *sockets, char *errors, size_t size)
{
	char text[600] = "laboratory: {site: lab, node: bench}\n", path[200];
	struct config *config = NULL;
	struct config_errors found;
	size_t len = strlen(text);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text + len, sizeof text - len, sockets, folder);
#pragma GCC diagnostic pop
	put("assayd.yaml", 0644, text);
	snprintf(path, sizeof path, "%s/assayd.yaml", folder);
	errors[0] = '\0';
	if (load_files(path, "", &test_catalog, &config, &found) < 0) {
		char *all = config_errors_text(&found);
		snprintf(errors, size, "%s", all);
		free(all);
	}
	config_errors_finish(&found);
	return config;
}

static void listed_keys_and_endpoints_are_read(void **state)
{
	char errors[2000];
	uint8_t key[KEY_FILE_SIZE];
	struct config *config = load(LISTEN, errors, sizeof errors);
	assert_string_equal(errors, "");
	assert_string_equal(config->listen[CONFIG_READ], "tcp://*:5570");
	assert_string_equal(config->listen[CONFIG_REPLAY], "tcp://[::]:5571");
	assert_null(config->listen[CONFIG_CONTROL]);
	assert_int_equal(config->key_count, 1);
	assert_string_equal(config->keys[0].name, "lims");
	assert_int_equal(config->keys[0].roles, 1 << CONFIG_READ | 1 << CONFIG_REPLAY);
	assert_true(key_file_decode(KEY_A, key));
	assert_memory_equal(config->keys[0].key, key, sizeof key);

	/* Its hash changes with each right. */
	uint8_t before[32];
	memcpy(before, config->sha256, sizeof before);
	config_destroy(config);
	put("list", 0644, "lims: {key: '" KEY_A "', roles: [read, replay, control]}\n");
	config = load(LISTEN, errors, sizeof errors);
	put("list", 0644, LIST);
	assert_string_equal(errors, "");
	assert_memory_not_equal(config->sha256, before, sizeof before);
	config_destroy(config);
}

static void wrong_endpoint_or_key_file_is_an_error(void **state)
{
	static const struct {
		const char *sockets, *error;
	} wrong[] = {
		{"sockets: {listen: {live: 'tcp://*:1'}}", "2:11: a tcp:// endpoint without CURVE"},
		{"sockets: {listen: {live: 'tcp://*:1'}, server_key: %1$s/server}",
			"without CURVE keys"},
		{"sockets: {listen: {live: 'tcp://*:1'}, authorised_keys: %1$s/list}",
			"without CURVE keys"},
		{"sockets: {listen: {live: 'tcp://*:1', replay: 'tcp://*:1'}, " KEYS,
			"two sockets have the same endpoint"},
		{"sockets: {listen: {live: 'tcp://host:5570'}, " KEYS,
			"2:26: found 'tcp://host:5570', expected an endpoint with a numeric"},
		{"sockets: {listen: {live: 'tcp://*:0'}, " KEYS, "numeric address"},
		{"sockets: {listen: {live: 'tcp://*:65536'}, " KEYS, "numeric address"},
		{"sockets: {listen: {live: 'tcp://*:+80'}, " KEYS, "numeric address"},
		{"sockets: {listen: {live: 'tcp://*'}, " KEYS, "numeric address"},
		{"sockets: {listen: {live: 'tcp://::1:80'}, " KEYS, "numeric address"},
		{"sockets: {listen: {live: 'ipc:///a'}, " KEYS, "numeric address"},
		{"sockets: {listen: {lives: 'tcp://*:1'}, " KEYS, "lives"},
		{"sockets: {server_key: %1$s/open, authorised_keys: %1$s/list}",
			"rights on this secret key"},
		{"sockets: {server_key: %1$s/assayd.yaml, authorised_keys: %1$s/list}",
			"rights on"},
		{"sockets: {server_key: %1$s/none, authorised_keys: %1$s/list}",
			"2:23: /tmp/assay"},
		{"sockets: {server_key: %1$s/server, authorised_keys: %1$s/none}",
			"none:1:1: the file cannot be read"},
	};
	char errors[2000];
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_null(load(wrong[i].sockets, errors, sizeof errors));
		if (strstr(errors, wrong[i].error) == NULL || strchr(errors, '\n') != NULL)
			fail_msg("%s: found %s", wrong[i].sockets, errors);
	}
}

static void wrong_list_of_keys_is_an_error_with_its_place(void **state)
{
	static const struct {
		const char *list, *error;
	} wrong[] = {
		{"- lims\n", "list:1:1: found a list"},
		{"lims: x\n", "list:1:7: found 'x'"},
		{"lims: {roles: [read]}\n", "list:1:1: 'key' is missing"},
		{"lims: {key: '" KEY_A "'}\n", "list:1:1: 'roles' is missing"},
		{"lims: {key: '" KEY_A "', roles: []}\n", ": found no role"},
		{"lims: {key: '" KEY_A "', roles: [write]}\n", ": found 'write'"},
		{"lims: {key: '" KEY_A "', roles: [read], x: 1}\n", "list:1:"},
		{"lims: {key: abc, roles: [read]}\n", "list:1:13: found 'abc', expected 40"},
		{"lims: {key: '%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%', roles: [read]}\n",
			"list:1:13: found"},
		{"LIMS: {key: '" KEY_A "', roles: [read]}\n", "list:1:1: found the name 'LIMS'"},
		{LIST LIST, "list:2:1:"},
		{LIST "b: {key: '" KEY_A "', roles: [read]}\n", "list:2:10: 'lims' has this key"},
		{"lims: {key: " KEY_A ", roles: [read]}\n", "list:1:"},
	};
	char errors[2000];
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		put("list", 0644, wrong[i].list);
		assert_null(load(LISTEN, errors, sizeof errors));
		if (strstr(errors, wrong[i].error) == NULL)
			fail_msg("%s: found %s", wrong[i].list, errors);
	}
	static const mode_t modes[] = {0664, 0646, 0620};
	for (size_t i = 0; i < 3; i++) {
		put("list", modes[i], LIST);
		assert_null(load(LISTEN, errors, sizeof errors));
		assert_non_null(strstr(errors, "list:1:1: its group or others may write"));
	}
	put("list", 0644, "# nobody yet\n" LIST "b: {key: '" KEY_B "', roles: [control]}\n");
	struct config *config = load(LISTEN, errors, sizeof errors);
	assert_string_equal(errors, "");
	assert_int_equal(config->key_count, 2);
	config_destroy(config);
	put("list", 0644, LIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listed_keys_and_endpoints_are_read),
		cmocka_unit_test(wrong_endpoint_or_key_file_is_an_error),
		cmocka_unit_test(wrong_list_of_keys_is_an_error_with_its_place),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
