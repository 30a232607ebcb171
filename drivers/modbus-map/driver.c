/* SPDX-License-Identifier: Apache-2.0 */
/* modbus-map: any Modbus instrument whose registers a profile describes. */
#include <assay/driver.h>

#include "check.h"
#include "decode.h"
#include "identity.h"
#include "poll.h"
#include "row.h"
#include "rows.h"

static const struct assay_setting settings[] = {
	{.name = "points",
		.type = ASSAY_TABLE,
		.columns = row_point_columns,
		.flags = ASSAY_REQUIRED,
		.help = "the measured values and their registers"},
	{.name = "status",
		.type = ASSAY_TABLE,
		.columns = row_status_columns,
		.help = "status registers and bits of the instrument"},
	{.name = "address_offset",
		.type = ASSAY_INT,
		.min = -1,
		.max = 1,
		.fallback = "0",
		.help = "added to every address; -1 for maps that count from 1"},
	{.name = "word_order",
		.type = ASSAY_CHOICE,
		.choices = register_order_names,
		.fallback = "abcd",
		.help = "of numbers of two registers or more"},
	{.name = "basis",
		.type = ASSAY_TEXT,
		.help = "such as wet or dry: of all values with an analyte and no basis of "
			"their own"},
	{.name = "adjust",
		.type = ASSAY_TABLE,
		.columns = row_adjust_columns,
		.help = "unit, basis or uncertainty of a profile's point on this instrument"},
	{.name = "identity",
		.type = ASSAY_TABLE,
		.columns = identity_columns,
		.help = "registers with its identity; absent: as declared"},
	{.name = "options",
		.type = ASSAY_TEXT,
		.flags = ASSAY_LIST,
		.help = "optional parts of the map that are read"},
	{.name = "max_gap",
		.type = ASSAY_INT,
		.flags = ASSAY_LIVE,
		.min = 0,
		.max = 124,
		.fallback = "16",
		.help = "unused registers that one request may span"},
	{.name = "max_gap_bits",
		.type = ASSAY_INT,
		.flags = ASSAY_LIVE,
		.min = 0,
		.max = 1999,
		.fallback = "128",
		.help = "unused bits that one request may span"},
	{.name = "readings",
		.type = ASSAY_INT,
		.flags = ASSAY_LIVE,
		.min = 0,
		.max = 1000000000,
		.fallback = "0",
		.help = "polls per measurement; 0: until stopped"},
	{.name = NULL},
};

static const struct assay_driver modbus_map = {
	ASSAY_DRIVER_HEAD,
	.name = "modbus-map",
	.version = ASSAY_VERSION,
	.summary = "any Modbus instrument, by a register map: a profile, or your own",
	.links = ASSAY_LINK_MODBUS_RTU | ASSAY_LINK_MODBUS_TCP,
	.settings = settings,
	.state_size = sizeof(struct map),
	.raw_max = PLAN_BLOCKS_MAX * PLAN_BYTES_MAX,
	.identify = poll_identify,
	.configure = poll_configure,
	.start = poll_start,
	.acquire = poll_acquire,
	.prepare = rows_prepare,
	.prepared_size = sizeof(struct rows),
	.decode = map_decode,
	.check = map_check,
};

ASSAY_DRIVER_EXPORT(modbus_map);
