/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock and the limits, each without the filters of calls.  Every deed works without the part, is
 * refused with it, and works again when its own row or right is taken out of the part.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "confined.h"

static char folder[] = "/tmp/assay-confine-XXXXXX";
static struct sockaddr_in listener; /* takes connections */
static struct sockaddr_un abstract; /* takes datagrams */
static socklen_t abstract_len;
static pid_t victim; /* of the same user */

/* The path of a file in the folder. */
static const char *at(const char *name)
{
	static char paths[2][100];
	static int turn;
	turn = !turn;
	snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
	return paths[turn];
}

static int result(int r)
{
	return r < 0 ? errno : 0;
}

/* --- deeds: 0, or the errno of their failure ------------------------------------------------- */

static int execute(void)
{
	char *const argv[] = {(char *)"true", NULL};
	return result(execv("/bin/true", argv));
}

static int write_file(void)
{
	return result(open(at("file"), O_WRONLY));
}

static int read_file(void)
{
	return result(open(at("file"), O_RDONLY));
}

static int read_folder(void)
{
	return opendir(folder) == NULL ? errno : 0;
}

static int remove_folder(void)
{
	return result(rmdir(at("empty")));
}

static int remove_file(void)
{
	return result(unlink(at("old")));
}

static int make_device(void)
{
	return result(mknod(at("device"), S_IFCHR | 0600, makedev(0, 0)));
}

static int make_folder(void)
{
	return result(mkdir(at("folder"), 0700));
}

static int make_file(void)
{
	return result(mknod(at("new"), S_IFREG | 0600, 0));
}

static int make_socket(void)
{
	return result(mknod(at("socket"), S_IFSOCK | 0600, 0));
}

static int make_fifo(void)
{
	return result(mkfifo(at("fifo"), 0600));
}

static int make_link(void)
{
	return result(symlink("/etc/passwd", at("link")));
}

static int empty_file(void)
{
	return result(truncate(at("file"), 0));
}

/* Reaches the driver of the device, which has no such call. */
static int control_device(void)
{
	struct termios tty;
	int fd = open("/dev/zero", O_RDONLY);
	return fd >= 0 && ioctl(fd, TCGETS, &tty) < 0 && errno == ENOTTY ? 0 : EACCES;
}

static int bind_port(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	return result(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&any, sizeof any));
}

static int connect_port(void)
{
	return result(connect(
		socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&listener, sizeof listener));
}

static int reach_abstract_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	return result((int)sendto(fd, "x", 1, 0, (struct sockaddr *)&abstract, abstract_len));
}

static int signal_another(void)
{
	return result(kill(victim, SIGCONT));
}

static int raise_core_limit(void)
{
	struct rlimit most = {1, 1};
	return result(setrlimit(RLIMIT_CORE, &most));
}

static int open_many(void)
{
	for (int i = 0; i < 100; i++) {
		if (dup(STDERR_FILENO) < 0)
			return errno;
	}
	return 0;
}

static int lock_memory(void)
{
	static char page[4096];
	return result(mlock(page, sizeof page));
}

static int open_queue(void)
{
	char name[40];
	struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 16};
	snprintf(name, sizeof name, "/assay-confine-%d", (int)getpid());
	mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
	if (queue < 0)
		return errno;
	mq_unlink(name);
	return 0;
}

static int map(size_t mib, int flags)
{
	void *memory = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
	return memory == MAP_FAILED ? errno : 0;
}

static int take_data(void)
{
	return map(600, MAP_PRIVATE);
}

static int take_shared_memory(void)
{
	return map(1100, MAP_SHARED);
}

/* --- the tables -------------------------------------------------------------------------------- */

#define FILES  offsetof(struct confine_rights, files)
#define NET    offsetof(struct confine_rights, net)
#define SCOPES offsetof(struct confine_rights, scopes)

static const struct right_deed {
	const char *name;
	int (*act)(void);
	size_t member; /* of struct confine_rights */
	unsigned bit;
} right_deeds[] = {
	{"run a program", execute, FILES, 0},
	{"write a file", write_file, FILES, 1},
	{"read a file", read_file, FILES, 2},
	{"list a folder", read_folder, FILES, 3},
	{"remove a folder", remove_folder, FILES, 4},
	{"remove a file", remove_file, FILES, 5},
	{"make a device", make_device, FILES, 6},
	{"make a folder", make_folder, FILES, 7},
	{"make a file", make_file, FILES, 8},
	{"make a socket", make_socket, FILES, 9},
	{"make a FIFO", make_fifo, FILES, 10},
	{"make a link", make_link, FILES, 12},
	{"empty a file", empty_file, FILES, 14},
	{"control a device", control_device, FILES, 15},
	{"bind a port", bind_port, NET, 0},
	{"connect to a port", connect_port, NET, 1},
	{"reach an abstract socket", reach_abstract_socket, SCOPES, 0},
	{"signal another process", signal_another, SCOPES, 1},
};

static const struct limit_deed {
	const char *name;
	int (*act)(void);
	__rlimit_resource_t resource;
} limit_deeds[] = {
	{"raise the limit of core files", raise_core_limit, RLIMIT_CORE},
	{"open many files", open_many, RLIMIT_NOFILE},
	{"lock memory", lock_memory, RLIMIT_MEMLOCK},
	{"open a queue", open_queue, RLIMIT_MSGQUEUE},
	{"take much data", take_data, RLIMIT_DATA},
	{"take much shared memory", take_shared_memory, RLIMIT_AS},
};

/* --- running them ------------------------------------------------------------------------------ */

static void make(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0)
		close(fd);
}

static void empty_folder(void)
{
	static const char *const names[] = {
		"device", "new", "socket", "fifo", "link", "file", "old"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(at(names[i]));
	rmdir(at("folder"));
	rmdir(at("empty"));
}

struct trial {
	const struct confine_plan *plan;
	int (*act)(void);
};

static int try(void *arg)
{
	const struct trial *trial = arg;
	struct confine confine;
	char lacking[CONFINE_LACKING];
	become_nobody();
	empty_folder();
	mkdir(at("empty"), 0777);
	make("file");
	make("old");
	confine_prepare(&confine, trial->plan, lacking);
	confine_may_read(&confine, "/dev/zero");
	confine_may_read(&confine, "/bin/true");
	return confine_files(&confine) < 0 ? 200 : trial->act();
}

/* 0, or the errno of the deed, under this plan. */
static int result_of(int (*act)(void), const struct changed_plan *changed)
{
	struct trial trial = {&changed->plan, act};
	return in_child(try, &trial);
}

/* False, with a line that names the deed, if it does not even work without confinement. */
static bool works_here(const char *name, int (*act)(void))
{
	struct changed_plan none;
	plan_copy(&none, 0);
	int error = result_of(act, &none);
	if (error != 0)
		print_message("%s: does not work here: %s\n", name, strerror(error));
	return error == 0;
}

static void each_right_is_taken_away(void **state)
{
	int abi = (int)syscall(
		SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		skip();
	for (size_t i = 0; i < sizeof right_deeds / sizeof *right_deeds; i++) {
		const struct right_deed *d = &right_deeds[i];
		struct changed_plan changed;
		plan_copy(&changed, PART_RIGHTS);
		uint64_t *rights = NULL;
		for (size_t k = 0; k < changed.plan.rights_count; k++) {
			uint64_t *row = (uint64_t *)((char *)&changed.rights[k] + d->member);
			if (changed.rights[k].abi <= abi && (*row >> d->bit & 1) != 0)
				rights = row;
		}
		if (rights == NULL || !works_here(d->name, d->act))
			continue; /* a newer kernel knows it */
		if (result_of(d->act, &changed) == 0)
			fail_msg("%s: is not refused", d->name);
		*rights &= ~(UINT64_C(1) << d->bit);
		int error = result_of(d->act, &changed);
		if (error != 0)
			fail_msg("%s: is refused without its right: %s", d->name, strerror(error));
	}
}

static void each_limit_holds(void **state)
{
	assert_int_equal(sizeof limit_deeds / sizeof *limit_deeds, confine_plan.limit_count);
	for (size_t i = 0; i < confine_plan.limit_count; i++) {
		const struct limit_deed *d = &limit_deeds[i];
		struct changed_plan changed;
		plan_copy(&changed, PART_LIMITS);
		if (!works_here(d->name, d->act))
			continue;
		if (result_of(d->act, &changed) == 0)
			fail_msg("%s: is not refused", d->name);
		for (size_t k = 0; k < changed.plan.limit_count; k++) {
			if (changed.limits[k].resource == d->resource)
				changed.limits[k].most = RLIM_INFINITY;
		}
		int error = result_of(d->act, &changed);
		if (error != 0)
			fail_msg("%s: is refused without its limit: %s", d->name, strerror(error));
	}
}

/* --- new privileges ----------------------------------------------------------------------------- */

static int has_no_new_privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
}

static void no_privileges_can_be_gained(void **state)
{
	struct changed_plan none;
	plan_copy(&none, 0);
	assert_int_equal(result_of(has_no_new_privileges, &none), 0);
}

/* ---------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
	socklen_t size = sizeof listener;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	listener = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (bind(fd, (struct sockaddr *)&listener, size) < 0 || listen(fd, 8) < 0 ||
		getsockname(fd, (struct sockaddr *)&listener, &size) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	abstract.sun_family = AF_UNIX; /* the kernel chooses an abstract name */
	abstract_len = sizeof abstract;
	if (bind(fd, (struct sockaddr *)&abstract, sizeof(sa_family_t)) < 0 ||
		getsockname(fd, (struct sockaddr *)&abstract, &abstract_len) < 0)
		return -1;
	if (mkdtemp(folder) == NULL || chmod(folder, 0777) < 0)
		return -1;
	victim = fork();
	if (victim == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		become_nobody();
		for (;;)
			pause();
	}
	return victim < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	empty_folder();
	rmdir(folder);
	kill(victim, SIGKILL);
	return waitpid(victim, NULL, 0) == victim ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_right_is_taken_away),
		cmocka_unit_test(each_limit_holds),
		cmocka_unit_test(no_privileges_can_be_gained),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
