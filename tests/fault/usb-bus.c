/* SPDX-License-Identifier: Apache-2.0 */
/* usb-bus PROGRAM ARG...: runs a program on a machine with the USB device of usbfs.h, which is silent. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <assay/driver.h>

#include "usbfs.h"

static volatile sig_atomic_t child;

static void pass_on(int number)
{
	kill(child, number);
}

int main(int argc, char **argv)
{
	struct port port;
	int status;
	if (argc < 2)
		return 2;
	usbfs_make(&port);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	signal(SIGTERM, pass_on);
	while (waitpid(child, &status, 0) < 0)
		;
	usbfs_drop();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
