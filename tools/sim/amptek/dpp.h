/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated digital pulse processor: its state, shared by the files of this folder. */
#ifndef ASSAY_SIM_AMPTEK_DPP_H
#define ASSAY_SIM_AMPTEK_DPP_H

#include "acquire.h"
#include "climate.h"
#include "device.h"
#include "frame.h"
#include "settings.h"
#include "base/clock.h"
#include "framework/sim.h"
#include "status.h"

#define MISC_DATA_LEN    512
#define ETHERNET_LEN     25
#define ETHERNET_SET_LEN 19
#define SEQUENCE_BUFFERS 512
#define HELD_MAX         8 /* datagrams or pieces that wait while flash is written */
#define HELD_SIZE        1040
#define PEER_HOLD_NS     (15 * NS_PER_S) /* a silent host keeps the UDP port this long */

/* Input that waits while flash is written. */
struct held {
	uint64_t at;
	size_t len;
	uint8_t data[HELD_SIZE];
};

struct dpp {
	struct sim_model *model;
	const struct device *device;
	uint32_t serial;
	unsigned firmware;  /* 60806 is 6.08 build 6 */
	uint8_t bootloader; /* id of the program that loads the firmware */
	const char *sample_name;
	struct settings settings;
	struct acquisition acquisition;
	struct emission emission;
	struct climate climate;
	bool first_status_sent;
	bool is_heard;     /* a host has sent a packet */
	uint64_t heard;    /* the last packet of a host */
	uint8_t sharing;   /* port status for Netfinder: 1 sharable, 2 not, 3 locked */
	bool has_sequence; /* Netfinder has asked */
	uint16_t sequence; /* the number of its last request */
	uint8_t ethernet[ETHERNET_LEN], misc_data[MISC_DATA_LEN];

	struct receiver receiver;
	uint64_t stalled_until; /* flash is being written */
	struct held held[HELD_MAX];
	size_t held_count;

	uint32_t *buffers[SEQUENCE_BUFFERS]; /* owned spectra of the channels they had, or NULL */
	unsigned buffer_channels[SEQUENCE_BUFFERS];
	uint8_t out[FRAME_REPLY_MAX + FRAME_OVERHEAD];
};

static inline struct dpp *dpp_of(struct sim_model *m)
{
	return m->state;
}

/* ---- status.c ---- */

/* The state of the instrument now; draws the fault wrong-identity. */
struct status dpp_status(struct dpp *d);

/* ---- replies.c ---- */

/* Sends one packet; over UDP in datagrams of 520 bytes.  `data` (borrowed) may be d->out + 6. */
void dpp_reply(struct dpp *d, uint8_t pid1, uint8_t pid2, const uint8_t *data, size_t len);

/* Sends an ACK with the wrong command (borrowed), if any. */
void dpp_ack(struct dpp *d, enum ack ack, const void *data, size_t len);

/* Sends the spectrum, with the status block if `with_status`; writes it to the truth log. */
void dpp_send_spectrum(struct dpp *d, bool with_status, bool clear);

/* Sends a buffered spectrum. */
void dpp_send_buffer(struct dpp *d, const uint32_t *spectrum, unsigned channels);

/* ---- netfinder.c ---- */

/* Writes a Netfinder reply to `out` of at least 256 bytes; returns its length. */
size_t dpp_netfinder(struct dpp *d, uint16_t sequence, uint8_t *out);

/* Answers a datagram to the Netfinder port; a repeated sequence number gets no answer. */
size_t dpp_discover(struct sim_model *m, const uint8_t *data, size_t len, uint8_t *out);

/* Notes a packet of a host: the port belongs to it for PEER_HOLD_NS. */
void dpp_heard(struct dpp *d, uint64_t now);

/* ---- commands.c ---- */

/* Applies the settings to counting, bias and cooler. */
void dpp_follow_settings(struct dpp *d);

/* Answers one good request. */
void dpp_command(struct dpp *d, const struct request *request);

extern const struct sim_model_ops amptek_model;

#endif
