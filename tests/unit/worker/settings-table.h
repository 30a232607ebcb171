/* SPDX-License-Identifier: Apache-2.0 */
/* A table with a setting of every type, for the test and the fuzz target of the worker's settings. */
#ifndef ASSAY_TESTS_WORKER_SETTINGS_TABLE_H
#define ASSAY_TESTS_WORKER_SETTINGS_TABLE_H

#include <assay/driver.h>

static const char *const modes[] = {"scan", "histogram", NULL};

static const struct assay_setting columns[] = {
	{.name = "address", .type = ASSAY_INT, .flags = ASSAY_REQUIRED, .help = "h"},
	{.name = "name", .type = ASSAY_TEXT, .help = "h"},
	{.name = NULL},
};

static const struct assay_setting table[] = {
	{.name = "time", .type = ASSAY_NUMBER, .unit = "s", .min = 0.1, .max = 10, .help = "h"},
	{.name = "channels", .type = ASSAY_INT, .min = 1, .max = 4096, .help = "h"},
	{.name = "mode", .type = ASSAY_CHOICE, .choices = modes, .help = "h"},
	{.name = "ions", .type = ASSAY_NUMBER, .flags = ASSAY_LIST, .help = "h"},
	{.name = "loud", .type = ASSAY_BOOL, .help = "h"},
	{.name = "map", .type = ASSAY_TABLE, .columns = columns, .help = "h"},
	{.name = NULL},
};

#endif
