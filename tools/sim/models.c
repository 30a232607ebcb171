/* SPDX-License-Identifier: Apache-2.0 */
#include "models.h"

#include <string.h>

/* SIM_MODELS(ROW), from meson.build, is ROW(modbus_model) ROW(rga_model) ... */
#define ROW(model) extern const struct sim_model_ops model;
SIM_MODELS(ROW)
#undef ROW

#define ROW(model) &model,
const struct sim_model_ops *const sim_models[] = {SIM_MODELS(ROW) NULL};

const struct sim_model_ops *model_find(const char *name)
{
	for (size_t i = 0; sim_models[i] != NULL; i++)
		if (strcmp(sim_models[i]->name, name) == 0)
			return sim_models[i];
	return NULL;
}
