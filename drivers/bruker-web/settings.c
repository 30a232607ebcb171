/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <errno.h>

#include "apodization.h"
#include "command.h"
#include "decode.h"
#include "page.h"

#define WAVENUMBER_MAX 60000

const struct assay_setting bruker_settings[] = {
	{.name = "command",
		.type = ASSAY_TEXT,
		.flags = ASSAY_REQUIRED | ASSAY_OWN,
		.help = "parameters of a measurement as OPUS sends them, KEY=VALUE&KEY=VALUE "
			"without WRK"},
	{.name = "resolution",
		.type = ASSAY_NUMBER,
		.unit = "cm-1",
		.min = 0.001,
		.max = 1000,
		.help = "replaces RES of the command"},
	{.name = "scans",
		.type = ASSAY_INT,
		.min = 1,
		.max = 1000000,
		.help = "replaces NSS of the command"},
	{.name = "result",
		.type = ASSAY_CHOICE,
		.choices = result_names,
		.fallback = "interferogram",
		.help = "contents of a frame; the two last need a background run"},
	{.name = "apodization",
		.type = ASSAY_CHOICE,
		.choices = apodization_names,
		.fallback = "blackman-harris-3",
		.help = "weights of the interferogram for spectrum and phase"},
	{.name = "zero_filling",
		.type = ASSAY_INT,
		.min = 1,
		.max = 16,
		.fallback = "2",
		.help = "factor of the number of points, a power of two"},
	{.name = "phase_resolution",
		.type = ASSAY_NUMBER,
		.unit = "cm-1",
		.min = 1,
		.max = 1000,
		.help = "of the phase correction; absent: that of the file"},
	{.name = "wavenumber_first",
		.type = ASSAY_NUMBER,
		.unit = "cm-1",
		.min = 0,
		.max = WAVENUMBER_MAX,
		.help = "start of the spectrum; absent: that of the file"},
	{.name = "wavenumber_last",
		.type = ASSAY_NUMBER,
		.unit = "cm-1",
		.min = 0,
		.max = WAVENUMBER_MAX,
		.help = "end of the spectrum; absent: that of the file"},
	{.name = "poll",
		.type = ASSAY_NUMBER,
		.unit = "s",
		.min = 0.1,
		.max = 10,
		.fallback = "0.5 s",
		.help = "time between two requests of the status"},
	{.name = "timeout",
		.type = ASSAY_NUMBER,
		.unit = "s",
		.min = 1,
		.max = 86400,
		.fallback = "600 s",
		.help = "longest time of one scan"},
	{.name = "stop_command",
		.type = ASSAY_TEXT,
		.flags = ASSAY_OWN,
		.help = "parameters that are sent to end a measurement; absent: it goes on to its "
			"end"},
	{.name = NULL},
};

static const char *mistake_of(const struct assay_settings *s)
{
	const char *command = assay_text(s, "command");
	char path[PATH_MAX_BYTES];
	const char *mistake = command == NULL ? "is missing" : command_mistake(command);
	if (mistake != NULL)
		return mistake;
	if (!command_has(command, "RES") || !command_has(command, "NSS"))
		return "expected RES and NSS among the parameters: else they would be those of the "
		       "run before";
	return command_write(s, WORK_MEASURE, path, sizeof(path)) ? NULL : "is too long";
}

int bruker_settings_refuse(struct assay_instrument *ins)
{
	const char *mistake = mistake_of(ins->settings);
	if (mistake == NULL)
		return 0;
	assay_explain(ins, "command: %s", mistake);
	return -EINVAL;
}

void bruker_check(const struct assay_settings *s, struct assay_check *out)
{
	const char *mistake = mistake_of(s);
	if (mistake != NULL)
		assay_check_error(out, "command", "%s", mistake);
	const char *stop = assay_text(s, "stop_command");
	mistake = stop != NULL ? command_mistake(stop) : NULL;
	if (mistake != NULL)
		assay_check_error(out, "stop_command", "%s", mistake);
	int64_t factor = assay_int(s, "zero_filling");
	if ((factor & (factor - 1)) != 0)
		assay_check_error(out, "zero_filling", "write a power of two: 1, 2, 4, 8 or 16");
	if (assay_has(s, "wavenumber_first") && assay_has(s, "wavenumber_last") &&
		assay_number(s, "wavenumber_first") >= assay_number(s, "wavenumber_last"))
		assay_check_error(
			out, "wavenumber_first", "wavenumber_first is not below wavenumber_last");
}
