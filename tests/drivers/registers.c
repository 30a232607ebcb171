/* SPDX-License-Identifier: Apache-2.0 */
/* registers: eight floats from the holding registers of a Modbus unit, for tests and benchmarks. */
#include <assay/driver.h>

#include <errno.h>
#include <string.h>

#define REGISTERS 16

static const struct assay_setting settings[] = {
	{.name = "address",
		.type = ASSAY_INT,
		.min = 0,
		.max = 65000,
		.fallback = "0",
		.help = "of the first register"},
	{.name = NULL},
};

static int read_all(struct assay_instrument *ins, uint16_t values[REGISTERS])
{
	return assay_modbus_read(ins, ASSAY_HOLDING, (unsigned)assay_int(ins->settings, "address"),
		REGISTERS, values);
}

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	uint16_t values[REGISTERS];
	id->declared = true;
	return read_all(ins, values);
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	uint16_t values[REGISTERS];
	int r = read_all(ins, values);
	if (r == 0)
		r = assay_raw_add(raw, "application/x-modbus", NULL, values, sizeof(values));
	return r < 0 ? r : ASSAY_FRAME;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
	if (in->raw_count != 1 || in->raw[0].len != REGISTERS * 2)
		return -EBADMSG;
	assay_frame_kind(out, ASSAY_SCALARS);
	for (size_t i = 0; i < 8; i++) {
		uint16_t words[2];
		memcpy(words, in->raw[0].data + 4 * i, sizeof(words));
		uint32_t bits = (uint32_t)words[0] << 16 | words[1];
		float value;
		memcpy(&value, &bits, sizeof(value));
		if (value - value != 0)
			return -EBADMSG;
		assay_add_float(out, names[i], ASSAY_DATA, (double)value, "mg/m3");
	}
	return 0;
}

static const struct assay_driver driver = {
	ASSAY_DRIVER_HEAD,
	.name = "registers",
	.version = "1",
	.summary = "eight floats of a Modbus unit, for tests and benchmarks",
	.technique = "ftir",
	.links = ASSAY_LINK_MODBUS_TCP | ASSAY_LINK_MODBUS_RTU,
	.settings = settings,
	.raw_max = REGISTERS * 2,
	.identify = identify,
	.acquire = acquire,
	.decode = decode,
};
ASSAY_DRIVER_EXPORT(driver);
