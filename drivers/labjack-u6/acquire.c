/* SPDX-License-Identifier: Apache-2.0 */
#include "acquire.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "exchange.h"

#define CONTACT_MS 5    /* between two looks at the start input */
#define READ_MS    100  /* of one wait: a request to stop takes effect within it */
#define SILENCE_MS 2000 /* in addition to the time of a packet */

const char *const labjack_block_names[BLOCKS] = {"setup", "calibration", "place", "packets"};

static int send_setup(struct assay_instrument *ins)
{
	struct labjack *u6 = ins->state;
	struct packet p;
	uint8_t reply[PACKET_MAX];
	setup_write(&u6->setup, &p);
	int r = exchange_halt(ins);
	return r < 0 ? r : exchange(ins, &p, reply);
}

/* Sends the setup once, so that one that the device rejects is found before the first run. */
int labjack_configure(struct assay_instrument *ins)
{
	struct labjack *u6 = ins->state;
	if (!setup_make(ins->settings, &u6->setup, &u6->sizes)) {
		assay_explain(ins, "the settings of inputs, rate and slice contradict each other");
		return -EINVAL;
	}
	double rate = setup_rate(&u6->setup);
	assay_report_number(ins, "rate", rate, "Hz");
	assay_report_number(ins, "settling", u6->setup.settling * 10.0, "us");
	assay_report_number(
		ins, "slice", (double)(u6->sizes.packets * u6->setup.scans) / rate, "s");
	return send_setup(ins);
}

static int start_stream(struct assay_instrument *ins)
{
	struct packet p;
	uint8_t reply[PACKET_MAX];
	packet_start_stream(&p);
	return exchange(ins, &p, reply);
}

/* 1, 0, or an error: whether the start input is at the level that starts. */
static int read_contact(struct assay_instrument *ins)
{
	bool wants_high = strcmp(assay_text(ins->settings, "start"), "high") == 0;
	int r = exchange_digital(ins, (unsigned)assay_int(ins->settings, "start_input"));
	return r < 0 ? r : (r == 1) == wants_high;
}

static int arm(struct assay_instrument *ins)
{
	struct labjack *u6 = ins->state;
	u6->place = (struct stream_place){0, 0};
	u6->at = u6->have = 0;
	u6->error = 0;
	u6->was_off = false;
	return send_setup(ins);
}

/*
 * 1 if the stream is to start.  A contact that is closed already does not start it: it must open
 * first, or the contact of one injection would start two runs.
 */
static int look_at_contact(struct assay_instrument *ins)
{
	struct labjack *u6 = ins->state;
	int r = read_contact(ins);
	if (r < 0 || (r == 1 && u6->was_off))
		return r;
	u6->was_off = r == 0;
	return assay_again(ins, CONTACT_MS);
}

int labjack_start(struct assay_instrument *ins)
{
	struct labjack *u6 = ins->state;
	bool has_contact = strcmp(assay_text(ins->settings, "start"), "command") != 0;
	int r = u6->is_armed ? 0 : arm(ins);
	if (r == 0 && has_contact)
		r = look_at_contact(ins);
	if (r >= 0)
		r = start_stream(ins);
	u6->is_armed = r == -EAGAIN;
	if (r == 0 && has_contact)
		assay_began(ins, NULL);
	return r;
}

/*
 * The next undamaged packet, which stays until the next call.  Packets of USB have boundaries, so
 * that a damaged one is followed by a whole one; the search is for links that lose bytes.
 */
static const uint8_t *find_packet(struct labjack *u6)
{
	size_t size = setup_packet(&u6->setup);
	while (u6->have - u6->at >= size) {
		const uint8_t *packet = u6->bytes + u6->at;
		if (stream_is_packet(&u6->setup, packet)) {
			u6->at += size;
			return packet;
		}
		u6->at++;
	}
	return NULL;
}

/* 1: there is a packet; 0: the run is to stop; or an error. */
static int fetch_packet(struct assay_instrument *ins, const uint8_t **packet)
{
	struct labjack *u6 = ins->state;
	double period_ms = 1000 * (double)u6->setup.scans / setup_rate(&u6->setup);
	uint64_t end = assay_now_ms(ins) + SILENCE_MS + (uint64_t)period_ms;
	while ((*packet = find_packet(u6)) == NULL) {
		if (assay_stopping(ins))
			return 0;
		if (assay_now_ms(ins) >= end)
			return -ETIMEDOUT;
		u6->have -= u6->at;
		memmove(u6->bytes, u6->bytes + u6->at, u6->have);
		u6->at = 0;
		ssize_t n = assay_read_from(ins, ASSAY_ENDPOINT_STREAM, u6->bytes + u6->have,
			sizeof u6->bytes - u6->have, READ_MS);
		if (n < 0 && n != -ETIMEDOUT)
			return (int)n;
		u6->have += n > 0 ? (size_t)n : 0;
	}
	return 1;
}

/* False if the packet has no scan but the one that stands for the dropped ones. */
static bool take_packet(struct assay_instrument *ins, struct assay_raw *raw, const uint8_t *packet)
{
	struct labjack *u6 = ins->state;
	struct stream_scans scans;
	assay_raw_append(raw, packet, setup_packet(&u6->setup));
	stream_step(&u6->setup, packet, &u6->place, &scans);
	if (scans.dropped > 0)
		assay_log(ins, ASSAY_LOG_WARN,
			"the device dropped %" PRIu64 " scans, because its buffer was full",
			scans.dropped);
	if (scans.lost > 0)
		assay_log(ins, ASSAY_LOG_WARN,
			"%" PRIu64 " scans are missing: their packets were lost or damaged",
			scans.lost);
	return scans.gap == u6->setup.scans || u6->setup.scans > 1;
}

/*
 * Appends packets up to the end of the frame: the number of those with scans, which is smaller if
 * the run is over or to be stopped, if the device ended the stream, or with *result < 0.
 */
static uint64_t fetch_packets(struct assay_instrument *ins, struct assay_raw *raw, int *result)
{
	struct labjack *u6 = ins->state;
	uint64_t count = 0;
	while (count < u6->sizes.packets) {
		const uint8_t *packet;
		*result = fetch_packet(ins, &packet);
		if (*result <= 0)
			break;
		if (!stream_has_samples(stream_error(packet))) {
			u6->error = stream_error(packet);
			break;
		}
		count += take_packet(ins, raw, packet);
		if (u6->sizes.scans > 0 && u6->place.scan >= u6->sizes.scans)
			break;
	}
	return count;
}

static int refuse(struct assay_instrument *ins)
{
	const struct labjack *u6 = ins->state;
	assay_explain(ins, "the device ended the stream with error %u: %s", u6->error,
		packet_error(u6->error));
	return -EPROTO;
}

/* An error ends the frame before it, and is returned by the next call. */
int labjack_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct labjack *u6 = ins->state;
	uint8_t place[PLACE_BYTES];
	struct packet p;
	int r = 0;
	if (u6->error != 0)
		return refuse(ins);
	setup_write(&u6->setup, &p);
	stream_write_place(&u6->place, place);
	assay_raw_add(raw, LABJACK_MEDIA, labjack_block_names[BLOCK_SETUP], p.bytes, p.len);
	assay_raw_add(raw, LABJACK_MEDIA, labjack_block_names[BLOCK_CALIBRATION], u6->constants,
		sizeof u6->constants);
	assay_raw_add(raw, LABJACK_MEDIA, labjack_block_names[BLOCK_PLACE], place, sizeof place);
	assay_raw_open(raw, LABJACK_MEDIA, labjack_block_names[BLOCK_PACKETS]);
	uint64_t count = fetch_packets(ins, raw, &r);
	assay_raw_close(raw);
	assay_progress(ins, "time", (double)u6->place.scan / setup_rate(&u6->setup), "s");
	if (r == -ECANCELED || r == -ENODEV)
		return r;
	if (r < 0)
		u6->at = u6->have = 0; /* what waits in the link is dropped, too */
	bool is_over = r == 0 || (u6->sizes.scans > 0 && u6->place.scan >= u6->sizes.scans);
	if (count > 0)
		return is_over ? ASSAY_LAST : ASSAY_FRAME;
	if (u6->error != 0)
		return refuse(ins);
	return r == 0 ? ASSAY_DONE : r;
}

int labjack_stop(struct assay_instrument *ins)
{
	struct labjack *u6 = ins->state;
	u6->is_armed = false;
	return exchange_halt(ins);
}
