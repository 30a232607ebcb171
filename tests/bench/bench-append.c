/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit of the disk: appends batches to one file, each followed by fdatasync, for some time.
 *
 *	bench-append FOLDER BATCH_BYTES SECONDS
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "tool.h"

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: bench-append FOLDER BATCH_BYTES SECONDS\n", stderr);
		return 2;
	}
	size_t batch = argument(argv[2], 1u << 30);
	uint64_t time = argument_seconds(argv[3]);
	uint8_t *data = noise(batch);
	if (chdir(argv[1]) < 0)
		die(argv[1]);
	int fd = open(BENCH_FILE, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || unlink(BENCH_FILE) < 0)
		die(BENCH_FILE);

	uint64_t begin = clock_boot(), now = begin, bytes = 0;
	for (; now < begin + time; now = clock_boot()) {
		append(fd, data, batch, bytes);
		if (fdatasync(fd) < 0)
			die("fdatasync");
		bytes += batch;
	}
	double seconds = (double)(now - begin) / 1e9;
	printf("{\"bytes\":%llu,\"seconds\":%.4f,\"bytes_per_s\":%.0f}\n",
		(unsigned long long)bytes, seconds, (double)bytes / seconds);
	close(fd);
	free(data);
	return 0;
}
