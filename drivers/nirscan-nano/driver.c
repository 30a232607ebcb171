/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nirscan-nano: TI's DLP NIRscan Nano, a near infrared spectrometer with a mirror array, over USB
 * (HID) or its UART.
 *
 * command, packet, tpl, scan, spectrum and decode are pure; exchange uses the link; settings and
 * measure are the slots.  README.md grades the facts.
 */
#include <assay/driver.h>

#include "decode.h"
#include "measure.h"

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_USB, "vid: 0x0451, pid: 0x4200, in: 0x81, out: 0x01"},
	{ASSAY_LINK_SERIAL, "baud: 115200"},
	{0, NULL},
};

static const struct assay_driver nirscan_nano = {
	ASSAY_DRIVER_HEAD,
	.name = "nirscan-nano",
	.version = "1.0",
	.summary = "TI DLP NIRscan Nano near infrared spectrometers (InnoSpectra NIR-S-G1 and "
		   "others)",
	.make = "Texas Instruments",
	.technique = "nir",
	.links = ASSAY_LINK_USB | ASSAY_LINK_SERIAL,
	.link_defaults = link_defaults,
	.settings = nano_settings,
	.state_size = sizeof(struct nano),
	.raw_max = FILE_MAX_BYTES + ERRORS_MAX,
	.identify = nano_identify,
	.configure = nano_configure,
	.read_back = nano_read_back,
	.start = nano_start,
	.acquire = nano_acquire,
	.decode = nano_decode,
	.check = nano_check,
	.poll = nano_poll,
	.poll_ms = 10000,
};
ASSAY_DRIVER_EXPORT(nirscan_nano);
