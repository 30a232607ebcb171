/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated instruments, one of each family; the list is in meson.build. */
#ifndef ASSAY_SIM_MODELS_H
#define ASSAY_SIM_MODELS_H

#include "framework/sim.h"

/* Ends with NULL. */
extern const struct sim_model_ops *const sim_models[];

/* NULL when there is none of that name. */
const struct sim_model_ops *model_find(const char *name);

#endif
