/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "worker/link/folder-watch.h"

#define PIECE      (256u << 10)
#define POLLS_SAME 2

/* Names of files on their way, and of the desktop. */
static const char *const passed_over[] = {
	".*", "~$*", "*.tmp", "*.part", "*.partial", "*.crdownload", "thumbs.db", "desktop.ini"};

void folder_watch_init(struct folder_watch *watch, const struct folder_tree *tree,
	const struct folder_rules *rules)
{
	*watch = (struct folder_watch){.tree = tree, .rules = *rules, .pass.fd = -1};
}

void folder_watch_finish(struct folder_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		free(watch->sets[i].path);
	free(watch->sets);
	folder_files_finish(&watch->files);
	folder_pass_finish(&watch->pass);
}

/* --- the files of a set ----------------------------------------------------------------------- */

struct finding {
	const struct folder_tree *tree;
	struct folder_files *files;
	unsigned depth;
};

static int take_file(void *context, const char *path, const struct folder_item *item)
{
	struct finding *finding = context;
	struct folder_files *files = finding->files;
	if (item->is_folder) {
		struct finding below = {finding->tree, files, finding->depth + 1};
		return below.depth > FOLDER_DEPTH_MAX
			       ? -E2BIG
			       : folder_tree_list(finding->tree, path, take_file, &below);
	}
	if (!item->is_file)
		return 0;
	if (files->count == FOLDER_FILES_MAX)
		return -E2BIG;
	if ((files->count & (files->count - 1)) == 0) { /* 0 or a power of two: full */
		size_t size = files->count == 0 ? 1 : 2 * files->count;
		void *more = realloc(files->at, size * sizeof *files->at);
		if (more == NULL)
			return -ENOMEM;
		files->at = more;
	}
	char *copy = strdup(path);
	if (copy == NULL)
		return -ENOMEM;
	files->at[files->count++] = (struct folder_file){.path = copy, .item = *item};
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct folder_file *x = a, *y = b;
	int order = strcasecmp(x->path, y->path);
	return order != 0 ? order : strcmp(x->path, y->path);
}

int folder_files_find(
	struct folder_files *files, const struct folder_tree *tree, const struct folder_set *set)
{
	struct finding finding = {tree, files, 0};
	struct folder_item item;
	*files = (struct folder_files){NULL, 0};
	int r = folder_tree_look(tree, set->path, &item);
	if (r == 0)
		r = item.is_folder ? folder_tree_list(tree, set->path, take_file, &finding)
				   : take_file(&finding, set->path, &item);
	if (r == 0 && files->count > 0)
		qsort(files->at, files->count, sizeof *files->at, by_path);
	return r;
}

void folder_files_finish(struct folder_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->at[i].path);
	free(files->at);
	*files = (struct folder_files){NULL, 0};
}

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
	int r = folder_files_find(&files, tree, set);
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

/* --- reading ---------------------------------------------------------------------------------- */

void folder_pass_finish(struct folder_pass *pass)
{
	if (pass->fd >= 0)
		close(pass->fd);
	pass->fd = -1;
	sha256_finish(&pass->sum);
}

ssize_t folder_pass_read(struct folder_pass *pass, const struct folder_tree *tree,
	struct folder_files *files, size_t file, uint64_t offset, void *to, size_t size)
{
	struct folder_file *of = &files->at[file];
	if (offset > INT64_MAX)
		return -EINVAL;
	if (pass->fd < 0 || pass->file != file) {
		folder_pass_finish(pass);
		int fd = folder_tree_read(tree, of->path);
		if (fd < 0)
			return fd;
		*pass = (struct folder_pass){.file = file, .fd = fd};
		if (sha256_start(&pass->sum) < 0)
			return -ENOMEM;
	}
	ssize_t n = pread(pass->fd, to, size, (off_t)offset);
	if (n < 0)
		return -errno;
	if (offset == 0 && pass->at > 0) { /* from the start again */
		sha256_finish(&pass->sum);
		pass->at = 0;
		if (sha256_start(&pass->sum) < 0)
			return -ENOMEM;
	}
	if (offset != pass->at || of->is_hashed)
		return n;
	sha256_add(&pass->sum, to, (size_t)n);
	pass->at += (uint64_t)n;
	if (n == 0) {
		sha256_end(&pass->sum, of->digest);
		of->is_hashed = true;
	}
	return n;
}

/* Reads on, into the digest of the first file without one: 1, 0 if all have one, or a negative errno. */
static int hash_piece(
	struct folder_pass *pass, const struct folder_tree *tree, struct folder_files *files)
{
	static uint8_t piece[PIECE];
	size_t i = 0;
	while (i < files->count && files->at[i].is_hashed)
		i++;
	if (i == files->count) {
		folder_pass_finish(pass);
		return 0;
	}
	bool goes_on = pass->fd >= 0 && pass->file == i;
	ssize_t n = folder_pass_read(
		pass, tree, files, i, goes_on ? pass->at : 0, piece, sizeof piece);
	return n < 0 ? (int)n : 1;
}

static int digest_of(const struct folder_files *files, uint8_t digest[SHA256_BYTES])
{
	struct sha256_sum sum;
	if (sha256_start(&sum) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < files->count; i++) {
		sha256_add(&sum, files->at[i].path, strlen(files->at[i].path) + 1);
		sha256_add(&sum, files->at[i].digest, sizeof files->at[i].digest);
	}
	sha256_end(&sum, digest);
	sha256_finish(&sum);
	return 0;
}

/* --- the states ------------------------------------------------------------------------------- */

static void change(struct folder_set *set, uint64_t now)
{
	set->state = FOLDER_CHANGING;
	set->is_hashing = false;
	set->since = now;
	set->polls = 0;
}

void folder_watch_defer(struct folder_set *set, int error, uint64_t now)
{
	set->error = error;
	change(set, now);
}

static bool has_settled(
	const struct folder_watch *watch, const struct folder_set *set, uint64_t now)
{
	return set->polls >= POLLS_SAME && now - set->since >= watch->rules.settle;
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

bool folder_watch_work(struct folder_watch *watch, uint64_t now)
{
	bool starts;
	struct folder_set *set = set_to_hash(watch, now, &starts);
	if (set == NULL)
		return false;
	set->is_hashing = true;
	int r = starts ? folder_files_find(&watch->files, watch->tree, set) : 0;
	if (r == 0)
		r = hash_piece(&watch->pass, watch->tree, &watch->files);
	if (r > 0)
		return true;
	if (r == 0)
		r = digest_of(&watch->files, set->digest);
	folder_pass_finish(&watch->pass);
	folder_files_finish(&watch->files);
	change(set, now);
	set->error = -r;
	if (r == 0)
		set->state = set->was_taken &&
					     memcmp(set->digest, set->taken, sizeof set->taken) == 0
				     ? FOLDER_TAKEN
				     : FOLDER_HASHED;
	return true;
}

struct folder_set *folder_watch_next(struct folder_watch *watch, uint64_t now)
{
	struct folder_set *next = NULL;
	for (size_t i = 0; i < watch->count; i++) {
		struct folder_set *set = &watch->sets[i];
		if (set->state == FOLDER_HASHED && has_settled(watch, set, now) &&
			(next == NULL || set->modified < next->modified))
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

bool folder_watch_take(struct folder_watch *watch, struct folder_set *set,
	struct folder_files *files, struct folder_pass *pass, uint64_t now)
{
	struct folder_set seen = {.path = set->path};
	uint8_t digest[SHA256_BYTES];
	int r;
	while ((r = hash_piece(pass, watch->tree, files)) > 0)
		; /* what was not read in order */
	if (r == 0)
		r = look_at(watch->tree, &seen);
	if (r == 0)
		r = digest_of(files, digest);
	/* A poll may have seen a change meanwhile: then `look` is not that of the digest. */
	if (r < 0 || set->state != FOLDER_HASHED || seen.look != set->look ||
		memcmp(digest, set->digest, sizeof digest) != 0) {
		set->error = r < 0 ? -r : 0;
		change(set, now);
		return false;
	}
	memcpy(set->taken, digest, sizeof digest);
	set->was_taken = true;
	set->state = FOLDER_TAKEN;
	return true;
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
			free(watch->sets[i].path);
		else
			watch->sets[kept++] = watch->sets[i];
	}
	watch->sorted = watch->count = kept;
	if (kept > 0)
		qsort(watch->sets, kept, sizeof *watch->sets, by_set_path);
	for (size_t i = 0; i < kept; i++)
		if (watch->sets[i].is_hashing)
			return;
	folder_files_finish(&watch->files); /* of one that changed or is gone */
	folder_pass_finish(&watch->pass);
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
