/* SPDX-License-Identifier: Apache-2.0 */
/* The link folder: the process that reads the files, its confinement, and the driver's calls. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "pump.h"
#include "worker/confine.h"
#include "worker/link/folder-call.h"
#include "worker/link/folder-tree.h"

#define WAIT_MS 20000
#define BIG     300000

static char path[64];
static struct pump pump;
static struct folder *folder;
static struct port port;

static int setup(void **state)
{
	strcpy(path, "/tmp/assay-folder-XXXXXX");
	assert_non_null(mkdtemp(path));
	port = (struct port){.kind = ASSAY_LINK_FOLDER,
		.folder = path,
		.open_ms = WAIT_MS,
		.settle_ms = 5,
		.poll_ms = 5};
	return 0;
}

static int teardown(void **state)
{
	char command[200];
	snprintf(command, sizeof command, "rm -rf '%s' '%s.old'", path, path);
	return system(command);
}

static void start(void)
{
	assert_int_equal(pump_start(&pump, &port), 0);
	folder = folder_create(&pump.channel);
	assert_non_null(folder);
}

static void stop(void)
{
	folder_destroy(folder);
	pump_stop(&pump);
}

static void make(const char *name, const void *content, size_t len)
{
	char at[200];
	snprintf(at, sizeof at, "%s/%s", path, name);
	FILE *file = fopen(at, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(content, 1, len, file), len);
	fclose(file);
}

static void a_file_is_read_and_taken_once(void **state)
{
	static uint8_t content[BIG], got[BIG + 1];
	struct assay_folder_set set;
	struct assay_folder_file file;
	for (size_t i = 0; i < BIG; i++)
		content[i] = (uint8_t)(i * 7 + i / 251);
	make("a \x1b[31m.spa", content, BIG);
	start();
	assert_int_equal(folder_file(folder, 0, &file), -EINVAL); /* no data set yet */
	assert_int_equal(folder_next(folder, &set, WAIT_MS), 0);
	assert_string_equal(set.path, "a ?[31m.spa"); /* a terminal is safe */
	assert_int_equal(set.size, BIG);
	assert_int_equal(set.files, 1);
	assert_false(set.is_folder);
	assert_int_equal(folder_file(folder, 0, &file), 0);
	assert_int_equal(file.size, BIG);
	assert_int_equal(folder_file(folder, 1, &file), -EINVAL);
	size_t have = 0;
	ssize_t n;
	while ((n = folder_read(folder, 0, have, got + have, sizeof got - have)) > 0) {
		assert_true(n <= FOLDER_READ_MAX);
		have += (size_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(have, BIG);
	assert_memory_equal(got, content, BIG);
	assert_int_equal(folder_end(folder, ASSAY_FOLDER_TAKEN), 0);
	assert_int_equal(folder_read(folder, 0, 0, got, 1), -EINVAL);
	assert_int_equal(folder_next(folder, &set, 100), -ETIMEDOUT);
	assert_int_equal(folder->unreadable.count, 0);
	make("a \x1b[31m.spa", content, BIG - 1); /* another content */
	assert_int_equal(folder_next(folder, &set, WAIT_MS), 0);
	assert_int_equal(set.size, BIG - 1);
	stop();
}

static void a_changed_and_an_incomplete_one_come_again(void **state)
{
	struct assay_folder_set set;
	uint8_t got[10];
	make("a.spa", "first", 5);
	start();
	assert_int_equal(folder_next(folder, &set, WAIT_MS), 0);
	assert_int_equal(folder_end(folder, ASSAY_FOLDER_INCOMPLETE), 0);
	assert_int_equal(folder_next(folder, &set, WAIT_MS), 0);
	assert_int_equal(folder_read(folder, 0, 0, got, sizeof got), 5);
	make("a.spa", "other", 5);
	assert_int_equal(folder_end(folder, ASSAY_FOLDER_TAKEN), -EAGAIN);
	assert_int_equal(folder_next(folder, &set, WAIT_MS), 0);
	assert_int_equal(folder_read(folder, 0, 0, got, sizeof got), 5);
	assert_memory_equal(got, "other", 5);
	assert_int_equal(folder_end(folder, ASSAY_FOLDER_TAKEN), 0);
	stop();
}

/* Takes the next one in a run; its key. */
static void take(const char *name, bool is_complete, uint8_t key[WIRE_TAKEN_BYTES])
{
	struct assay_folder_set set;
	assert_int_equal(folder_next(folder, &set, WAIT_MS), 0);
	assert_string_equal(set.path, name);
	const struct folder_name *found = folder_begin_run(folder);
	assert_non_null(found);
	assert_int_equal(folder_name_key(found, key), 0);
	assert_int_equal(folder_end(folder, ASSAY_FOLDER_TAKEN), 0);
	assert_int_equal(folder_end_run(folder, is_complete), is_complete);
	assert_true(folder_end_run(folder, false)); /* of the repetition, not of this run */
}

static void only_a_complete_run_takes_it(void **state)
{
	struct assay_folder_set set;
	uint8_t key[WIRE_TAKEN_BYTES];
	make("a.spa", "first", 5);
	start();
	take("a.spa", false, key);
	take("a.spa", true, key);
	assert_int_equal(folder_next(folder, &set, 100), -ETIMEDOUT);
	make("b.spa", "first", 5); /* the same content is another file */
	assert_int_equal(folder_next(folder, &set, WAIT_MS), 0);
	assert_string_equal(set.path, "b.spa");
	folder_begin_run(folder);
	assert_false(folder_end_run(folder, true)); /* a run that did not read it */
	take("b.spa", true, key);
	stop();
}

static void a_recorded_one_does_not_come_again(void **state)
{
	uint8_t keys[2][WIRE_TAKEN_BYTES] = {{0}}, other[WIRE_TAKEN_BYTES];
	make("K\xc3\xa4se \x1b.spa", "first", 5);
	start();
	take("K\xc3\xa4se ?.spa", true, keys[1]);
	assert_string_equal(folder->name.file, "K\xc3\xa4se \\x1b.spa");
	/* printf first | sha256sum */
	assert_string_equal(folder->name.sha256,
		"a7937b64b8caa58f03721bb6bacf5c78cb235febe0e70b1b84cd99541461a08e");
	stop();
	port.taken = (struct assay_span){keys[0], sizeof keys};
	make("k\xc3\xa4se \x1b.spa", "first", 5); /* another file by its case */
	start();
	take("k\xc3\xa4se ?.spa", true, other);
	struct assay_folder_set set;
	assert_int_equal(folder_next(folder, &set, 100), -ETIMEDOUT);
	make("K\xc3\xa4se \x1b.spa", "other", 5);
	take("K\xc3\xa4se ?.spa", true, other);
	make("K\xc3\xa4se \x1b.spa", "first", 5); /* as it was: it is recorded */
	assert_int_equal(folder_next(folder, &set, 200), -ETIMEDOUT);
	stop();
}

static void a_folder_is_known_by_its_files(void **state)
{
	char at[200];
	struct assay_folder_set set;
	port.data_sets = PORT_DATA_SETS_FOLDERS;
	snprintf(at, sizeof at, "%s/r.D", path);
	assert_int_equal(mkdir(at, 0755), 0);
	make("r.D/b", "2", 1);
	make("r.D/A", "1", 1);
	start();
	assert_int_equal(folder_next(folder, &set, WAIT_MS), 0);
	/* (printf 'A\0'; printf 1 | sha256sum | xxd -r -p; printf 'b\0'; ...) | sha256sum */
	assert_string_equal(folder_begin_run(folder)->sha256,
		"cd0e3412e89ca07be769574b379e4f3efceba48d3bd0e144025448233822c0c1");
	stop();
}

static void an_abort_ends_a_wait_and_its_late_reply_is_dropped(void **state)
{
	struct assay_folder_set set;
	start();
	pump_cancel_in(&pump, 20);
	assert_int_equal(folder_next(folder, &set, WAIT_MS), -ECANCELED);
	pump_resume(&pump);
	make("a.spa", "first", 5);
	assert_int_equal(folder_next(folder, &set, WAIT_MS), 0);
	assert_string_equal(set.path, "a.spa");
	stop();
}

static void a_lost_folder_is_a_lost_port(void **state)
{
	struct assay_folder_set set;
	char moved[80], why[200];
	start();
	snprintf(moved, sizeof moved, "%s.old", path);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	int r = -ETIMEDOUT;
	for (int i = 0; i < WAIT_MS / 100 && r == -ETIMEDOUT; i++)
		r = folder_next(folder, &set, 100);
	assert_int_equal(r, -ENODEV);
	channel_why(&pump.channel, why, sizeof why);
	assert_non_null(strstr(why, "another folder is at this path"));
	stop();
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(pump_start(&pump, &port), -ENOENT);
	assert_non_null(strstr(pump.link.why, path));
}

/* --- confinement of the process ---------------------------------------------------------------- */

static struct folder_tree tree;

static bool opens(int at, const char *name, const struct open_how *how)
{
	return syscall(SYS_openat2, at, name, how, sizeof *how) >= 0;
}

static bool is_allowed_inside(void)
{
	return opens(tree.root, "inside", &tree.options->read);
}

static bool by_own_options(void)
{
	static const struct open_how how = {.flags = O_RDONLY};
	return opens(tree.root, "../..", &how);
}

static bool by_changed_options(void)
{
	struct folder_options *options = (struct folder_options *)tree.options;
	return mprotect(options, 4096, PROT_READ | PROT_WRITE) == 0;
}

static bool above(void)
{
	return opens(tree.root, "../inside", &tree.options->read);
}

static bool a_neighbour(void)
{
	return opens(tree.parent, tree.name, &tree.options->read);
}

static bool by_a_root_of_another_name(void)
{
	return syscall(SYS_close, tree.root) == 0;
}

static bool by_openat(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY) >= 0;
}

static bool to_write(void)
{
	static const struct open_how how = {.flags = O_WRONLY};
	return opens(tree.root, "inside", &how);
}

static bool by_deleting(void)
{
	return syscall(SYS_unlinkat, tree.root, "inside", 0) == 0;
}

static bool by_a_socket(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool by_a_program(void)
{
	return syscall(SYS_execve, "/bin/true", NULL, NULL) == 0;
}

static bool by_a_process(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0;
}

static bool by_a_signal(void)
{
	return syscall(SYS_kill, 1, 0) == 0;
}

/* 0: it did, 1: it could not. */
static int in_keeper(bool (*deed)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		bool is_ready = folder_tree_open(&tree, path) == 0 &&
				folder_tree_confine(&tree, &fd) == 0;
		_exit(!is_ready ? 2 : deed() ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void the_process_reaches_the_folder_and_nothing_else(void **state)
{
	static bool (*const deeds[])(void) = {by_own_options, by_changed_options, above,
		a_neighbour, by_a_root_of_another_name, by_openat, to_write, by_deleting,
		by_a_socket, by_a_program, by_a_process, by_a_signal};
	if (!confine_is_possible())
		skip();
	make("inside", "x", 1);
	assert_int_equal(in_keeper(is_allowed_inside), 0);
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
		if (in_keeper(deeds[i]) != 1)
			fail_msg("deed %zu: it did", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_read_and_taken_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_changed_and_an_incomplete_one_come_again, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_complete_run_takes_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_recorded_one_does_not_come_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_is_known_by_its_files, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_abort_ends_a_wait_and_its_late_reply_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_folder_is_a_lost_port, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_process_reaches_the_folder_and_nothing_else, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
