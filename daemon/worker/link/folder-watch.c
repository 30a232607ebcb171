/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "worker/link/folder-watch.h"

#define PIECE        (256u << 10)
#define POLLS_SAME   2
#define DEFERRED_MAX 10 /* about an hour and a half after the settle time of 10 s */

/* Names of files on their way, and of the desktop. */
static const char *const passed_over[] = {
	".*", "~$*", "*.tmp", "*.part", "*.partial", "*.crdownload", "thumbs.db", "desktop.ini"};

void folder_watch_init(struct folder_watch *watch, const struct folder_tree *tree,
	const struct folder_rules *rules)
{
	*watch = (struct folder_watch){
		.tree = tree, .rules = *rules, .chunk = FOLDER_CHUNK, .pass.fd = -1};
}

/* --- the look of a set -------------------------------------------------------------------------- */

/* FNV-1a. */
static uint64_t add_look(uint64_t look, const void *data, size_t len)
{
	const uint8_t *at = data;
	for (size_t i = 0; i < len; i++)
		look = (look ^ at[i]) * 0x100000001b3u;
	return look;
}

/* Sets what can be seen of a set without opening a file. */
static int look_at(const struct folder_tree *tree, struct folder_set *set)
{
	struct folder_files files;
	int r = folder_files_find(&files, tree, set->path);
	set->files = (unsigned)files.count;
	set->size = 0;
	set->modified = 0;
	set->look = 0xcbf29ce484222325u;
	for (size_t i = 0; i < files.count; i++) {
		const struct folder_file *file = &files.at[i];
		uint8_t numbers[16];
		put_le64(numbers, file->item.size);
		put_le64(numbers + 8, (uint64_t)file->item.modified);
		set->look = add_look(set->look, file->path, strlen(file->path) + 1);
		set->look = add_look(set->look, numbers, sizeof numbers);
		set->size += file->item.size;
		if (file->item.modified > set->modified)
			set->modified = file->item.modified;
	}
	folder_files_finish(&files);
	return r;
}

/* --- hashing ---------------------------------------------------------------------------------- */

static void end_pass(struct folder_pass *pass)
{
	if (pass->fd >= 0)
		close(pass->fd);
	sha256_finish(&pass->sum);
	sha256_finish(&pass->chunk_sum);
	*pass = (struct folder_pass){.fd = -1};
}

/* Forgets the files that are hashed. */
static void end_hashing(struct folder_watch *watch)
{
	end_pass(&watch->pass);
	folder_files_finish(&watch->files);
	folder_chunks_finish(&watch->chunks);
}

static int start_pass(struct folder_pass *pass, const struct folder_tree *tree,
	const struct folder_file *file, size_t index)
{
	end_pass(pass);
	int fd = folder_tree_read(tree, file->path);
	if (fd < 0)
		return fd;
	*pass = (struct folder_pass){.file = index, .fd = fd};
	return sha256_start(&pass->sum);
}

/* The chunk that ends here has its hash. */
static int end_chunk(struct folder_watch *watch)
{
	uint8_t digest[SHA256_BYTES];
	sha256_end(&watch->pass.chunk_sum, digest);
	sha256_finish(&watch->pass.chunk_sum);
	return folder_chunks_add(&watch->chunks, digest);
}

static int end_file(struct folder_watch *watch, struct folder_file *file)
{
	struct folder_pass *pass = &watch->pass;
	sha256_end(&pass->sum, file->digest);
	file->is_hashed = true;
	if (pass->at == 0)
		return 0;
	if (pass->at <= watch->chunk && file->item.size <= watch->chunk)
		return folder_chunks_add(&watch->chunks, file->digest);
	return pass->at % watch->chunk > 0 ? end_chunk(watch) : 0;
}

/* A file of one chunk needs no sum of its own for it. */
static int add_to_chunk(struct folder_watch *watch, const struct folder_file *file,
	const uint8_t *piece, size_t len)
{
	struct folder_pass *pass = &watch->pass;
	if (file->item.size <= watch->chunk)
		return pass->at + len <= watch->chunk ? 0 : -EAGAIN; /* it has grown */
	int r = pass->at % watch->chunk == 0 ? sha256_start(&pass->chunk_sum) : 0;
	if (r < 0)
		return r;
	sha256_add(&pass->chunk_sum, piece, len);
	return (pass->at + len) % watch->chunk == 0 ? end_chunk(watch) : 0;
}

/* Reads on, into the digest of the first file without one: 1, 0 if all have one, or a negative errno. */
static int hash_piece(struct folder_watch *watch)
{
	static uint8_t piece[PIECE];
	struct folder_pass *pass = &watch->pass;
	size_t i = 0;
	while (i < watch->files.count && watch->files.at[i].is_hashed)
		i++;
	if (i == watch->files.count)
		return 0;
	struct folder_file *file = &watch->files.at[i];
	int r = pass->fd >= 0 && pass->file == i ? 0 : start_pass(pass, watch->tree, file, i);
	if (r < 0)
		return r;
	size_t left = watch->chunk - (size_t)(pass->at % watch->chunk);
	ssize_t n = pread(pass->fd, piece, left < PIECE ? left : PIECE, (off_t)pass->at);
	if (n < 0)
		return -errno;
	if (n == 0) {
		r = end_file(watch, file);
		return r < 0 ? r : 1;
	}
	r = add_to_chunk(watch, file, piece, (size_t)n);
	sha256_add(&pass->sum, piece, (size_t)n);
	pass->at += (uint64_t)n;
	return r < 0 ? r : 1;
}

/* That of a file; of a folder that of all its files' paths below it, each with a 0, and digests. */
static int digest_of(const struct folder_set *set, const struct folder_files *files,
	uint8_t digest[SHA256_BYTES])
{
	struct sha256_sum sum;
	if (!set->is_folder && files->count == 1) {
		memcpy(digest, files->at[0].digest, SHA256_BYTES);
		return 0;
	}
	if (sha256_start(&sum) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < files->count; i++) {
		const char *below = files->at[i].path + strlen(set->path) + 1;
		sha256_add(&sum, below, strlen(below) + 1);
		sha256_add(&sum, files->at[i].digest, sizeof files->at[i].digest);
	}
	sha256_end(&sum, digest);
	sha256_finish(&sum);
	return 0;
}

static void free_set(struct folder_set *set)
{
	free(set->path);
	folder_chunks_finish(&set->chunks);
}

void folder_watch_finish(struct folder_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		free_set(&watch->sets[i]);
	free(watch->sets);
	folder_taken_finish(&watch->taken);
	end_hashing(watch);
}

/* --- the states ------------------------------------------------------------------------------- */

static void change(struct folder_set *set, uint64_t now)
{
	folder_chunks_finish(&set->chunks);
	set->state = FOLDER_CHANGING;
	set->is_hashing = false;
	set->since = now;
	set->polls = 0;
}

void folder_watch_defer(struct folder_set *set, int error, uint64_t now)
{
	set->error = error;
	if (error == 0 && set->deferred < DEFERRED_MAX)
		set->deferred++;
	change(set, now);
}

static bool has_settled(
	const struct folder_watch *watch, const struct folder_set *set, uint64_t now)
{
	unsigned doubled = set->state == FOLDER_CHANGING && set->deferred > 0 ? set->deferred - 1
									      : 0;
	return set->polls >= POLLS_SAME && now - set->since >= watch->rules.settle << doubled;
}

/* The set whose files are hashed; else a settled one, and *starts; NULL: there is nothing to do. */
static struct folder_set *set_to_hash(struct folder_watch *watch, uint64_t now, bool *starts)
{
	struct folder_set *settled = NULL;
	for (size_t i = 0; i < watch->count; i++) {
		struct folder_set *set = &watch->sets[i];
		if (set->is_hashing) {
			*starts = false;
			return set;
		}
		if (settled == NULL && set->state == FOLDER_CHANGING &&
			has_settled(watch, set, now))
			settled = set;
	}
	*starts = true;
	return settled;
}

static void end_set(struct folder_set *set)
{
	folder_chunks_finish(&set->chunks);
	set->state = FOLDER_TAKEN;
}

static int key_of(struct folder_set *set)
{
	struct folder_name name;
	folder_name_set(&name, set->path, set->digest);
	return folder_name_key(&name, set->key);
}

bool folder_watch_work(struct folder_watch *watch, uint64_t now)
{
	bool starts;
	struct folder_set *set = set_to_hash(watch, now, &starts);
	if (set == NULL)
		return false;
	set->is_hashing = true;
	if (starts)
		end_hashing(watch);
	int r = starts ? folder_files_find(&watch->files, watch->tree, set->path) : 0;
	if (r == 0)
		r = hash_piece(watch);
	if (r > 0)
		return true;
	if (r == 0)
		r = digest_of(set, &watch->files, set->digest);
	if (r == 0)
		r = key_of(set);
	change(set, now);
	if (r == 0) {
		set->chunks = watch->chunks;
		watch->chunks = (struct folder_chunks){NULL, 0, 0};
	}
	end_hashing(watch);
	set->error = r == -EAGAIN ? 0 : -r; /* EAGAIN: it has grown */
	if (r == 0 && folder_taken_has(&watch->taken, set->key))
		end_set(set);
	else if (r == 0)
		set->state = FOLDER_HASHED;
	return true;
}

static bool comes_before(const struct folder_set *a, const struct folder_set *b)
{
	return a->deferred != b->deferred ? a->deferred < b->deferred : a->modified < b->modified;
}

struct folder_set *folder_watch_next(struct folder_watch *watch, uint64_t now)
{
	struct folder_set *next = NULL;
	for (size_t i = 0; i < watch->count; i++) {
		struct folder_set *set = &watch->sets[i];
		if (set->state == FOLDER_HASHED && has_settled(watch, set, now) &&
			(next == NULL || comes_before(set, next)))
			next = set;
	}
	return next;
}

size_t folder_watch_unreadable(const struct folder_watch *watch, const struct folder_set **first)
{
	size_t count = 0;
	for (size_t i = 0; i < watch->count; i++)
		if (watch->sets[i].error != 0 && count++ == 0)
			*first = &watch->sets[i];
	return count;
}

int folder_watch_offer(const struct folder_watch *watch, const struct folder_set *set,
	struct folder_reader *reader)
{
	struct folder_files files;
	int r = folder_files_find(&files, watch->tree, set->path);
	if (r == 0)
		r = folder_reader_open(reader, watch->tree, &files, &set->chunks, watch->chunk);
	folder_files_finish(&files);
	memcpy(reader->digest, set->digest, sizeof reader->digest);
	return r;
}

bool folder_watch_take(struct folder_watch *watch, struct folder_set *set,
	struct folder_reader *reader, uint64_t now)
{
	struct folder_set seen = {.path = set->path};
	int r = folder_reader_check(reader);
	if (r == 0)
		r = look_at(watch->tree, &seen);
	/* A poll may have seen a change meanwhile: then `look` is not that of the digest. */
	if (r < 0 || set->state != FOLDER_HASHED || seen.look != set->look ||
		memcmp(reader->digest, set->digest, sizeof set->digest) != 0) {
		set->error = r < 0 && r != -EAGAIN ? -r : 0;
		change(set, now);
		return false;
	}
	end_set(set);
	return true;
}

int folder_watch_keep(
	struct folder_watch *watch, const char *path, const uint8_t key[WIRE_TAKEN_BYTES])
{
	struct folder_set *set = folder_watch_find(watch, path);
	if (set != NULL && set->state == FOLDER_HASHED &&
		memcmp(set->key, key, sizeof set->key) == 0)
		end_set(set); /* it was written again meanwhile, with the same content */
	return folder_taken_add(&watch->taken, key);
}

/* --- polling ---------------------------------------------------------------------------------- */

struct polling {
	struct folder_watch *watch;
	uint64_t now;
	unsigned depth;
};

static bool fits(const char *patterns, const char *name)
{
	char one[256];
	while (patterns[0] != '\0') {
		size_t len = strcspn(patterns, " ");
		if (len > 0 && len < sizeof one) {
			memcpy(one, patterns, len);
			one[len] = '\0';
			if (fnmatch(one, name, FNM_CASEFOLD) == 0)
				return true;
		}
		patterns += len + strspn(patterns + len, " ");
	}
	return false;
}

static bool is_passed_over(const char *name)
{
	for (size_t i = 0; i < sizeof passed_over / sizeof *passed_over; i++)
		if (fnmatch(passed_over[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static int by_set_path(const void *a, const void *b)
{
	return strcmp(((const struct folder_set *)a)->path, ((const struct folder_set *)b)->path);
}

struct folder_set *folder_watch_find(struct folder_watch *watch, const char *path)
{
	const struct folder_set wanted = {.path = (char *)path};
	return watch->sorted == 0 ? NULL
				  : bsearch(&wanted, watch->sets, watch->sorted,
					    sizeof *watch->sets, by_set_path);
}

/* NULL: no memory. */
static struct folder_set *add_set(struct folder_watch *watch, const char *path, uint64_t now)
{
	if (watch->count == watch->size) {
		size_t size = watch->size == 0 ? 64 : 2 * watch->size;
		void *more = realloc(watch->sets, size * sizeof *watch->sets);
		if (more == NULL)
			return NULL;
		watch->sets = more;
		watch->size = size;
	}
	char *copy = strdup(path);
	if (copy == NULL)
		return NULL;
	watch->sets[watch->count] = (struct folder_set){.path = copy, .since = now};
	return &watch->sets[watch->count++];
}

static int see(struct folder_watch *watch, const char *path, bool is_folder, uint64_t now)
{
	struct folder_set *set = folder_watch_find(watch, path);
	if (set == NULL && watch->count == FOLDER_SETS_MAX)
		return -E2BIG;
	if (set == NULL)
		set = add_set(watch, path, now);
	if (set == NULL)
		return -ENOMEM;
	uint64_t before = set->look;
	set->is_seen = true;
	set->is_folder = is_folder;
	int r = look_at(watch->tree, set);
	if (r == -EACCES || r == -E2BIG) /* of this set: the others go on */
		set->error = -r;
	else if (r < 0 && r != -ENOENT)
		return r;
	if (set->look != before)
		set->deferred = 0;
	if (r < 0 || set->look != before || set->size == 0)
		change(set, now);
	else
		set->polls++;
	return 0;
}

static int take_name(void *context, const char *path, const struct folder_item *item)
{
	struct polling *polling = context;
	struct folder_watch *watch = polling->watch;
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	if (is_passed_over(name) || (!item->is_folder && !item->is_file))
		return 0;
	if (item->is_folder == watch->rules.takes_folders && fits(watch->rules.pattern, name))
		return see(watch, path, item->is_folder, polling->now);
	if (!item->is_folder || !watch->rules.is_deep || polling->depth == FOLDER_DEPTH_MAX)
		return 0;
	struct polling below = {watch, polling->now, polling->depth + 1};
	int r = folder_tree_list(watch->tree, path, take_name, &below);
	return r == -ENOENT || r == -EACCES ? 0 : r;
}

/* Sorts the new sets in, and after a whole poll forgets those that are gone. */
static void end_poll(struct folder_watch *watch, bool is_whole)
{
	size_t kept = 0;
	for (size_t i = 0; i < watch->count; i++) {
		if (is_whole && !watch->sets[i].is_seen)
			free_set(&watch->sets[i]);
		else
			watch->sets[kept++] = watch->sets[i];
	}
	watch->sorted = watch->count = kept;
	if (kept > 0)
		qsort(watch->sets, kept, sizeof *watch->sets, by_set_path);
	for (size_t i = 0; i < kept; i++)
		if (watch->sets[i].is_hashing)
			return;
	end_hashing(watch); /* of one that changed or is gone */
}

int folder_watch_poll(struct folder_watch *watch, uint64_t now)
{
	struct polling polling = {watch, now, 0};
	for (size_t i = 0; i < watch->count; i++)
		watch->sets[i].is_seen = false;
	int r = folder_tree_check(watch->tree);
	if (r == 0)
		r = folder_tree_list(watch->tree, "", take_name, &polling);
	end_poll(watch, r == 0);
	return r;
}
