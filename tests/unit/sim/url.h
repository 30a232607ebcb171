/* SPDX-License-Identifier: Apache-2.0 */
/* A request to a model with a web server, without a web server. */
#ifndef ASSAY_TESTS_SIM_URL_H
#define ASSAY_TESTS_SIM_URL_H

#include "framework/http.h"

/* Splits "/path?key=value&key" into the request, whose parts point into it; %XX is left alone. */
void url_split(char *url, struct sim_http_request *request);

/*
 * For fuzzing: one request a line, such as "/path?key=value"; "+n" lets n seconds pass.  Borrows `data`.
 */
void url_session(const struct sim_model_ops *ops, const uint8_t *data, size_t len);

#endif
