/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complete: the candidates for the last word of a command line, for the shells.  All but the names of
 * instruments comes from the table of commands.
 */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "client.h"
#include "print.h"

#define FILES       ":files" /* the shell completes the names of files */
#define ASK_AT_MOST 2        /* seconds */

/* A command line up to its last word. */
struct typed_line {
	const struct command *command;       /* &program until its name is complete */
	const char *group;                   /* "run" behind that word */
	const struct command_option *option; /* whose value comes next; NULL: none */
	int arguments;                       /* that the command has */
	const char *last;
};

static bool is(const char *text, const char *name)
{
	return text != NULL && name != NULL && strcmp(text, name) == 0;
}

static void offer(const struct typed_line *line, const char *word, const char *help)
{
	if (strncmp(word, line->last, strlen(line->last)) == 0)
		printf("%s\t%s\n", word, help);
}

/* --- reading the line ------------------------------------------------------------------------ */

static const struct command_option *find_option(const struct command *command, const char *word)
{
	const struct command_option *o = command->options;
	while (o->name != NULL && (strncmp(word, "--", 2) != 0 || !is(word + 2, o->name)))
		o++;
	return o->name != NULL && o->type != ARG_FLAG ? o : NULL;
}

static void take_name(struct typed_line *line, const char *word)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (is(c->name, word) &&
			(line->group != NULL ? is(c->group, line->group) : c->group == NULL))
			line->command = c;
		else if (line->group == NULL && is(c->group, word)) {
			line->group = c->group;
			return;
		}
	}
}

static void take_word(struct typed_line *line, const char *word)
{
	if (line->option != NULL && is(word, "=")) /* bash: a word of its own */
		return;
	if (line->option != NULL)
		line->option = NULL;
	else if (word[0] == '-')
		line->option = find_option(line->command, word);
	else if (line->command == &program)
		take_name(line, word);
	else
		line->arguments++;
}

/* --- candidates ------------------------------------------------------------------------------ */

static void offer_names(const struct typed_line *line)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (line->group != NULL ? is(c->group, line->group) : c->group == NULL)
			offer(line, c->name, c->help);
		else if (line->group == NULL && (c == commands || !is(c->group, c[-1].group)))
			offer(line, c->group, "several commands");
	}
}

static void offer_options(const struct typed_line *line)
{
	for (const struct command_option *o = line->command->options; o->name != NULL; o++) {
		char word[40];
		snprintf(word, sizeof word, "--%s", o->name);
		offer(line, word, o->help);
	}
}

struct instrument_name {
	char key[40];
};

static const struct keys instrument_name_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct instrument_name, key), {0}}, .open = true};

static void offer_instruments(const struct options *options, const struct typed_line *line)
{
	struct control_request request;
	struct control_reply reply;
	struct reader r;
	if (client_reach(options->control) != 0)
		return;
	control_request_init(&request, "status");
	bool is_there = client_try(options, &request, ASK_AT_MOST, &reply) == 0;
	for (size_t left = is_there ? print_open_list(reply.body, "instruments", &r) : 0; left > 0;
		left--) {
		struct instrument_name name = {0};
		if (keys_read(&r, &instrument_name_keys, &name, NULL) < 0)
			break;
		offer(line, name.key, "instrument");
	}
	control_reply_finish(&reply);
}

/* `form`: an argument or a value as the help shows it, such as "INSTRUMENT", "on|off", "FILE..." */
static void offer_form(
	const struct options *options, const struct typed_line *line, const char *form)
{
	char word[40];
	for (size_t len; *form != '\0'; form += len + (form[len] == '|')) {
		len = strcspn(form, "|");
		snprintf(word, sizeof word, "%.*s", (int)len, form);
		if (strncmp(word, "INSTRUMENT", 10) == 0)
			offer_instruments(options, line);
		else if (strncmp(word, "FILE", 4) == 0 || is(word, "DIR"))
			puts(FILES);
		else if (word[0] >= 'a' && word[0] <= 'z')
			offer(line, word, "");
	}
}

static void offer_value(const struct options *options, const struct typed_line *line)
{
	const struct command_option *o = line->option;
	for (size_t i = 0; o->words != NULL && o->words[i] != NULL; i++)
		offer(line, o->words[i], "");
	if (o->value != NULL)
		offer_form(options, line, is(o->name, "instrument") ? "INSTRUMENT" : o->value);
}

/* The form of the next argument, out of "INSTRUMENT NAME=VALUE..." or "[FILE]". */
static void offer_argument(const struct options *options, const struct typed_line *line)
{
	const char *form = line->command->arguments;
	char word[40];
	for (int i = 0; i < line->arguments && *form != '\0'; i++) {
		form += strcspn(form, " ");
		form += *form == ' ';
	}
	form += *form == '[';
	snprintf(word, sizeof word, "%.*s", (int)strcspn(form, " ]"), form);
	offer_form(options, line, word);
}

int command_complete(const struct options *options, const struct args *args)
{
	struct typed_line line = {.command = &program, .last = ""};
	for (int i = 0; i + 1 < args->word_count; i++)
		take_word(&line, args->words[i]);
	if (args->word_count > 0)
		line.last = args->words[args->word_count - 1];
	if (is(line.last, "="))
		line.last = "";
	if (line.option != NULL)
		offer_value(options, &line);
	else if (line.last[0] == '-')
		offer_options(&line);
	else if (line.command == &program)
		offer_names(&line);
	else
		offer_argument(options, &line);
	return 0;
}
