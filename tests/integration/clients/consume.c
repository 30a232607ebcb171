/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small consumer on libassay, for the test of all client libraries: one line of JSON per item,
 * in one write.  With --from-output the lines are also the position: a line torn by a kill is cut
 * off, and the next start continues after the last whole one, so results come exactly once.
 * With --cursor the daemon keeps the position, after the line was written: at least once.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <assay/client.h>
#include <openssl/sha.h>

#define TOPICS_MAX 64
#define LINE_BYTES (1 << 22)

struct consume {
	struct assay_client_options options;
	const char *topics[TOPICS_MAX];
	const char *file;
	int output;
	uint64_t count; /* 0: no end */
	struct assay_client_cursor *cursors;
	size_t cursors_count;
	struct assay_client *client;
	char *line;
	size_t len;
};

static volatile sig_atomic_t must_end;

static void end(int number)
{
	must_end = 1;
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "consume: %s: %s\n", what, strerror(-error));
	exit(1);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void put(struct consume *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct consume *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(c->line + c->len, LINE_BYTES - c->len, format, args);
	va_end(args);
	if (len < 0 || c->len + (size_t)len >= LINE_BYTES)
		fail("a line is too long", -EMSGSIZE);
	c->len += (size_t)len;
}

static void put_hex(struct consume *c, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put(c, "%02x", data[i]);
}

static void put_place(struct consume *c, const uint8_t *journal, const char *topic)
{
	put(c, "\"journal\":\"");
	put_hex(c, journal, ASSAY_UUID_SIZE);
	put(c, "\",\"topic\":\"%s\"", topic);
}

static void write_line(struct consume *c)
{
	put(c, "\n");
	if (write(c->output, c->line, c->len) != (ssize_t)c->len)
		fail("write", -errno);
	c->len = 0;
}

static void put_entry(struct consume *c, const struct assay_client_item *item)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	SHA256(item->bytes, item->len, hash);
	put(c, "{");
	put_place(c, item->cursor.journal, item->cursor.topic);
	put(c, ",\"seq\":%" PRIu64 ",\"prev\":%" PRIu64 ",\"sha256\":\"", item->entry.seq,
		item->entry.prev);
	put_hex(c, hash, sizeof hash);
	put(c, "\"}");
}

static const char *why_name(enum assay_client_why why)
{
	return why == ASSAY_GAP_PRUNED ? "pruned" : "damaged";
}

static void put_gap(struct consume *c, const struct assay_client_item *item)
{
	put(c, "{\"gap\":{");
	put_place(c, item->cursor.journal, item->cursor.topic);
	put(c, ",\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"why\":\"%s\"}}", item->first,
		item->cursor.seq, why_name(item->why));
}

static int next_of_run(struct consume *c, const struct assay_client_entry **entry)
{
	int r;
	do
		r = assay_client_run_entry(c->client, 1000, entry);
	while ((r == -EAGAIN || r == -EINTR) && !must_end);
	return r;
}

/* False: a signal requested the end before all of it was there. */
static bool put_seqs(struct consume *c, uint8_t hash[SHA256_DIGEST_LENGTH])
{
	uint8_t one[SHA256_DIGEST_LENGTH];
	uint64_t count = 0;
	struct {
		uint8_t *data;
		size_t len, size;
	} all = {0};
	const struct assay_client_entry *entry;
	int r;
	put(c, "\"seqs\":[");
	while ((r = next_of_run(c, &entry)) == 1) {
		put(c, "%s%" PRIu64, count++ > 0 ? "," : "", entry->entry.seq);
		SHA256(entry->bytes, entry->len, one);
		if (all.len == all.size) {
			all.size = all.size > 0 ? 2 * all.size : 1 << 16;
			all.data = realloc(all.data, all.size);
			if (all.data == NULL)
				fail("memory", -ENOMEM);
		}
		memcpy(all.data + all.len, one, sizeof one);
		all.len += sizeof one;
	}
	if (r < 0 && !must_end)
		fail("the entries of a run", r);
	SHA256(all.data, all.len, hash);
	free(all.data);
	put(c, "]");
	return r == 0;
}

static void put_text(struct consume *c, const char *key, struct assay_string text)
{
	if (text.data != NULL)
		put(c, "\"%s\":\"%.*s\",", key, (int)text.len, text.data);
	else
		put(c, "\"%s\":null,", key);
}

static void put_gaps(struct consume *c, const struct assay_client_item *item)
{
	for (size_t i = 0; i < item->gaps_count; i++) {
		const struct assay_client_gap *gap = &item->gaps[i];
		put(c, "%s{\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"why\":\"%s\"}",
			i == 0 ? ",\"gaps\":[" : ",", gap->first, gap->last, why_name(gap->why));
	}
	if (item->gaps_count > 0)
		put(c, "]");
}

static bool put_run(struct consume *c, const struct assay_client_item *item)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	bool has_all = item->number.data != NULL && item->status.data != NULL;
	if (item->is_whole != (has_all && item->gaps_count == 0))
		fail("a run does not match its run-end", -EBADMSG);
	put(c, "{");
	if (item->number.data != NULL) {
		put_text(c, "run", item->number);
	} else {
		put(c, "\"run\":\"");
		put_hex(c, item->run, ASSAY_UUID_SIZE);
		put(c, "\",");
	}
	put_text(c, "status", item->status);
	put(c, "\"frames\":%" PRIu64 ",\"final\":%" PRIu64 ",\"valid\":%s,", item->frames,
		item->final_frames, item->is_valid ? "true" : "false");
	put_text(c, "sample", item->sample);
	put_text(c, "operator", item->person);
	put_text(c, "note", item->note);
	put_place(c, item->cursor.journal, item->cursor.topic);
	put(c, ",");
	if (!put_seqs(c, hash)) {
		c->len = 0;
		return false;
	}
	put(c, ",\"sha256\":\"");
	put_hex(c, hash, sizeof hash);
	put(c, "\"");
	put_gaps(c, item);
	put(c, "}");
	return true;
}

/* --- the position, out of the lines ----------------------------------------------------------- */

static void add_cursor(struct consume *c, const char *journal, const char *topic, uint64_t seq)
{
	struct assay_client_cursor cursor = {.seq = seq};
	for (size_t i = 0; i < ASSAY_UUID_SIZE; i++) {
		if (sscanf(journal + 2 * i, "%2hhx", &cursor.journal[i]) != 1)
			fail("a journal in the output", -EINVAL);
	}
	size_t len = strcspn(topic, "\"");
	memcpy(cursor.topic, topic, len < ASSAY_TOPIC_MAX ? len : ASSAY_TOPIC_MAX);
	for (size_t i = 0; i < c->cursors_count; i++) {
		struct assay_client_cursor *at = &c->cursors[i];
		if (strcmp(at->topic, cursor.topic) == 0 &&
			memcmp(at->journal, cursor.journal, sizeof cursor.journal) == 0) {
			at->seq = seq > at->seq ? seq : at->seq;
			return;
		}
	}
	c->cursors = reallocarray(c->cursors, c->cursors_count + 1, sizeof cursor);
	if (c->cursors == NULL)
		fail("memory", -ENOMEM);
	c->cursors[c->cursors_count++] = cursor;
}

static const char *behind(const char *line, const char *key)
{
	const char *at = strstr(line, key);
	return at != NULL ? at + strlen(key) : NULL;
}

/* The largest number of a list, or after a key. */
static uint64_t last_seq(const char *line)
{
	const char *at = behind(line, "\"gap\":") != NULL ? behind(line, "\"to\":")
							  : behind(line, "\"seq\":");
	if (at != NULL)
		return strtoull(at, NULL, 10);
	uint64_t last = 0;
	for (at = behind(line, "\"seqs\":["); at != NULL && *at != ']'; at += *at == ',') {
		char *next;
		last = strtoull(at, &next, 10);
		if (next == at)
			fail("seqs in the output", -EINVAL);
		at = next;
	}
	/* A gap inside is worked on with its run, also one at its end. */
	for (at = behind(line, "\"gaps\":["); at != NULL; at = behind(at, "\"to\":")) {
		uint64_t to = strtoull(at, NULL, 10);
		last = to > last ? to : last;
	}
	return last;
}

static void read_output(struct consume *c)
{
	FILE *file = fopen(c->file, "r+");
	char *line = NULL;
	size_t size = 0;
	off_t good = 0;
	if (file == NULL)
		return;
	for (ssize_t len; (len = getline(&line, &size, file)) > 0 && line[len - 1] == '\n';) {
		const char *journal = behind(line, "\"journal\":\"");
		const char *topic = behind(line, "\"topic\":\"");
		if (journal == NULL || topic == NULL)
			fail("a line of the output", -EINVAL);
		add_cursor(c, journal, topic, last_seq(line));
		good += len;
	}
	if (ftruncate(fileno(file), good) < 0)
		fail("truncate", -errno);
	free(line);
	fclose(file);
}

/* --- the program ------------------------------------------------------------------------------ */

static void read_options(struct consume *c, int argc, char **argv)
{
	static const struct option longs[] = {{"dir", required_argument, NULL, 'd'},
		{"topic", required_argument, NULL, 't'}, {"simulated", no_argument, NULL, 's'},
		{"from-output", required_argument, NULL, 'f'},
		{"cursor", required_argument, NULL, 'c'}, {"hwm", required_argument, NULL, 'h'},
		{"runs", no_argument, NULL, 'r'}, {"count", required_argument, NULL, 'n'}, {0}};
	c->options.live = getenv("ASSAY_LIVE");
	c->options.replay = getenv("ASSAY_REPLAY");
	c->options.key = getenv("ASSAY_KEY");
	c->options.server_key = getenv("ASSAY_SERVER_KEY");
	for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		switch (o) {
		case 'd': c->options.dir = optarg; break;
		case 't':
			if (c->options.topics_count < TOPICS_MAX)
				c->topics[c->options.topics_count++] = optarg;
			break;
		case 's': c->options.simulated = true; break;
		case 'f': c->file = optarg; break;
		case 'c': c->options.cursor = optarg; break;
		case 'h': c->options.receive_hwm = (int)strtol(optarg, NULL, 10); break;
		case 'r': c->options.runs = true; break;
		case 'n': c->count = strtoull(optarg, NULL, 10); break;
		default: exit(2);
		}
	}
}

static void open_output(struct consume *c)
{
	c->output = STDOUT_FILENO;
	if (c->file == NULL)
		return;
	read_output(c);
	c->output = open(c->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (c->output < 0)
		fail(c->file, -errno);
	c->options.cursors = c->cursors;
	c->options.cursors_count = c->cursors_count;
}

/* False: a signal requested the end before the item was processed. */
static bool work_on(struct consume *c, const struct assay_client_item *item)
{
	if (item->kind == ASSAY_ITEM_MARK)
		return true;
	if (item->kind == ASSAY_ITEM_ENTRY)
		put_entry(c, item);
	else if (item->kind == ASSAY_ITEM_GAP)
		put_gap(c, item);
	else if (!put_run(c, item))
		return false;
	write_line(c);
	return true;
}

static int acknowledge(struct consume *c)
{
	int r = 0;
	while (c->options.cursor != NULL && (r = assay_client_ack(c->client, 1000)) < 0) {
		if ((r != -ETIMEDOUT && r != -EINTR) || must_end)
			break;
	}
	return r == -ETIMEDOUT || r == -EINTR ? 0 : r;
}

/* The next item; processed items are acknowledged when there is time, not one by one. */
static int next_item(struct consume *c, const struct assay_client_item **item)
{
	int r = assay_client_next(c->client, 0, item);
	if (r != 0)
		return r;
	r = acknowledge(c);
	return r < 0 ? r : assay_client_next(c->client, 1000, item);
}

static int consume(struct consume *c)
{
	const struct assay_client_item *item;
	uint64_t given = 0;
	while (!must_end) {
		int r = next_item(c, &item);
		if (r == -EINTR || r == 0)
			continue;
		if (r == -EPROTO)
			fprintf(stderr, "consume: %s\n", assay_client_error(c->client));
		if (r < 0)
			return r;
		if (!work_on(c, item))
			break;
		if (item->kind != ASSAY_ITEM_MARK && ++given == c->count)
			break;
	}
	return acknowledge(c);
}

int main(int argc, char **argv)
{
	struct consume c = {.options = {.size = sizeof c.options}, .line = malloc(LINE_BYTES)};
	const struct sigaction action = {.sa_handler = end};
	sigaction(SIGTERM, &action, NULL);
	c.options.topics = c.topics;
	read_options(&c, argc, argv);
	open_output(&c);
	int r = assay_client_open(&c.client, &c.options);
	if (r < 0)
		fail(assay_client_error(NULL), r);
	r = consume(&c);
	if (r < 0)
		fprintf(stderr, "consume: %s: %s\n", strerror(-r), assay_client_error(c.client));
	assay_client_close(c.client);
	free(c.cursors);
	free(c.line);
	return r < 0;
}
