/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closed lists of words of the format, and the enums that represent them in the program.  Every
 * enum starts at 1; 0 means "absent".  Any thread.
 */
#ifndef ASSAY_RECORD_WORDS_H
#define ASSAY_RECORD_WORDS_H

#include <assay/record.h>

enum id_source {
	ID_SOURCE_READ = 1,
	ID_SOURCE_DECLARED,
	ID_SOURCE_NONE,
};

enum run_mode {
	RUN_MODE_ON_DEMAND = 1,
	RUN_MODE_REPEAT,
	RUN_MODE_CONTINUOUS,
};

enum run_status {
	RUN_STATUS_COMPLETE = 1,
	RUN_STATUS_STOPPED,
	RUN_STATUS_ABORTED,
	RUN_STATUS_LOST_DEVICE,
	RUN_STATUS_INTERRUPTED,
	RUN_STATUS_FAILED,
};

enum device_state {
	DEVICE_STATE_OFF = 1,
	DEVICE_STATE_CONNECTING,
	DEVICE_STATE_IDLE,
	DEVICE_STATE_ARMED,
	DEVICE_STATE_BUSY,
	DEVICE_STATE_FAULT,
	DEVICE_STATE_MAINTENANCE,
};

enum ref_kind {
	REF_BACKGROUND = 1,
	REF_DARK,
	REF_BLANK,
	REF_CALIBRATION,
	REF_QC,
	REF_REPEATS,
	REF_SUPERSEDES,
};

enum sample_type {
	SAMPLE_UNKNOWN = 1,
	SAMPLE_QC,
	SAMPLE_BLANK,
	SAMPLE_STANDARD,
	SAMPLE_REFERENCE_MATERIAL,
	SAMPLE_BACKGROUND,
	SAMPLE_TRAINING,
};

enum entry_way {
	ENTRY_SCANNED = 1,
	ENTRY_TYPED,
	ENTRY_LIMS,
	ENTRY_INSTRUMENT,
	ENTRY_FILE,
};

enum auth_way {
	AUTH_OS = 1,
	AUTH_KEY,
	AUTH_CARD,
	AUTH_LIMS,
	AUTH_INSTRUMENT,
	AUTH_NONE,
};

/* A list: word `i` has the value i + 1. */
struct words {
	const char *const *list;
	int count;
};

extern const struct words words_record_type, words_frame_kind, words_role, words_sync,
	words_id_source, words_run_mode, words_run_status, words_device_state, words_ref_kind,
	words_sample_type, words_entry_way, words_auth_way, words_unc_kind, words_unc_source;

/* The word of `value`, static; NULL when it has none. */
const char *words_name(const struct words *words, int value);

/* Writes "one of a, b, c", cut to `size`, and returns `to`. */
char *words_list(const struct words *words, char *to, size_t size);

/* The value of a word, or -ENOENT. */
int words_find(const struct words *words, struct assay_string word);

#endif
