/* SPDX-License-Identifier: Apache-2.0 */
/* edit: a copy of a file of the configuration, an editor, the check, and the reload. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#include "args.h"
#include "catalog.h"
#include "client.h"
#include "config/config.h"
#include "edit-copy.h"

extern char **environ;

/* Of the environment, else Debian's choice; with its options, as a shell would split them. */
static const char *editor(void)
{
	static const char *const names[] = {"VISUAL", "EDITOR"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);
		if (value != NULL && value[0] != '\0')
			return value;
	}
	return "editor";
}

/* Starts the editor without a shell; Ctrl-C is the editor's.  Its exit status, or -1. */
static int run_words(const wordexp_t *words, char *file)
{
	char **argv = calloc(words->we_wordc + 2, sizeof *argv);
	struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
	posix_spawnattr_t attr;
	sigset_t defaults;
	pid_t pid;
	int status = -1;
	if (argv == NULL)
		return -1;
	memcpy(argv, words->we_wordv, words->we_wordc * sizeof *argv);
	argv[words->we_wordc] = file;
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGINT);
	sigaddset(&defaults, SIGQUIT);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	int error = posix_spawnp(&pid, argv[0], NULL, &attr, argv, environ);
	if (error == 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	posix_spawnattr_destroy(&attr);
	free(argv);
	errno = error;
	return error == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* 0, or 1 after a message. */
static int run_editor(char *file)
{
	const char *command = editor();
	wordexp_t words;
	errno = 0;
	int r = wordexp(command, &words, WRDE_NOCMD);
	int status = r == 0 && words.we_wordc > 0 ? run_words(&words, file) : -1;
	if (status != 0)
		fprintf(stderr,
			"assayctl: the editor '%s' %s%s; set EDITOR\n"
			"assayctl: nothing is changed\n",
			command, errno != 0 ? "cannot be run: " : "failed",
			errno != 0 ? strerror(errno) : "");
	if (r == 0)
		wordfree(&words);
	return status == 0 ? 0 : 1;
}

/* Prints errors and warnings with the names of the originals. */
static void print_errors(
	const struct edit_copy *edit, const struct config_errors *errors, const char *kind)
{
	size_t len = strlen(edit->place);
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i];
		const char *name = e->mark.file;
		bool is_ours = strncmp(name, edit->place, len) == 0;
		fprintf(stderr, "%s%s:%u:%u: %s%s\n", is_ours ? edit->folder : "",
			is_ours ? name + len : name, e->mark.line, e->mark.column, kind, e->text);
	}
}

/* Whether the configuration with the copy in it has no errors. */
static bool check(const struct edit_copy *edit, const struct catalog *catalog)
{
	struct config *config = NULL;
	struct config_errors errors = {0};
	int r = config_load(edit->main, catalog, &config, &errors);
	print_errors(edit, r == 0 ? &config->warnings : &errors, r == 0 ? "warning: " : "");
	if (r < 0 && errors.count == 0)
		fprintf(stderr, "assayctl: %s: %s\n", edit->file, strerror(-r));
	config_errors_finish(&errors);
	config_destroy(config);
	return r == 0;
}

/* The answer is a line on standard input. */
static bool wants_again(void)
{
	char line[80];
	fputs("e: edit again, q: quit and change nothing? [e] ", stdout);
	fflush(stdout);
	return fgets(line, sizeof line, stdin) != NULL && line[0] != 'q' && line[0] != 'Q';
}

/* 0: the copy is right and differs; 1: nothing is to be done, *code is the exit code. */
static int edit_until_right(struct edit_copy *edit, const struct catalog *catalog, int *code)
{
	for (;;) {
		*code = run_editor(edit->copy);
		if (*code != 0)
			return 1;
		if (edit_copy_is_same(edit) == 1) {
			puts("no change");
			return 1;
		}
		if (check(edit, catalog))
			return 0;
		*code = 1;
		if (!wants_again()) {
			puts("nothing is changed");
			return 1;
		}
	}
}

static int reload(const struct options *options)
{
	struct control_request request;
	if (client_reach(options->control) != 0) {
		puts("the next start of assayd reads it");
		return 0;
	}
	control_request_init(&request, "reload");
	int r = client_ask_and_print(options, &request, "reloaded");
	if (r != 0)
		fputs("assayctl: the file is changed, and in force after an accepted assayctl "
		      "reload, or a restart\n",
			stderr);
	return r;
}

static int replace(const struct options *options, struct edit_copy *edit)
{
	int r = edit_copy_replace(edit);
	if (r == 0) {
		printf("%s is changed\n", edit->file);
		return reload(options);
	}
	fprintf(stderr, "assayctl: %s: %s; nothing is changed, your text is %s\n", edit->file,
		r == -ESTALE ? "another program changed it in the meantime" : strerror(-r),
		edit->copy);
	edit->place[0] = '\0'; /* keep it */
	return 1;
}

int command_edit(const struct options *options, const struct args *args)
{
	const char *file = args->words[0] != NULL ? args->words[0] : options->config;
	struct catalog *catalog = load_catalog(options);
	struct edit_copy edit = {.fd = -1};
	if (catalog == NULL)
		return 1;
	int code = edit_copy_make(&edit, options->config, file);
	if (code == 0 && edit_until_right(&edit, catalog, &code) == 0)
		code = replace(options, &edit);
	edit_copy_finish(&edit);
	catalog_destroy(catalog);
	return code;
}
