/* SPDX-License-Identifier: Apache-2.0 */
/* Who is there, against what the configuration expects. */
#ifndef ASSAY_CORE_IDENTITY_H
#define ASSAY_CORE_IDENTITY_H

#include "core/instrument/instrument.h"

/* What cannot be asked of the instrument is as the configuration (or the profile) says. */
void identity_declare(struct instrument *instrument);

/*
 * Is this unit not to be used?  Then true, with why.  Another unit than configured may be let
 * through, its frames flagged (identity.mismatch); a simulator on an instrument that is not marked
 * as one never is.
 */
bool identity_refuses(struct instrument *instrument, char *why, size_t size);

#endif
