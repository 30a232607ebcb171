/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, times, presets and spectra: they agree exactly and are physically plausible. */
#include <math.h>

#include "amptek-bench.h"

static void begin(struct bench *b, const char *config)
{
	ask(b, 0xF0, 0x03, "");
	if (config[0] != '\0') {
		ask(b, 0x20, 0x04, config);
		assert_int_equal(answer_pid(b), 0xFF00);
	}
	ask(b, 0xF0, 0x01, "");
	ask(b, 0xF0, 0x02, "");
}

static uint32_t accumulation_ms(const uint8_t *status)
{
	return status[12] + 100 * little(status + 13, 3);
}

static void sum_of_channels_is_the_slow_count(void **state)
{
	struct bench b;
	const uint8_t *status;
	start(&b, "rate", "50000");
	begin(&b, "");
	for (int i = 0; i < 8; i++) {
		pass(&b, 123 * MS);
		uint64_t sum = spectrum_of(&b, NULL, NULL, &status);
		assert_true(sum > 0);
		assert_int_equal(sum, little(status + 4, 4));
	}
	ask(&b, 0xF0, 0x03, "");
	assert_int_equal(spectrum_of(&b, NULL, NULL, &status), little(status + 4, 4));
	bench_stop(&b);
}

static void iron_alpha_stands_at_6_40_kev(void **state)
{
	struct bench b;
	uint32_t counts[8192];
	const uint8_t *status;
	unsigned channels;
	start(&b, "sample", "steel-304");
	begin(&b, "MCAC=2048;");
	pass(&b, 10 * S);
	spectrum_of(&b, counts, &channels, &status);
	/* Centroid of the peak, 10 eV per channel: the number of a channel is its centre. */
	double sum = 0, moment = 0;
	for (unsigned i = 630; i <= 650; i++) {
		sum += counts[i];
		moment += counts[i] * (double)i;
	}
	assert_true(sum > 10000);
	assert_true(fabs(moment / sum * 0.010 - 6.399) < 0.002);
	/* Half maximum: the detector's resolution. */
	unsigned low = 640, high = 640, top = 0;
	for (unsigned i = 636; i < 644; i++)
		top = counts[i] > top ? counts[i] : top;
	while (counts[low] > top / 2)
		low--;
	while (counts[high] > top / 2)
		high++;
	assert_in_range(high - low, 12, 16);
	bench_stop(&b);
}

/* Energy = channel * gain for any number of channels, so half a channel is never left over. */
static void number_of_channels_moves_no_line(void **state)
{
	static const char *const configs[] = {
		"MCAC=512;", "MCAC=1024;", "MCAC=2048;", "MCAC=4096;"};
	for (size_t c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		struct bench b;
		uint32_t counts[8192];
		const uint8_t *status;
		unsigned channels;
		double sum = 0, moment = 0;
		start(&b, "sample", "steel-304");
		begin(&b, configs[c]);
		pass(&b, 10 * S);
		spectrum_of(&b, counts, &channels, &status);
		for (unsigned i = 0; i < channels; i++) {
			double kev = i * 20.48 / channels;
			if (fabs(kev - 6.4) > 0.19)
				continue;
			sum += counts[i];
			moment += counts[i] * kev;
		}
		assert_true(fabs(moment / sum - 6.399) < 0.002);
		bench_stop(&b);
	}
}

/* Share of the expected photons within `half` keV of a line. */
static double share(const struct emission *e, double kev, double half)
{
	double sum = 0;
	for (size_t i = 0; i < e->bins; i++)
		if (fabs(((double)i + 0.5) * EMISSION_BIN_KEV - kev) < half)
			sum += e->expected[i];
	return sum / e->rate;
}

static void samples_show_the_lines_of_their_elements(void **state)
{
	static const struct {
		const char *sample;
		double kev, least;
	} table[] = {{"steel-304", 6.404, .5}, {"steel-304", 5.415, .1}, {"steel-304", 7.478, .03},
		{"brass", 8.048, .4}, {"brass", 8.639, .2}, {"bronze", 25.271, .002},
		{"al-6061", 1.487, .15}, {"ti-6al4v", 4.511, .6}, {"glass-bcr2g-like", 6.404, .4},
		{"glass-bcr2g-like", 3.692, .045}, {"glass-bcr2g-like", 1.740, .03},
		{"gold-jewellery", 9.713, .2}, {"gold-jewellery", 11.442, .1},
		{"gold-jewellery", 22.163, .006}, {"silver-925", 22.163, .15},
		{"solder-sn63pb37", 10.551, .2}, {"ptfe", 20.216, .015}};
	const struct tube tube = {45, 40, 30};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct sample *sample = samples;
		while (strcmp(sample->name, table[i].sample) != 0)
			sample++;
		struct emission e = {0};
		assert_int_equal(emission_init(&e, sample, &tube, 130, 0), 0);
		assert_true(share(&e, table[i].kev, 0.12) > table[i].least);
		assert_true(e.rate > 500 && e.rate < 50000);
		emission_finish(&e);
	}
}

static void line_needs_a_tube_voltage_above_its_edge(void **state)
{
	struct emission e = {0};
	assert_int_equal(emission_init(&e, samples, &(struct tube){45, 7, 30}, 130, 0), 0);
	assert_true(share(&e, 5.415, 0.1) > 0.2); /* Cr, edge at 5.99 */
	assert_true(share(&e, 6.404, 0.1) < 0.1); /* Fe, edge at 7.11 */
	emission_finish(&e);
}

static void half_the_gain_halves_the_channel(void **state)
{
	struct bench b;
	uint32_t counts[8192];
	const uint8_t *status;
	unsigned channels, best = 0;
	start(&b, "device", "dp5");
	begin(&b, "GAIN=8;MCAC=1024;");
	pass(&b, 5 * S);
	spectrum_of(&b, counts, &channels, &status);
	for (unsigned i = 0; i < channels; i++)
		best = counts[i] > counts[best] ? i : best;
	assert_in_range(best, 158, 161);
	bench_stop(&b);
}

/* Counts of many equal slices: variance and mean of a Poisson process agree. */
static void slices_scatter_as_a_poisson_process(void **state)
{
	enum { N = 400 };
	struct bench b;
	double sum = 0, squares = 0;
	start(&b, "rate", "2000", "config", "MCAC=256;THFA=0;");
	begin(&b, "");
	for (int i = 0; i < N; i++) {
		pass(&b, 100 * MS);
		ask(&b, 0x02, 0x04, "");
		double fast = little(answer_data(&b) + 768, 4);
		sum += fast;
		squares += fast * fast;
	}
	double mean = sum / N, variance = squares / N - mean * mean;
	assert_true(fabs(mean - 200) < 5 * sqrt(200.0 / N));
	assert_true(fabs(variance / mean - 1) < 5 * sqrt(2.0 / N));
	bench_stop(&b);
}

static void seed_and_requests_alone_decide_the_spectrum(void **state)
{
	struct bench a, b;
	uint32_t one[8192], other[8192];
	const uint8_t *status;
	unsigned channels;
	start(&a, "sample", "brass");
	start(&b, "sample", "brass");
	begin(&a, "MCAC=512;");
	begin(&b, "MCAC=512;");
	pass(&a, 3 * S);
	for (int i = 0; i < 3000; i++)
		pass(&b, 1 * MS);
	assert_true(spectrum_of(&a, one, &channels, &status) > 10000);
	spectrum_of(&b, other, &channels, &status);
	assert_memory_equal(one, other, channels * sizeof(one[0]));
	bench_stop(&a);
	bench_stop(&b);
}

static void preset_accumulation_time_ends_the_enabled_bit_only(void **state)
{
	struct bench b;
	start(&b, "sample", "brass");
	begin(&b, "PRET=2.5;");
	pass(&b, 2499 * MS);
	assert_int_equal(status_of(&b)[35] & 0x20, 0x20);
	pass(&b, 10 * MS);
	const uint8_t *s = status_of(&b);
	assert_int_equal(s[35] & 0xF0, 0);
	assert_int_equal(accumulation_ms(s), 2500);
	assert_int_equal(little(s + 20, 4), 2500);
	ask(&b, 0xF0, 0x02, ""); /* resumes without clearing */
	pass(&b, 500 * MS);
	s = status_of(&b);
	assert_int_equal(s[35] & 0x20, 0x20);
	assert_int_equal(accumulation_ms(s), 3000);
	bench_stop(&b);
}

static void preset_real_time_raises_its_bit(void **state)
{
	struct bench b;
	start(&b, "sample", "brass");
	begin(&b, "PRER=1.25;");
	pass(&b, 500 * MS);
	spectrum_of(&b, NULL, NULL, &(const uint8_t *){NULL}); /* a readout pauses accumulation */
	pass(&b, 1 * S);
	const uint8_t *s = status_of(&b);
	assert_int_equal(s[35] & 0xF0, 0x80);
	assert_int_equal(little(s + 20, 4), 1250);
	assert_int_equal(accumulation_ms(s), 1249);
	bench_stop(&b);
}

static void preset_counts_are_met_exactly_and_block_enable(void **state)
{
	struct bench b;
	uint32_t counts[8192];
	const uint8_t *s;
	unsigned channels;
	uint64_t window = 0;
	start(&b, "sample", "steel-304");
	begin(&b, "PRCL=600;PRCH=680;PREC=1000;");
	pass(&b, 5 * S);
	spectrum_of(&b, counts, &channels, &s);
	assert_int_equal(s[35] & 0xF0, 0x10);
	for (unsigned i = 600; i <= 680; i++)
		window += counts[i];
	assert_int_equal(window, 1000);
	uint32_t slow = little(s + 4, 4);
	ask(&b, 0xF0, 0x02, "");
	pass(&b, 1 * S);
	s = status_of(&b);
	assert_int_equal(s[35] & 0x20, 0);
	assert_int_equal(little(s + 4, 4), slow);
	ask(&b, 0xF0, 0x01, "");
	ask(&b, 0xF0, 0x02, "");
	assert_int_equal(status_of(&b)[35] & 0x30, 0x20);
	bench_stop(&b);
}

static void mca8000d_reports_and_presets_live_time(void **state)
{
	struct bench b;
	start(&b, "device", "mca8000d", "rate", "40000");
	begin(&b, "PREL=1;");
	pass(&b, 3 * S);
	const uint8_t *s = status_of(&b);
	assert_int_equal(s[35] & 0xF0, 0x40);
	assert_int_equal(little(s + 16, 4), 1000);
	assert_in_range(accumulation_ms(s), 1050, 1300);
	bench_stop(&b);
}

static void clear_zeroes_counts_and_times_and_goes_on(void **state)
{
	struct bench b;
	const uint8_t *s;
	start(&b, "sample", "brass");
	begin(&b, "");
	pass(&b, 1 * S);
	ask(&b, 0xF0, 0x01, "");
	s = status_of(&b);
	for (int i = 0; i < 24; i++)
		assert_int_equal(s[i], 0);
	assert_int_equal(s[35] & 0x20, 0x20);
	pass(&b, 1 * S);
	ask(&b, 0x02, 0x04, "");
	assert_true(little(answer_data(&b) + 6144 + 4, 4) > 1000);
	assert_int_equal(spectrum_of(&b, NULL, NULL, &s), 0);
	bench_stop(&b);
}

static void readout_pauses_accumulation_but_not_real_time(void **state)
{
	struct bench b;
	const uint8_t *s;
	start(&b, "sample", "brass", "config", "MCAC=8192;");
	begin(&b, "");
	for (int i = 0; i < 20; i++) {
		pass(&b, 100 * MS);
		spectrum_of(&b, NULL, NULL, &s);
	}
	pass(&b, 100 * MS);
	s = status_of(&b);
	assert_int_equal(little(s + 20, 4), 2100);
	assert_in_range(accumulation_ms(s), 2048, 2051); /* 20 times 2.5 ms */
	bench_stop(&b);
}

static void dead_time_costs_slow_counts(void **state)
{
	struct bench b;
	start(&b, "rate", "20000", "config", "TPEA=8;TFLA=0.2;THFA=0;THSL=0;");
	begin(&b, "");
	pass(&b, 20 * S);
	const uint8_t *s = status_of(&b);
	double fast = little(s, 4), slow = little(s + 4, 4);
	/* Rejected when another pulse comes within 8.6 us before or 8.2 us after. */
	assert_true(fabs(fast / 20 - 20000) < 200);
	assert_true(fabs(slow / fast - exp(-20000 * 16.8e-6)) < 0.02);
	bench_stop(&b);
}

static void unconfigured_instrument_counts_nothing(void **state)
{
	struct bench b;
	start(&b, "unconfigured", "", "sample", "brass");
	ask(&b, 0xF0, 0x02, "");
	pass(&b, 1 * S);
	const uint8_t *s = status_of(&b);
	assert_int_equal(s[35] & 0x22, 0);
	assert_int_equal(little(s, 4), 0);
	ask(&b, 0x20, 0x04, "RESC=Y;CLCK=80;TPEA=4;GAIN=16;HVSE=-135;MCAE=ON;");
	assert_int_equal(answer_pid(&b), 0xFF00);
	pass(&b, 10 * S);
	s = status_of(&b);
	assert_int_equal(s[35] & 0x22, 0x22);
	assert_true(little(s, 4) > 1000);
	bench_stop(&b);
}

static void bias_ramps_and_the_detector_cools(void **state)
{
	struct bench b;
	start(&b, "cold", "", "tube-kv", "0");
	const uint8_t *s = status_of(&b);
	assert_int_equal((int16_t)(s[30] << 8 | s[31]), 0);
	assert_in_range((s[32] & 15) << 8 | s[33], 2950, 3000);
	pass(&b, 1 * S);
	s = status_of(&b);
	assert_int_equal((int16_t)(s[30] << 8 | s[31]), -100);
	pass(&b, 120 * S);
	s = status_of(&b);
	assert_int_equal((int16_t)(s[30] << 8 | s[31]), -270);
	assert_in_range((s[32] & 15) << 8 | s[33], 2199, 2202);
	bench_stop(&b);
}

static void buffered_spectrum_is_kept_while_counting_goes_on(void **state)
{
	struct bench b;
	const uint8_t *s;
	uint8_t packet[16], kept[6144];
	start(&b, "sample", "brass");
	begin(&b, "");
	pass(&b, 1 * S);
	size_t n = frame_write(packet, 0x02, 0x06, (const uint8_t[]){0, 5}, 2);
	b.len = b.units = 0;
	sim_model_input(b.model, packet, n, b.now);
	assert_int_equal(answer_pid(&b), 0xFF00);
	assert_int_equal(spectrum_of(&b, NULL, NULL, &s), 0);
	n = frame_write(packet, 0x02, 0x07, (const uint8_t[]){0, 5}, 2);
	b.len = b.units = 0;
	sim_model_input(b.model, packet, n, b.now);
	assert_int_equal(answer_pid(&b), 0x8107);
	memcpy(kept, answer_data(&b), sizeof(kept));
	uint64_t sum = 0;
	for (int i = 0; i < 2048; i++)
		sum += little(kept + 3 * i, 3);
	assert_true(sum > 1000);
	bench_stop(&b);
}

static void sca_counts_its_region(void **state)
{
	struct bench b;
	uint32_t counts[8192], region = 0;
	const uint8_t *s;
	unsigned channels;
	start(&b, "sample", "steel-304");
	begin(&b, "SCAI=4;SCAL=620;SCAH=660;");
	pass(&b, 2 * S);
	ask(&b, 0xF0, 0x03, "");
	spectrum_of(&b, counts, &channels, &s);
	for (int i = 620; i <= 660; i++)
		region += counts[i];
	ask(&b, 0x04, 0x03, "");
	assert_int_equal(little(answer_data(&b) + 12, 4), region);
	assert_int_equal(little(answer_data(&b) + 8, 4), 0);
	ask(&b, 0x04, 0x01, "");
	assert_int_equal(little(answer_data(&b) + 12, 4), 0);
	bench_stop(&b);
}

static void scale_in_time(const char *config)
{
	struct bench b;
	const uint8_t *s;
	uint32_t counts[8192];
	unsigned channels;
	start(&b, "rate", "10000");
	begin(&b, config);
	pass(&b, 3 * S);
	uint64_t sum = spectrum_of(&b, counts, &channels, &s);
	assert_int_equal(s[35] & 0x20, 0);
	assert_int_equal(s[36] & 0x40, 0x40);
	assert_int_equal(accumulation_ms(s), 2560);
	assert_int_equal(sum, little(s + 4, 4));
	for (unsigned i = 0; i < channels; i++)
		assert_in_range(counts[i], 30, 170);
	bench_stop(&b);
}

static void multichannel_scaling_fills_its_channels_in_time(void **state)
{
	scale_in_time("MCAS=MCS;MCAC=256;MCST=0.01;");
	scale_in_time("MCAS=MCS;MCAC=256;MCST=0.00;"); /* the shortest time */
}

static void truth_has_the_counts_that_were_sent(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *truth = open_memstream(&text, &size);
	uint32_t counts[8192];
	unsigned channels;
	const uint8_t *s;
	struct bench b;
	bench_start(&b, &amptek_model, SIM_UDP, truth,
		(const char *const[]){"config", "MCAC=256;", NULL});
	begin(&b, "");
	pass(&b, 1 * S);
	spectrum_of(&b, counts, &channels, &s);
	assert_non_null(strstr(text, "\"event\":\"spectrum\",\"reply\":4,\"units\":2,"));
	char *at = strstr(text, "\"counts\":[");
	assert_non_null(at);
	at += strlen("\"counts\":[");
	for (unsigned i = 0; i < channels; i++, at++)
		assert_int_equal(strtoul(at, &at, 10), counts[i]);
	assert_string_equal(at, "}\n");
	bench_stop(&b);
	fclose(truth);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_of_channels_is_the_slow_count),
		cmocka_unit_test(iron_alpha_stands_at_6_40_kev),
		cmocka_unit_test(number_of_channels_moves_no_line),
		cmocka_unit_test(samples_show_the_lines_of_their_elements),
		cmocka_unit_test(line_needs_a_tube_voltage_above_its_edge),
		cmocka_unit_test(half_the_gain_halves_the_channel),
		cmocka_unit_test(slices_scatter_as_a_poisson_process),
		cmocka_unit_test(seed_and_requests_alone_decide_the_spectrum),
		cmocka_unit_test(preset_accumulation_time_ends_the_enabled_bit_only),
		cmocka_unit_test(preset_real_time_raises_its_bit),
		cmocka_unit_test(preset_counts_are_met_exactly_and_block_enable),
		cmocka_unit_test(mca8000d_reports_and_presets_live_time),
		cmocka_unit_test(clear_zeroes_counts_and_times_and_goes_on),
		cmocka_unit_test(readout_pauses_accumulation_but_not_real_time),
		cmocka_unit_test(dead_time_costs_slow_counts),
		cmocka_unit_test(unconfigured_instrument_counts_nothing),
		cmocka_unit_test(bias_ramps_and_the_detector_cools),
		cmocka_unit_test(buffered_spectrum_is_kept_while_counting_goes_on),
		cmocka_unit_test(sca_counts_its_region),
		cmocka_unit_test(multichannel_scaling_fills_its_channels_in_time),
		cmocka_unit_test(truth_has_the_counts_that_were_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
