/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "args.h"
#include "base/log.h"
#include "help.h"

static void set_text(const char **to, const struct args *args, const char *name)
{
	if (args_has(args, name))
		*to = args_text(args, name);
}

int main(int argc, char **argv)
{
	static char control[300], live[300], replay[300], why[KEY_FILE_ERRORS];
	struct args args;
	log_init(LOG_LEVEL_WARN, false);
	int r = args_read(&args, &program, argc, argv);
	if (r != 0)
		return r;
	if (args_has(&args, "help"))
		return help_program();
	if (args_has(&args, "version"))
		return puts("assayctl " ASSAY_VERSION) < 0;
	const char *dir = args_has(&args, "dir") ? args_text(&args, "dir") : ASSAY_RUN_DIR;
	snprintf(control, sizeof control, "ipc://%s/control", dir);
	snprintf(live, sizeof live, "ipc://%s/live", dir);
	snprintf(replay, sizeof replay, "ipc://%s/replay", dir);
	struct options options = {.config = ASSAY_CONFIG_FILE,
		.worker = ASSAY_WORKER,
		.drivers = ASSAY_DRIVERS,
		.control = control,
		.live = live,
		.replay = replay,
		.json = args_has(&args, "json")};
	set_text(&options.key_file, &args, "key");
	set_text(&options.server_file, &args, "server");
	if (secure_load(&options.keys, options.server_file, options.key_file, why) < 0) {
		fprintf(stderr, "assayctl: --key, --server: %s\n", why);
		return 1;
	}
	set_text(&options.config, &args, "config");
	set_text(&options.worker, &args, "worker");
	set_text(&options.drivers, &args, "drivers");
	set_text(&options.control, &args, "control");
	set_text(&options.live, &args, "live");
	set_text(&options.replay, &args, "replay");

	int used;
	const char *group;
	const struct command *command = args_find(args.words, &used, &group);
	if (command == NULL)
		return group != NULL ? help_group(group) : 2;
	r = args_read(&args, command, args.word_count - used + 1, args.words + used - 1);
	if (r != 0)
		return r;
	if (args_has(&args, "help"))
		return help_command(command);
	options.json = options.json || args_has(&args, "json");
	return command->run(&options, &args);
}
