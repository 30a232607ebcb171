/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "base/clock.h"
#include "client.h"
#include "comply.h"
#include "config/quantity.h"
#include "record/uuid.h"

#define FRAMES     10
#define PATIENCE_S 600

/* --- the tests ------------------------------------------------------------------------------- */

static void set_now(struct comply *c, const char *key)
{
	char now[PRINT_TIME_SIZE];
	print_time(now, clock_utc());
	json_object_set_new(c->row, key, json_string(now));
}

static bool is_own_run(const struct comply *c, const char *number)
{
	const json_t *runs = json_object_get(c->row, "runs");
	size_t i = 0;
	while (i < json_array_size(runs) &&
		strcmp(json_string_value(json_array_get(runs, i)), number) != 0)
		i++;
	return i < json_array_size(runs);
}

/* A test that ended early leaves no run open. */
static void end_open_run(struct comply *c)
{
	struct shown_instrument now;
	if (comply_has_verdict(c) && comply_status(c, &now) == 0 && is_own_run(c, now.run.number))
		comply_end(c, "run-abort");
}

static void finish_row(struct comply *c)
{
	end_open_run(c);
	if (!comply_has_verdict(c))
		json_object_set_new(c->row, "verdict", json_string("passed"));
	const char *verdict = json_string_value(json_object_get(c->row, "verdict"));
	const char *text = json_string_value(json_object_get(c->row, "text"));
	c->failed += strcmp(verdict, "failed") == 0;
	c->passed += strcmp(verdict, "passed") == 0;
	c->skipped += strcmp(verdict, "not run") == 0;
	fprintf(stderr, "%-8s %-16s %s\n", verdict,
		json_string_value(json_object_get(c->row, "id")), text != NULL ? text : "");
}

/* Is the id in the list? */
static bool is_listed(const char *list, const char *id)
{
	size_t len = strlen(id);
	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, id, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

static void run_tests(struct comply *c)
{
	bool is_judged =
		true; /* the first test: without the instrument the others have no meaning */
	for (const struct comply_test *test = comply_tests; test->id != NULL; test++) {
		bool is_first = test == comply_tests;
		c->row = json_pack("{s:s, s:s, s:s, s:[], s:[]}", "id", test->id, "assures",
			test->assures, "failure", test->failure, "runs", "measured");
		json_array_append_new(c->tests, c->row);
		set_now(c, "begin");
		if (c->is_interrupted)
			comply_skip(c, "interrupted by a signal");
		else if (!is_first && c->how.tests != NULL && !is_listed(c->how.tests, test->id))
			comply_skip(c, "left out on request");
		else if (is_judged)
			test->run(c);
		else
			comply_skip(c, "the first test failed");
		set_now(c, "end");
		finish_row(c);
		is_judged = is_judged && (!is_first || c->failed == 0);
	}
}

/* --- files ----------------------------------------------------------------------------------- */

static int report_file(const char *path, int r)
{
	if (r < 0)
		fprintf(stderr, "assayctl: %s: %s\n", path, strerror(-r));
	return r < 0 ? 1 : 0;
}

static int write_text(const char *path, const char *text)
{
	FILE *to = text != NULL ? fopen(path, "wxe") : NULL;
	int r = to != NULL ? 0 : text == NULL ? -ENOMEM : -errno;
	if (r == 0 && fprintf(to, "%s\n", text) < 0)
		r = -EIO;
	if (to != NULL && fclose(to) != 0 && r == 0)
		r = -errno;
	return report_file(path, r);
}

/* The host of a link such as "tcp:192.0.2.7:502"; "" of others. */
static void host_of(const char *link, char host[260])
{
	const char *colon = strchr(link, ':');
	host[0] = '\0';
	if (colon != NULL && colon[1] != '/')
		snprintf(host, 260, "%.*s", (int)strcspn(colon + 1, ":"), colon + 1);
}

static void gather_words(const struct comply *c, const struct args *args,
	const struct shown_daemon *daemon, struct private_words *words)
{
	char host[260], address[80], computer[256] = "";
	const struct passwd *user = getpwuid(getuid());
	gethostname(computer, sizeof computer - 1);
	host_of(c->unit.link, host);
	snprintf(address, sizeof address, "%.*s", (int)strcspn(c->unit.address, " "),
		c->unit.address);
	private_add(words, "sample", c->how.sample);
	private_add(words, "operator", c->how.person);
	private_add(words, "user", user != NULL ? user->pw_name : NULL);
	private_add(words, "computer", computer);
	private_add(words, "host", host);
	private_add(words, "host", address);
	private_add(words, "site", daemon->site);
	private_add(words, "node", daemon->node);
	private_add(words, "instrument", c->how.instrument);
	if (args_has(args, "anonymous"))
		private_add(words, "serial", c->unit.serial);
	for (size_t i = 0; i < args->text_count; i++)
		private_add(words, "further", args->texts[i]);
}

/* In the values of an object and of the objects in it. */
static void replace_texts(struct private_words *words, json_t *object)
{
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value)
	{
		char text[COMPLY_TEXT];
		const char *is = json_string_value(value);
		if (is == NULL || strlen(is) >= sizeof text) {
			replace_texts(words, value);
			continue;
		}
		snprintf(text, sizeof text, "%s", is);
		private_replace(words, (uint8_t *)text, strlen(text));
		json_string_set(value, text);
	}
}

/* The recording and its sheet, without private words, in a folder of their own. */
static int write_for_project(struct comply *c, const struct args *args,
	const struct shown_daemon *daemon, json_t *report)
{
	static struct private_words words;
	char name[80], path[PATH_MAX + 100], why[200];
	json_t *replaced = json_array();
	gather_words(c, args, daemon, &words);
	snprintf(name, sizeof name, "%s-%.*s.cap", c->unit.driver, (int)strcspn(c->unit.link, ":"),
		c->unit.link);
	snprintf(path, sizeof path, "%s/send/%s", c->how.folder, name);
	if (private_capture(&words, c->capture, path, why) < 0) {
		fprintf(stderr, "assayctl: %s\n", why);
		json_decref(replaced);
		return 1;
	}
	size_t altered = 0;
	for (size_t i = 0; i < words.count; i++) {
		altered += words.words[i].places;
		json_array_append_new(
			replaced, json_pack("{s:s, s:I}", "kind", words.words[i].kind, "places",
					  (json_int_t)words.words[i].places));
	}
	json_t *sheet = comply_sheet(c, name);
	json_t *section = json_object_get(sheet, "instrument");
	/* Not in all of it: an instrument may be named as its driver. */
	replace_texts(&words, json_object_get(sheet, "unit"));
	replace_texts(&words, json_object_get(section, "settings"));
	replace_texts(&words, json_object_get(section, "calibration"));
	json_object_set(sheet, "replaced", replaced);
	json_object_set_new(report, "replaced", replaced);
	char *text = json_dumps(sheet, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	json_decref(sheet);
	snprintf(path + strlen(path) - 4, 6, ".json");
	int r = write_text(path, text);
	free(text);
	if (r == 0 && altered > 0)
		fprintf(stderr, "assayctl: private words were replaced at %zu places\n", altered);
	return r;
}

static int write_files(struct comply *c, const struct args *args, uint64_t begin,
	const struct shown_daemon *daemon, const char *config)
{
	char path[PATH_MAX + 20];
	json_t *report = comply_report(c, begin, daemon, config);
	int r = 0;
	if (report == NULL)
		return report_file(c->how.folder, -ENOMEM);
	if (c->capture[0] != '\0')
		r = write_for_project(c, args, daemon, report);
	snprintf(path, sizeof path, "%s/report.html", c->how.folder);
	r |= report_file(path, comply_page(report, path));
	char *text = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	snprintf(path, sizeof path, "%s/report.json", c->how.folder);
	r |= write_text(path, text);
	free(text);
	if (c->options->json)
		print_object(json_incref(report));
	else
		printf("%s: %u passed, %u failed, %u not run: %s/report.html\n", c->how.instrument,
			c->passed, c->failed, c->skipped, c->how.folder);
	json_decref(report);
	return r;
}

/* --- the command ----------------------------------------------------------------------------- */

struct daemon_config {
	char config[80];
};

static const struct keys daemon_config_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct daemon_config, config), {0}}, .open = true};

/* The daemon and its configuration at the begin.  0, or 1 after a message. */
static int ask_daemon(const struct options *options, struct shown_daemon *daemon, char config[80])
{
	struct daemon_config found = {0};
	struct options quiet = *options;
	struct control_request request;
	struct control_reply reply;
	quiet.json = false;
	control_request_init(&request, "status");
	int r = client_ask(&quiet, &request, ASK_SECONDS, &reply);
	if (r == 0 &&
		(keys_decode(&shown_daemon_keys, reply.body.data, reply.body.len, daemon) < 0 ||
			keys_decode(&daemon_config_keys, reply.body.data, reply.body.len, &found) <
				0))
		r = client_explain(&quiet, -EBADMSG, &reply);
	snprintf(config, 80, "%s", found.config);
	control_reply_finish(&reply);
	return r;
}

static int read_how(const struct args *args, struct comply_options *how)
{
	char why[QUANTITY_TEXT];
	*how = (struct comply_options){.instrument = args->words[0],
		.folder = args_text(args, "to"),
		.sample = args_text(args, "sample"),
		.person = args_text(args, "operator"),
		.method = args_text(args, "method"),
		.borrow = args_text(args, "borrow"),
		.tests = args_text(args, "tests"),
		.sets = args->words + 1,
		.sets_count = (size_t)args->word_count - 1,
		.frames = args_has(args, "frames") ? args_number(args, "frames") : FRAMES,
		.patience_s = args_has(args, "patience") ? args_number(args, "patience")
							 : PATIENCE_S,
		.is_unattended = args_has(args, "unattended")};
	for (size_t i = 0; i < how->sets_count; i++)
		if (strchr(how->sets[i], '=') == NULL)
			return args_reject(args, "found '%s', expected NAME=VALUE", how->sets[i]);
	if (args_has(args, "spread") &&
		(quantity_read(args_text(args, "spread"), NULL, &how->spread, why) < 0 ||
			how->spread <= 0))
		return args_reject(args, "--spread: found '%s', expected a number above 0",
			args_text(args, "spread"));
	for (const char *at = how->tests; at != NULL && *at != '\0';) {
		char id[40];
		size_t len = strcspn(at, ","), i = 0;
		snprintf(id, sizeof id, "%.*s", (int)len, at);
		while (comply_tests[i].id != NULL && strcmp(comply_tests[i].id, id) != 0)
			i++;
		if (comply_tests[i].id == NULL)
			return args_reject(args, "--tests: there is no test '%s'", id);
		at += len + (at[len] == ',');
	}
	if (!how->is_unattended && !isatty(STDIN_FILENO))
		return args_reject(args, "a person is asked to unplug the instrument: use a "
					 "terminal, or --unattended");
	return 0;
}

static int make_folders(const char *folder)
{
	char send[PATH_MAX + 10];
	snprintf(send, sizeof send, "%s/send", folder);
	if (mkdir(folder, 0700) == 0 && mkdir(send, 0700) == 0)
		return 0;
	fprintf(stderr, "assayctl: %s: %s\n", folder, strerror(errno));
	return 1;
}

static void finish(struct comply *c)
{
	requester_destroy(c->control);
	requester_destroy(c->replay);
	buffer_finish(&c->settings);
	buffer_finish(&c->software);
	json_decref(c->tests);
	json_decref(c->runs);
	json_decref(c->frames);
}

int command_comply(const struct options *options, const struct args *args)
{
	static struct comply c;
	static struct shown_daemon daemon;
	char config[80];
	uint64_t begin = clock_utc();
	c = (struct comply){.options = options,
		.tests = json_array(),
		.runs = json_array(),
		.frames = json_array()};
	int r = read_how(args, &c.how);
	if (r == 0)
		r = ask_daemon(options, &daemon, config);
	if (r == 0)
		r = make_folders(c.how.folder);
	if (r == 0 &&
		(requester_create(&c.control, NULL, options->control, &options->keys) < 0 ||
			requester_create(&c.replay, NULL, options->replay, &options->keys) < 0))
		r = report_file(c.how.folder, -ENOMEM);
	if (r == 0) {
		sigemptyset(&c.signals);
		sigaddset(&c.signals, SIGINT);
		sigaddset(&c.signals, SIGTERM);
		sigprocmask(SIG_BLOCK, &c.signals, NULL);
		signal(SIGPIPE, SIG_IGN); /* a driver that crashes while it decodes */
		run_tests(&c);
		r = write_files(&c, args, begin, &daemon, config);
		r = r != 0 || c.failed > 0 || c.is_interrupted ? 1 : 0;
	}
	finish(&c);
	return r;
}
