/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/printable.h"
#include "worker/link/folder-call.h"

#define REPLY_MS  (30 * 1000)   /* a share that does not reply for so long hangs */
#define END_MS    (1800 * 1000) /* the keeper may read the whole data set once more */
#define STEP_MS   1000
#define SET_HEAD  54 /* of NEXT: up to the path */
#define DIGEST_AT 22
#define BAD_HEAD  9
#define FILE_HEAD 16

struct folder *folder_create(struct channel *channel)
{
	struct folder *folder = calloc(1, sizeof *folder);
	if (folder != NULL)
		folder->channel = channel;
	return folder;
}

void folder_destroy(struct folder *folder)
{
	free(folder);
}

/* Waits in steps, which show that the driver is not stuck. */
static int await_reply(struct folder *folder, uint8_t act, uint64_t deadline)
{
	for (;;) {
		int left = clock_ms_until(deadline);
		ssize_t n = channel_read(folder->channel, folder->reply, sizeof folder->reply,
			left < STEP_MS ? left : STEP_MS);
		if (n == -ETIMEDOUT && left > STEP_MS)
			continue;
		if (n < 0)
			return (int)n;
		bool is_it = n >= FOLDER_REPLY && folder->reply[0] == act &&
			     get_le32(folder->reply + 1) == folder->missed;
		if (!is_it)
			continue; /* late: of a request that was given up */
		int r = (int)get_le32(folder->reply + 5);
		folder->len = (size_t)n - FOLDER_REPLY;
		if (r == 0 || r == -EINVAL)
			return r;
		return r > 0 ? -EBADMSG : -EAGAIN;
	}
}

/* Sends a request and waits for its reply: its fields are folder->reply + FOLDER_REPLY. */
static int ask(struct folder *folder, uint8_t act, const uint8_t *fields, size_t len, int ms)
{
	uint8_t request[FOLDER_REQUEST + 16] = {act};
	uint64_t deadline = clock_boot() + (uint64_t)ms * NS_PER_MS;
	put_le32(request + 1, folder->missed);
	if (len > 0)
		memcpy(request + FOLDER_REQUEST, fields, len);
	int r = channel_write(folder->channel, request, FOLDER_REQUEST + len, REPLY_MS);
	if (r == 0)
		r = await_reply(folder, act, deadline);
	if (r == -ETIMEDOUT || r == -ECANCELED)
		folder->missed++;
	if (r != -ETIMEDOUT)
		return r;
	channel_lose(folder->channel,
		"the folder does not reply: its share hangs; is the other computer on, and the "
		"network up? It goes on by itself");
	return -ENODEV;
}

/* The rest of the reply from `at` on, as a text that people can be shown. */
static void take_path(const struct folder *folder, size_t at, char path[ASSAY_FOLDER_PATH])
{
	size_t len = folder->len - at;
	len = len < ASSAY_FOLDER_PATH ? len : ASSAY_FOLDER_PATH - 1;
	memcpy(path, folder->reply + FOLDER_REPLY + at, len);
	path[len] = '\0';
	text_make_printable(path);
}

/* As its run-start has it, from the bytes of the path. */
static void take_name(struct folder *folder)
{
	const uint8_t *fields = folder->reply + FOLDER_REPLY;
	char path[FOLDER_PATH_MAX];
	size_t len = folder->len - SET_HEAD;
	len = len < sizeof path ? len : sizeof path - 1;
	memcpy(path, fields + SET_HEAD, len);
	path[len] = '\0';
	folder_name_set(&folder->name, path, fields + DIGEST_AT);
	folder->has_set = true;
}

const struct folder_name *folder_begin_run(struct folder *folder)
{
	folder->is_run = folder->has_set;
	folder->is_recorded = false;
	return folder->has_set ? &folder->name : NULL;
}

bool folder_end_run(struct folder *folder, bool is_complete)
{
	if (!folder->has_set) /* between two runs */
		return true;
	folder->is_recorded = is_complete && folder->is_taken;
	folder->has_set = false;
	return folder->is_recorded || !folder->is_run;
}

int folder_next(struct folder *folder, struct assay_folder_set *set, int ms)
{
	const uint8_t *fields = folder->reply + FOLDER_REPLY;
	uint8_t request[5];
	ms = ms > 0 ? ms : 0;
	put_le32(request, (uint32_t)ms);
	request[4] = folder->is_run && !folder->is_recorded;
	folder->has_set = folder->is_taken = false;
	int r = ask(folder, FOLDER_NEXT, request, sizeof request, ms + REPLY_MS);
	if (r < 0)
		return r;
	folder->is_run = false;
	*set = (struct assay_folder_set){.files = 0};
	if (folder->len >= SET_HEAD && fields[0] == 1) {
		set->is_folder = fields[1] != 0;
		set->files = get_le32(fields + 2);
		set->size = get_le64(fields + 6);
		set->modified = (int64_t)get_le64(fields + 14);
		take_path(folder, SET_HEAD, set->path);
		take_name(folder);
		folder->unreadable.count = 0;
		return 0;
	}
	if (folder->len < BAD_HEAD || fields[0] != 0)
		return -EBADMSG;
	folder->unreadable.count = get_le32(fields + 1);
	folder->unreadable.error = -(int)get_le32(fields + 5);
	take_path(folder, BAD_HEAD, folder->unreadable.path);
	return -ETIMEDOUT;
}

int folder_file(struct folder *folder, unsigned index, struct assay_folder_file *file)
{
	const uint8_t *fields = folder->reply + FOLDER_REPLY;
	uint8_t request[4];
	put_le32(request, index);
	int r = ask(folder, FOLDER_FILE, request, sizeof request, REPLY_MS);
	if (r == 0 && folder->len < FILE_HEAD)
		r = -EBADMSG;
	if (r < 0)
		return r;
	file->size = get_le64(fields);
	file->modified = (int64_t)get_le64(fields + 8);
	take_path(folder, FILE_HEAD, file->path);
	return 0;
}

ssize_t folder_read(struct folder *folder, unsigned index, uint64_t offset, void *to, size_t size)
{
	uint8_t request[16];
	size = size < FOLDER_READ_MAX ? size : FOLDER_READ_MAX;
	put_le32(request, index);
	put_le64(request + 4, offset);
	put_le32(request + 12, (uint32_t)size);
	int r = ask(folder, FOLDER_READ, request, sizeof request, REPLY_MS);
	if (r == 0 && folder->len > size)
		r = -EBADMSG;
	if (r < 0)
		return r;
	memcpy(to, folder->reply + FOLDER_REPLY, folder->len);
	return (ssize_t)folder->len;
}

int folder_end(struct folder *folder, enum assay_folder_verdict verdict)
{
	uint8_t request = (uint8_t)verdict;
	int r = ask(folder, FOLDER_END, &request, 1, END_MS);
	if (r == 0 && folder->len != 1)
		r = -EBADMSG;
	if (r < 0 || verdict == ASSAY_FOLDER_INCOMPLETE)
		return r;
	folder->is_taken = folder->reply[FOLDER_REPLY] == 1;
	return folder->is_taken ? 0 : -EAGAIN;
}
