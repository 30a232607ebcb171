/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "record/words.h"

#define WORDS(name, ...)                                        \
	static const char *const name##_list[] = {__VA_ARGS__}; \
	const struct words words_##name = {name##_list, sizeof name##_list / sizeof name##_list[0]}

WORDS(record_type, "run-start", "frame", "run-end", "amend", "state", "audit", "seal");
WORDS(frame_kind, "spectrum", "interferogram", "chromatogram", "scalar", "table");
WORDS(role, "data", "axis", "aux", "uncertainty", "flags");
WORDS(sync, "ntp", "ptp", "rtc", "none");
WORDS(id_source, "read", "declared", "none");
WORDS(run_mode, "on-demand", "repeat", "continuous");
WORDS(run_status, "complete", "stopped", "aborted", "lost-device", "interrupted", "failed");
WORDS(device_state, "off", "connecting", "idle", "armed", "busy", "fault", "maintenance");
WORDS(ref_kind, "background", "dark", "blank", "calibration", "qc", "repeats", "supersedes");
WORDS(sample_type, "unknown", "qc", "blank", "standard", "reference-material", "background",
	"training");
WORDS(entry_way, "scanned", "typed", "lims", "instrument", "file");
WORDS(auth_way, "os", "key", "card", "lims", "instrument", "none");
WORDS(unc_kind, "standard", "expanded");
WORDS(unc_source, "instrument", "calibration", "driver", "method");

const char *words_name(const struct words *words, int value)
{
	return value >= 1 && value <= words->count ? words->list[value - 1] : NULL;
}

char *words_list(const struct words *words, char *to, size_t size)
{
	snprintf(to, size, "one of");
	for (int i = 0; i < words->count; i++) {
		size_t len = strlen(to);
		snprintf(to + len, size - len, "%s %s", i > 0 ? "," : "", words->list[i]);
	}
	return to;
}

int words_find(const struct words *words, struct assay_string word)
{
	for (int i = 0; i < words->count; i++)
		if (assay_string_is(word, words->list[i]))
			return i + 1;
	return -ENOENT;
}

const char *assay_record_type_name(enum assay_record_type type)
{
	return words_name(&words_record_type, (int)type);
}

const char *assay_frame_kind_name(enum assay_frame_kind kind)
{
	return words_name(&words_frame_kind, (int)kind);
}

const char *assay_role_name(enum assay_var_role role)
{
	return words_name(&words_role, (int)role);
}

const char *assay_sync_name(enum assay_sync sync)
{
	return words_name(&words_sync, (int)sync);
}
