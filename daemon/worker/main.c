/* SPDX-License-Identifier: Apache-2.0 */
/* assay-worker: the process that runs one port.  Started by assayd, or by hand to describe. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/check.h"
#include "worker/describe.h"
#include "worker/number.h"
#include "worker/reparse.h"
#include "worker/worker.h"

static volatile sig_atomic_t signalled;
static volatile bool terminate;

static void on_terminate(int number)
{
	signalled = number;
	terminate = true;
}

/* One arena, and free memory goes back to the kernel: a machine runs many workers. */
static void save_memory(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 256 << 10);
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

static int usage(FILE *to, int code)
{
	fprintf(to, "usage: assay-worker --fd N\n"
		    "       assay-worker --check DRIVER [--drivers DIR]\n"
		    "       assay-worker --describe [--drivers DIR] [NAME...]\n"
		    "       assay-worker --reparse DRIVER [--drivers DIR]\n"
		    "       assay-worker --try [OPTION...] NAME TYPE [KEY=VALUE...]\n"
		    "\n"
		    "  --fd N          run one port; N is the socket that assayd left open\n"
		    "  --check DRIVER  check settings from standard input by the driver's rules\n"
		    "  --describe      print the drivers' descriptions as CBOR\n"
		    "  --reparse DRIVER  decode raw blocks from standard input again\n"
		    "  --drivers DIR   the folder of the drivers' modules\n"
		    "  --try           one instrument in the foreground, without the daemon;\n"
		    "                  --try --help explains it\n"
		    "  --version       print the version\n");
	return code;
}

/*
 * The core decides when a worker ends: it handles the Ctrl-C that a terminal sends to the whole
 * group.  The worker ends if the core dies.
 */
static int run_port(const char *text)
{
	int64_t fd;
	if (number_parse_integer(text, strlen(text), &fd) < 0 || fd < 0 || fd > 1023) {
		fprintf(stderr, "assay-worker: '%s' is not a file descriptor\n", text);
		return WIRE_EXIT_USAGE;
	}
	struct sigaction action = {.sa_handler = on_terminate};
	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	save_memory();
	return worker_run((int)fd, &terminate);
}

/* Becomes assay-try, which has the rules of the configuration and starts this program again. */
static int run_try(int argc, char **argv)
{
	static char name[] = "assay-worker --try", worker[] = "--worker";
	char self[PATH_MAX], path[PATH_MAX + sizeof "assay-try"];
	char **args = calloc((size_t)argc + 3, sizeof *args);
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	if (args == NULL || len <= 0)
		return WIRE_EXIT_MEMORY;
	self[len] = '\0';
	const char *slash = strrchr(self, '/');
	snprintf(path, sizeof path, "%.*s/assay-try", (int)(slash - self), self);
	args[0] = name;
	args[1] = worker;
	args[2] = self;
	memcpy(args + 3, argv + 2, (size_t)(argc - 2) * sizeof *args);
	execv(path, args);
	fprintf(stderr, "assay-worker: %s: %s\n", path, strerror(errno));
	free(args);
	return WIRE_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--try") == 0)
		return run_try(argc, argv);
	static const struct option options[] = {
		{"fd", required_argument, NULL, 'f'},
		{"describe", no_argument, NULL, 'd'},
		{"check", required_argument, NULL, 'c'},
		{"reparse", required_argument, NULL, 'r'},
		{"drivers", required_argument, NULL, 'D'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *fd = NULL, *check = NULL, *reparse = NULL, *drivers = ASSAY_DRIVER_DIR;
	bool describe = false;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'f': fd = optarg; break;
		case 'd': describe = true; break;
		case 'c': check = optarg; break;
		case 'r': reparse = optarg; break;
		case 'D': drivers = optarg; break;
		case 'v': puts("assay-worker " ASSAY_VERSION); return 0;
		case 'h': return usage(stdout, 0);
		default: return usage(stderr, WIRE_EXIT_USAGE);
		}
	}
	int modes = describe + (fd != NULL) + (check != NULL) + (reparse != NULL);
	if (modes != 1 || (!describe && optind < argc))
		return usage(stderr, WIRE_EXIT_USAGE);
	if (fd != NULL)
		return run_port(fd);
	if (check != NULL)
		return check_run(drivers, check, 0);
	if (reparse != NULL) {
		save_memory();
		return reparse_run(drivers, reparse, 0, 1);
	}
	return describe_drivers(
		drivers, (const char *const *)argv + optind, (size_t)(argc - optind));
}
