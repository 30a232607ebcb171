/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <string.h>

struct host_settings *rows_add(struct host *h, const char *table, const char *cells)
{
	struct host_settings *row = host_add_row(h, table);
	char copy[512], *rest = copy, *cell;
	if (strlen(cells) >= sizeof(copy))
		host_bug("a row that is too long");
	strcpy(copy, cells);
	while ((cell = strsep(&rest, " ")) != NULL) {
		char *value = strchr(cell, '=');
		if (value == NULL)
			host_bug("'%s': no '='", cell);
		*value++ = '\0';
		host_settings_set(row, cell, value);
	}
	return row;
}

void rows_add_all(struct host *h, const char *table, const char *const *lines)
{
	for (; *lines != NULL; lines++)
		rows_add(h, table, *lines);
}

static int reply(struct host *h, enum assay_modbus_table table, unsigned address, unsigned count,
	uint16_t *out)
{
	struct rows_device *device = h->device_data;
	if (device->before != NULL)
		device->before(device);
	device->requests++;
	device->read += count;
	if (device->failure != 0 || table != ASSAY_HOLDING)
		return device->failure != 0 ? device->failure : ASSAY_MODBUS_EXCEPTION - 2;
	memcpy(out, device->registers + address, count * sizeof(*out));
	return 0;
}

void rows_connect(struct host *h, struct rows_device *device)
{
	h->modbus = reply;
	h->device_data = device;
}
