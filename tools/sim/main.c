/* SPDX-License-Identifier: Apache-2.0 */
/* assay-sim: simulated instruments, for tests and training. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"
#include "framework/program.h"
#include "framework/serve.h"

#define EXIT_USAGE 2

enum {
	PTY = 256,
	UDP,
	TCP,
	USB,
	USB_SOCKET,
	CONTROL,
	TRUTH,
	SECONDS,
	SEED,
	SPEED,
	BAUD,
	FAULT,
	QUIET,
	HELP,
	MODEL_OPTION, /* any option of the model's table */
};

static const struct option common[] = {
	{"pty", required_argument, NULL, PTY},
	{"udp", required_argument, NULL, UDP},
	{"tcp", required_argument, NULL, TCP},
	{"usb-gadget", required_argument, NULL, USB},
	{"usb-socket", required_argument, NULL, USB_SOCKET},
	{"control", required_argument, NULL, CONTROL},
	{"truth", required_argument, NULL, TRUTH},
	{"seconds", required_argument, NULL, SECONDS},
	{"seed", required_argument, NULL, SEED},
	{"speed", required_argument, NULL, SPEED},
	{"baud", required_argument, NULL, BAUD},
	{"fault", required_argument, NULL, FAULT},
	{"quiet", no_argument, NULL, QUIET},
	{"help", no_argument, NULL, HELP},
};
#define COMMON_COUNT (sizeof(common) / sizeof(common[0]))

static void print_models(FILE *out)
{
	for (size_t i = 0; sim_models[i] != NULL; i++)
		fprintf(out, "  %-14s %s\n", sim_models[i]->name, sim_models[i]->summary);
}

static void print_usage(FILE *out)
{
	fputs("usage: assay-sim INSTRUMENT --pty LINK|--udp HOST:PORT|--tcp HOST:PORT|\n"
	      "                            --usb-gadget CONTROLLER|--usb-socket PATH [options]\n"
	      "       assay-sim INSTRUMENT --help\n"
	      "       assay-sim fault --control PATH [FAULT=VALUE|off ...]\n"
	      "       assay-sim --list\n\ninstruments:\n",
		out);
	print_models(out);
}

static void print_model_help(const struct sim_model_ops *ops)
{
	printf("assay-sim %s: %s\n\nwhere (one of):\n"
	       "  --pty LINK          a pseudo-terminal, with a symlink LINK to it\n"
	       "  --udp HOST:PORT     a UDP socket; port 0: any free one\n"
	       "  --tcp HOST:PORT     a TCP server, one client at a time\n"
	       "  --usb-gadget NAME   a USB device on that device controller\n"
	       "  --usb-socket PATH   a USB device for the bus of a test\n\noptions of all:\n"
	       "  --control PATH      socket for `assay-sim fault`\n"
	       "  --fault NAME=VALUE  start with a fault, may be repeated\n"
	       "  --truth FILE        write the true values of each measurement, JSON lines\n"
	       "  --seed N            repeat the same random numbers\n"
	       "  --speed X           let the instrument's time run X times as fast\n"
	       "  --baud N            send on the pseudo-terminal at that speed\n"
	       "  --seconds N         end after N seconds\n"
	       "  --quiet             no messages about faults\n",
		ops->name, ops->summary);
	for (size_t i = 0; ops->options != NULL && ops->options[i].name != NULL; i++) {
		const struct sim_option *o = &ops->options[i];
		char left[64];
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->argument != NULL ? " " : "",
			o->argument != NULL ? o->argument : "");
		printf("%s  %-19s %s", i == 0 ? "\noptions of this instrument:\n" : "", left,
			o->help);
		if (o->fallback != NULL)
			printf(" (%s)", o->fallback);
		putchar('\n');
	}
}

static int take_common(struct program_options *o, int option, const char *value)
{
	switch (option) {
	case PTY: o->pty = value; return 0;
	case UDP: o->udp = value; return 0;
	case TCP: o->tcp = value; return 0;
	case USB: o->usb = value; return 0;
	case USB_SOCKET: o->usb_socket = value; return 0;
	case CONTROL: o->control = value; return 0;
	case TRUTH: o->truth = value; return 0;
	case SECONDS: o->seconds = value; return 0;
	case SEED: o->seed = value; return 0;
	case SPEED: o->speed = value; return 0;
	case BAUD: o->baud = value; return 0;
	case FAULT:
		if (o->fault_count == sizeof(o->faults) / sizeof(o->faults[0])) {
			fprintf(stderr, "assay-sim: too many --fault\n");
			return -EINVAL;
		}
		o->faults[o->fault_count++] = value;
		return 0;
	case QUIET: o->quiet = true; return 0;
	default: return -EINVAL; /* getopt_long() has printed the reason */
	}
}

/* Returns 1 for --help. */
static int read_arguments(int argc, char **argv, const struct sim_model_ops *ops,
	struct program_options *program, struct sim_options *model)
{
	struct option all[COMMON_COUNT + SIM_OPTIONS_MAX + 1] = {0};
	int option, row, r = 0;
	memcpy(all, common, sizeof(common));
	for (size_t i = 0; ops->options != NULL && ops->options[i].name != NULL; i++)
		all[COMMON_COUNT + i] = (struct option){ops->options[i].name,
			ops->options[i].argument != NULL ? required_argument : no_argument, NULL,
			MODEL_OPTION};
	while (r == 0 && (option = getopt_long(argc, argv, "", all, &row)) != -1) {
		if (option == HELP)
			return 1;
		if (option == MODEL_OPTION)
			r = options_set(model, all[row].name, optarg != NULL ? optarg : "");
		else
			r = take_common(program, option, optarg);
	}
	if (r == 0 && optind < argc) {
		fprintf(stderr, "assay-sim: %s: unexpected\n", argv[optind]);
		return -EINVAL;
	}
	return r;
}

static int run_model(int argc, char **argv, const struct sim_model_ops *ops)
{
	struct program_options program = {0};
	struct sim_options options = {.table = ops->options};
	struct sim_host host;
	int r = read_arguments(argc, argv, ops, &program, &options);
	if (r > 0) {
		print_model_help(ops);
		return EXIT_SUCCESS;
	}
	if (r < 0)
		return EXIT_USAGE;
	r = host_open(&host, &program);
	if (r == 0)
		r = serve(&host, ops, &options);
	host_close(&host);
	if (r == -EINVAL)
		return EXIT_USAGE;
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int run_fault(int argc, char **argv)
{
	static const struct option options[] = {{"control", required_argument, NULL, CONTROL}, {0}};
	const char *path = NULL;
	char text[1024] = "", reply[1024];
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (option != CONTROL)
			return EXIT_USAGE;
		path = optarg;
	}
	if (path == NULL) {
		fprintf(stderr, "assay-sim fault: expected --control PATH\n");
		return EXIT_USAGE;
	}
	for (size_t n = 0; optind < argc && n < sizeof(text); optind++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", argv[optind]);
	int r = control_request(path, text, reply, sizeof(reply));
	if (r < 0 && reply[0] == '\0')
		fprintf(stderr, "assay-sim fault: %s: %s\n", path, strerror(-r));
	else
		fprintf(r < 0 ? stderr : stdout, "%s\n", reply);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0) {
		print_usage(stdout);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--list") == 0) {
		print_models(stdout);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("assay-sim %s\n", ASSAY_VERSION);
		return EXIT_SUCCESS;
	}
	if (strcmp(argv[1], "fault") == 0)
		return run_fault(argc - 1, argv + 1);
	const struct sim_model_ops *ops = model_find(argv[1]);
	if (ops != NULL)
		return run_model(argc - 1, argv + 1, ops);
	fprintf(stderr, "assay-sim: %s: no such instrument; there are\n", argv[1]);
	print_models(stderr);
	return EXIT_USAGE;
}
