/* SPDX-License-Identifier: Apache-2.0 */
/* A request to a model with a web server, without a web server. */
#ifndef ASSAY_TESTS_SIM_URL_H
#define ASSAY_TESTS_SIM_URL_H

#include "framework/http.h"

/* Splits "/path?key=value&key" into the request, whose parts point into it; %XX is left alone. */
void url_split(char *url, struct sim_http_request *request);

#endif
