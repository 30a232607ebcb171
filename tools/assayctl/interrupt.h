/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_ASSAYCTL_INTERRUPT_H
#define ASSAY_ASSAYCTL_INTERRUPT_H

#include <signal.h>

/* From now on SIGINT and SIGTERM only set the flag that is returned, and interrupt system calls. */
const volatile sig_atomic_t *interrupt_catch(void);

#endif
