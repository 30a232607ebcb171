/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of other machines: real CURVE connections to the sockets as the daemon binds them, real
 * requests to the handler, and handlers that are wrong.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <zmq.h>

#include "base/endpoint.h"
#include "base/log.h"
#include "core/access/access.h"
#include "core/access/proof.h"
#include "core/access/zap.h"

#define SOON_MS 5000 /* a deadline */
#define PAIRS   5

enum who {
	FULL, /* all roles */
	READER,
	REPLAYER,
	CONTROLLER,
	UNKNOWN,
};

static struct {
	char folder[40], address[CONFIG_ROLES][32];
	void *context, *clients; /* of the daemon; of the others */
	struct access *access;
	struct key_pair server, pairs[PAIRS];
	struct config_key keys[PAIRS - 1];
	struct config config;
	void *sockets[CONFIG_ROLES];
	struct remote *remotes[CONFIG_ROLES];
	struct endpoint_file *files[CONFIG_ROLES];
	void *peers[64]; /* closed at the end of each test */
	size_t peer_count;
} t;

/* A port that is free now. */
static unsigned free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void write_key(const char *path)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "curve\n    public-key = \"%s\"\n    secret-key = \"%s\"\n",
		t.server.public_key, t.server.secret_key);
	fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
}

static void make_keys(void)
{
	static const struct {
		const char *name;
		unsigned roles;
	} rows[] = {{"full", 7}, {"reader", 1 << CONFIG_READ}, {"replayer", 1 << CONFIG_REPLAY},
		{"controller", 1 << CONFIG_CONTROL}};
	zmq_curve_keypair(t.server.public_key, t.server.secret_key);
	for (size_t i = 0; i < PAIRS; i++)
		zmq_curve_keypair(t.pairs[i].public_key, t.pairs[i].secret_key);
	for (size_t i = 0; i < PAIRS - 1; i++) {
		t.keys[i] = (struct config_key){.name = rows[i].name, .roles = rows[i].roles};
		assert_true(key_file_decode(t.pairs[i].public_key, t.keys[i].key));
	}
}

/* ROUTER sockets for all roles: a PUB socket does not report the properties of its peers. */
static void open_sockets(void)
{
	char file[80];
	for (size_t i = 0; i < CONFIG_ROLES; i++) {
		struct remote_place place = access_place(t.access, i);
		t.sockets[i] = zmq_socket(t.context, ZMQ_ROUTER);
		assert_int_equal(remote_open(&t.remotes[i], t.sockets[i], &place), 0);
		/* The file after it, as when it is made again: it must not get the options. */
		snprintf(file, sizeof file, "ipc://%s/%s", t.folder, zap_sockets[i]);
		assert_int_equal(endpoint_open(&t.files[i], t.sockets[i], file), 0);
	}
}

static int set_up(void **state)
{
	static char key[60];
	memset(&t, 0, sizeof t);
	strcpy(t.folder, "/tmp/assay-access-XXXXXX");
	if (mkdtemp(t.folder) == NULL)
		return -1;
	make_keys();
	snprintf(key, sizeof key, "%s/key", t.folder);
	write_key(key);
	t.config = (struct config){.server_key = key, .keys = t.keys, .key_count = PAIRS - 1};
	for (size_t i = 0; i < CONFIG_ROLES; i++) {
		snprintf(t.address[i], sizeof t.address[i], "tcp://127.0.0.1:%u", free_port());
		t.config.listen[i] = t.address[i];
	}
	t.context = zmq_ctx_new();
	t.clients = zmq_ctx_new();
	int r = access_open(&t.access, t.context, &t.config, NULL);
	if (r == 0)
		open_sockets();
	return r;
}

static int tear_down(void **state)
{
	char command[80];
	for (size_t i = 0; i < t.peer_count; i++)
		zmq_close(t.peers[i]);
	for (size_t i = 0; i < CONFIG_ROLES; i++) {
		endpoint_close(t.files[i]);
		remote_close(t.remotes[i]);
		zmq_close(t.sockets[i]);
	}
	access_close(t.access);
	zmq_ctx_term(t.context);
	zmq_ctx_term(t.clients);
	static const char *const names[] = {
		"key", "live.lock", "replay.lock", "control.lock", "live", "replay", "control"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(command, sizeof command, "%s/%s", t.folder, names[i]);
		unlink(command);
	}
	return rmdir(t.folder);
}

static void *open_peer(void)
{
	assert_true(t.peer_count < sizeof t.peers / sizeof t.peers[0]);
	return t.peers[t.peer_count++] = zmq_socket(t.clients, ZMQ_DEALER);
}

static void *connect_to(const char *address, const struct key_pair *pair)
{
	int linger = 0, again = 20;
	void *socket = open_peer();
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
	zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &again, sizeof again);
	if (pair != NULL) {
		zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, t.server.public_key, KEY_FILE_TEXT);
		zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, pair->public_key, KEY_FILE_TEXT);
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, pair->secret_key, KEY_FILE_TEXT);
	}
	assert_int_equal(zmq_connect(socket, address), 0);
	return socket;
}

static void say(void *socket, const char *text)
{
	assert_true(zmq_send(socket, text, strlen(text), 0) >= 0);
}

/* The next message within `ms`, its last part; false: there was none. */
static bool take(
	enum config_role role, int ms, zmq_msg_t *last, struct access_peer *peer, bool *may)
{
	zmq_msg_init(last);
	zmq_setsockopt(t.sockets[role], ZMQ_RCVTIMEO, &ms, sizeof ms);
	do {
		if (zmq_msg_recv(last, t.sockets[role], 0) < 0)
			return false;
	} while (zmq_msg_more(last));
	*may = access_admits(t.access, last, role, peer);
	return true;
}

static bool says(zmq_msg_t *message, const char *text)
{
	return zmq_msg_size(message) == strlen(text) &&
	       memcmp(zmq_msg_data(message), text, strlen(text)) == 0;
}

static uint64_t wait_for_refusals(uint64_t least)
{
	uint64_t count = 0;
	for (int i = 0; i < SOON_MS / 5 && (count = access_refusals(t.access)) < least; i++)
		poll(NULL, 0, 5);
	return count;
}

/* Every key on every socket: it gets in exactly with the role, and a local peer needs no key. */
static void every_key_has_its_sockets_and_no_others(void **state)
{
	for (size_t role = 0; role < CONFIG_ROLES; role++) {
		uint64_t refused = access_refusals(t.access), expected = 0;
		char local[80];
		snprintf(local, sizeof local, "ipc://%s/%s", t.folder, zap_sockets[role]);
		size_t admitted = 0;
		for (size_t i = 0; i < PAIRS; i++) {
			bool may = i < PAIRS - 1 && (t.keys[i].roles >> role & 1) != 0;
			expected += !may;
			admitted += may;
			void *peer = connect_to(t.address[role], &t.pairs[i]);
			say(peer, i == UNKNOWN ? "unknown" : t.keys[i].name);
		}
		say(connect_to(t.address[role], NULL), "without a key"); /* the mechanism NULL */
		assert_true(wait_for_refusals(refused + expected) >= refused + expected);
		for (size_t i = 0; i < admitted; i++) {
			zmq_msg_t message;
			struct access_peer peer;
			bool may;
			assert_true(take(role, SOON_MS, &message, &peer, &may));
			assert_true(may && !peer.is_local);
			assert_true(says(&message, peer.name)); /* its own name, no other */
			zmq_msg_close(&message);
		}
		/* The local one comes after them: had another got in, it would be here. */
		zmq_msg_t message;
		struct access_peer peer;
		bool may;
		void *socket = connect_to(local, NULL);
		say(socket, "local");
		assert_true(take(role, SOON_MS, &message, &peer, &may));
		assert_true(may && peer.is_local && says(&message, "local"));
		assert_int_equal(peer.uid, getuid());
		assert_int_equal(peer.pid, getpid());
		zmq_msg_close(&message);
		assert_false(take(role, 50, &message, &peer, &may));
	}
}

static void plain_passwords_are_refused(void **state)
{
	zmq_msg_t message;
	struct access_peer peer;
	bool may;
	void *socket = open_peer();
	int linger = 0;
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
	zmq_setsockopt(socket, ZMQ_PLAIN_USERNAME, "full", 4);
	zmq_setsockopt(socket, ZMQ_PLAIN_PASSWORD, "x", 1);
	zmq_connect(socket, t.address[CONFIG_CONTROL]);
	say(socket, "plain");
	void *good = connect_to(t.address[CONFIG_CONTROL], &t.pairs[FULL]);
	say(good, "full");
	assert_true(take(CONFIG_CONTROL, SOON_MS, &message, &peer, &may));
	assert_true(may && says(&message, "full"));
	zmq_msg_close(&message);
	assert_false(take(CONFIG_CONTROL, 50, &message, &peer, &may));
}

/*
 * A right that is taken away counts for the next message of an open connection, before it is ended;
 * then the peer does not get in again.  Other keys come back by themselves.
 */
static void removed_key_is_not_served_any_more(void **state)
{
	zmq_msg_t message;
	struct access_peer peer;
	bool may;
	void *lost = connect_to(t.address[CONFIG_REPLAY], &t.pairs[REPLAYER]);
	void *kept = connect_to(t.address[CONFIG_REPLAY], &t.pairs[FULL]);
	say(lost, "replayer");
	assert_true(take(CONFIG_REPLAY, SOON_MS, &message, &peer, &may) && may);
	zmq_msg_close(&message);
	say(kept, "full");
	assert_true(take(CONFIG_REPLAY, SOON_MS, &message, &peer, &may) && may);
	zmq_msg_close(&message);

	struct config less = t.config;
	less.key_count = REPLAYER;
	assert_int_equal(access_set_keys(t.access, &less), 0);
	say(lost, "again");
	assert_true(take(CONFIG_REPLAY, SOON_MS, &message, &peer, &may));
	assert_true(!may && says(&message, "again"));
	zmq_msg_close(&message);

	uint64_t refused = access_refusals(t.access);
	remote_look(t.remotes[CONFIG_REPLAY]);
	assert_false(take(CONFIG_REPLAY, 50, &message, &peer, &may)); /* libzmq ends connections */
	assert_true(wait_for_refusals(refused + 1) > refused);
	say(kept, "full");
	assert_true(take(CONFIG_REPLAY, SOON_MS, &message, &peer, &may));
	assert_true(may && says(&message, "full"));
	zmq_msg_close(&message);

	/* Authorised again, it is served; libzmq has given the refused connection up. */
	assert_int_equal(access_set_keys(t.access, &t.config), 0);
	say(connect_to(t.address[CONFIG_REPLAY], &t.pairs[REPLAYER]), "and again");
	assert_true(take(CONFIG_REPLAY, SOON_MS, &message, &peer, &may));
	assert_true(may && says(&message, "and again"));
	zmq_msg_close(&message);
}

static void handler_refuses_every_request_it_does_not_know(void **state)
{
#define KEY "0123456789abcdef0123456789abcdef"
	static const char *const requests[][9] = {
		{"1.0", "1", "", "127.0.0.1", "control", "CURVE", KEY},
		{"1.0", "1", "", "127.0.0.1", "control", "NULL"},
		{"1.0", "1", "", "127.0.0.1", "control", "NULL", KEY},
		{"1.0", "1", "", "127.0.0.1", "control", "PLAIN", "full", "x"},
		{"1.0", "1", "", "127.0.0.1", "control", "PLAIN", "full"},
		{"1.0", "1", "", "127.0.0.1", "control", "CURVE"},
		{"1.0", "1", "", "127.0.0.1", "control", "CURVE", "short"},
		{"1.0", "1", "", "127.0.0.1", "control", "CURVE", "@", "more"},
		{"1.1", "1", "", "127.0.0.1", "control", "CURVE", "@"},
		{"2.0", "1", "", "127.0.0.1", "control", "CURVE", "@"},
		{"", "1", "", "127.0.0.1", "control", "CURVE", "@"},
		{"1.0", "1", "", "127.0.0.1", "", "CURVE", "@"},
		{"1.0", "1", "", "127.0.0.1", "controls", "CURVE", "@"},
		{"1.0", "1", "", "127.0.0.1", "proof", "CURVE", "@"},
		{"1.0", "1", "", "127.0.0.1", "control", "curve", "@"}, {"1.0"}, {""},
		{"1.0", "1", "", "127.0.0.1", "control", "CURVE", "@"}, /* the only right one */
	};
	size_t count = sizeof requests / sizeof requests[0];
	void *socket = zmq_socket(t.context, ZMQ_REQ);
	int ms = SOON_MS, more = 1;
	size_t len = sizeof more;
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &ms, sizeof ms);
	assert_int_equal(zmq_connect(socket, ZAP_ENDPOINT), 0);
	for (size_t i = 0; i < count; i++) {
		char status[8] = "";
		for (size_t part = 0; requests[i][part] != NULL; part++) {
			bool is_key = strcmp(requests[i][part], "@") == 0;
			bool is_last = requests[i][part + 1] == NULL;
			const void *data = is_key ? (const void *)t.keys[FULL].key
						  : (const void *)requests[i][part];
			size_t size = is_key ? KEY_FILE_SIZE : strlen(requests[i][part]);
			assert_true(zmq_send(socket, data, size, is_last ? 0 : ZMQ_SNDMORE) >= 0);
		}
		for (int part = 0, is_more = 1; is_more; part++) {
			char text[64] = "";
			assert_true(zmq_recv(socket, text, sizeof text - 1, 0) >= 0);
			zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &len);
			is_more = more;
			if (part == 2)
				snprintf(status, sizeof status, "%.7s", text);
		}
		if (strcmp(status, i + 1 < count ? "400" : "200") != 0)
			fail_msg("request %zu: %s", i, status);
	}
	zmq_close(socket);
}

/* --- handlers that are wrong ----------------------------------------------------------------- */

struct wrong {
	void *socket;
	const char *status;
};

static void *answer(void *arg)
{
	const struct wrong *wrong = arg;
	void *socket = wrong->socket;
	for (;;) {
		char id[64], other[256];
		int n = 0, more = 1;
		size_t len = sizeof more;
		for (int part = 0; more; part++) {
			int got = zmq_recv(socket, part == 1 ? id : other, sizeof id, 0);
			if (got < 0) {
				zmq_close(socket);
				return NULL;
			}
			n = part == 1 ? got : n;
			zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &len);
		}
		zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
		zmq_send(socket, id, (size_t)n, ZMQ_SNDMORE);
		zmq_send(socket, wrong->status, 3, ZMQ_SNDMORE);
		zmq_send(socket, "", 0, ZMQ_SNDMORE);
		zmq_send(socket, "x", 1, ZMQ_SNDMORE);
		zmq_send(socket, "", 0, 0);
	}
}

static int prove_with(const char *status)
{
	struct key_pair proof;
	void *context = zmq_ctx_new();
	struct wrong wrong = {.status = status};
	pthread_t thread;
	zmq_curve_keypair(proof.public_key, proof.secret_key);
	if (status != NULL) {
		wrong.socket = zmq_socket(context, ZMQ_REP);
		assert_int_equal(zmq_bind(wrong.socket, ZAP_ENDPOINT), 0);
		assert_int_equal(pthread_create(&thread, NULL, answer, &wrong), 0);
	}
	int r = proof_run(context, &proof);
	zmq_ctx_shutdown(context);
	if (status != NULL)
		pthread_join(thread, NULL);
	zmq_ctx_term(context);
	return r;
}

static void self_test_finds_a_wrong_handler(void **state)
{
	log_init(LOG_LEVEL_ERROR + 1, false);
	assert_int_equal(prove_with(NULL), -EACCES);  /* none: libzmq lets everyone in */
	assert_int_equal(prove_with("200"), -EACCES); /* lets everyone in */
	assert_int_equal(prove_with("400"), -EACCES); /* refuses everyone */
	log_init(LOG_LEVEL_WARN, false);
}

static void key_that_others_may_read_starts_nothing(void **state)
{
	struct access *access = NULL;
	void *context = zmq_ctx_new();
	assert_int_equal(chmod(t.config.server_key, 0640), 0);
	assert_int_equal(access_open(&access, context, &t.config, NULL), -EPERM);
	assert_null(access);
	zmq_ctx_term(context);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_key_has_its_sockets_and_no_others),
		TEST(plain_passwords_are_refused),
		TEST(removed_key_is_not_served_any_more),
		TEST(handler_refuses_every_request_it_does_not_know),
		cmocka_unit_test(self_test_finds_a_wrong_handler),
		TEST(key_that_others_may_read_starts_nothing),
	};
	log_init(LOG_LEVEL_WARN, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
