/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data sets of a folder in virtual time: programs write, rename, rewrite and delete files at random, also
 * by giving a file its size first and its bytes later.  Only whole ones are taken, each content once, also by
 * a watch that knows only those that were recorded before.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "worker/link/folder-watch.h"

#define NAMES    6
#define BYTES    3000
#define SETTLE   (10 * NS_PER_S)
#define SEEDS    8
#define HOURS    1
#define KEYS_MAX 2000

/* A program that writes one data set. */
struct writer {
	char path[64];
	uint8_t content[BYTES], taken[BYTES];
	size_t size, taken_size, written;
	bool fills; /* has given it all its size, with zeros */
	bool is_there, was_taken;
	uint64_t steps_at; /* when it writes on; UINT64_MAX: it is at rest */
	uint64_t rests_at;
};

struct scene {
	char folder[64];
	struct folder_tree tree;
	struct folder_watch watch;
	struct writer writers[NAMES];
	uint64_t now;
	unsigned taken, refused;                  /* refused: changed while it was read */
	bool ends;                                /* no writer begins again */
	uint8_t keys[KEYS_MAX][WIRE_TAKEN_BYTES]; /* of those that are recorded */
	size_t key_count;
};

static uint64_t seed;

static uint32_t pick(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* The file system's own times would be those of the real clock. */
static void touch(const struct scene *scene, const char *path)
{
	const struct timespec at = {(time_t)(scene->now / NS_PER_S), (long)(scene->now % NS_PER_S)};
	const struct timespec both[2] = {at, at};
	assert_int_equal(utimensat(AT_FDCWD, path, both, 0), 0);
}

static void put(struct scene *scene, struct writer *writer, size_t from, size_t len, bool touches)
{
	struct stat before;
	int fd = open(writer->path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &before), 0);
	assert_int_equal(pwrite(fd, writer->content + from, len, (off_t)from), len);
	const struct timespec same[2] = {before.st_mtim, before.st_mtim};
	assert_int_equal(futimens(fd, same), 0);
	close(fd);
	if (touches)
		touch(scene, writer->path);
}

static void begin(struct scene *scene, struct writer *writer)
{
	writer->size = 1 + pick(BYTES);
	writer->written = 0;
	for (size_t i = 0; i < writer->size; i++)
		writer->content[i] = (uint8_t)(1 + pick(255));
	writer->fills = pick(2) == 0;
	int fd = open(writer->path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	if (writer->fills)
		assert_int_equal(ftruncate(fd, (off_t)writer->size), 0);
	close(fd);
	touch(scene, writer->path);
	writer->is_there = true;
	writer->steps_at = scene->now + pick(8) * NS_PER_S;
}

static void step(struct scene *scene, struct writer *writer)
{
	size_t left = writer->size - writer->written, n = 1 + pick((uint32_t)left);
	/* a program that maps the file, or a share, shows no change of size or time until the end */
	put(scene, writer, writer->written, n, !writer->fills);
	writer->written += n;
	/* it pauses shorter than the settle time */
	writer->steps_at = scene->now + pick(9) * NS_PER_S;
	if (writer->written == writer->size) {
		writer->steps_at = UINT64_MAX;
		writer->rests_at = scene->now;
	}
}

static void act(struct scene *scene, struct writer *writer)
{
	if (writer->steps_at <= scene->now)
		step(scene, writer);
	else if (writer->steps_at == UINT64_MAX && pick(200) == 0)
		begin(scene, writer);
	else if (writer->is_there && writer->steps_at == UINT64_MAX && pick(400) == 0) {
		assert_int_equal(unlink(writer->path), 0);
		writer->is_there = false;
	} else if (writer->is_there && writer->steps_at == UINT64_MAX && pick(100) == 0)
		touch(scene, writer->path); /* the same content */
}

static struct writer *writer_of(struct scene *scene, const char *path)
{
	for (int i = 0; i < NAMES; i++)
		if (strcmp(strrchr(scene->writers[i].path, '/') + 1, path) == 0)
			return &scene->writers[i];
	fail_msg("%s is not of a writer", path);
	return NULL;
}

/*
 * As a driver does: reads it in pieces, sometimes other places before, while its program may write.
 * SIZE_MAX: it cannot.
 */
static size_t read_all(
	struct scene *scene, struct writer *writer, struct folder_reader *reader, uint8_t *to)
{
	size_t have = 0;
	ssize_t n = 1;
	while (n > 0) {
		if (!scene->ends && pick(12) == 0)
			act(scene, writer);
		if (pick(3) == 0)
			n = folder_reader_read(reader, 0, pick(BYTES), to + have, 1);
		if (n >= 0)
			n = folder_reader_read(
				reader, 0, have, to + have, 1 + pick(BYTES - (uint32_t)have + 1));
		have += n > 0 ? (size_t)n : 0;
	}
	return n < 0 ? SIZE_MAX : have;
}

/* All bytes that a reader gave are those of one hash, also while a program writes. */
static void expect_hashed(const struct folder_reader *reader, const uint8_t *got, size_t size)
{
	uint8_t digest[SHA256_BYTES];
	assert_int_equal(sha256(got, size, digest), 0);
	assert_memory_equal(digest, reader->digest, sizeof digest);
}

static void take_next(struct scene *scene)
{
	struct folder_set *set = folder_watch_next(&scene->watch, scene->now);
	struct folder_reader reader = {.fd = -1};
	uint8_t got[BYTES + 2];
	if (set == NULL)
		return;
	int r = folder_watch_offer(&scene->watch, set, &reader);
	if (r < 0) {
		assert_true(r == -ENOENT || r == -EAGAIN);
		folder_reader_close(&reader);
		return;
	}
	assert_int_equal(reader.files.count, 1);
	struct writer *writer = writer_of(scene, set->path);
	size_t size = read_all(scene, writer, &reader, got);
	if (size == SIZE_MAX) {
		scene->refused++;
		folder_watch_defer(set, 0, scene->now);
		folder_reader_close(&reader);
		return;
	}
	expect_hashed(&reader, got, size);
	if (!scene->ends && writer->steps_at == UINT64_MAX && pick(4) == 0)
		begin(scene, writer); /* just after it was read */
	else if (!scene->ends && pick(4) == 0)
		act(scene, writer);
	if (pick(3) == 0) { /* a poll comes before its end */
		assert_int_equal(folder_watch_poll(&scene->watch, scene->now), 0);
		set = folder_watch_find(&scene->watch, strrchr(writer->path, '/') + 1);
	}
	bool is_same = set != NULL && folder_watch_take(&scene->watch, set, &reader, scene->now);
	folder_reader_close(&reader);
	if (!is_same)
		return;
	if (pick(5) == 0 && set->deferred < 3) { /* its run fails */
		folder_watch_defer(set, 0, scene->now);
		return;
	}
	assert_true(scene->key_count < KEYS_MAX);
	memcpy(scene->keys[scene->key_count++], set->key, WIRE_TAKEN_BYTES);
	assert_int_equal(folder_watch_keep(&scene->watch, set->path, set->key), 0);
	assert_true(writer->is_there);
	assert_int_equal(writer->steps_at, UINT64_MAX); /* it is whole */
	assert_int_equal(size, writer->size);
	assert_memory_equal(got, writer->content, size);
	bool is_known = writer->was_taken && size == writer->taken_size &&
			memcmp(got, writer->taken, size) == 0;
	assert_false(is_known && writer->was_taken);
	memcpy(writer->taken, got, size);
	writer->taken_size = size;
	writer->was_taken = true;
	scene->taken++;
}

/* As after a new connection: it knows those that are recorded, and nothing else. */
static void watch_again(struct scene *scene)
{
	const struct folder_rules rules = scene->watch.rules;
	folder_watch_finish(&scene->watch);
	folder_watch_init(&scene->watch, &scene->tree, &rules);
	const struct assay_span keys = {scene->keys[0], scene->key_count * sizeof scene->keys[0]};
	assert_int_equal(folder_taken_add_all(&scene->watch.taken, keys), 0);
}

static void run(uint64_t with)
{
	static struct scene scene;
	const struct folder_rules rules = {.pattern = "*.SPA *.spg", .settle = SETTLE};
	scene = (struct scene){.folder = "/tmp/assay-folder-XXXXXX", .now = 1000 * NS_PER_S};
	seed = with;
	assert_non_null(mkdtemp(scene.folder));
	assert_int_equal(folder_tree_open(&scene.tree, scene.folder), 0);
	folder_watch_init(&scene.watch, &scene.tree, &rules);
	scene.watch.chunk = 256;
	for (int i = 0; i < NAMES; i++) {
		struct writer *writer = &scene.writers[i];
		snprintf(writer->path, sizeof writer->path, "%s/r%d.%s", scene.folder, i,
			i % 2 == 0 ? "spa" : "Spg");
		writer->steps_at = UINT64_MAX;
	}
	uint64_t end = scene.now + HOURS * 3600 * NS_PER_S, polls_at = scene.now;
	uint64_t poll = (1 + with % 3) * NS_PER_S;
	for (; scene.now < end; scene.now += NS_PER_S) {
		scene.ends = scene.now >= end - 300 * NS_PER_S;
		for (int i = 0; i < NAMES; i++)
			if (!scene.ends || scene.writers[i].steps_at != UINT64_MAX)
				act(&scene, &scene.writers[i]);
		if (pick(200) == 0 && !scene.ends)
			watch_again(&scene);
		if (scene.now >= polls_at) {
			assert_int_equal(folder_watch_poll(&scene.watch, scene.now), 0);
			polls_at = scene.now + poll;
		}
		for (uint32_t n = pick(4); n > 0 && folder_watch_work(&scene.watch, scene.now); n--)
			;
		take_next(&scene);
	}
	for (int i = 0; i < NAMES; i++) { /* none was left out */
		const struct writer *writer = &scene.writers[i];
		if (writer->is_there) {
			assert_true(writer->was_taken);
			assert_int_equal(writer->size, writer->taken_size);
			assert_memory_equal(writer->content, writer->taken, writer->size);
			unlink(writer->path);
		}
	}
	assert_true(scene.taken > 10 && scene.refused > 0);
	folder_watch_finish(&scene.watch);
	close(scene.tree.root);
	close(scene.tree.parent);
	assert_int_equal(rmdir(scene.folder), 0);
}

static void only_whole_files_are_taken_each_content_once(void **state)
{
	for (uint64_t i = 1; i <= SEEDS; i++)
		run(i);
}

/* --- a part that a driver does not read -------------------------------------------------------- */

static void the_rest_is_compared_too(void **state)
{
	for (int is_changed = 0; is_changed < 2; is_changed++) {
		struct scene scene = {.folder = "/tmp/assay-folder-XXXXXX", .now = NS_PER_S};
		const struct folder_rules rules = {.pattern = "*", .settle = NS_PER_S};
		struct writer *writer = &scene.writers[0];
		struct folder_reader reader = {.fd = -1};
		uint8_t first;
		assert_non_null(mkdtemp(scene.folder));
		assert_int_equal(folder_tree_open(&scene.tree, scene.folder), 0);
		folder_watch_init(&scene.watch, &scene.tree, &rules);
		scene.watch.chunk = 256;
		snprintf(writer->path, sizeof writer->path, "%s/a", scene.folder);
		do
			begin(&scene, writer);
		while (writer->size < 300);
		put(&scene, writer, 0, writer->size, true);
		for (int i = 0; i < 8; i++, scene.now += NS_PER_S) {
			assert_int_equal(folder_watch_poll(&scene.watch, scene.now), 0);
			while (folder_watch_work(&scene.watch, scene.now))
				;
		}
		struct folder_set *set = folder_watch_next(&scene.watch, scene.now);
		assert_non_null(set);
		assert_int_equal(folder_watch_offer(&scene.watch, set, &reader), 0);
		assert_int_equal(folder_reader_read(&reader, 0, 0, &first, 1), 1);
		writer->content[writer->size - 1] ^= is_changed ? 1 : 0;
		put(&scene, writer, 0, writer->size, false); /* neither size nor time show it */
		assert_int_equal(
			folder_watch_take(&scene.watch, set, &reader, scene.now), !is_changed);
		folder_reader_close(&reader);
		folder_watch_finish(&scene.watch);
		unlink(writer->path);
		close(scene.tree.root);
		close(scene.tree.parent);
		assert_int_equal(rmdir(scene.folder), 0);
	}
}

/* --- names ------------------------------------------------------------------------------------ */

static char folder[64];
static struct folder_tree tree;

static void make(const char *name, const char *content)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

static void make_folder(const char *name)
{
	char path[200];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static int setup(void **state)
{
	strcpy(folder, "/tmp/assay-folder-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return folder_tree_open(&tree, folder);
}

static int teardown(void **state)
{
	char command[200];
	close(tree.root);
	close(tree.parent);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command);
}

/* Polls and works until nothing more happens: the complete ones, as "a b c". */
static const char *complete(struct folder_rules rules)
{
	static char text[1000];
	struct folder_watch watch;
	uint64_t now = NS_PER_S;
	rules.settle = NS_PER_S;
	folder_watch_init(&watch, &tree, &rules);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(folder_watch_poll(&watch, now), 0);
		now += NS_PER_S;
		while (folder_watch_work(&watch, now))
			;
	}
	text[0] = '\0';
	for (size_t i = 0; i < watch.count; i++)
		if (watch.sets[i].state == FOLDER_HASHED) {
			size_t len = strlen(text);
			snprintf(text + len, sizeof text - len, "%s%s(%u)", len > 0 ? " " : "",
				watch.sets[i].path, watch.sets[i].files);
		}
	folder_watch_finish(&watch);
	return text;
}

/* The seconds until this one is complete. */
static unsigned seconds_until(struct folder_watch *watch, uint64_t *now, const char *path)
{
	const struct folder_set *next;
	for (unsigned i = 0; i < 10000; i++) {
		assert_int_equal(folder_watch_poll(watch, *now), 0);
		while (folder_watch_work(watch, *now))
			;
		next = folder_watch_next(watch, *now);
		if (next != NULL && strcmp(next->path, path) == 0)
			return i;
		*now += NS_PER_S;
	}
	fail_msg("%s never comes", path);
	return 0;
}

static void one_that_fails_comes_later_each_time_and_behind_the_others(void **state)
{
	const struct folder_rules rules = {.pattern = "*.spa", .settle = SETTLE};
	struct folder_watch watch;
	uint64_t now = NS_PER_S;
	make("bad.spa", "1");
	folder_watch_init(&watch, &tree, &rules);
	unsigned before = seconds_until(&watch, &now, "bad.spa");
	for (int i = 0; i < 4; i++) {
		folder_watch_defer(folder_watch_find(&watch, "bad.spa"), 0, now);
		unsigned after = seconds_until(&watch, &now, "bad.spa");
		assert_true(i == 0 ? after >= before - 1 : after >= before + 9);
		before = after;
	}
	make("later.spa", "2"); /* the younger one */
	now += 3600 * NS_PER_S;
	seconds_until(&watch, &now, "later.spa");
	make("bad.spa", "other"); /* perhaps it is good now */
	struct folder_set *other = folder_watch_find(&watch, "later.spa");
	assert_int_equal(folder_watch_keep(&watch, "later.spa", other->key), 0);
	assert_true(seconds_until(&watch, &now, "bad.spa") < 30);
	folder_watch_finish(&watch);
}

static void names_decide(void **state)
{
	make("a.spa", "1");
	make("B.SPA", "2");
	make("c.txt", "3");
	make("empty.spa", "");
	make(".hidden.spa", "4");
	make("~$lock.spa", "5");
	make("d.spa.tmp", "6");
	make_folder("sub");
	make("sub/e.spa", "7");
	make_folder("x.D");
	make("x.D/data.ms", "8");
	make_folder("x.D/acq");
	make("x.D/acq/more", "9");
	make_folder("y.d");
	char path[200];
	snprintf(path, sizeof path, "%s/f.spa", folder);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof path, "%s/pipe.spa", folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_string_equal(
		complete((struct folder_rules){.pattern = "*.spa"}), "B.SPA(1) a.spa(1)");
	assert_string_equal(complete((struct folder_rules){.pattern = "*.spa", .is_deep = true}),
		"B.SPA(1) a.spa(1) sub/e.spa(1)");
	assert_string_equal(
		complete((struct folder_rules){.pattern = "*.txt  b*"}), "B.SPA(1) c.txt(1)");
	assert_string_equal(
		complete((struct folder_rules){.pattern = "*.d", .takes_folders = true}), "x.D(2)");
}

static void files_outside_are_not_reached(void **state)
{
	static const char *const paths[] = {"../passwd", "/etc/passwd", "link", "link/passwd",
		"sub/../..", "sub/../../etc", "device", ""};
	char path[200];
	make_folder("sub");
	snprintf(path, sizeof path, "%s/link", folder);
	assert_int_equal(symlink("/etc", path), 0);
	snprintf(path, sizeof path, "%s/device", folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_true(folder_tree_read(&tree, paths[i]) < 0);
	make("inside", "x");
	int fd = folder_tree_read(&tree, "inside");
	assert_true(fd >= 0);
	close(fd);
}

static void another_folder_at_the_path_is_noticed(void **state)
{
	char moved[80];
	assert_int_equal(folder_tree_check(&tree), 0);
	snprintf(moved, sizeof moved, "%s.old", folder);
	assert_int_equal(rename(folder, moved), 0);
	assert_int_equal(folder_tree_check(&tree), -ENOENT);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(folder_tree_check(&tree), -ESTALE);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(rename(moved, folder), 0);
	assert_int_equal(folder_tree_check(&tree), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_files_are_taken_each_content_once),
		cmocka_unit_test(the_rest_is_compared_too),
		cmocka_unit_test_setup_teardown(
			one_that_fails_comes_later_each_time_and_behind_the_others, setup,
			teardown),
		cmocka_unit_test_setup_teardown(names_decide, setup, teardown),
		cmocka_unit_test_setup_teardown(files_outside_are_not_reached, setup, teardown),
		cmocka_unit_test_setup_teardown(
			another_folder_at_the_path_is_noticed, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
