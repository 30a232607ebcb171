/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the identity of the connected unit with the configuration. */
#ifndef ASSAY_CORE_IDENTITY_H
#define ASSAY_CORE_IDENTITY_H

#include "core/instrument/instrument.h"

/*
 * Takes the identity that the worker read, without the blanks around its texts, and fills in what
 * the instrument cannot report from the configuration or the profile.  It is declared, not read, if
 * its serial number is.
 */
void identity_take(struct instrument *instrument, const struct wire_identity *found);

/*
 * True, with the reason in `why`, if this unit must be rejected.  A unit other than configured may
 * be accepted with flagged frames (identity.mismatch); a simulator on an instrument that is not
 * marked as simulated never is.
 */
bool identity_refuses(struct instrument *instrument, char *why, size_t size);

#endif
