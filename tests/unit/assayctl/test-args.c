/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines: every row of the table of commands, with right and wrong options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "args.h"

static struct args args;
static char message[1000]; /* on standard error, of the last line that was read */

/* Reads a command line that ends with NULL. */
static int read_line(const struct command *command, const char *const *words)
{
	static char *argv[16], name[] = "name"; /* `args` points into it */
	char *text = NULL;
	int argc = 1, r;
	size_t size;
	FILE *before = stderr;
	argv[0] = name;
	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	argv[argc] = NULL;
	stderr = open_memstream(&text, &size);
	r = args_read(&args, command, argc, argv);
	fclose(stderr);
	stderr = before;
	snprintf(message, sizeof message, "%s", text);
	free(text);
	return r;
}

#define READ(command, ...) read_line(command, (const char *const[]){__VA_ARGS__, NULL})

/* Exit code 2 and one line that names the command and these words. */
static void assert_rejected(const struct command *command, int code, const char *words)
{
	assert_int_equal(code, 2);
	assert_ptr_equal(strchr(message, '\n'), message + strlen(message) - 1);
	assert_int_equal(strncmp(message, "assayctl ", 9), 0);
	if (strstr(message, command->name) == NULL || strstr(message, words) == NULL)
		fail_msg("'%s' is not in: %s", words, message);
}

/* A value that the option accepts. */
static const char *sample(const struct command_option *option)
{
	switch (option->type) {
	case ARG_FLAG: return NULL;
	case ARG_TEXT:
	case ARG_TEXTS: return "--text";
	case ARG_WORD: return option->words[1];
	case ARG_NUMBER: return "0";
	case ARG_COUNT: return "18446744073709551615";
	case ARG_TIME:
	case ARG_UNTIL: return "2026-11-22";
	case ARG_SINCE: return "90 min";
	case ARG_PLACE:
	case ARG_PLACE_END: return "2026-11-22T08:00:00Z";
	}
	return NULL;
}

typedef void each_fn(const struct command *command, const struct command_option *option);

/* Required options are missing in most lines: --help is what makes them right. */
static void for_each_option(each_fn *each)
{
	size_t count = 0;
	for (const struct command *c = commands; c->name != NULL; c++) {
		for (const struct command_option *o = c->options; o->name != NULL; o++, count++)
			each(c, o);
	}
	assert_true(count > 80);
}

static void every_command_has_help(void **state)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		assert_int_equal(READ(c, "--help"), 0);
		assert_true(args_has(&args, "help"));
		assert_int_equal(READ(c, "-h", "surplus", "surplus"), 0);
		assert_true(args_has(&args, "help"));
		assert_true(c->help[0] != '\0' && c->run != NULL);
	}
}

static void unknown_options_are_rejected(void **state)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		assert_rejected(
			c, READ(c, "--jsom"), "unknown option --jsom; did you mean 'json'?");
		assert_rejected(c, READ(c, "--qqqqqqqq=x"), "unknown option --qqqqqqqq");
		assert_rejected(c, READ(c, "-q"), "unknown option -q");
		assert_rejected(c, READ(c, "--dir", "x"), "--dir must stand before the command");
	}
}

static void surplus_and_missing_arguments_are_rejected(void **state)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (c->most < COMMAND_ANY)
			assert_rejected(c, READ(c, "a", "b", "c"), "unexpected argument '");
		if (c->least > 0)
			assert_rejected(c, READ(c, "--json"), c->arguments);
	}
}

static void missing_value(const struct command *c, const struct command_option *o)
{
	char word[40], words[80];
	snprintf(word, sizeof word, "--%s", o->name);
	snprintf(words, sizeof words, "--%s needs a value", o->name);
	if (o->type != ARG_FLAG)
		assert_rejected(c, READ(c, word), words);
}

static void missing_values_are_rejected(void **state)
{
	for_each_option(missing_value);
}

/* `--name=value` and `--name value` are the same; a flag takes no value. */
static void both_forms(const struct command *c, const struct command_option *o)
{
	char word[40], pair[100];
	const char *value = sample(o);
	snprintf(word, sizeof word, "--%s", o->name);
	snprintf(pair, sizeof pair, "--%s=%s", o->name, value != NULL ? value : "x");
	if (value == NULL) {
		assert_rejected(c, READ(c, pair), "takes no value");
		assert_int_equal(READ(c, word, "--help"), 0);
		assert_true(args_has(&args, o->name));
		return;
	}
	assert_int_equal(READ(c, pair, "--help"), 0);
	struct arg_value found = *args_value(&args, o->name);
	assert_string_equal(found.text, value);
	assert_int_equal(READ(c, word, value, "--help"), 0);
	assert_string_equal(args_text(&args, o->name), value);
	assert_int_equal(args_value(&args, o->name)->is_time, found.is_time);
	if (o->type != ARG_SINCE) /* the clock has moved */
		assert_int_equal(args_number(&args, o->name), found.number);
	if (o->type == ARG_TEXTS)
		assert_string_equal(args.texts[0], value);
}

static void values_stand_behind_a_sign_or_a_blank(void **state)
{
	for_each_option(both_forms);
}

static void wrong_value(const struct command *c, const struct command_option *o)
{
	static const char *const wrong[] = {"abc", "", "1x", "-1", " 1", "18446744073709551616",
		"2026-02-30", "2026-11-22 08:00", "2026-11-22T08:00:00"};
	char word[40];
	snprintf(word, sizeof word, "--%s", o->name);
	if (o->type == ARG_FLAG || o->type == ARG_TEXT || o->type == ARG_TEXTS)
		return;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_rejected(c, READ(c, word, wrong[i]), ", expected ");
	if (o->type == ARG_COUNT)
		assert_rejected(c, READ(c, word, "0"), "expected a whole number from 1 on");
}

static void wrong_numbers_times_and_words_are_rejected(void **state)
{
	for_each_option(wrong_value);
}

static const struct command *find(const char *group, const char *name)
{
	const struct command *c = commands;
	while (c->name != NULL && (strcmp(c->name, name) != 0 ||
					  strcmp(c->group != NULL ? c->group : "", group) != 0))
		c++;
	assert_non_null(c->name);
	return c;
}

static void options_and_arguments_stand_in_any_order(void **state)
{
	const struct command *start = find("run", "start");
	assert_int_equal(READ(start, "--sample", "A-1", "xrf-1", "--wait", "--note=-x"), 0);
	assert_int_equal(args.word_count, 1);
	assert_string_equal(args.words[0], "xrf-1");
	assert_string_equal(args_text(&args, "sample"), "A-1");
	assert_string_equal(args_text(&args, "note"), "-x");
	assert_true(args_has(&args, "wait"));
	assert_null(args_text(&args, "operator"));
	assert_int_equal(READ(start, "--", "--odd"), 0);
	assert_string_equal(args.words[0], "--odd");
	assert_null(args.words[1]);
}

static void the_program_stops_at_the_command(void **state)
{
	assert_int_equal(READ(&program, "--dir", "/x", "watch", "--plain"), 0);
	assert_int_equal(args.word_count, 2);
	assert_string_equal(args.words[1], "--plain");
	assert_int_equal(READ(&program, "--dri=/x", "watch"), 0); /* shortened */
	assert_string_equal(args_text(&args, "drivers"), "/x");
}

static void required_options_are_named(void **state)
{
	const struct command *export = find("", "export");
	assert_rejected(export, READ(export, "--to=x"), "--format is missing");
}

static void places_are_seqs_or_times(void **state)
{
	const struct command *cat = find("journal", "cat");
	assert_int_equal(READ(cat, "--from", "17", "--to", "2026-11-22"), 0);
	assert_false(args_value(&args, "from")->is_time);
	assert_int_equal(args_number(&args, "from"), 17);
	assert_true(args_value(&args, "to")->is_time);
	assert_int_equal(args_number(&args, "to"), UINT64_C(1795392000000000000)); /* the 23rd */
}

static void texts_repeat_up_to_a_limit(void **state)
{
	const struct command *replay = find("", "replay");
	char *argv[2 * ARGS_TEXTS_MAX + 4];
	char name[] = "replay", option[] = "--topic", value[] = "a1/x/";
	argv[0] = name;
	for (int i = 0; i <= ARGS_TEXTS_MAX; i++) {
		argv[1 + 2 * i] = option;
		argv[2 + 2 * i] = value;
	}
	argv[2 * ARGS_TEXTS_MAX + 3] = NULL;
	assert_int_equal(READ(replay, "--topic=a", "--topic", "b"), 0);
	assert_int_equal(args.text_count, 2);
	assert_string_equal(args.texts[1], "b");
	assert_int_equal(args_read(&args, replay, 2 * ARGS_TEXTS_MAX + 1, argv), 0);
	assert_int_equal(args.text_count, ARGS_TEXTS_MAX);
	assert_int_equal(args_read(&args, replay, 2 * ARGS_TEXTS_MAX + 3, argv), 2);
}

static void commands_are_found_by_one_or_two_words(void **state)
{
	char run[] = "run", start[] = "start", list[] = "list", no[] = "strat", help[] = "--help";
	int used;
	const char *group;
	assert_ptr_equal(
		args_find((char *[]){run, start, no, NULL}, &used, &group), find("run", "start"));
	assert_int_equal(used, 2);
	assert_ptr_equal(args_find((char *[]){list, no, NULL}, &used, &group), find("", "list"));
	assert_int_equal(used, 1);
	char **const wrong[] = {(char *[]){run, no, NULL}, (char *[]){run, NULL},
		(char *[]){no, NULL}, (char *[]){start, NULL}, (char *[]){NULL}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_null(args_find(wrong[i], &used, &group));
		assert_null(group);
	}
	assert_null(args_find((char *[]){run, help, NULL}, &used, &group));
	assert_string_equal(group, "run");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_help),
		cmocka_unit_test(unknown_options_are_rejected),
		cmocka_unit_test(surplus_and_missing_arguments_are_rejected),
		cmocka_unit_test(missing_values_are_rejected),
		cmocka_unit_test(values_stand_behind_a_sign_or_a_blank),
		cmocka_unit_test(wrong_numbers_times_and_words_are_rejected),
		cmocka_unit_test(options_and_arguments_stand_in_any_order),
		cmocka_unit_test(the_program_stops_at_the_command),
		cmocka_unit_test(required_options_are_named),
		cmocka_unit_test(places_are_seqs_or_times),
		cmocka_unit_test(texts_repeat_up_to_a_limit),
		cmocka_unit_test(commands_are_found_by_one_or_two_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
