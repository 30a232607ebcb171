/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_TOPIC "assayd"
#include "base/log.h"
#include "core/core.h"
#include "core/startup.h"

static void usage(FILE *to)
{
	fputs("usage: assayd [--config FILE] [--check] [--last-good FILE] [--clock FILE]\n"
	      "              [--debug]\n"
	      "\n"
	      "  --config FILE    the configuration (default " ASSAY_CONFIG_FILE ")\n"
	      "  --check          only check it: prints every error, exit code 1 when there is "
	      "one\n"
	      "  --last-good FILE keep a copy of the last configuration that was right, and start "
	      "it\n"
	      "                   in place of a wrong one\n"
	      "  --clock FILE     read how the clock is kept from a file of assay-clock\n"
	      "  --worker FILE    the program assay-worker\n"
	      "  --drivers DIR    the folder with the driver modules\n"
	      "  --debug          log more\n"
	      "  --version\n",
		to);
}

static int check(const struct core_options *options)
{
	struct catalog *catalog = NULL;
	struct config *config = NULL;
	struct config_errors errors = {0};
	char *why = NULL;
	int r = catalog_load(options->worker, options->drivers, &catalog, &why);
	if (r < 0) {
		fprintf(stderr, "assayd: %s\n", why != NULL ? why : strerror(-r));
		free(why);
		return 1;
	}
	r = config_load(options->config, catalog, &config, &errors);
	config_errors_write(r == 0 ? &config->warnings : &errors, stderr);
	if (r == 0)
		printf("%s: %zu instrument%s, no errors\n", options->config,
			config->instrument_count, config->instrument_count == 1 ? "" : "s");
	config_errors_finish(&errors);
	config_destroy(config);
	catalog_destroy(catalog);
	return r == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'}, {"worker", required_argument, NULL, 'w'},
		{"drivers", required_argument, NULL, 'd'},
		{"last-good", required_argument, NULL, 'l'},
		{"clock", required_argument, NULL, 'C'}, {"debug", no_argument, NULL, 'v'},
		{"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct core_options options = {
		.config = ASSAY_CONFIG_FILE, .worker = ASSAY_WORKER, .drivers = ASSAY_DRIVERS};
	enum log_level level = LOG_LEVEL_INFO;
	bool check_only = false;
	for (int c; (c = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
		switch (c) {
		case 'c': options.config = optarg; break;
		case 'k': check_only = true; break;
		case 'w': options.worker = optarg; break;
		case 'd': options.drivers = optarg; break;
		case 'l': options.last_good = optarg; break;
		case 'C': options.clock = optarg; break;
		case 'v': level = LOG_LEVEL_DEBUG; break;
		case 'V': puts("assayd " ASSAY_VERSION); return 0;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return 2;
	}
	log_init(level, !isatty(STDERR_FILENO));
	if (check_only)
		return check(&options);
	bool again = false;
	int status;
	do
		status = startup_run(&options, &again);
	while (again);
	return status;
}
