/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"
#include "command.h"

#include <errno.h>
#include <string.h>

int state_check_unit(
	struct assay_instrument *ins, const struct state *st, const struct status *status)
{
	uint32_t serial = status->has_serial ? status->serial : 0;
	if (!st->is_identified || serial == st->serial)
		return 0;
	assay_explain(ins, "another unit replies: serial number %u, it was %u", (unsigned)serial,
		(unsigned)st->serial);
	return -ENODEV;
}

int state_poll(struct assay_instrument *ins, struct state *st)
{
	struct packet reply;
	int r = exchange(ins, &st->x, REQUEST_STATUS, NULL, 0, REPLY_STATUS, &reply);
	if (r < 0)
		return r;
	if (reply.pid2 == 0x02) {
		assay_explain(ins, "this is a Mini-X2 X-ray tube controller, which shares its USB "
				   "numbers with the digital pulse processors; this driver reads "
				   "spectra and never switches a tube");
		return -EPROTO;
	}
	status_parse(reply.data, &st->status);
	if (reply.pid2 != 0x01 || st->status.device >= DEVICE_COUNT) {
		assay_explain(ins, "unknown device: status %02X, device id %u", reply.pid2,
			st->status.device);
		return -EPROTO;
	}
	st->rebooted |= st->status.rebooted;
	return state_check_unit(ins, st, &st->status);
}

int state_read_back(struct assay_instrument *ins, struct state *st, char *text, size_t size)
{
	struct commands query = {0};
	char request[PACKET_REQUEST_DATA_MAX];
	size_t at = 0, used = 0, len;
	commands_query(&query, st->status.device);
	while ((len = commands_pack(
			&query, &at, ins->link == ASSAY_LINK_USB, request, sizeof(request))) > 0) {
		struct packet reply;
		int r = exchange(ins, &st->x, REQUEST_READBACK, request, len, REPLY_OTHER, &reply);
		if (r < 0)
			return r;
		if (reply.len >= size - used || memchr(reply.data, '\0', reply.len) != NULL) {
			assay_explain(ins, "the configuration read back is no text, or too long");
			return -EBADMSG;
		}
		memcpy(text + used, reply.data, reply.len);
		used += reply.len;
	}
	text[used] = '\0';
	return 0;
}
