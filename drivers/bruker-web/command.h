/* SPDX-License-Identifier: Apache-2.0 */
/* The request that sends parameters to the spectrometer, and starts a measurement. */
#ifndef BRUKER_WEB_COMMAND_H
#define BRUKER_WEB_COMMAND_H

#include <assay/driver.h>

/* The values of WRK. */
enum command_work { WORK_MEASURE = 1, WORK_APPLY = 8 };

/* NULL if `parameters` are pairs KEY=VALUE joined by '&', escaped for a query; else the mistake. */
const char *command_mistake(const char *parameters);

/* Whether one of the pairs has that key of three letters. */
bool command_has(const char *parameters, const char *key);

/*
 * Writes the path with the parameters of the setting `command`, in their order, and after them those
 * with settings of their own, which replace them.  False if it does not fit.
 */
bool command_write(const struct assay_settings *s, enum command_work work, char *path, size_t size);

#endif
