/* SPDX-License-Identifier: Apache-2.0 */
#include "models.h"

#include <string.h>

#ifdef HAVE_AMPTEK
#include "dpp.h"
#endif
#include "modbus-model.h"
#include "rga-model.h"

const struct sim_model_ops *const sim_models[] = {
#ifdef HAVE_AMPTEK
	&amptek_dp5_ops,
#endif
	&modbus_model,
	&rga_model,
	NULL,
};

const struct sim_model_ops *model_find(const char *name)
{
	for (size_t i = 0; sim_models[i] != NULL; i++)
		if (strcmp(sim_models[i]->name, name) == 0)
			return sim_models[i];
	return NULL;
}
