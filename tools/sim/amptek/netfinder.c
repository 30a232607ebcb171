/* SPDX-License-Identifier: Apache-2.0 */
#include "dpp.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

#define REQUEST_LEN   6 /* 00 00, a sequence number, F4 FA */
#define HEAD_LEN      32
#define PORT_OPEN     0
#define PORT_SHARABLE 1

static bool is_bound(const struct dpp *d, uint64_t now)
{
	return d->is_heard && now - d->heard < sim_wire_time(d->model, PEER_HOLD_NS);
}

void dpp_heard(struct dpp *d, uint64_t now)
{
	if (!is_bound(d, now))
		d->sharing = PORT_SHARABLE;
	d->is_heard = true;
	d->heard = now;
}

static size_t put_text(uint8_t *out, const char *text)
{
	memcpy(out, text, strlen(text) + 1);
	return strlen(text) + 1;
}

static void put_event(uint8_t *out, uint8_t *seconds, uint64_t ns)
{
	uint64_t s = ns / NS_PER_S, days = s / 86400;
	out[0] = (uint8_t)(days >> 8);
	out[1] = (uint8_t)days;
	out[2] = (uint8_t)(s / 3600 % 24);
	out[3] = (uint8_t)(s / 60 % 60);
	*seconds = (uint8_t)(s % 60);
}

size_t dpp_netfinder(struct dpp *d, uint16_t sequence, uint8_t *out)
{
	char name[64], description[48];
	uint64_t now = d->model->now;
	memset(out, 0, HEAD_LEN);
	out[0] = 1;
	out[1] = is_bound(d, now) ? d->sharing : PORT_OPEN;
	out[2] = (uint8_t)(sequence >> 8);
	out[3] = (uint8_t)sequence;
	put_event(out + 4, out + 12, now);
	put_event(out + 8, out + 13, now);
	memcpy(out + 14, d->ethernet + 19, 6);
	memcpy(out + 20, d->ethernet + 1, 12);
	snprintf(name, sizeof(name), "Amptek %s - S/N %" PRIu32, d->device->title,
		dpp_status(d).serial);
	snprintf(description, sizeof(description), "%.40s",
		d->misc_data[0] != 0 ? (const char *)d->misc_data : "(no description)");
	size_t n = HEAD_LEN;
	n += put_text(out + n, name);
	n += put_text(out + n, description);
	n += put_text(out + n, "Time Powered");
	n += put_text(out + n, "Time on Network");
	return n;
}

size_t dpp_discover(struct sim_model *m, const uint8_t *data, size_t len, uint8_t *out)
{
	struct dpp *d = dpp_of(m);
	if (len != REQUEST_LEN || data[0] != 0 || data[1] != 0 || data[4] != 0xF4 ||
		data[5] != 0xFA)
		return 0;
	uint16_t sequence = (uint16_t)(data[2] << 8 | data[3]);
	if (d->has_sequence && sequence == d->sequence)
		return 0;
	d->has_sequence = true;
	d->sequence = sequence;
	return dpp_netfinder(d, sequence, out);
}
