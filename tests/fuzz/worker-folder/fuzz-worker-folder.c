/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies about a folder, as a recording can have them.  Input: the call; then messages, each after its
 * length in two bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/link/folder-call.h"

#define READ_SIZE 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ssize_t take(struct link *link, uint8_t *to, size_t size)
{
	return link_fd_result(link, recv(link->fd, to, size, MSG_DONTWAIT));
}

static ssize_t send_nothing(struct link *link, const uint8_t *data, size_t len)
{
	return (ssize_t)len;
}

static const struct link_ops ops = {
	.receive = take, .send = send_nothing, .receive_max = FOLDER_REPLY_MAX};

/* Sends the messages to the descriptor and closes it. */
static void play(int fd, const uint8_t *data, size_t size)
{
	while (size > 2) {
		size_t len = (size_t)data[0] << 8 | data[1];
		len = len < size - 2 ? len : size - 2;
		if (len > 0)
			send(fd, data + 2, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		data += 2 + len;
		size -= 2 + len;
	}
	close(fd);
}

/* It ends, and has nothing that moves a terminal's cursor. */
static void check_path(const char path[ASSAY_FOLDER_PATH])
{
	size_t len = strnlen(path, ASSAY_FOLDER_PATH);
	if (len == ASSAY_FOLDER_PATH)
		abort();
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
			abort();
}

static void call(struct folder *folder, unsigned which)
{
	struct assay_folder_set set;
	struct assay_folder_file file;
	uint8_t bytes[READ_SIZE];
	ssize_t r = 0;
	switch (which % 4) {
	case 0:
		r = folder_next(folder, &set, 10);
		if (r == 0)
			check_path(set.path);
		else if (r == -ETIMEDOUT)
			check_path(folder->unreadable.path);
		break;
	case 1:
		r = folder_file(folder, 0, &file);
		if (r == 0)
			check_path(file.path);
		break;
	case 2: r = folder_read(folder, 0, 0, bytes, sizeof bytes); break;
	default: r = folder_end(folder, ASSAY_FOLDER_TAKEN); break;
	}
	if (r > READ_SIZE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct monitor monitor;
	struct heartbeat heartbeat = {0};
	struct channel channel;
	struct link link = {.ops = &ops, .fd = -1};
	int pair[2];
	if (size < 1 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return 0;
	if (monitor_init(&monitor) < 0)
		abort();
	link.fd = pair[0];
	play(pair[1], data + 1, size - 1);
	channel_init(&channel, &monitor, &link, &heartbeat);
	channel_set_direct(&channel);
	struct folder *folder = folder_create(&channel);
	if (folder != NULL)
		call(folder, data[0]);
	folder_destroy(folder);
	channel_finish(&channel);
	monitor_finish(&monitor);
	close(pair[0]);
	return 0;
}
