/* SPDX-License-Identifier: Apache-2.0 */
/* assay-try: one instrument in the foreground, without the daemon.  Started by assay-worker --try. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "config/load.h"
#include "record/keys.h"
#include "record/text.h"
#include "try/arguments.h"
#include "try/trial.h"
#include "wire/exit.h"

#define HAZARDS_MAX 8

struct request {
	struct trial_options options;
	const char *hazards[HAZARDS_MAX]; /* named by the operator */
	size_t hazard_count;
};

static int usage(FILE *to, int code)
{
	fputs("usage: assay-worker --try [OPTION...] NAME TYPE [KEY=VALUE...]\n"
	      "\n"
	      "  NAME             a driver, a profile, or the path of a profile's file\n"
	      "  TYPE             of the link: serial, usb, tcp, udp, http, modbus-rtu ...\n"
	      "  KEY=VALUE        of the link, as in its section of the configuration; else a "
	      "setting\n"
	      "  --frames N       so many frames, 1 otherwise; 0: only the identity\n"
	      "  --hazard NAME    this setting may switch on something harmful\n"
	      "  --json           a line of JSON per event, without the dialogue\n"
	      "  --drivers DIR    the folder of the drivers' modules\n"
	      "\n"
	      "Nothing is recorded.\n",
		to);
	return code;
}

static int fail(const struct request *request, const char *text)
{
	if (request->options.json)
		trial_put_event("failed", "", text);
	fprintf(stderr, "assay-worker: %s\n", text);
	return 1;
}

/* --- hazards ---------------------------------------------------------------------------------- */

/* Whether a value switches nothing on: absent, false or 0. */
static bool is_off(struct assay_span value)
{
	struct reader r;
	bool flag = true;
	double number = 1;
	struct assay_span quantity = keys_value(value, string_of("v"));
	value = quantity.len > 0 ? quantity : value;
	if (value.len == 0)
		return true;
	read_init(&r, value.data, value.len);
	if (read_peek(&r) == READ_BOOL)
		return read_bool(&r, &flag) == 0 && !flag;
	return read_double(&r, &number) == 0 && number == 0;
}

static bool is_named(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->hazard_count; i++)
		if (strcmp(request->hazards[i], name) == 0)
			return true;
	return false;
}

/* False after a message: a setting would switch on something that the operator did not name. */
static bool is_permitted(const struct request *request, const struct config_instrument *instrument)
{
	const struct assay_setting *s = instrument->driver->settings;
	for (; s != NULL && s->name != NULL && request->options.frames > 0; s++) {
		char text[200];
		struct assay_span value = keys_value(instrument->settings, string_of(s->name));
		if ((s->flags & ASSAY_HAZARD) == 0 || is_off(value) || is_named(request, s->name))
			continue;
		snprintf(text, sizeof text,
			"%s switches on something that can do harm (%.100s): if that is meant, "
			"add --hazard %s",
			s->name, s->help, s->name);
		fail(request, text);
		return false;
	}
	return true;
}

/* --- the trial -------------------------------------------------------------------------------- */

/* For the identity alone, settings that must be given may be left out, and need not fit together. */
static int try_it(const struct request *request, const struct catalog *all, const char *name,
	const char *const *words, size_t count)
{
	bool is_short = request->options.frames == 0;
	struct catalog unchecked = *all, *catalog = &unchecked;
	unchecked.worker = is_short ? NULL : all->worker;
	struct arguments arguments = {.fills = is_short};
	struct config *config = NULL;
	struct config_errors errors = {0};
	char why[ARGUMENTS_WHY] = "no memory";
	int code = 1, r = arguments_write(&arguments, catalog, name, words, count, why);
	if (r < 0) {
		fail(request, why);
		arguments_finish(&arguments);
		return 1;
	}
	r = load_named_text(ARGUMENTS_KEY, (const char *)arguments.text.data, arguments.text.len,
		catalog, &config, &errors);
	if (r < 0) {
		arguments_explain(&arguments, &errors, stderr);
		if (request->options.json)
			trial_put_event("failed", "EINVAL", "the arguments are wrong");
	} else {
		arguments_explain(&arguments, &config->warnings, stderr);
		if (is_permitted(request, &config->instruments[0])) {
			if (!request->options.json)
				puts("nothing is recorded; end with Ctrl-C");
			fflush(stdout);
			code = trial_run(&request->options, &config->instruments[0]);
		}
	}
	config_errors_finish(&errors);
	config_destroy(config);
	arguments_finish(&arguments);
	return code;
}

static bool read_count(const char *text, uint64_t *to)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	*to = n;
	return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == '\0' && n <= 1000000;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"worker", required_argument, NULL, 'w'},
		{"drivers", required_argument, NULL, 'D'},
		{"frames", required_argument, NULL, 'f'},
		{"hazard", required_argument, NULL, 'H'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct request request = {.options = {.drivers = ASSAY_DRIVER_DIR, .frames = 1}};
	char *why = NULL;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'w': request.options.worker = optarg; break;
		case 'D': request.options.drivers = optarg; break;
		case 'f':
			if (!read_count(optarg, &request.options.frames))
				return usage(stderr, WIRE_EXIT_USAGE);
			break;
		case 'H':
			if (request.hazard_count == HAZARDS_MAX)
				return usage(stderr, WIRE_EXIT_USAGE);
			request.hazards[request.hazard_count++] = optarg;
			break;
		case 'j': request.options.json = true; break;
		case 'h': return usage(stdout, 0);
		default: return usage(stderr, WIRE_EXIT_USAGE);
		}
	}
	if (argc - optind < 2 || request.options.worker == NULL)
		return usage(stderr, WIRE_EXIT_USAGE);
	struct catalog *catalog = NULL;
	log_init(LOG_LEVEL_WARN, false);
	int r = catalog_load(request.options.worker, request.options.drivers, &catalog, &why);
	if (r < 0) {
		fail(&request, why != NULL ? why : strerror(-r));
		free(why);
		return 1;
	}
	int code = try_it(&request, catalog, argv[optind], (const char *const *)argv + optind + 1,
		(size_t)(argc - optind - 1));
	catalog_destroy(catalog);
	return code;
}
