/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a socket belongs to the process that made it. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"

#define WAIT_MS 5000

static struct {
	char base[64], folder[80], path[96], address[112];
	void *context, *server;
	struct endpoint_file *endpoint;
} t;

static uint64_t now = NS_PER_S;

static uint64_t tell(void *arg)
{
	return now;
}

static int open_at(struct endpoint_file **out, void **socket)
{
	*socket = zmq_socket(t.context, ZMQ_ROUTER);
	assert_non_null(*socket);
	int r = endpoint_open(out, *socket, t.address);
	if (r < 0)
		zmq_close(*socket);
	return r;
}

static int set_up(void **state)
{
	strcpy(t.base, "/tmp/assay-endpoint-XXXXXX");
	assert_non_null(mkdtemp(t.base));
	snprintf(t.folder, sizeof t.folder, "%s/run", t.base);
	snprintf(t.path, sizeof t.path, "%s/live", t.folder);
	snprintf(t.address, sizeof t.address, "ipc://%s", t.path);
	t.context = zmq_ctx_new();
	t.endpoint = NULL;
	t.server = NULL;
	return t.context != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void remove_folder(const char *path)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int tear_down(void **state)
{
	endpoint_close(t.endpoint);
	if (t.server != NULL)
		zmq_close(t.server);
	zmq_ctx_term(t.context);
	remove_folder(t.base);
	return 0;
}

static void begin(void)
{
	assert_int_equal(open_at(&t.endpoint, &t.server), 0);
}

static struct stat look_at(const char *path)
{
	struct stat st = {0};
	assert_int_equal(lstat(path, &st), 0);
	return st;
}

static void *connect_client(void)
{
	int linger = 0;
	void *client = zmq_socket(t.context, ZMQ_DEALER);
	assert_int_equal(zmq_setsockopt(client, ZMQ_LINGER, &linger, sizeof linger), 0);
	assert_int_equal(zmq_connect(client, t.address), 0);
	return client;
}

static bool is_heard(void *client)
{
	char text[16];
	zmq_pollitem_t item = {.socket = t.server, .events = ZMQ_POLLIN};
	assert_int_equal(zmq_send(client, "hello", 5, 0), 5);
	if (zmq_poll(&item, 1, WAIT_MS) != 1)
		return false;
	assert_true(zmq_recv(t.server, text, sizeof text, 0) > 0);
	return zmq_recv(t.server, text, sizeof text, 0) == 5;
}

static void look_later(void)
{
	now += NS_PER_S;
	endpoint_look(t.endpoint);
}

/* A socket of another program; listening or not. */
static int make_foreign(bool listens)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	strcpy(name.sun_path, t.path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&name, sizeof name), 0);
	if (listens)
		assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void the_group_may_connect_and_the_end_removes_the_file(void **state)
{
	begin();
	assert_int_equal(look_at(t.path).st_mode, S_IFSOCK | 0770);
	assert_int_equal(look_at(t.folder).st_mode, S_IFDIR | 0750);
	void *client = connect_client();
	assert_true(is_heard(client));
	zmq_close(client);
	endpoint_close(t.endpoint);
	t.endpoint = NULL;
	assert_int_equal(access(t.path, F_OK), -1);
}

static void a_second_one_is_refused_and_takes_nothing(void **state)
{
	struct endpoint_file *other;
	void *socket;
	begin();
	struct stat before = look_at(t.path);
	assert_int_equal(open_at(&other, &socket), -EADDRINUSE);
	assert_int_equal(look_at(t.path).st_ino, before.st_ino);
	void *client = connect_client();
	assert_true(is_heard(client));
	zmq_close(client);
}

static void a_program_that_listens_keeps_its_socket(void **state)
{
	assert_int_equal(mkdir(t.folder, 0700), 0);
	int fd = make_foreign(true);
	ino_t before = look_at(t.path).st_ino;
	assert_int_equal(open_at(&t.endpoint, &t.server), -EADDRINUSE);
	t.server = NULL;
	assert_int_equal(look_at(t.path).st_ino, before);
	close(fd); /* as after a crash */
	begin();
	assert_int_not_equal(look_at(t.path).st_ino, 0);
	void *client = connect_client();
	assert_true(is_heard(client));
	zmq_close(client);
}

static void a_file_that_is_no_socket_stays(void **state)
{
	assert_int_equal(mkdir(t.folder, 0700), 0);
	int fd = open(t.path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	assert_int_equal(open_at(&t.endpoint, &t.server), -EEXIST);
	t.server = NULL;
	assert_int_equal(look_at(t.path).st_size, 4);
}

static void what_is_removed_is_made_again(void **state)
{
	begin();
	void *client = connect_client();
	assert_true(is_heard(client));
	for (int i = 0; i < 40; i++) { /* also when old listeners are given up */
		if (i % 2 == 0)
			unlink(t.path);
		else
			remove_folder(t.folder);
		endpoint_look(t.endpoint); /* not yet */
		assert_int_equal(access(t.path, F_OK), -1);
		look_later();
		void *other = connect_client();
		assert_true(is_heard(other));
		zmq_close(other);
		if (i < 8)
			assert_true(is_heard(client));
	}
	zmq_close(client);
}

static void nothing_is_taken_back_from_another_program(void **state)
{
	begin();
	unlink(t.path);
	int fd = make_foreign(true);
	ino_t theirs = look_at(t.path).st_ino;
	look_later();
	look_later();
	assert_int_equal(look_at(t.path).st_ino, theirs);
	endpoint_close(t.endpoint);
	t.endpoint = NULL;
	assert_int_equal(look_at(t.path).st_ino, theirs);
	zmq_close(t.server);
	t.server = NULL;
	assert_int_equal(look_at(t.path).st_ino, theirs);
	close(fd);
}

#define endpoint_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		endpoint_test(the_group_may_connect_and_the_end_removes_the_file),
		endpoint_test(a_second_one_is_refused_and_takes_nothing),
		endpoint_test(a_program_that_listens_keeps_its_socket),
		endpoint_test(a_file_that_is_no_socket_stays),
		endpoint_test(what_is_removed_is_made_again),
		endpoint_test(nothing_is_taken_back_from_another_program),
	};
	const struct clock_source clock = {.utc = tell, .boot = tell};
	clock_replace(&clock);
	log_init(0, true);
	umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
