/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of settings that a profile fills. */
#ifndef ASSAY_TEXT_MAP_ROWS_H
#define ASSAY_TEXT_MAP_ROWS_H

#include <assay/driver.h>

enum request_use { USE_FRAME, USE_IDENTITY, USE_START, USE_STOP };

extern const struct assay_setting rows_requests[];
extern const struct assay_setting rows_values[];
extern const struct assay_setting rows_words[];
extern const struct assay_setting rows_units[];
extern const struct assay_setting rows_axes[];
extern const char *const rows_frames[]; /* kinds of frames, from ASSAY_SPECTRUM on */

enum request_use rows_use(const struct assay_settings *request);

/* The row of a table whose column has that text; NULL. */
const struct assay_settings *rows_find(const struct assay_settings *settings, const char *table,
	const char *column, const char *text);

/* True if the instrument sends frames by itself: their first row has no `ask`. */
bool rows_is_unsolicited(const struct assay_settings *settings);

#endif
