/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The self-test of the ZAP handler, with real connections by CURVE: one with the key of the test must
 * be served, one with a key that no list has must be refused.
 */
#ifndef ASSAY_CORE_ACCESS_PROOF_H
#define ASSAY_CORE_ACCESS_PROOF_H

#include "base/key-file.h"

/*
 * Connects to a socket of `context`, which has the handler, on the loopback device.  0; -EACCES: the
 * unknown key got in, or the other did not; or another negative errno.  At most 5 s.
 */
int proof_run(void *context, const struct key_pair *proof);

#endif
