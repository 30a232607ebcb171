/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amptek-dp5: Amptek's digital pulse processors with the "FW6" protocol, over USB, RS-232 or UDP.
 *
 * packet, status, command and spectrum are pure; exchange uses the link; configuration and
 * acquisition are the slots.  README.md grades the facts.
 */
#include "acquisition.h"
#include "configuration.h"
#include "plan.h"
#include "spectrum.h"
#include "state.h"

#include <stdio.h>

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct state *st = ins->state;
	st->is_identified = false;
	int r = exchange_clear(ins, &st->x);
	if (r == 0)
		r = state_poll(ins, st);
	if (r < 0)
		return r;
	const struct status *s = &st->status;
	snprintf(id->make, sizeof(id->make), "Amptek");
	snprintf(id->model, sizeof(id->model), "%s", status_device_name(s->device));
	if (s->has_serial)
		snprintf(id->serial, sizeof(id->serial), "%u", s->serial);
	else
		snprintf(id->serial, sizeof(id->serial), "none");
	st->is_identified = true;
	st->serial = s->has_serial ? s->serial : 0;
	status_firmware_text(s, id->fw, sizeof(id->fw));
	return 0;
}

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_USB, "vid: 0x10c4, pid: 0x842a, in: 0x81, out: 0x02"},
	{ASSAY_LINK_SERIAL, "baud: 115200"},
	{ASSAY_LINK_UDP, "port: 10001"},
	{0, NULL},
};

static const struct assay_driver amptek_dp5 = {
	ASSAY_DRIVER_HEAD,
	.name = "amptek-dp5",
	.version = "1.0",
	.summary = "Amptek DP5, PX5, DP5G, TB-5, DP5-X and MCA8000D pulse processors (X-123 and "
		   "others)",
	.make = "Amptek",
	.technique = "xrf",
	.links = ASSAY_LINK_USB | ASSAY_LINK_SERIAL | ASSAY_LINK_UDP,
	.link_defaults = link_defaults,
	.settings = configuration_settings,
	.state_size = sizeof(struct state),
	.raw_max = PACKET_REPLY_MAX + READBACK_MAX,
	.identify = identify,
	.configure = configuration_configure,
	.read_back = configuration_read_back,
	.start = acquisition_start,
	.acquire = acquisition_acquire,
	.decode = spectrum_decode,
	.stop = acquisition_stop,
	.check = plan_check,
};
ASSAY_DRIVER_EXPORT(amptek_dp5);
