/* SPDX-License-Identifier: Apache-2.0 */
/* The row of the model table: `assay-sim modbus`. */
#ifndef ASSAY_SIM_MODBUS_MODEL_H
#define ASSAY_SIM_MODBUS_MODEL_H

#include "framework/sim.h"

extern const struct sim_model_ops modbus_model;

#endif
