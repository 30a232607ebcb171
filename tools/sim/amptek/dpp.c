/* SPDX-License-Identifier: Apache-2.0 */
#include "dpp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config.h"
#include "framework/serials.h"

#define RECEIVER_GAP_NS (100 * NS_PER_MS) /* RS-232: longer silence within a packet drops it */
#define PEER_HOLD_NS    (15 * NS_PER_S)
#define TICK_NS         (50 * NS_PER_MS) /* so that counting never has much to catch up */
#define PHOTONS_MAX     5e6              /* per second of ours: each is drawn by itself */
#define SERIALS_MAX     99999999

static const struct sim_option options[] = {
	{"device", "NAME", "dp5", "dp5, px5, dp5g, mca8000d, tb5 or dp5x"},
	{"serial", "N", "9990001", "serial number; 9990001 to 9990099 belong to simulators"},
	{"firmware", "M.NN.BB", "6.08.06", "firmware version and build"},
	{"sample", "NAME", "steel-304", "what lies in the beam; \"list\" shows what there is"},
	{"anode", "ELEMENT", "Rh", "of the tube: Rh, Ag, Mo, W or Au"},
	{"tube-kv", "KV", "40", "tube voltage, 0: off"},
	{"tube-ua", "UA", "30", "tube current, 0: off"},
	{"rate", "CPS", "0", "photons per second; 0: as tube and sample make them"},
	{"resolution", "EV", "130", "full width at half maximum at 5.9 keV"},
	{"hv-polarity", "SIGN", "negative", "of the bias supply: negative or positive"},
	{"ambient", "CELSIUS", "25", "temperature of the room"},
	{"config", "TEXT", "", "commands in flash on top of the device's, \"MCAC=1024;\""},
	{"unconfigured", NULL, NULL, "flash is empty: no counting before a configuration"},
	{"cold", NULL, NULL, "just switched on: bias at zero, detector warm"},
	{0},
};

/* Under the fault wrong-identity another number, of the reserved ones too. */
static uint32_t serial_now(struct dpp *d)
{
	if (!sim_fault_active(d->model, FAULT_WRONG_IDENTITY))
		return d->serial;
	return serial_is_reserved(amptek_model.name, d->serial + 1) ? d->serial + 1 : d->serial - 1;
}

struct status dpp_status(struct dpp *d)
{
	const struct acquisition *a = &d->acquisition;
	const struct settings *s = &d->settings;
	bool has_live = d->device->bit == MCA8000D && d->firmware >= 60700;
	return (struct status){.fast = a->fast,
		.slow = a->slow,
		.general = a->general,
		.accumulation_ms = a->accumulation_ns / NS_PER_MS,
		.real_ms = a->real_ns / NS_PER_MS,
		.live_ms = has_live ? (uint32_t)(a->live_ns / NS_PER_MS) : 0,
		.firmware_major = (uint8_t)(d->firmware / 10000),
		.firmware_minor = (uint8_t)(d->firmware / 100 % 100),
		.firmware_build = (uint8_t)(d->firmware % 100),
		.fpga_major = 6,
		.fpga_minor = 11,
		.serial = serial_now(d),
		.bias_v = d->device->hv_limit > 0 ? d->climate.bias_v : 0,
		.detector_k = d->climate.detector_k,
		.board_c = d->climate.board_c,
		.tec_v = d->device->bit == PX5 ? d->climate.tec_v : 0,
		.preset_real = a->real_reached,
		.preset_live = a->can_live && a->live_reached,
		.preset_counts = a->counts_reached,
		.enabled = a->enabled,
		.gate_inactive = true,
		.configured = s->is_configured,
		.mcs_finished = a->mcs_finished,
		.first_since_boot = !d->first_status_sent,
		.clock_80 = !settings_is(s, "CLCK", "20"),
		.clock_auto = settings_is(s, "CLCK", "AUTO"),
		.pc5_good = d->device->bit == DP5 || d->device->bit == PX5,
		.hv_positive = s->is_hv_positive,
		.preamp_8v5 = settings_is(s, "PAPS", "8.5") || settings_is(s, "PAPS", "ON"),
		.device_id = d->device->id};
}

static void follow_climate(struct dpp *d, uint64_t now)
{
	while (climate_step(&d->climate, now)) {
		acquire_advance(&d->acquisition, d->climate.stepped);
		if (d->device->hv_limit > 0)
			acquire_set_efficiency(&d->acquisition, climate_efficiency(&d->climate));
	}
	acquire_advance(&d->acquisition, now);
}

void dpp_follow_settings(struct dpp *d)
{
	double v;
	d->climate.bias_target_v = settings_number(&d->settings, "HVSE", &v) ? v : 0;
	d->climate.cooler_target_k = settings_number(&d->settings, "TECS", &v) ? v : 0;
	acquire_configure(&d->acquisition, &d->settings);
}

void dpp_stall(struct dpp *d, unsigned ms)
{
	d->stalled_until = d->model->now + ms * NS_PER_MS;
}

static void take_datagram(struct dpp *d, const uint8_t *data, size_t len)
{
	struct request request;
	enum ack error = frame_read(data, len, &request);
	if (error == ACK_OK)
		dpp_command(d, &request);
	else
		dpp_ack(d, error, NULL, 0);
}

/* Half a packet that a gap tore is forgotten in silence. */
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
	if (transport == SIM_UDP || transport == SIM_USB)
		take_datagram(d, data, len);
	else
		take_stream(d, data, len, at);
}

/* More than the receive buffer holds is lost, as in the instrument. */
static void hold(struct dpp *d, const uint8_t *data, size_t len, uint64_t at)
{
	if (d->held_count == HELD_MAX || len > HELD_SIZE)
		return;
	struct held *held = &d->held[d->held_count++];
	held->at = at;
	held->len = len;
	memcpy(held->data, data, len);
}

static void amptek_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	struct dpp *d = dpp_of(m);
	if (now < d->stalled_until)
		hold(d, data, len, now);
	else
		take(d, data, len, now);
}

static void amptek_tick(struct sim_model *m, uint64_t now)
{
	struct dpp *d = dpp_of(m);
	follow_climate(d, now);
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
	int64_t serial;
	int device = options_choice(o, "device", device_names);
	if (device < 0 || options_integer(o, "serial", 1, SERIALS_MAX, &serial) < 0)
		return -EINVAL;
	if (read_firmware(options_text(o, "firmware"), &d->firmware) < 0) {
		fprintf(stderr, "assay-sim: --firmware %s: expected a version such as 6.08.06\n",
			options_text(o, "firmware"));
		return -EINVAL;
	}
	d->device = &devices[device];
	d->serial = (uint32_t)serial;
	if (!serial_is_reserved(amptek_model.name, d->serial))
		fprintf(stderr,
			"assay-sim: serial %u is not reserved for simulators: the daemon cannot "
			"tell this instrument from a real one\n",
			d->serial);
	return 0;
}

static int read_tube(const struct sim_options *o, struct tube *tube)
{
	static const char *const names[] = {"Rh", "Ag", "Mo", "W", "Au", NULL};
	static const int anodes[] = {45, 47, 42, 74, 79};
	int anode = options_choice(o, "anode", names);
	if (anode < 0 || options_number(o, "tube-kv", 0, 60, &tube->kv) < 0 ||
		options_number(o, "tube-ua", 0, 2000, &tube->ua) < 0)
		return -EINVAL;
	tube->anode = anodes[anode];
	return 0;
}

static void list_samples(void)
{
	for (size_t i = 0; samples[i].name != NULL; i++)
		fprintf(stderr, "  %-18s %s\n", samples[i].name, samples[i].summary);
}

static int make_emission(struct dpp *d, const struct sim_options *o)
{
	double fwhm, rate;
	struct tube tube;
	if (strcmp(options_text(o, "sample"), "list") == 0) {
		list_samples();
		return -EINVAL;
	}
	int sample = options_choice(o, "sample", sample_names);
	if (sample < 0 || read_tube(o, &tube) < 0 ||
		options_number(o, "resolution", 110, 1000, &fwhm) < 0 ||
		options_number(o, "rate", 0, 1000000, &rate) < 0)
		return -EINVAL;
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
	d->settings.is_hv_positive = strcmp(options_text(o, "hv-polarity"), "positive") == 0;
	if (!options_flag(o, "unconfigured"))
		config_apply(
			&d->settings, d->device->configuration, strlen(d->device->configuration));
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
	.summary = "XRF: Amptek digital pulse processor with tube, sample and detector",
	.state_size = sizeof(struct dpp),
	.options = options,
	.transports = 1u << SIM_PTY | 1u << SIM_UDP | 1u << SIM_TCP | 1u << SIM_USB,
	.peer_hold_ns = PEER_HOLD_NS,
	.init = amptek_init,
	.finish = amptek_finish,
	.input = amptek_input,
	.tick = amptek_tick,
	.next_wakeup = amptek_next_wakeup,
	.link_reset = amptek_link_reset,
};
