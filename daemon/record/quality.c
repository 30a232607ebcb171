/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "record/encode.h"
#include "record/quality.h"
#include "record/read.h"
#include "record/text.h"

static const struct {
	enum assay_quality_flag flag;
	const char *name;
} flags[] = {
	{ASSAY_QUALITY_GOOD, "good"},
	{ASSAY_QUALITY_UNCHECKED, "unchecked"},
	{ASSAY_QUALITY_SUSPECT, "suspect"},
	{ASSAY_QUALITY_BAD, "bad"},
	{ASSAY_QUALITY_MISSING, "missing"},
};

/*
 * At most QUALITY_LIST_MAX: workers send them as bits, in this order, so a new one comes last.
 */
static const struct {
	const char *word, *meaning;
} reasons[] = {
	{"saturated", "a detector or converter was at its limit"},
	{"checksum-retry", "an exchange was repeated because its checksum was wrong"},
	{"timeout", "an exchange was repeated because the answer came too late"},
	{"truncated", "the instrument sent less than it announced"},
	{"out-of-range", "a value is outside what the instrument specifies"},
	{"no-background", "no background or dark run to refer to"},
	{"no-calibration", "no calibration is configured"},
	{"cal-expired", "the calibration's time is over"},
	{"clock-unsynced", "no daemon disciplines the clock"},
	{"clock-stepped", "the clock was set while this was measured"},
	{"interlock", "an interlock was open"},
	{"device-warning", "the instrument reports a warning"},
	{"device-error", "the instrument reports a fault"},
	{"resumed", "the connection broke and came back within the run"},
	{"driver-overrun", "data came faster than they could be taken; `dropped` counts frames, "
			   "`gaps` samples"},
	{"identity-mismatch", "another unit than configured is connected"},
	{"identity-unread", "the unit's identity could not be read"},
	{"late", "given to the journal more than a second after it was received"},
	{"maintenance", "the instrument was in maintenance"},
	{"below-detection", "a value is below the instrument's limit of detection"},
	{"not-ready", "the instrument was warming up, purging or not yet stable"},
	{"cal-settings", "the calibration holds for other settings; it was not applied"},
	{"malformed", "the data contradict their announced length, number or sum"},
	{"not-processed", "a calculation that a setting requests was not possible"},
	{"sample-mismatch", "the instrument reports another sample id than the run has"},
	{"not-decoded", "the bytes of a file are recorded, but its format cannot be read"},
	{"file-damaged", "the bytes of a file are recorded, but they contradict each other"},
	{"scale-unverified", "sources disagree on the scale of the values in such a file"},
};

const char *assay_quality_name(enum assay_quality_flag flag)
{
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (flags[i].flag == flag)
			return flags[i].name;
	return NULL;
}

const char *quality_reason_at(size_t i, const char **meaning)
{
	if (i >= sizeof reasons / sizeof reasons[0])
		return NULL;
	if (meaning != NULL)
		*meaning = reasons[i].meaning;
	return reasons[i].word;
}

#define REASONS (sizeof reasons / sizeof reasons[0])

static_assert(REASONS <= QUALITY_LIST_MAX, "a worker's frame has a bit for each");

/* REASONS if it is none. */
static size_t place_of_reason(struct assay_string word)
{
	size_t i = 0;
	while (i < REASONS && !assay_string_is(word, reasons[i].word))
		i++;
	return i;
}

const char *quality_reason(struct assay_string word)
{
	size_t i = place_of_reason(word);
	return i < REASONS ? reasons[i].word : NULL;
}

void quality_lower(struct quality *quality, enum assay_quality_flag flag, const char *reason)
{
	if (flag > quality->flag)
		quality->flag = flag;
	if (reason == NULL)
		return;
	const char *word = quality_reason(string_of(reason));
	assert(word != NULL);
	for (size_t i = 0; i < quality->why_count; i++)
		if (quality->why[i] == word)
			return;
	if (quality->why_count < QUALITY_REASONS_MAX)
		quality->why[quality->why_count++] = word;
}

void quality_encode(struct buffer *to, const struct quality *quality)
{
	struct map map;
	map_open(&map, to);
	map_uint(&map, "flag", quality->flag);
	if (quality->why_count > 0) {
		map_key(&map, "why");
		encode_array(to, quality->why_count);
		for (size_t i = 0; i < quality->why_count; i++)
			encode_text(to, quality->why[i]);
	}
	if (quality->retries != 0)
		map_uint(&map, "retries", quality->retries);
	if (quality->dropped != 0)
		map_uint(&map, "dropped", quality->dropped);
	map_close(&map);
}

/* --- counts of a run ------------------------------------------------------------------------- */

void quality_count(struct quality_counts *counts, const struct quality *quality)
{
	counts->flags[quality->flag]++;
	for (size_t i = 0; i < quality->why_count; i++)
		counts->reasons[place_of_reason(string_of(quality->why[i]))]++;
}

void quality_count_read(struct quality_counts *counts, const struct assay_frame_view *frame)
{
	struct reader r;
	size_t left = 0;
	struct assay_string word;
	if (assay_quality_name(frame->quality) != NULL)
		counts->flags[frame->quality]++;
	read_init(&r, frame->why.data, frame->why.len);
	if (frame->why.len > 0)
		read_array(&r, &left);
	for (; left > 0 && read_text(&r, &word) == 0; left--) {
		size_t i = place_of_reason(word);
		if (i < REASONS)
			counts->reasons[i]++;
	}
}

unsigned quality_worst(const struct quality_counts *counts)
{
	unsigned worst = ASSAY_QUALITY_MISSING;
	while (worst > 0 && counts->flags[worst] == 0)
		worst--;
	return worst;
}

void quality_counts_encode(struct buffer *to, const struct quality_counts *counts)
{
	struct map map, part;
	uint64_t with_reason = 0;
	map_open(&map, to);
	map_key(&map, "flags");
	map_open(&part, to);
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (counts->flags[flags[i].flag] > 0)
			map_uint(&part, flags[i].name, counts->flags[flags[i].flag]);
	map_close(&part);
	for (size_t i = 0; i < REASONS; i++)
		with_reason += counts->reasons[i];
	if (with_reason > 0) {
		map_key(&map, "why");
		map_open(&part, to);
		for (size_t i = 0; i < REASONS; i++)
			if (counts->reasons[i] > 0)
				map_uint(&part, reasons[i].word, counts->reasons[i]);
		map_close(&part);
	}
	map_close(&map);
}
