/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver built with a header of an earlier release (-DHEADER): every later worker runs it.  Uses one
 * of each thing that the header had from the beginning; never changed.
 */
#include HEADER

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct state {
	uint8_t sent, looks;
};

static const char *const words[] = {"fast", "slow", NULL};
static const struct assay_setting columns[] = {
	{.name = "offset", .type = ASSAY_NUMBER, .unit = "V", .help = "added to the value"},
	{.name = "label", .type = ASSAY_TEXT, .fallback = "none", .help = "of the row"},
	{.name = NULL},
};
static const struct assay_setting settings[] = {
	{.name = "speed",
		.type = ASSAY_CHOICE,
		.flags = ASSAY_LIVE,
		.choices = words,
		.fallback = "slow",
		.help = "of the measurement"},
	{.name = "rows", .type = ASSAY_TABLE, .columns = columns, .help = "one value each"},
	{.name = "gain", .type = ASSAY_INT, .min = 1, .max = 8, .help = "of the amplifier"},
	{.name = NULL},
};
static const struct assay_link_defaults links[] = {
	{ASSAY_LINK_SERIAL, "baud: 9600"}, {ASSAY_LINK_TCP, "port: 4000"}, {0, NULL}};

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct state *st = ins->state;
	if (st->sent != 0 || ins->link != ASSAY_LINK_NONE)
		return -EINVAL;
	strcpy(id->make, "assayd");
	strcpy(id->model, "released");
	strcpy(id->serial, "R-1");
	strcpy(id->fw, "2");
	return 0;
}

static int configure(struct assay_instrument *ins)
{
	assay_report_int(ins, "gain", 4);
	return 0;
}

static int start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	if (st->looks++ == 0)
		return assay_again(ins, 1);
	assay_began(ins, "S-7");
	return 0;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	uint8_t bytes[2] = {7, ++st->sent};
	int r = assay_raw_open(raw, "application/octet-stream", "one");
	for (size_t i = 0; r == 0 && i < sizeof(bytes); i++)
		r = assay_raw_append(raw, &bytes[i], 1);
	if (r == 0)
		r = assay_raw_close(raw);
	return r < 0 ? r : ASSAY_LAST;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	static const float values[] = {1.5f, 2.5f};
	static const uint8_t states[] = {0, 1};
	static const char *const peaks[] = {"CO", "CO2"}, *const bits[] = {"late"};
	if (in->raw_count != 1 || in->raw[0].len != 2 || in->raw[0].data[0] != 7 ||
		strcmp(in->raw[0].name, "one") != 0)
		return -EBADMSG;
	const struct assay_settings *row = assay_row(in->settings, "rows", 1);
	struct assay_variable axis = {.name = "time",
		.role = ASSAY_AXIS,
		.dims = {"time"},
		.unit = "s",
		.type = ASSAY_LINEAR,
		.start = assay_number(row, "offset"),
		.step = 1,
		.count = 2};
	struct assay_variable signal = {.name = "signal",
		.role = ASSAY_DATA,
		.dims = {"time"},
		.unit = "V",
		.label = assay_text(row, "label"),
		.channel = "tcd",
		.type = ASSAY_F32,
		.data = values,
		.count = 2};
	struct assay_variable flags = {.name = "signal_flags",
		.role = ASSAY_FLAGS,
		.of = "signal",
		.dims = {"time"},
		.unit = "1",
		.channel = "tcd",
		.type = ASSAY_U8,
		.data = states,
		.count = 2,
		.bits = bits,
		.bit_count = 1};
	struct assay_variable names = {.name = "peak_name",
		.role = ASSAY_AUX,
		.dims = {"time"},
		.unit = "1",
		.type = ASSAY_TEXTS,
		.texts = peaks,
		.count = 2};
	struct assay_variable gain = {.type = ASSAY_SCALAR_INT, .integer = 3};
	assay_frame_kind(out, ASSAY_CHROMATOGRAM);
	assay_frame_quality(out, ASSAY_SUSPECT, "device-warning");
	assay_frame_device_time(out, "12:00:00");
	assay_frame_add(out, &axis);
	assay_frame_add(out, &signal);
	assay_frame_add(out, &flags);
	assay_frame_add(out, &names);
	assay_frame_span(out, 2);
	assay_frame_gap(out, 1, 3);
	assay_frame_setting(out, "gain", &gain);
	return 0;
}

/* More than a table of that header: the worker must not take it for slots. */
static void none(void)
{
	abort();
}

static const struct {
	struct assay_driver driver;
	void (*behind[8])(void);
} table = {{
		   ASSAY_DRIVER_HEAD,
		   .name = "released-" RELEASE,
		   .version = "1",
		   .summary = "built with an earlier header, for tests",
		   .make = "assayd",
		   .technique = "gc",
		   .links = ASSAY_LINK_NONE | ASSAY_LINK_SERIAL | ASSAY_LINK_TCP,
		   .link_defaults = links,
		   .settings = settings,
		   .state_size = sizeof(struct state),
		   .raw_max = 2,
		   .identify = identify,
		   .configure = configure,
		   .start = start,
		   .acquire = acquire,
		   .decode = decode,
	   },
	{none, none, none, none, none, none, none, none}};
ASSAY_DRIVER_EXPORT(table.driver);
