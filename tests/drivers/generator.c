/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generator: frames of a given size, as fast as the core takes them.  No instrument and no link;
 * for benchmarks and for tests of the parts after a driver.
 */
#include <assay/driver.h>

#include <errno.h>
#include <string.h>

#define FRAME_BYTES_LEAST 64
#define FRAME_BYTES_MOST  (15 << 20)
#define RAW_MOST          (FRAME_BYTES_MOST / 2)

struct state {
	uint32_t next; /* the number of the next frame, in all its bytes */
	uint64_t left; /* frames of this measurement; 0: no end */
};

static uint8_t bytes[RAW_MOST]; /* zero, except the first */

static const struct assay_setting settings[] = {
	{.name = "frame_bytes",
		.type = ASSAY_INT,
		.min = FRAME_BYTES_LEAST,
		.max = FRAME_BYTES_MOST,
		.fallback = "1024",
		.help = "size of the data of a frame; one half is the spectrum, the other its raw "
			"block"},
	{.name = "frames",
		.type = ASSAY_INT,
		.min = 0,
		.max = 1e12,
		.fallback = "0",
		.help = "frames of one measurement, 0 for no end"},
	{.name = "serial",
		.type = ASSAY_TEXT,
		.fallback = "GEN-1",
		.help = "serial number to go by"},
	{.name = NULL},
};

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	const char *serial = assay_text(ins->settings, "serial");
	memcpy(id->make, "assayd", sizeof("assayd"));
	memcpy(id->model, "generator", sizeof("generator"));
	if (serial != NULL && strlen(serial) < sizeof(id->serial))
		memcpy(id->serial, serial, strlen(serial) + 1);
	return 0;
}

static int start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	st->left = (uint64_t)assay_int(ins->settings, "frames");
	return 0;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	if (assay_stopping(ins))
		return ASSAY_DONE;
	size_t size = (size_t)assay_int(ins->settings, "frame_bytes") / 8 * 4;
	if (size < 8)
		size = 8;
	memcpy(bytes, &st->next, sizeof(st->next));
	st->next++;
	int r = assay_raw_add(raw, "application/x-generator", NULL, bytes, size);
	if (r < 0)
		return r;
	return st->left > 0 && --st->left == 0 ? ASSAY_LAST : ASSAY_FRAME;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	if (in->raw_count != 1 || in->raw[0].len % 4 != 0)
		return -EBADMSG;
	size_t n = in->raw[0].len / 4;
	assay_frame_kind(out, ASSAY_SPECTRUM);
	assay_add_linear_axis(out, "channel", "1", 0, 1, n);
	struct assay_variable counts = {
		.name = "counts",
		.role = ASSAY_DATA,
		.dims = {"channel"},
		.unit = "{count}",
		.type = ASSAY_U32,
		.data = in->raw[0].data,
		.count = n,
	};
	assay_frame_add(out, &counts);
	return 0;
}

static const struct assay_driver generator = {
	ASSAY_DRIVER_HEAD,
	.name = "generator",
	.version = "1",
	.summary = "frames of a given size, for tests and benchmarks",
	.technique = "xrf",
	.links = ASSAY_LINK_NONE,
	.settings = settings,
	.state_size = sizeof(struct state),
	.raw_max = RAW_MOST,
	.identify = identify,
	.start = start,
	.acquire = acquire,
	.decode = decode,
};
ASSAY_DRIVER_EXPORT(generator);
