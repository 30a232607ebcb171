/* SPDX-License-Identifier: Apache-2.0 */
/* Status words of the instrument and the meanings of their bits. */
#ifndef PRISMAPRO_STATUS_H
#define PRISMAPRO_STATUS_H

#include <assay/driver.h>

/* Bits of systemStatus. */
#define EMISSION_ON          (UINT32_C(1) << 31)
#define EMISSION_PENDING     (UINT32_C(1) << 28)
#define EMISSION_INTERLOCK   (UINT32_C(1) << 27)
#define MULTIPLIER_ON        (UINT32_C(1) << 23)
#define MULTIPLIER_PENDING   (UINT32_C(1) << 22)
#define MULTIPLIER_INTERLOCK (UINT32_C(1) << 21)
#define SCAN_ACTIVE          (UINT32_C(1) << 1)
#define HAS_RESTARTED        UINT32_C(1) /* since the last request of the word */

struct status {
	uint32_t system, errors, warnings;
};

/* The emission and the multiplier: switched alike. */
#define PARTS 2
struct part {
	const char *setting, *target; /* below /mmsp/generalControl */
	uint32_t on, pending, interlock;
};
extern const struct part parts[PARTS];

/* The first part that a setting requests and that is off; NULL: none. */
const struct part *status_lost(const struct assay_settings *s, uint32_t system);

/* Adds the three words, as flags of the variable `of`, and the quality that they mean. */
void status_add(const struct assay_settings *s, const struct status *status, const char *of,
	struct assay_frame *out);

#endif
