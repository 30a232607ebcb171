/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"
#include "virtual-loop.h"

struct sys sys;

static struct thread *main_thread;
static pid_t last_pid = 10000;

/* --- clocks and chance ----------------------------------------------------------------------- */

int sim_clock_gettime(clockid_t clock, struct timespec *t)
{
	uint64_t ns = clock == CLOCK_REALTIME ? now_utc() : system_boot();
	*t = (struct timespec){.tv_sec = (time_t)(ns / S), .tv_nsec = (long)(ns % S)};
	return 0;
}

int sim_adjtimex(struct timex *now)
{
	now->status = sys.is_synchronised ? 0 : STA_UNSYNC;
	now->maxerror = 2000;
	return sys.is_synchronised ? TIME_OK : TIME_ERROR;
}

int sim_getentropy(void *data, size_t len)
{
	uint8_t *bytes = data;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)dice(256);
	return 0;
}

ssize_t sim_getrandom(void *data, size_t len, unsigned flags)
{
	sim_getentropy(data, len);
	return (ssize_t)len;
}

uint64_t system_boot(void)
{
	return now_boot() - sys.booted_at;
}

void system_reboot(void)
{
	sys.booted_at = now_boot() - dice_time(S, 30 * S);
}

void system_step_clock(int64_t ns)
{
	clock_step(ns);
	fds_note_clock();
}

void system_sync_clock(bool is_synchronised)
{
	sys.is_synchronised = is_synchronised;
}

/* --- the service manager --------------------------------------------------------------------- */

int sim_sd_notify(int unset, const char *state)
{
	sys.world->notified(state);
	return 0;
}

int sim_sd_notifyf(int unset, const char *format, ...)
{
	char state[200];
	va_list args;
	va_start(args, format);
	vsnprintf(state, sizeof state, format, args);
	va_end(args);
	return sim_sd_notify(unset, state);
}

/* --- the event loop -------------------------------------------------------------------------- */

/* Timers of the loop have lengths only: any clock that does not jump serves it. */
static uint64_t read_now(void *arg)
{
	return now_boot();
}

static const struct virtual_host host = {.now = read_now, .wait = fds_wait, .poll = poll_now};

int sim_event_loop_open(struct loop **out)
{
	int r = virtual_loop_open(out, &host);
	sys.loop = r == 0 ? *out : NULL;
	return r;
}

int sim_isatty(int fd)
{
	return 0;
}

/* Without NOTIFY_SOCKET the daemon does not call it. */
int sim_sd_watchdog_enabled(int unset, uint64_t *usec)
{
	return 0;
}

int sim_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	return 0;
}

sighandler_t sim_signal(int number, sighandler_t handler)
{
	return SIG_DFL;
}

static void raise_pending(void *arg)
{
	system_signal((int)(intptr_t)arg);
}

/* A blocked signal waits for its source. */
void system_signal(int signal)
{
	if (!sys.is_running)
		return;
	if (sys.loop == NULL || !virtual_loop_has_signal(sys.loop, signal)) {
		event_in(MS, raise_pending, (void *)(intptr_t)signal);
		return;
	}
	virtual_loop_raise(sys.loop, signal);
	fds_stir();
}

/* --- workers' processes ---------------------------------------------------------------------- */

/* In a posix_spawn_file_actions_t: the descriptor that the process gets. */
static int *passed_fd(posix_spawn_file_actions_t *actions)
{
	return (int *)actions;
}

int sim_posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
{
	*passed_fd(actions) = -1;
	return 0;
}

int sim_posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
	return 0;
}

int sim_posix_spawn_file_actions_addopen(
	posix_spawn_file_actions_t *actions, int fd, const char *path, int flags, mode_t mode)
{
	return 0;
}

int sim_posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int fd)
{
	return 0;
}

int sim_posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int to)
{
	if (fd_find(fd) != NULL)
		*passed_fd(actions) = fd;
	return 0;
}

int sim_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attr, char *const argv[], char *const env[])
{
	int fd = *passed_fd((posix_spawn_file_actions_t *)(uintptr_t)actions);
	*pid = ++last_pid;
	if (argv[1] != NULL && strcmp(argv[1], "--describe") == 0)
		pipe_fill(fd, sys.catalog.data, sys.catalog.len);
	else
		sys.world->worker_started(*pid, stream_pass_on(fd));
	return 0;
}

int sim_kill(pid_t pid, int number)
{
	sys.world->worker_killed(pid, number);
	return 0;
}

/* Only of the one that describes drivers: the loop reaps the others. */
pid_t sim_waitpid(pid_t pid, int *status, int options)
{
	*status = 0;
	return pid;
}

void system_worker_exits(pid_t pid, struct stream *stream, int code, int number)
{
	siginfo_t info = {.si_code = number != 0 ? CLD_KILLED : CLD_EXITED};
	info.si_status = number != 0 ? number : code;
	stream_leave(stream);
	if (sys.loop != NULL)
		virtual_loop_exit(sys.loop, pid, &info);
	fds_stir();
}

/* --- the daemon's process -------------------------------------------------------------------- */

void system_open(const struct system_world *world, struct disk *disk, const char *config,
	const uint8_t *catalog, size_t catalog_len)
{
	sys = (struct sys){.world = world,
		.disk = disk,
		.config = config,
		.catalog = {catalog, catalog_len},
		.sync_time = 2 * MS,
		.is_synchronised = true};
}

void system_close(void)
{
	if (sys.is_running)
		system_kill();
}

static void drop(void)
{
	zmq_drop();
	fds_drop();
	if (sys.loop != NULL)
		virtual_loop_abandon(sys.loop);
	sys.loop = NULL;
	memory_drop();
	sys.is_running = false;
	sys.kill_at = 0;
}

int daemon_main(int argc, char **argv);

static void *run_daemon(void *arg)
{
	char name[] = "assayd", option[] = "--config", config[PATH_MAX];
	char *argv[] = {name, option, config, NULL};
	snprintf(config, sizeof config, "%s", sys.config);
	optind = 0;
	int code = daemon_main(3, argv);
	size_t left = system_memory();
	sys.loop = NULL;
	drop();
	sys.world->ended(code, left);
	return NULL;
}

void system_start(void)
{
	assert(!sys.is_running);
	if (main_thread != NULL && thread_has_ended(main_thread))
		thread_free(main_thread);
	sys.is_running = true;
	main_thread = thread_create(run_daemon, NULL);
	assert(main_thread != NULL);
}

bool system_is_running(void)
{
	return sys.is_running;
}

static void nothing(void *arg)
{
}

void system_kill(void)
{
	threads_kill(nothing, NULL);
	drop();
}

void system_kill_at(uint64_t nth, void (*killed)(void))
{
	sys.kill_at = nth;
	sys.killed = killed;
}

void system_set_sync_time(uint64_t ns)
{
	sys.sync_time = ns;
}

void system_stall(uint64_t until)
{
	sys.stalled_until = until;
}
