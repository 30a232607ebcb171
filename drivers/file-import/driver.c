/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file-import: the files that the programs of instruments save in a folder.  Each data set is a run: its
 * bytes, all of them, and the values that its format gives.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "facts.h"
#include "find.h"
#include "formats.h"
#include "frames.h"
#include "report.h"
#include "set.h"

#define WAIT_MS 50
#define KNOWN   64

struct state {
	struct set set;
	struct found found;
	struct frames frames;
	unsigned complaints;
	uint64_t known[KNOWN]; /* complaints that were made before, by a hash */
	char complaint[FORMAT_FACT + 128], complaint_path[ASSAY_FOLDER_PATH]; /* the last one */
};

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	(void)ins;
	id->declared = true;
	return 0;
}

static void drop_set(struct state *st)
{
	frames_finish(&st->frames);
	found_finish(&st->found);
	set_close(&st->set);
}

/* Ends with a data set of which there is no run, and waits for the next one. */
static int pass_over(struct assay_instrument *ins, enum assay_folder_verdict verdict)
{
	int r = assay_folder_end(ins, verdict);
	drop_set(ins->state);
	return r < 0 ? r : -EAGAIN;
}

/* Whether a complaint is new: a data set that is not complete comes again and again. */
static bool is_new(struct state *st)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
	for (const char *at = st->set.of.path; *at != '\0'; at++)
		hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
	for (const char *at = st->complaint; *at != '\0'; at++)
		hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
	for (unsigned i = 0; i < KNOWN; i++)
		if (st->known[i] == hash)
			return false;
	st->known[st->complaints++ % KNOWN] = hash;
	return true;
}

/*
 * One line for a data set that gives no values, or none yet: in the log, and from then on in the
 * instrument's state.
 */
__attribute__((format(printf, 2, 3))) static void complain(
	struct assay_instrument *ins, const char *format, ...)
{
	struct state *st = ins->state;
	va_list args;
	va_start(args, format);
	vsnprintf(st->complaint, sizeof st->complaint, format, args);
	va_end(args);
	if (is_new(st))
		assay_log(ins, ASSAY_LOG_WARN, "%s: %s", st->set.of.path, st->complaint);
	snprintf(st->complaint_path, sizeof st->complaint_path, "%s", st->set.of.path);
}

/* The frames of a data set that is a run. */
static int plan(struct state *st)
{
	struct found *found = &st->found;
	if (found->result == FORMAT_WHOLE) {
		int r = frames_plan(&st->frames, &st->set.source, found->format, found->state,
			found->format->name, FRAMES_REST);
		if (r == 0 || is_of_link(r))
			return r;
		frames_finish(&st->frames);
		found->result = FORMAT_DAMAGED;
		found->facts.why[0] = '\0';
	}
	return frames_plan(&st->frames, &st->set.source, NULL, NULL,
		found->format != NULL ? found->format->name : FORMATS_UNKNOWN,
		found->result == FORMAT_DAMAGED ? FRAMES_DAMAGED : FRAMES_UNDECODED);
}

/* Of a run that has bytes only. */
static void complain_of_bytes(struct assay_instrument *ins, const struct found *found)
{
	const char *why = found->facts.why;
	if (found->result == FORMAT_FOREIGN)
		complain(ins, "no format that can be read; its bytes are recorded");
	if (found->result == FORMAT_UNDECODED && why[0] != '\0')
		complain(ins, "cannot be read (%s): %s; its bytes are recorded",
			found->format->name, why);
	if (found->result == FORMAT_DAMAGED)
		complain(ins, "damaged (%s): %s; its bytes are recorded", found->format->name,
			why[0] != '\0' ? why : "its places and counts contradict each other");
}

/* The data set that the link offers: 0: it is a run; or as start(). */
static int open_set(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	const struct found *found = &st->found;
	int r = set_open(&st->set, ins);
	if (r == 0)
		r = find_format(&st->found, &st->set.source, assay_text(ins->settings, "format"));
	if (r < 0)
		return r;
	const char *technique = assay_technique(ins);
	if (found->format != NULL && !format_has_technique(found->format, technique)) {
		complain(ins, "a file of %s has the technique %s, the instrument has %s: not taken",
			found->format->name, found->format->techniques, technique);
		return pass_over(ins, ASSAY_FOLDER_TAKEN);
	}
	if (found->result == FORMAT_INCOMPLETE) {
		complain(ins, "not complete (%s)%s%s: it is looked at again", found->format->name,
			found->facts.why[0] != '\0' ? ": " : "", found->facts.why);
		return pass_over(ins, ASSAY_FOLDER_INCOMPLETE);
	}
	r = plan(st);
	if (r < 0)
		return r;
	complain_of_bytes(ins, found);
	facts_report(ins, &st->set.source, found);
	return 0;
}

/* Nothing to do: the last complaint stays visible. */
static int wait(struct assay_instrument *ins)
{
	const struct state *st = ins->state;
	if (st->complaints > 0)
		assay_explain(ins, "%s: %s (%u files so far)", st->complaint_path, st->complaint,
			st->complaints);
	return assay_again(ins, WAIT_MS);
}

static int start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	drop_set(st);
	int r = assay_folder_next(ins, &st->set.of, WAIT_MS);
	if (r == 0)
		r = open_set(ins);
	if (r == 0)
		return 0;
	drop_set(st);
	return r == -ETIMEDOUT || r == -EAGAIN ? wait(ins) : r;
}

/* Not the bytes that start() looked at: this run is not the file, and must not end as complete. */
static int changed(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	assay_explain(ins, "%s: changed while it was read; it comes again", st->set.of.path);
	return -EPROTO;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	int more = frames_take(&st->frames, raw);
	int r = more == 0 ? assay_folder_end(ins, ASSAY_FOLDER_TAKEN) : more;
	if (r == -EAGAIN)
		return changed(ins);
	if (r < 0)
		return r;
	return more ? ASSAY_FRAME : ASSAY_LAST;
}

static int stop(struct assay_instrument *ins)
{
	drop_set(ins->state);
	return 0;
}

static void close_driver(struct assay_instrument *ins)
{
	drop_set(ins->state);
}

/* A frame without values: how many bytes it has. */
static int decode_bytes(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	int64_t bytes = 0;
	for (size_t i = 0; i < in->raw_count; i++)
		bytes += (int64_t)in->raw[i].len;
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	if (strcmp(part, FRAMES_UNDECODED) == 0)
		assay_frame_quality(out, ASSAY_UNCHECKED, "not-decoded");
	if (strcmp(part, FRAMES_DAMAGED) == 0)
		assay_frame_quality(out, ASSAY_SUSPECT, "file-damaged");
	assay_add_int(out, "file_bytes", ASSAY_AUX, bytes, "By");
	return 0;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	char part[FORMATS_MEDIA];
	const struct format *format;
	if (in->raw_count == 0 || !formats_read_media(in->raw[0].media, &format, part))
		return -EBADMSG;
	bool has_values = strcmp(part, FRAMES_REST) != 0 && strcmp(part, FRAMES_UNDECODED) != 0 &&
			  strcmp(part, FRAMES_DAMAGED) != 0;
	if (!has_values)
		return decode_bytes(in, part, out);
	if (format == NULL || format->decode == NULL)
		return -EBADMSG;
	int r = format->decode(in, part, out);
	return r == -EBADMSG ? decode_bytes(in, FRAMES_DAMAGED, out) : r;
}

/* clang-format off */
static const struct assay_setting settings[] = {
	{.name = "format", .type = ASSAY_TEXT, .fallback = "auto",
		.help = "of the files, by its name on the driver's page; auto: each file shows it"},
	{.name = "sample_from", .type = ASSAY_CHOICE, .choices = facts_samples, .fallback = "sample",
		.help = "the sample id: the file's sample or title, its name without ending, or none"},
	REPORT_SETTINGS,
	{.name = NULL},
};
/* clang-format on */

static void check(const struct assay_settings *s, struct assay_check *out)
{
	report_check(s, out);
	const char *format = assay_text(s, "format");
	if (strcmp(format, "auto") != 0 && formats_find(format, strlen(format)) == NULL)
		assay_check_error(out, "format", "there is no format '%s'", format);
}

static const struct assay_driver file_import = {
	ASSAY_DRIVER_HEAD,
	.name = "file-import",
	.version = ASSAY_VERSION,
	.summary = "files that the programs of instruments save, in many formats",
	.links = ASSAY_LINK_FOLDER,
	.settings = settings,
	.state_size = sizeof(struct state),
	.raw_max = FRAMES_BYTES,
	.identify = identify,
	.start = start,
	.acquire = acquire,
	.decode = decode,
	.stop = stop,
	.check = check,
	.close = close_driver,
};

ASSAY_DRIVER_EXPORT(file_import);
