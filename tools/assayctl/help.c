/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "help.h"
#include "print.h"

#define COLUMN 22 /* of the explanations */

/* "INSTRUMENT", "csv|json|cbor"; "" for a flag. */
static void value_text(const struct command_option *option, char text[100])
{
	size_t len = (size_t)snprintf(text, 100, "%s", option->value != NULL ? option->value : "");
	for (size_t i = 0; option->words != NULL && option->words[i] != NULL && len < 100; i++)
		len += (size_t)snprintf(
			text + len, 100 - len, "%s%s", i > 0 ? "|" : "", option->words[i]);
}

/* "run start"; of assayctl itself "". */
static void title(const struct command *command, char text[40])
{
	bool has_group = command->group != NULL;
	snprintf(text, 40, "%s%s%s", has_group ? command->group : "", has_group ? " " : "",
		command != &program ? command->name : "");
}

static void print_options(const struct command *command)
{
	for (const struct command_option *o = command->options; o->name != NULL; o++) {
		char value[100], left[200], letter[] = {'-', o->letter, ',', ' ', '\0'};
		value_text(o, value);
		snprintf(left, sizeof left, "%s--%s%s%s", o->letter != 0 ? letter : "", o->name,
			value[0] != '\0' ? " " : "", value);
		bool is_long = strlen(left) > COLUMN;
		if (is_long)
			printf("  %s\n", left);
		printf("  %-*s %s\n", COLUMN, is_long ? "" : left, o->help);
	}
}

static void print_commands(const char *group)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		char name[40];
		title(c, name);
		if (group == NULL || (c->group != NULL && strcmp(c->group, group) == 0))
			printf("  %-*s %s\n", COLUMN, name, c->help);
	}
}

int help_program(void)
{
	puts("usage: assayctl [OPTIONS] COMMAND [ARGUMENTS]\n");
	print_commands(NULL);
	putchar('\n');
	print_options(&program);
	puts("\nassayctl COMMAND --help explains one command.");
	return 0;
}

int help_group(const char *group)
{
	printf("usage: assayctl %s COMMAND [ARGUMENTS]\n\n", group);
	print_commands(group);
	return 0;
}

int help_command(const struct command *command)
{
	char name[40], value[100];
	title(command, name);
	printf("usage: assayctl %s", name);
	if (command->arguments[0] != '\0')
		printf(" %s", command->arguments);
	for (const struct command_option *o = command->options; o->name != NULL; o++) {
		value_text(o, value);
		if (o->is_required)
			printf(" --%s %s", o->name, value);
	}
	printf(" [OPTIONS]\n\n%s\n\n", command->help);
	print_options(command);
	return 0;
}

/* --- for programs ---------------------------------------------------------------------------- */

static json_t *options_json(const struct command *command)
{
	json_t *list = json_array();
	for (const struct command_option *o = command->options; o->name != NULL; o++) {
		char value[100];
		value_text(o, value);
		json_array_append_new(list,
			json_pack("{s:s, s:s*, s:s, s:b, s:b}", "name", o->name, "value",
				o->type != ARG_FLAG ? value : NULL, "help", o->help, "required",
				o->is_required, "repeated", o->type == ARG_TEXTS));
	}
	return list;
}

/* The table itself. */
static int print_table(void)
{
	json_t *list = json_array();
	for (const struct command *c = commands; c->name != NULL; c++) {
		char name[40];
		title(c, name);
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:o}", "name", name, "arguments",
				      c->arguments, "help", c->help, "options", options_json(c)));
	}
	print_object(json_pack("{s:o, s:o}", "options", options_json(&program), "commands", list));
	return 0;
}

int command_help(const struct options *options, const struct args *args)
{
	if (options->json)
		return print_table();
	if (args->word_count == 0)
		return help_program();
	char *words[] = {args->words[0], args->words[1], NULL};
	char help[] = "--help";
	if (words[1] == NULL) /* of a group, too */
		words[1] = help;
	int used;
	const char *group;
	const struct command *command = args_find(words, &used, &group);
	return command != NULL ? help_command(command) : group != NULL ? help_group(group) : 2;
}
