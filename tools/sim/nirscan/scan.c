/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan: one ADC value for each pattern, and after every 24 of them a dark one.  Its file is one or
 * several blobs of "tpl": format, lengths of arrays, then the data without padding, little endian.
 */
#include <math.h>
#include <string.h>

#include "nirscan.h"

#define BLACK_EVERY 25
#define DARK        21206
#define FULL_SCALE  400000.0 /* white at the lamp's maximum, gain 64 */
#define OVERHEAD_NS UINT64_C(300000000)
#define P2W_0       1817.5628040683239
#define P2W_1       (-0.9197324883412284)
#define P2W_2       (-0.00023377358306336216)
#define COLUMNS     853.0
#define TYPE_SLEW   2

const struct nirscan_config nirscan_configs[NIRSCAN_CONFIGS] = {
	{TYPE_SLEW, "Column 1", 6, 1, {{0, 6, 900, 1700, 228, 1}}},
	{0, "Survey", 3, 1, {{0, 8, 950, 1650, 120, 0}}},
	{TYPE_SLEW, "Two sections", 4, 2, {{0, 6, 900, 1300, 100, 0}, {0, 8, 1300, 1700, 80, 2}}},
};

static const uint16_t exposures_us[] = {635, 1270, 2450, 5080, 15240, 30480, 60960};

unsigned scan_patterns(const struct nirscan_config *config)
{
	unsigned n = 0;
	for (unsigned i = 0; i < config->n_sections; i++)
		n += config->sections[i].patterns;
	return n;
}

uint64_t scan_duration(const struct nirscan *n)
{
	const struct nirscan_config *config = &nirscan_configs[n->config];
	uint64_t us = 0;
	for (unsigned i = 0; i < config->n_sections; i++) {
		const struct nirscan_section *section = &config->sections[i];
		us += (uint64_t)section->patterns * exposures_us[section->exposure];
	}
	return us * 1000 * n->repeats + OVERHEAD_NS;
}

/* The column whose light has that wavelength. */
static double column_of(double nm)
{
	double root = sqrt(P2W_1 * P2W_1 - 4 * P2W_2 * (P2W_0 - nm));
	double x = (-P2W_1 - root) / (2 * P2W_2);
	return x >= 0 && x <= COLUMNS ? x : (-P2W_1 + root) / (2 * P2W_2);
}

static double wavelength(const struct nirscan_section *section, unsigned i)
{
	double start = column_of(section->start), end = column_of(section->end);
	double column = trunc(start + i * (end - start) / (section->patterns - 1));
	column -= section->width % 2 == 0 ? 0.5 : 0;
	return P2W_0 + P2W_1 * column + P2W_2 * column * column;
}

static void put_u16(struct buffer *to, uint16_t v)
{
	buffer_append(to, (uint8_t[]){(uint8_t)v, (uint8_t)(v >> 8)}, 2);
}

static void put_u32(struct buffer *to, uint32_t v)
{
	put_u16(to, (uint16_t)v);
	put_u16(to, (uint16_t)(v >> 16));
}

static void put_u8(struct buffer *to, uint8_t v)
{
	buffer_append(to, &v, 1);
}

static void put_f64(struct buffer *to, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	put_u32(to, (uint32_t)bits);
	put_u32(to, (uint32_t)(bits >> 32));
}

static void put_name(struct buffer *to, const char *name, size_t size)
{
	char field[40] = "";
	memcpy(field, name, strlen(name) < size ? strlen(name) : size - 1);
	buffer_append(to, field, size);
}

/* Starts a blob; returns where its length is to be written by end_blob(). */
static size_t start_blob(struct buffer *to, const char *format, const uint32_t *lengths, size_t n)
{
	size_t at = to->len;
	buffer_append(to, "tpl", 4); /* flags: little endian */
	put_u32(to, 0);
	buffer_append(to, format, strlen(format) + 1);
	for (size_t i = 0; i < n; i++)
		put_u32(to, lengths[i]);
	return at;
}

static void end_blob(struct buffer *to, size_t at)
{
	uint32_t len = (uint32_t)(to->len - at);
	for (int i = 0; !to->failed && i < 4; i++)
		to->data[at + 4 + (size_t)i] = (uint8_t)(len >> 8 * i);
}

static void put_config_head(const struct nirscan *n, uint8_t index, struct buffer *to)
{
	const struct nirscan_config *config = &nirscan_configs[index];
	char serial[8];
	snprintf(serial, sizeof serial, "%u", n->plan.serial);
	put_u8(to, config->type);
	put_u16(to, index);
	put_name(to, serial, 8);
	put_name(to, config->name, 40);
	if (config->type == TYPE_SLEW) {
		put_u16(to, config->repeats);
		put_u8(to, config->n_sections);
	} else {
		put_u16(to, config->sections[0].start);
		put_u16(to, config->sections[0].end);
		put_u8(to, config->sections[0].width);
		put_u16(to, config->sections[0].patterns);
		put_u16(to, config->repeats);
	}
}

void scan_put_config(const struct nirscan *n, uint8_t index, struct buffer *to)
{
	const struct nirscan_config *config = &nirscan_configs[index];
	bool is_slew = config->type == TYPE_SLEW;
	size_t at = start_blob(
		to, is_slew ? "S(cvc#c#vc)" : "S(cvc#c#vvcvv)", (const uint32_t[]){8, 40}, 2);
	put_config_head(n, index, to);
	end_blob(to, at);
	if (!is_slew)
		return;
	at = start_blob(to, "S(ccvvvv)#", (const uint32_t[]){NIRSCAN_SECTIONS}, 1);
	for (unsigned i = 0; i < NIRSCAN_SECTIONS; i++) {
		struct nirscan_section section = {0};
		if (i < config->n_sections)
			section = config->sections[i];
		put_u8(to, section.type);
		put_u8(to, section.width);
		put_u16(to, section.start);
		put_u16(to, section.end);
		put_u16(to, section.patterns);
		put_u16(to, section.exposure);
	}
	end_blob(to, at);
}

static int32_t measure(struct nirscan *n, int sample, double nm)
{
	double light = FULL_SCALE * n->gain / 64 * light_lamp(nm) * light_returned(sample, nm);
	double noise = n->plan.noise / sqrt(n->repeats) * random_normal(sim_random_of(n->m));
	return (int32_t)lrint(DARK + light + noise);
}

/* Returns the number of values. */
static size_t make_adc(struct nirscan *n, int sample, int32_t adc[NIRSCAN_ADC_MAX])
{
	const struct nirscan_config *config = &nirscan_configs[n->config];
	size_t at = 0;
	for (unsigned k = 0; k < config->n_sections; k++) {
		for (unsigned i = 0; i < config->sections[k].patterns; i++) {
			if (at % BLACK_EVERY == BLACK_EVERY - 1)
				adc[at++] = DARK;
			adc[at++] = measure(n, sample, wavelength(&config->sections[k], i));
		}
	}
	return at;
}

static void put_head(const struct nirscan *n, size_t adc_len, struct buffer *to)
{
	static const uint8_t date[] = {
		26, 1, 15, 4, 10, 30, 0}; /* year, month, day, weekday, time */
	char serial[8];
	snprintf(serial, sizeof serial, "%u", n->plan.serial);
	put_u32(to, 1);
	put_name(to, "simulated", 20);
	buffer_append(to, date, sizeof date);
	put_u16(to, 2308);
	put_u16(to, 2515);
	put_u16(to, 2753);
	put_u16(to, 1000);
	put_u32(to, n->scans);
	for (int i = 0; i < 3; i++)
		put_f64(to, 0); /* shift vector */
	put_f64(to, P2W_0);
	put_f64(to, P2W_1);
	put_f64(to, P2W_2);
	put_name(to, serial, 8);
	put_u16(to, (uint16_t)adc_len);
	put_u8(to, BLACK_EVERY - 1);
	put_u8(to, BLACK_EVERY);
	put_u8(to, n->gain);
}

static void log_scan(struct nirscan *n, const int32_t *adc, size_t len)
{
	FILE *out = sim_truth_start(n->m, "measured");
	if (out == NULL)
		return;
	fprintf(out, ",\"config\":%u,\"dark\":%d,\"adc\":[", n->config, DARK);
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%s%d", i > 0 ? "," : "", adc[i]);
	fputc(']', out);
	sim_truth_end(n->m);
}

void scan_make(struct nirscan *n, bool is_reference, uint8_t *to)
{
	int32_t adc[NIRSCAN_ADC_MAX] = {0};
	struct buffer file = {0};
	size_t len = make_adc(n, is_reference ? 0 : n->plan.sample, adc);
	bool is_slew = nirscan_configs[n->config].type == TYPE_SLEW;
	size_t at = is_slew ? start_blob(&file, "S(uc#cccccccjjvvu$(f#f#)c#vccc)",
				      (const uint32_t[]){20, 3, 3, 8}, 4)
			    : start_blob(&file, "S(uc#cccccccjjvvu$(f#f#)c#vccccvc#c#vvcvvi#)",
				      (const uint32_t[]){20, 3, 3, 8, 8, 40, NIRSCAN_ADC_MAX}, 7);
	put_head(n, len, &file);
	if (is_slew) {
		end_blob(&file, at);
		scan_put_config(n, n->config, &file);
		at = start_blob(&file, "i#", (const uint32_t[]){NIRSCAN_ADC_MAX}, 1);
	} else {
		put_config_head(n, n->config, &file);
	}
	for (size_t i = 0; i < NIRSCAN_ADC_MAX; i++)
		put_u32(&file, (uint32_t)adc[i]);
	end_blob(&file, at);
	memset(to, 0, NIRSCAN_FILE_SIZE);
	if (!file.failed)
		memcpy(to, file.data, file.len);
	buffer_finish(&file);
	if (!is_reference)
		log_scan(n, adc, len);
}
