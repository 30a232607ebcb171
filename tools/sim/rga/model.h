/* SPDX-License-Identifier: Apache-2.0 */
/* The row of the model table: `assay-sim srs-rga`. */
#ifndef ASSAY_SIM_RGA_MODEL_H
#define ASSAY_SIM_RGA_MODEL_H

#include "framework/sim.h"

extern const struct sim_model_ops rga_model;

#endif
