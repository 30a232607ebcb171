/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a map in one line, and a device with its registers. */
#ifndef ASSAY_TESTS_MODBUS_MAP_ROWS_H
#define ASSAY_TESTS_MODBUS_MAP_ROWS_H

#include "host.h"

/* Adds a row: "name=x table=holding address=0".  A column that comes twice is a list. */
struct host_settings *rows_add(struct host *h, const char *table, const char *cells);

/* Adds each line of the list, which ends with NULL. */
void rows_add_all(struct host *h, const char *table, const char *const *lines);

/* Holding registers; `changed` is called before each request with the number of requests so far. */
struct rows_device {
	uint16_t registers[65536];
	unsigned requests, read;
	void (*before)(struct rows_device *device);
	int failure; /* of all requests */
};

/* Makes the device answer h's requests. */
void rows_connect(struct host *h, struct rows_device *device);

#endif
