/* SPDX-License-Identifier: Apache-2.0 */
/* The framework's loop over transport, wire and model. */
#ifndef ASSAY_SIM_SERVE_H
#define ASSAY_SIM_SERVE_H

#include "host.h"

/*
 * Makes the model, opens the transport and serves, or calls the model's own `run`.  Returns 0 at
 * a signal or the time limit, or a negative errno after one line on standard error.
 */
int serve(
	struct sim_host *host, const struct sim_model_ops *ops, const struct sim_options *options);

#endif
