/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

const struct command commands[] = {
	{"status", "[INSTRUMENT]", "the daemon, its journal and its instruments", command_status},
	{"list", "", "the instruments, one line each", command_list},
	{"watch", "[--seconds N] [--plain] [INSTRUMENT]",
		"live: a line and a plot for each instrument", command_watch},
	{"run",
		"start INSTRUMENT [--sample ID] [--operator WHO] [--method ID] [--note TEXT]\n"
		"                    [--entered scanned|typed|lims|instrument] [--wait]\n"
		"       assayctl run stop|abort INSTRUMENT\n"
		"       assayctl run repeat NUMBER [--wait]\n"
		"       assayctl run amend NUMBER --reason TEXT [--sample ID] [--operator WHO]\n"
		"                    [--note TEXT] [--valid yes|no]\n"
		"       assayctl run list [--instrument NAME] [--sample ID] [--limit N]\n"
		"       assayctl run show NUMBER",
		"starts, ends, repeats, corrects and shows runs", command_run},
	{"replay",
		"[--from SEQ|TIME] [--since DURATION|TIME] [--instrument NAME]\n"
		"                       [--topic PREFIX]... [--follow] [--json] [--cursor NAME]\n"
		"                       [--simulated]",
		"what was committed, one line each", command_replay},
	{"export",
		"--format csv|json|cbor --run NUMBER --to FILE\n"
		"       assayctl export --format csv|json|cbor --from TIME|DURATION [--until "
		"TIME]\n"
		"                       [--instrument NAME] [--simulated] --to FILE",
		"writes runs to a file, for spreadsheets and archives", command_export},
	{"cursor", "list | show NAME | forget NAME", "how far consumers are, kept by the daemon",
		command_cursor},
	{"capture",
		"INSTRUMENT [--seconds N | --count BYTES] --to FILE\n"
		"       assayctl capture --show FILE",
		"records what goes over an instrument's link", command_capture},
	{"check", "[FILE]", "checks a configuration", command_check},
	{"describe", "[INSTRUMENT | DRIVER]",
		"what an instrument was told, or a driver can be told", command_describe},
	{"set", "INSTRUMENT NAME=VALUE...", "changes settings until the next reload", command_set},
	{"schema", "", "a JSON Schema of the configuration, for editors", command_schema},
	{"journal",
		"info|check [--path DIR] [--journal ID]\n"
		"       assayctl journal cat [--path DIR] [--journal ID] [--from SEQ|TIME]\n"
		"                    [--to SEQ|TIME] [--topic PREFIX] [--json]\n"
		"       assayctl journal reparse [--path DIR] [--journal ID] [--run NUMBER]\n"
		"                    [--from TIME] [--to TIME]",
		"looks into the journal's files", command_journal},
	{"lint", "FILE...", "checks files of records or entries against the format", command_lint},
	{"maintenance", "INSTRUMENT on|off", "takes an instrument out of service, or back",
		command_maintenance},
	{"archive", "--until DATE --to DIR [--path DIR]",
		"copies closed files of the journal, with a list of runs", command_archive},
	{"reload", "[--now]", "lets the daemon read its configuration again", command_reload},
	{0},
};

static void usage(FILE *to)
{
	fputs("usage: assayctl [--dir DIR | --control ENDPOINT --live ENDPOINT\n"
	      "                --replay ENDPOINT] [--json] [--config FILE] COMMAND [ARGUMENTS]\n\n",
		to);
	for (const struct command *c = commands; c->name != NULL; c++)
		fprintf(to, "  %-12s %s\n", c->name, c->help);
	fputs("\n  --dir DIR     the folder of the daemon's sockets (default " ASSAY_RUN_DIR ")\n"
	      "  --json        for programs\n"
	      "  --config FILE the configuration (default " ASSAY_CONFIG_FILE ")\n"
	      "  --worker FILE, --drivers DIR   where the program assay-worker and the modules "
	      "are\n",
		to);
}

static const struct command *find(const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

int command_usage(const char *name, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("assayctl: ", stderr);
	vfprintf(stderr, format, args);
	va_end(args);
	const struct command *c = find(name);
	fprintf(stderr, "\nusage: assayctl %s %s\n", c->name, c->usage);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"dir", required_argument, NULL, 'd'},
		{"control", required_argument, NULL, 'c'}, {"live", required_argument, NULL, 'l'},
		{"replay", required_argument, NULL, 'r'}, {"json", no_argument, NULL, 'j'},
		{"config", required_argument, NULL, 'f'}, {"worker", required_argument, NULL, 'w'},
		{"drivers", required_argument, NULL, 'D'}, {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'}, {0}};
	static char control[300], live[300], replay[300];
	struct options options = {.config = ASSAY_CONFIG_FILE,
		.worker = ASSAY_WORKER,
		.drivers = ASSAY_DRIVERS,
		.control = "ipc://" ASSAY_RUN_DIR "/control",
		.live = "ipc://" ASSAY_RUN_DIR "/live",
		.replay = "ipc://" ASSAY_RUN_DIR "/replay"};
	for (int c; (c = getopt_long(argc, argv, "+h", longs, NULL)) != -1;) {
		switch (c) {
		case 'd':
			snprintf(control, sizeof control, "ipc://%s/control", optarg);
			snprintf(live, sizeof live, "ipc://%s/live", optarg);
			options.control = control;
			snprintf(replay, sizeof replay, "ipc://%s/replay", optarg);
			options.live = live;
			options.replay = replay;
			break;
		case 'c': options.control = optarg; break;
		case 'l': options.live = optarg; break;
		case 'r': options.replay = optarg; break;
		case 'j': options.json = true; break;
		case 'f': options.config = optarg; break;
		case 'w': options.worker = optarg; break;
		case 'D': options.drivers = optarg; break;
		case 'V': puts("assayctl " ASSAY_VERSION); return 0;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	const struct command *command = optind < argc ? find(argv[optind]) : NULL;
	if (command == NULL) {
		if (optind < argc)
			fprintf(stderr, "assayctl: there is no command %s\n", argv[optind]);
		usage(stderr);
		return 2;
	}
	argc -= optind;
	argv += optind;
	optind = 0; /* the command's own options */
	return command->run(&options, argc, argv);
}
