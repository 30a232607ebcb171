/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each data set of a folder is a measurement of its own: one scalar, its number of bytes.  A file that does
 * not end with "END" is incomplete; one that begins with a '#' is none that can be read.
 */
#include <assay/driver.h>
#include <errno.h>
#include <string.h>

#define PIECE (64u << 10)

struct state {
	struct assay_folder_set set;
	uint8_t piece[PIECE];
};

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	id->declared = true;
	return 0;
}

/* 1: it ends with its mark and can be read, 0: not yet, 2: it is none; or an error. */
static int judge(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	struct assay_folder_file file;
	int r = assay_folder_file(ins, 0, &file);
	if (r < 0)
		return r;
	ssize_t n = assay_folder_read(ins, 0, 0, st->piece, 1);
	if (n > 0 && st->piece[0] == '#')
		return 2;
	if (n >= 0 && file.size < 3)
		return 0;
	if (n >= 0)
		n = assay_folder_read(ins, 0, file.size - 3, st->piece, 3);
	return n < 0 ? (int)n : n == 3 && memcmp(st->piece, "END", 3) == 0;
}

static int start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	int r = assay_folder_next(ins, &st->set, 50);
	if (r == -ETIMEDOUT)
		return assay_again(ins, 50);
	int verdict = r == 0 ? judge(ins) : r;
	if (verdict < 0)
		return verdict == -EAGAIN ? assay_again(ins, 50) : verdict;
	if (verdict == 1) {
		assay_began(ins, NULL);
		return 0;
	}
	assay_log(ins, ASSAY_LOG_WARN, "%s: %s", st->set.path,
		verdict == 0 ? "incomplete" : "not a file of this kind");
	r = assay_folder_end(ins, verdict == 0 ? ASSAY_FOLDER_INCOMPLETE : ASSAY_FOLDER_TAKEN);
	return r < 0 && r != -EAGAIN ? r : assay_again(ins, 50);
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	for (unsigned i = 0; i < st->set.files; i++) {
		uint64_t at = 0;
		int r = assay_raw_open(raw, "application/octet-stream", NULL);
		ssize_t n = 0;
		while (r == 0 &&
			(n = assay_folder_read(ins, i, at, st->piece, sizeof st->piece)) > 0) {
			r = assay_raw_append(raw, st->piece, (size_t)n);
			at += (uint64_t)n;
		}
		if (r == 0 && n == 0)
			r = assay_raw_close(raw);
		if (r < 0 || n < 0)
			return r < 0 ? r : (int)n;
	}
	int r = assay_folder_end(ins, ASSAY_FOLDER_TAKEN);
	return r == -EAGAIN ? ASSAY_DONE : r < 0 ? r : ASSAY_LAST;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	int64_t bytes = 0;
	for (size_t i = 0; i < in->raw_count; i++)
		bytes += (int64_t)in->raw[i].len;
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	assay_add_int(out, "counts", ASSAY_DATA, bytes, "{count}");
	return 0;
}

static const struct assay_driver driver = {
	ASSAY_DRIVER_HEAD,
	.name = "files",
	.version = "1",
	.summary = "counts the bytes of files",
	.technique = "xrf",
	.links = ASSAY_LINK_FOLDER,
	.state_size = sizeof(struct state),
	.raw_max = 8u << 20,
	.identify = identify,
	.start = start,
	.acquire = acquire,
	.decode = decode,
};
ASSAY_DRIVER_EXPORT(driver);
