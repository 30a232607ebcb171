/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "worker/link/folder-keeper.h"
#include "worker/link/folder-message.h"

struct keeper {
	int fd;
	uint64_t poll, polled_at; /* 0: not yet */
	struct folder_tree tree;
	struct folder_watch watch;
	/* a NEXT that waits for a data set, until `limit` */
	bool is_asked;
	uint32_t number;
	uint64_t limit;
	/* the data set of the last NEXT */
	char *path; /* NULL: none */
	struct folder_reader reader;
	/* the last one that was taken, until it is known if it is recorded */
	char *ended; /* its path; NULL: none */
	uint8_t key[WIRE_TAKEN_BYTES];
};

/* --- replies ---------------------------------------------------------------------------------- */

static void start_reply(struct buffer *out, uint8_t act, uint32_t number, int error)
{
	uint8_t head[FOLDER_REPLY] = {act};
	put_le32(head + 1, number);
	put_le32(head + 5, (uint32_t)error);
	buffer_append(out, head, sizeof head);
}

static void add_u8(struct buffer *out, uint8_t value)
{
	buffer_append(out, &value, 1);
}

static void add_u32(struct buffer *out, uint32_t value)
{
	uint8_t bytes[4];
	put_le32(bytes, value);
	buffer_append(out, bytes, sizeof bytes);
}

static void add_u64(struct buffer *out, uint64_t value)
{
	uint8_t bytes[8];
	put_le64(bytes, value);
	buffer_append(out, bytes, sizeof bytes);
}

/* Blocks while the worker takes no message: it can end at any time. */
static void send_reply(struct keeper *keeper, struct buffer *out)
{
	bool is_sent = !out->failed && send(keeper->fd, out->data, out->len, MSG_NOSIGNAL) >= 0;
	buffer_finish(out);
	if (!is_sent)
		_exit(EXIT_FAILURE);
}

static void reply_error(struct keeper *keeper, uint8_t act, uint32_t number, int error)
{
	struct buffer out = {0};
	start_reply(&out, act, number, error);
	send_reply(keeper, &out);
}

/* --- the acts --------------------------------------------------------------------------------- */

static void drop_set(struct keeper *keeper)
{
	free(keeper->path);
	keeper->path = NULL;
	folder_reader_close(&keeper->reader);
}

/* What became of the set before this NEXT: one that was not ended is not recorded, either. */
static void settle_last(struct keeper *keeper, bool is_recorded, uint64_t now)
{
	const char *path = keeper->path != NULL ? keeper->path : keeper->ended;
	bool is_lost = keeper->path != NULL || !is_recorded;
	struct folder_set *set = path != NULL ? folder_watch_find(&keeper->watch, path) : NULL;
	if (set != NULL && is_lost)
		folder_watch_defer(set, 0, now);
	if (path != NULL && !is_lost && folder_watch_keep(&keeper->watch, path, keeper->key) < 0)
		_exit(EXIT_FAILURE);
	drop_set(keeper);
	free(keeper->ended);
	keeper->ended = NULL;
}

/* Makes this set that of the last NEXT. */
static int offer(struct keeper *keeper, const struct folder_set *set)
{
	drop_set(keeper);
	keeper->path = strdup(set->path);
	if (keeper->path == NULL)
		return -ENOMEM;
	int r = folder_watch_offer(&keeper->watch, set, &keeper->reader);
	if (r < 0)
		drop_set(keeper);
	return r;
}

static void reply_set(struct keeper *keeper, const struct folder_set *set)
{
	struct buffer out = {0};
	start_reply(&out, FOLDER_NEXT, keeper->number, 0);
	add_u8(&out, 1);
	add_u8(&out, set->is_folder);
	add_u32(&out, (uint32_t)keeper->reader.files.count);
	add_u64(&out, set->size);
	add_u64(&out, (uint64_t)set->modified);
	buffer_append(&out, set->digest, sizeof set->digest);
	buffer_append(&out, set->path, strlen(set->path));
	send_reply(keeper, &out);
}

static void reply_none(struct keeper *keeper)
{
	struct buffer out = {0};
	const struct folder_set *first = NULL;
	size_t unreadable = folder_watch_unreadable(&keeper->watch, &first);
	start_reply(&out, FOLDER_NEXT, keeper->number, 0);
	add_u8(&out, 0);
	add_u32(&out, (uint32_t)unreadable);
	add_u32(&out, (uint32_t)(first != NULL ? -first->error : 0));
	if (first != NULL)
		buffer_append(&out, first->path, strlen(first->path));
	send_reply(keeper, &out);
}

/* Replies to a NEXT as soon as it can. */
static void reply_next(struct keeper *keeper, uint64_t now)
{
	struct folder_set *set;
	while ((set = folder_watch_next(&keeper->watch, now)) != NULL) {
		if (offer(keeper, set) == 0) {
			keeper->is_asked = false;
			reply_set(keeper, set);
			return;
		}
		folder_watch_defer(set, 0, now);
	}
	if (now >= keeper->limit) {
		keeper->is_asked = false;
		reply_none(keeper);
	}
}

static void reply_file(struct keeper *keeper, uint32_t number, uint32_t index)
{
	struct buffer out = {0};
	const struct folder_file *file = &keeper->reader.files.at[index];
	start_reply(&out, FOLDER_FILE, number, 0);
	add_u64(&out, file->item.size);
	add_u64(&out, (uint64_t)file->item.modified);
	buffer_append(&out, file->path, strlen(file->path));
	send_reply(keeper, &out);
}

static void reply_read(struct keeper *keeper, const uint8_t *request, uint64_t now)
{
	const uint8_t *fields = request + FOLDER_REQUEST;
	uint32_t number = get_le32(request + 1), size = get_le32(fields + 12);
	struct buffer out = {0};
	start_reply(&out, FOLDER_READ, number, 0);
	size = size < FOLDER_READ_MAX ? size : FOLDER_READ_MAX;
	uint8_t *to = buffer_reserve(&out, size);
	ssize_t n = to == NULL ? -ENOMEM
			       : folder_reader_read(&keeper->reader, get_le32(fields),
					 get_le64(fields + 4), to, size);
	out.len += n > 0 ? (size_t)n : 0;
	if (n < 0) {
		struct folder_set *set = folder_watch_find(&keeper->watch, keeper->path);
		put_le32(out.data + FOLDER_REPLY - 4, (uint32_t)n);
		if (set != NULL)
			folder_watch_defer(set, n == -EAGAIN ? 0 : (int)-n, now);
		drop_set(keeper);
	}
	send_reply(keeper, &out);
}

static void reply_end(struct keeper *keeper, uint32_t number, unsigned verdict, uint64_t now)
{
	struct buffer out = {0};
	struct folder_set *set = folder_watch_find(&keeper->watch, keeper->path);
	bool is_same = false;
	if (set != NULL && verdict == ASSAY_FOLDER_INCOMPLETE)
		folder_watch_defer(set, 0, now);
	else if (set != NULL)
		is_same = folder_watch_take(&keeper->watch, set, &keeper->reader, now);
	if (is_same) {
		keeper->ended = keeper->path;
		memcpy(keeper->key, set->key, sizeof keeper->key);
		keeper->path = NULL;
	}
	drop_set(keeper);
	start_reply(&out, FOLDER_END, number, 0);
	add_u8(&out, is_same);
	send_reply(keeper, &out);
}

static void handle(struct keeper *keeper, const uint8_t *request, size_t len, uint64_t now)
{
	static const uint8_t sizes[] = {
		[FOLDER_NEXT] = 5, [FOLDER_FILE] = 4, [FOLDER_READ] = 16, [FOLDER_END] = 1};
	uint8_t act = len < FOLDER_REQUEST ? 0 : request[0];
	if (act < FOLDER_NEXT || act > FOLDER_END || len != (size_t)FOLDER_REQUEST + sizes[act])
		_exit(EXIT_FAILURE);
	uint32_t number = get_le32(request + 1);
	const uint8_t *fields = request + FOLDER_REQUEST;
	keeper->is_asked = act == FOLDER_NEXT; /* the worker waits for one reply at a time */
	if (act == FOLDER_NEXT) {
		keeper->number = number;
		keeper->limit = now + get_le32(fields) * NS_PER_MS;
		settle_last(keeper, fields[4] == 0, now);
		reply_next(keeper, now);
		return;
	}
	bool has_index = act == FOLDER_FILE || act == FOLDER_READ;
	uint32_t index = has_index ? get_le32(fields) : 0;
	if (keeper->path == NULL || (has_index && index >= keeper->reader.files.count))
		reply_error(keeper, act, number, -EINVAL);
	else if (act == FOLDER_FILE)
		reply_file(keeper, number, index);
	else if (act == FOLDER_READ)
		reply_read(keeper, request, now);
	else
		reply_end(keeper, number, fields[0], now);
}

/* --- the process ------------------------------------------------------------------------------ */

/* How long it may wait for a request. */
static int wait_ms(const struct keeper *keeper, bool is_busy, uint64_t now)
{
	uint64_t until = keeper->polled_at + keeper->poll;
	if (is_busy || keeper->polled_at == 0)
		return 0;
	if (keeper->is_asked && keeper->limit < until)
		until = keeper->limit;
	return until <= now ? 0 : (int)((until - now) / NS_PER_MS + 1);
}

static _Noreturn void serve(struct keeper *keeper)
{
	bool is_busy = false;
	for (;;) {
		uint8_t request[64];
		uint64_t now = clock_boot();
		struct pollfd p = {.fd = keeper->fd, .events = POLLIN};
		if (poll(&p, 1, wait_ms(keeper, is_busy, now)) > 0) {
			ssize_t n = recv(keeper->fd, request, sizeof request, 0);
			if (n <= 0)
				_exit(EXIT_SUCCESS); /* the worker has ended */
			handle(keeper, request, (size_t)n, clock_boot());
		}
		now = clock_boot();
		if (keeper->polled_at == 0 || now - keeper->polled_at >= keeper->poll) {
			int r = folder_watch_poll(&keeper->watch, now);
			if (r < 0) {
				reply_error(keeper, FOLDER_OPEN, 0, r);
				_exit(EXIT_FAILURE);
			}
			keeper->polled_at = clock_boot();
		}
		is_busy = folder_watch_work(&keeper->watch, clock_boot());
		if (keeper->is_asked)
			reply_next(keeper, clock_boot());
	}
}

void folder_keeper_run(int fd, const struct folder_plan *plan)
{
	static struct keeper keeper = {.reader.fd = -1};
	keeper.fd = fd;
	keeper.poll = plan->poll;
	int r = sha256_load();
	if (r == 0)
		r = folder_tree_open(&keeper.tree, plan->path);
	if (r == 0)
		r = folder_tree_confine(&keeper.tree, &keeper.fd);
	folder_watch_init(&keeper.watch, &keeper.tree, &plan->rules);
	if (r == 0)
		r = folder_taken_add_all(&keeper.watch.taken, plan->taken);
	reply_error(&keeper, FOLDER_OPEN, 0, r);
	if (r < 0)
		_exit(EXIT_FAILURE);
	serve(&keeper);
}
