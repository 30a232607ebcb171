/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ratio: a driver whose decode() needs the raw bytes of a background run, and of a dark run if there
 * is one.  Its bytes are the number of the frame, which no other frame of the worker has.
 */
#include <assay/driver.h>

#include <errno.h>
#include <string.h>

struct state {
	uint32_t last;
	int64_t frames;
};

static const struct assay_setting settings[] = {
	{.name = "frames",
		.type = ASSAY_INT,
		.min = 1,
		.max = 100,
		.fallback = "2",
		.help = "frames of one measurement"},
	{.name = NULL},
};

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	memcpy(id->make, "assayd", sizeof("assayd"));
	memcpy(id->model, "ratio", sizeof("ratio"));
	memcpy(id->serial, "RATIO-1", sizeof("RATIO-1"));
	return 0;
}

static int start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	st->frames = 0;
	return 0;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	st->last++;
	int r = assay_raw_add(raw, "application/x-ratio", "count", &st->last, sizeof(st->last));
	if (r < 0)
		return r;
	return ++st->frames >= assay_int(ins->settings, "frames") ? ASSAY_LAST : ASSAY_FRAME;
}

static int add(struct assay_frame *out, const char *name, const struct assay_bytes *block)
{
	uint32_t value;
	if (block->len != sizeof(value) || strcmp(block->media, "application/x-ratio") != 0 ||
		block->name == NULL || strcmp(block->name, "count") != 0)
		return -EBADMSG;
	memcpy(&value, block->data, sizeof(value));
	assay_add_int(out, name, ASSAY_DATA, value, "1");
	return 0;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	static const char *const names[] = {"first", "second"};
	if (in->raw_count != 1 || in->reference_count > 2)
		return -EBADMSG;
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	int r = add(out, "value", &in->raw[0]);
	for (size_t i = 0; i < in->reference_count && r == 0; i++)
		r = add(out, names[i], &in->references[i]);
	return r;
}

static const struct assay_driver driver = {
	ASSAY_DRIVER_HEAD,
	.name = "ratio",
	.version = "1",
	.summary = "a driver that needs the bytes of other runs",
	.technique = "ftir",
	.links = ASSAY_LINK_NONE,
	.settings = settings,
	.state_size = sizeof(struct state),
	.raw_max = 16,
	.identify = identify,
	.start = start,
	.acquire = acquire,
	.decode = decode,
};
ASSAY_DRIVER_EXPORT(driver);
