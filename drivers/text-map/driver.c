/* SPDX-License-Identifier: Apache-2.0 */
/* text-map: any instrument with a line protocol that a profile describes. */
#include <assay/driver.h>

#include "check.h"
#include "exchange.h"
#include "frame.h"
#include "rows.h"

/* clang-format off */
static const struct assay_setting settings[] = {
	{.name = "requests", .type = ASSAY_TABLE, .columns = rows_requests, .flags = ASSAY_REQUIRED,
		.help = "texts that are sent, and patterns of the replies, in order"},
	{.name = "values", .type = ASSAY_TABLE, .columns = rows_values, .flags = ASSAY_REQUIRED,
		.help = "variables of a frame, from the named parts of the replies"},
	{.name = "words", .type = ASSAY_TABLE, .columns = rows_words,
		.help = "status and error words of the replies"},
	{.name = "units", .type = ASSAY_TABLE, .columns = rows_units,
		.help = "units as the instrument sends them; one that is not here is an error"},
	{.name = "axes", .type = ASSAY_TABLE, .columns = rows_axes, .help = "even axes of arrays"},
	{.name = "ask_end", .type = ASSAY_TEXT, .fallback = "\\r\\n", .help = "end of every request"},
	{.name = "end", .type = ASSAY_TEXT, .help = "end of every reply; absent: CR, LF or both"},
	{.name = "echo", .type = ASSAY_BOOL, .fallback = "false",
		.help = "the instrument repeats each request before its reply"},
	{.name = "address", .type = ASSAY_TEXT,
		.help = "of this instrument, for {address} in requests and patterns"},
	{.name = "checksum", .type = ASSAY_CHOICE, .choices = checksum_names, .fallback = "none",
		.help = "of every reply"},
	{.name = "checksum_form", .type = ASSAY_CHOICE, .choices = checksum_forms,
		.fallback = "hex", .help = "how it is written"},
	{.name = "checksum_after_end", .type = ASSAY_BOOL, .fallback = "false",
		.help = "it follows the end, which it covers, too"},
	{.name = "checksum_skip", .type = ASSAY_INT, .max = MARK_MAX, .fallback = "0",
		.help = "characters at the beginning of the reply that it does not cover"},
	{.name = "frame", .type = ASSAY_CHOICE, .choices = rows_frames, .fallback = "scalars",
		.help = "kind of the frames; all but scalars have an array along an axis"},
	{.name = "timeout", .type = ASSAY_NUMBER, .flags = ASSAY_LIVE, .unit = "s", .min = 0.05,
		.max = 600, .fallback = "2 s",
		.help = "longest time until a reply begins, or between two without a request"},
	{.name = "readings", .type = ASSAY_INT, .flags = ASSAY_LIVE, .max = 1000000000,
		.fallback = "0", .help = "frames per measurement; 0: until stopped"},
	{.name = NULL},
};
/* clang-format on */

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_SERIAL, "baud: 9600"},
	{0, NULL},
};

static const struct assay_driver text_map = {
	ASSAY_DRIVER_HEAD,
	.name = "text-map",
	.version = ASSAY_VERSION,
	.summary = "any instrument with a line protocol, by a profile: balances, meters, analysers",
	.links = ASSAY_LINK_SERIAL | ASSAY_LINK_TCP | ASSAY_LINK_UDP | ASSAY_LINK_SHARED,
	.link_defaults = link_defaults,
	.settings = settings,
	.state_size = sizeof(struct state),
	.raw_max = ROUND_MAX,
	.identify = exchange_identify,
	.configure = check_configure,
	.start = exchange_start,
	.acquire = exchange_acquire,
	.decode = frame_decode,
	.stop = exchange_stop,
	.check = check_settings,
};

ASSAY_DRIVER_EXPORT(text_map);
