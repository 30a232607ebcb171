/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "record/encode.h"
#include "record/quality.h"
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
 * At most 32: workers send them as bits, in this order, so a new one comes last.
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
	{"driver-overrun", "data came faster than they could be taken; `dropped` counts frames"},
	{"identity-mismatch", "another unit than configured is connected"},
	{"identity-unread", "the unit's identity could not be read"},
	{"late", "given to the journal more than a second after it was received"},
	{"maintenance", "the instrument was in maintenance"},
	{"below-detection", "a value is below the instrument's limit of detection"},
	{"not-ready", "the instrument was warming up, purging or not yet stable"},
	{"cal-settings", "the calibration holds for other settings; it was not applied"},
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

const char *quality_reason(struct assay_string word)
{
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (assay_string_is(word, reasons[i].word))
			return reasons[i].word;
	return NULL;
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
