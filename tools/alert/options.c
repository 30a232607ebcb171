/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/fields.h"
#include "config/source.h"
#include "options.h"

#define AT(member) offsetof(struct sections, options.member)
#define DAY_S      86400.0

struct sections {
	struct alert_options options;
	const struct node *mail, *webhook, *conditions, *to;
};

static const struct field mail_fields[] = {
	{"to", FIELD_NODE, FIELD_REQUIRED, offsetof(struct sections, to),
		.help = "addresses, at most 16"},
	{"from", FIELD_TEXT, FIELD_REQUIRED, AT(from), .help = "the sender's address"},
	{"sendmail", FIELD_PATH, 0, AT(sendmail),
		.help = "the program that takes mail; default /usr/sbin/sendmail"},
	{0},
};

static const struct field webhook_fields[] = {
	{"url", FIELD_TEXT, FIELD_REQUIRED, AT(url),
		.help = "https://...; http:// on this machine only"},
	{0},
};

static const struct field condition_fields[] = {
	{"fault", FIELD_DURATION, 0, AT(fault), 0, 7 * DAY_S,
		.help = "an instrument does not work for longer than this; default 5 min"},
	{"silent", FIELD_DURATION, 0, AT(silent), 1, DAY_S,
		.help = "the daemon does not answer for longer than this; default 1 min"},
	{"clock", FIELD_DURATION, 0, AT(clock), 0, 30 * DAY_S,
		.help = "the clock is not synchronised for longer than this; default 1 h"},
	{"calibration", FIELD_DURATION, 0, AT(calibration), 0, 366 * DAY_S,
		.help = "a calibration ends within this time; default 30 d"},
	{0},
};

static const struct field top_fields[] = {
	{"mail", FIELD_NODE, 0, offsetof(struct sections, mail), .help = "the people who get mail"},
	{"webhook", FIELD_NODE, 0, offsetof(struct sections, webhook),
		.help = "a server that gets each message as JSON"},
	{"conditions", FIELD_NODE, 0, offsetof(struct sections, conditions),
		.help = "when a condition is reported"},
	{"limit", FIELD_UINT, 0, AT(limit), 1, ALERT_LIMIT_MAX,
		.help = "messages per hour; further alerts are collected into one; default 10"},
	{"remind", FIELD_DURATION, 0, AT(remind), 0, 366 * DAY_S,
		.help = "a condition that lasts is reported again; 0 s: never; default 1 d"},
	{"settle", FIELD_DURATION, 0, AT(settle), 0, DAY_S,
		.help = "a condition has ended when it is gone for so long; default 1 min"},
	{"every", FIELD_DURATION, 0, AT(every), 0.1, 60,
		.help = "time between two requests to the daemon; default 5 s"},
	{"retry", FIELD_DURATION, 0, AT(retry), 0.1, 3600,
		.help = "the wait after a failed delivery, doubled each time up to 15 min; "
			"default 10 s"},
	{"deadline", FIELD_DURATION, 0, AT(deadline), 1, 300,
		.help = "for one delivery as a whole; default 30 s"},
	{"simulated", FIELD_BOOL, 0, AT(simulated),
		.help = "report simulated instruments, too; default false"},
	{"sockets", FIELD_PATH, 0, AT(sockets),
		.help = "the folder of the daemon's sockets; default /run/assayd"},
	{"state", FIELD_PATH, 0, AT(state),
		.help = "the folder for positions and alerts that are not delivered yet; default "
			"/var/lib/assayd-alert"},
	{0},
};

/*
 * An address is an argument of sendmail and stands in a header: no blank, no control, nothing that
 * starts an option or a list.
 */
static bool is_address(const char *text)
{
	size_t len = strlen(text);
	const char *at = strchr(text, '@');
	if (text[0] == '-' || len > 254 || at == NULL || at == text || at[1] == '\0')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] <= ' ' || text[i] > '~' || strchr(",;:<>()[]\\\"|`$", text[i]) != NULL)
			return false;
	}
	return true;
}

static void read_mail(struct load *load, struct sections *s)
{
	struct alert_options *o = &s->options;
	struct config_mark where = s->mail->mark;
	if (!fields_expect_map(load, s->mail, "mail", false))
		return;
	fields_read(load, s->mail, "mail", where, mail_fields, s);
	const struct node *from = node_get(s->mail, "from"), *one = s->to;
	if (o->from != NULL && !is_address(o->from))
		load_found(load, from, "expected one address such as assayd@lab.example");
	if (one == NULL)
		return;
	if (one->type == NODE_LIST)
		one = one->first;
	if (one == NULL)
		load_error(load, s->to->mark, "found an empty list, expected an address");
	for (bool is_list = s->to->type == NODE_LIST; one != NULL;
		one = is_list ? one->next : NULL) {
		if (one->type != NODE_SCALAR || !is_address(one->text)) {
			load_found(load, one, "expected an address such as kim@lab.example");
		} else if (o->to_count == ALERT_RECIPIENTS_MAX) {
			load_error(load, one->mark, "there are more than %d addresses",
				ALERT_RECIPIENTS_MAX);
			return;
		} else {
			o->to[o->to_count++] = one->text;
		}
	}
}

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Plain HTTP never leaves the machine; "http://localhost@example.org" is another one. */
static bool is_loopback(const char *url)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
	const char *host = url + strlen("http://");
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
		size_t len = strlen(hosts[i]);
		if (starts_with(host, hosts[i]) && strchr(":/", host[len]) != NULL &&
			strpbrk(host, "@\\") == NULL)
			return true;
	}
	return false;
}

static void read_webhook(struct load *load, struct sections *s)
{
	if (!fields_expect_map(load, s->webhook, "webhook", false))
		return;
	fields_read(load, s->webhook, "webhook", s->webhook->mark, webhook_fields, s);
	const char *url = s->options.url;
	if (url != NULL && !starts_with(url, "https://") &&
		!(starts_with(url, "http://") && is_loopback(url)))
		load_found(load, node_get(s->webhook, "url"),
			"expected https://..., or http:// with 127.0.0.1, [::1] or localhost");
}

static void read_all(
	struct load *load, const struct node *root, const char *name, struct alert_options *options)
{
	struct config_mark where = {name, 1, 1};
	struct sections s = {.options = *options};
	fields_read(load, root, "alert", where, top_fields, &s);
	if (s.conditions != NULL && fields_expect_map(load, s.conditions, "conditions", true))
		fields_read(
			load, s.conditions, "conditions", s.conditions->mark, condition_fields, &s);
	if (s.mail != NULL)
		read_mail(load, &s);
	if (s.webhook != NULL)
		read_webhook(load, &s);
	if (s.mail == NULL && s.webhook == NULL)
		load_error(load, where, "neither mail nor webhook is there: expected one of them");
	*options = s.options;
}

static const struct alert_options defaults = {
	.sockets = ASSAY_RUN_DIR,
	.state = "/var/lib/assayd-alert",
	.every = 5000000000,
	.retry = 10000000000,
	.limit = 10,
	.remind = 86400 * UINT64_C(1000000000),
	.settle = 60 * UINT64_C(1000000000),
	.fault = 300 * UINT64_C(1000000000),
	.silent = 60 * UINT64_C(1000000000),
	.clock = 3600 * UINT64_C(1000000000),
	.calibration = 30 * 86400 * UINT64_C(1000000000),
	.sendmail = "/usr/sbin/sendmail",
	.deadline = 30 * UINT64_C(1000000000),
};

/* `text` NULL: the file of that name. */
static int read_from(struct alert_options *options, const char *name, const char *text, size_t len,
	FILE *errors_to)
{
	/* The members of the arena move with the struct, so that it is given back at the end. */
	struct arena arena = {0};
	struct config_errors errors = {0};
	struct load load = {.arena = &arena, .errors = &errors};
	*options = defaults;
	struct source source = {0};
	struct node *root = text == NULL ? source_load(&source, name, &arena, &errors)
					 : yaml_parse(text, len, name, &arena, &errors);
	if (root != NULL)
		read_all(&load, root, name, options);
	bool failed = root == NULL || errors.count > 0 || arena.failed;
	if (errors_to != NULL)
		config_errors_write(&errors, errors_to);
	config_errors_finish(&errors);
	options->arena = arena;
	return failed ? 1 : 0;
}

int alert_options_load(struct alert_options *options, const char *path)
{
	return read_from(options, path, NULL, 0, stderr);
}

int alert_options_read(struct alert_options *options, const char *text, size_t len)
{
	return read_from(options, "alert.yaml", text, len, NULL);
}

void alert_options_finish(struct alert_options *options)
{
	arena_finish(&options->arena);
}
