/* SPDX-License-Identifier: Apache-2.0 */
#include "dpp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config.h"

#define RECEIVER_GAP_NS (100 * NS_PER_MS) /* RS-232: a longer gap within a packet drops it */
#define HPGE_LIMIT_V    5000
#define TICK_NS         (50 * NS_PER_MS) /* bounds the photons to be drawn at once */
#define PHOTONS_MAX     5e6              /* per second of real time: each is drawn by itself */
#define SERIALS_MAX     99999999

static const struct sim_option options[] = {
	{"device", "NAME", "dp5", "dp5, px5, dp5g, mca8000d, tb5 or dp5x"},
	{"serial", "N", "9990001", "serial number; 9990001 to 9990099 belong to simulators"},
	{"firmware", "M.NN.BB", "6.08.06", "firmware version and build"},
	{"bootloader", "HEX", "00", "its id in status byte 48: 00, 7f, 80 or ff"},
	{"sample", "NAME", "steel-304", "the sample in the beam; \"list\" prints the names"},
	{"anode", "ELEMENT", "Rh", "of the tube: Rh, Ag, Mo, W or Au"},
	{"tube-kv", "KV", "40", "tube voltage, 0: off"},
	{"tube-ua", "UA", "30", "tube current, 0: off"},
	{"rate", "CPS", "0", "photons per second; 0: computed from tube and sample"},
	{"resolution", "EV", "130", "full width at half maximum at 5.9 keV"},
	{"hv-polarity", "SIGN", "negative", "of the bias supply: negative or positive"},
	{"ambient", "CELSIUS", "25", "temperature of the room"},
	{"config", "TEXT", "", "commands in flash after those of the device, \"MCAC=1024;\""},
	{"unconfigured", NULL, NULL, "flash is empty: no counting before a configuration"},
	{"hpge", NULL, NULL, "PX5 with the HPGe bias supply: HVSE to 5000 V"},
	{"never-counts", NULL, NULL, "acknowledges an enable and does not count"},
	{"netfinder", "HOST:PORT", "",
		"answer Netfinder there, 3040 on the instrument; with --udp"},
	{"cold", NULL, NULL, "just switched on: bias at zero, detector warm"},
	{0},
};

/* On a serial line a gap within a packet drops it without a reply. */
static void take_stream(struct dpp *d, const uint8_t *data, size_t len, uint64_t at)
{
	struct request request;
	enum ack error;
	bool has_gap_timer = d->model->env.transport != SIM_TCP;
	if (has_gap_timer && at - d->receiver.last_byte > sim_wire_time(d->model, RECEIVER_GAP_NS))
		frame_reset(&d->receiver);
	d->receiver.last_byte = at;
	for (size_t used = 0; frame_receive(&d->receiver, data, len, &used, &request, &error);) {
		if (error == ACK_OK)
			dpp_command(d, &request);
		else
			dpp_ack(d, error, NULL, 0);
	}
}

static void take(struct dpp *d, const uint8_t *data, size_t len, uint64_t at)
{
	enum sim_transport transport = d->model->env.transport;
	if (transport != SIM_UDP && transport != SIM_USB) {
		take_stream(d, data, len, at);
		return;
	}
	struct request request;
	enum ack error = frame_read(data, len, &request);
	if (error == ACK_OK)
		dpp_command(d, &request);
	else
		dpp_ack(d, error, NULL, 0);
}

/* While flash is written, input waits; what the receive buffer cannot hold is lost. */
static void amptek_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	struct dpp *d = dpp_of(m);
	dpp_heard(d, now);
	if (now >= d->stalled_until) {
		take(d, data, len, now);
	} else if (d->held_count < HELD_MAX && len <= HELD_SIZE) {
		struct held *held = &d->held[d->held_count++];
		held->at = now;
		held->len = len;
		memcpy(held->data, data, len);
	}
}

static void amptek_tick(struct sim_model *m, uint64_t now)
{
	struct dpp *d = dpp_of(m);
	while (climate_step(&d->climate, now)) {
		acquire_advance(&d->acquisition, d->climate.stepped);
		if (d->device->hv_limit > 0)
			acquire_set_efficiency(&d->acquisition, climate_efficiency(&d->climate));
	}
	acquire_advance(&d->acquisition, now);
	while (d->held_count > 0 && now >= d->stalled_until) {
		struct held held = d->held[0];
		d->held_count--;
		memmove(d->held, d->held + 1, d->held_count * sizeof(held));
		take(d, held.data, held.len, held.at);
	}
}

static uint64_t amptek_next_wakeup(struct sim_model *m, uint64_t now)
{
	struct dpp *d = dpp_of(m);
	uint64_t at = now + sim_wire_time(m, TICK_NS);
	return d->held_count > 0 && d->stalled_until < at ? d->stalled_until : at;
}

static void amptek_link_reset(struct sim_model *m, uint64_t now)
{
	struct dpp *d = dpp_of(m);
	frame_reset(&d->receiver);
	d->held_count = 0;
}

/* "6.08.06" becomes 60806. */
static int read_firmware(const char *text, unsigned *firmware)
{
	unsigned part[3] = {0};
	int n = 0;
	for (; *text != '\0' && n < 3; n++) {
		size_t len = strspn(text, "0123456789");
		if (len == 0 || len > 2)
			return -EINVAL;
		for (size_t i = 0; i < len; i++)
			part[n] = part[n] * 10 + (unsigned)(text[i] - '0');
		text += len + (text[len] == '.');
	}
	if (n != 3 || *text != '\0' || part[0] > 15 || part[1] > 15 || part[2] > 15)
		return -EINVAL;
	*firmware = part[0] * 10000 + part[1] * 100 + part[2];
	return 0;
}

static int read_identity(struct dpp *d, const struct sim_options *o)
{
	static const char *const bootloader_names[] = {"00", "7f", "80", "ff", NULL};
	static const uint8_t bootloaders[] = {0x00, 0x7F, 0x80, 0xFF};
	int64_t serial;
	int device = options_choice(o, "device", device_names);
	int bootloader = options_choice(o, "bootloader", bootloader_names);
	if (device < 0 || bootloader < 0 ||
		options_integer(o, "serial", 1, SERIALS_MAX, &serial) < 0)
		return -EINVAL;
	const char *firmware = options_text(o, "firmware");
	if (read_firmware(firmware, &d->firmware) < 0)
		return options_reject("firmware", firmware, "a version such as 6.08.06");
	d->device = &devices[device];
	d->serial = (uint32_t)serial;
	d->bootloader = bootloaders[bootloader];
	if (options_flag(o, "hpge") && d->device->bit != PX5)
		return options_reject("hpge", d->device->name, "--device px5");
	if (!sim_serial_is_reserved(d->model, d->serial))
		fprintf(stderr,
			"assay-sim: serial %u is not reserved for simulators: the daemon cannot "
			"distinguish this instrument from a real one\n",
			d->serial);
	return 0;
}

static int make_emission(struct dpp *d, const struct sim_options *o)
{
	static const char *const anode_names[] = {"Rh", "Ag", "Mo", "W", "Au", NULL};
	static const int anodes[] = {45, 47, 42, 74, 79};
	double fwhm, rate;
	struct tube tube;
	if (strcmp(options_text(o, "sample"), "list") == 0) {
		for (size_t i = 0; samples[i].name != NULL; i++)
			fprintf(stderr, "  %-18s %s\n", samples[i].name, samples[i].summary);
		return -EINVAL;
	}
	int sample = options_choice(o, "sample", sample_names);
	int anode = options_choice(o, "anode", anode_names);
	if (sample < 0 || anode < 0 || options_number(o, "tube-kv", 0, 60, &tube.kv) < 0 ||
		options_number(o, "tube-ua", 0, 2000, &tube.ua) < 0 ||
		options_number(o, "resolution", 110, 1000, &fwhm) < 0 ||
		options_number(o, "rate", 0, 1000000, &rate) < 0)
		return -EINVAL;
	tube.anode = anodes[anode];
	d->sample_name = samples[sample].name;
	int r = emission_init(&d->emission, &samples[sample], &tube, fwhm, rate);
	if (r < 0 || d->emission.rate * d->model->env.speed <= PHOTONS_MAX)
		return r;
	fprintf(stderr,
		"assay-sim: %.0f photons per second %g times as fast are too many: expected at "
		"most %.0f in all, so a lower --rate, --tube-ua or --speed\n",
		d->emission.rate, d->model->env.speed, PHOTONS_MAX);
	return -EINVAL;
}

static int load_flash(struct dpp *d, const struct sim_options *o)
{
	const char *extra = options_text(o, "config");
	settings_init(&d->settings, d->device);
	if (options_flag(o, "hpge"))
		d->settings.hv_limit = HPGE_LIMIT_V;
	d->settings.is_hv_positive = strcmp(options_text(o, "hv-polarity"), "positive") == 0;
	if (!options_flag(o, "unconfigured")) {
		const char *delivered = d->device->configuration;
		const char *bias = d->settings.is_hv_positive ? "HVSE=135;" : "HVSE=-135;";
		config_apply(&d->settings, delivered, strlen(delivered));
		if (d->device->hv_limit > 0)
			config_apply(&d->settings, bias, strlen(bias));
	}
	struct config_result c = config_apply(&d->settings, extra, strlen(extra));
	if (c.ack == ACK_OK)
		return 0;
	fprintf(stderr, "assay-sim: --config: %.*s is not a command of this device\n",
		(int)c.bad_len, c.bad);
	return -EINVAL;
}

static void switch_on(struct dpp *d, const struct sim_options *o, double ambient)
{
	static const uint8_t ethernet[ETHERNET_LEN] = {0xFF, 192, 168, 1, 10, 255, 255, 255, 0, 192,
		168, 1, 1, 0, 0, 0, 0, 0x27, 0x11, 0x02, 0x41, 0x4D, 0x50, 0x00, 0x01};
	memcpy(d->ethernet, ethernet, sizeof(ethernet));
	climate_init(&d->climate, ambient);
	acquire_init(&d->acquisition, &d->emission, sim_random_of(d->model));
	d->acquisition.never_counts = options_flag(o, "never-counts");
	dpp_follow_settings(d);
	if (!options_flag(o, "cold"))
		climate_settle(&d->climate);
	if (d->device->hv_limit > 0)
		acquire_set_efficiency(&d->acquisition, climate_efficiency(&d->climate));
	if (d->settings.is_configured && settings_is(&d->settings, "MCAE", "ON"))
		acquire_enable(&d->acquisition, true);
}

static int amptek_init(struct sim_model *m, const struct sim_options *o)
{
	static const char *const signs[] = {"negative", "positive", NULL};
	struct dpp *d = dpp_of(m);
	double ambient;
	d->model = m;
	if (options_choice(o, "hv-polarity", signs) < 0 ||
		options_number(o, "ambient", 0, 50, &ambient) < 0)
		return -EINVAL;
	int r = read_identity(d, o);
	if (r == 0)
		r = load_flash(d, o);
	if (r == 0)
		r = make_emission(d, o);
	if (r == 0)
		switch_on(d, o, ambient);
	return r;
}

static void amptek_finish(struct sim_model *m)
{
	struct dpp *d = dpp_of(m);
	for (int i = 0; i < SEQUENCE_BUFFERS; i++)
		free(d->buffers[i]);
	emission_finish(&d->emission);
}

const struct sim_model_ops amptek_model = {
	.name = "amptek-dp5",
	.serial_first = 9990001,
	.serial_last = 9990099,
	.summary = "XRF: Amptek digital pulse processor with tube, sample and detector",
	.state_size = sizeof(struct dpp),
	.options = options,
	.transports = 1u << SIM_PTY | 1u << SIM_UDP | 1u << SIM_TCP | 1u << SIM_USB,
	.usb =
		&(const struct sim_usb){
			.vendor = 0x10c4, .product = 0x842a, .packet = 64, .in = 0x81, .out = 0x02},
	.peer_hold_ns = PEER_HOLD_NS,
	.init = amptek_init,
	.finish = amptek_finish,
	.input = amptek_input,
	.tick = amptek_tick,
	.next_wakeup = amptek_next_wakeup,
	.link_reset = amptek_link_reset,
	.discovery = "netfinder",
	.discover = dpp_discover,
};
