/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that Amptek's own program wrote from a real PX5, and its default configurations.  They are
 * not part of the project: without them the test is skipped.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "strict.h"

static const char *data_dir;

struct mca {
	struct amptek_status status;
	uint32_t counts[8192];
	size_t channels;
	uint64_t sum;
	double header_real_time;
	char configuration[4096]; /* without the remarks */
};

static uint64_t scaled(const char *text, unsigned decimals)
{
	char *end;
	uint64_t v = strtoull(text, &end, 10);
	const char *part = *end == '.' ? end + 1 : "";
	for (; decimals > 0; decimals--) {
		v = v * 10 + (*part >= '0' && *part <= '9' ? (unsigned)(*part - '0') : 0);
		part += *part != '\0';
	}
	return v;
}

static const char *after(const char *line, const char *key)
{
	size_t n = strlen(key);
	return strncmp(line, key, n) == 0 ? line + n : NULL;
}

static void read_status_line(struct mca *m, const char *line)
{
	struct amptek_status *s = &m->status;
	const char *v;
	if (after(line, "Device Type: PX5") != NULL)
		s->device = 1;
	else if ((v = after(line, "Serial Number: ")) != NULL)
		s->serial = (uint32_t)scaled(v, 0);
	else if ((v = after(line, "Firmware: 6.")) != NULL)
		s->firmware = 0x60 + (unsigned)scaled(v, 0);
	else if ((v = after(line, "Fast Count: ")) != NULL)
		s->fast = (uint32_t)scaled(v, 0);
	else if ((v = after(line, "Slow Count: ")) != NULL)
		s->slow = (uint32_t)scaled(v, 0);
	else if ((v = after(line, "Accumulation Time: ")) != NULL)
		s->accumulation_ms = (uint32_t)scaled(v, 3);
	else if ((v = after(line, "Real Time: ")) != NULL)
		s->real_ms = (uint32_t)scaled(v, 3);
	else if ((v = after(line, "HV Volt: -")) != NULL)
		s->high_voltage = -(double)scaled(v, 0);
	else if ((v = after(line, "TEC Temp: ")) != NULL)
		s->kelvin = (double)scaled(v, 0);
	else if ((v = after(line, "Board Temp: ")) != NULL)
		s->celsius = (int)scaled(v, 0);
}

static void read_line(struct mca *m, const char *section, char *line)
{
	const char *real = after(line, "REAL_TIME - ");
	if (real != NULL)
		m->header_real_time = (double)scaled(real, 3) / 1000;
	if (strcmp(section, "<<DATA>>") == 0 && m->channels < 8192) {
		m->counts[m->channels] = (uint32_t)scaled(line, 0);
		m->sum += m->counts[m->channels++];
	}
	char *end = strchr(line, ';');
	if (strcmp(section, "<<DP5 CONFIGURATION>>") == 0 && end != NULL) {
		end[1] = '\0';
		strncat(m->configuration, line,
			sizeof(m->configuration) - strlen(m->configuration) - 1);
	}
	if (strcmp(section, "<<DPP STATUS>>") == 0)
		read_status_line(m, line);
}

static void read_mca(const char *path, struct mca *m)
{
	char line[256], section[64] = "";
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	*m = (struct mca){0};
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (strncmp(line, "<<", 2) == 0)
			snprintf(section, sizeof(section), "%.*s", 63, line);
		else
			read_line(m, section, line);
	}
	fclose(f);
}

static int configure_and_start(struct host *h, const struct mca *m)
{
	amptek_status_turn(h, &m->status);
	amptek_readback_turn(h, m->configuration);
	int r = h->driver->configure(&h->ins);
	if (r < 0)
		return r;
	amptek_start_turns(h, &m->status, m->configuration);
	return h->driver->start(&h->ins);
}

/* A real spectrum over UDP, through the slots, into a frame. */
static void check_mca(const struct mca *m)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_UDP);
	host_set(h, "channels", "2048");
	assert_int_equal(configure_and_start(h, m), 0);
	assert_true(host_report(h, "gain")->real == 60.023);
	assert_true(host_report(h, "cooler_temperature")->real == 225);
	amptek_status_turn(h, &m->status);
	amptek_status_turn(h, &m->status);
	amptek_spectrum_turn(h, 3, m->channels, m->counts, &m->status);
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), ASSAY_CUT);
	assert_int_equal(host_decode(h), 0);
	assert_true(host_is_done(h));

	const struct assay_variable *counts = host_find(h, "counts");
	assert_int_equal(counts->count, m->channels);
	for (size_t i = 0; i < m->channels; i++)
		assert_true(host_element(counts, i) == m->counts[i]);
	assert_int_equal(host_find(h, "slow_count")->integer, m->status.slow);
	assert_true(host_find(h, "accumulation_time")->real == m->status.accumulation_ms / 1000.0);
	assert_true(host_find(h, "high_voltage")->real == -130);
	/* No preset was set, and the detector was 19 to 27 K above its set point. */
	assert_true(host_has_reason(h, "device-warning"));
	/* Where status and spectrum were read together, the sum is the slow count exactly. */
	bool together = m->header_real_time == m->status.accumulation_ms / 1000.0;
	assert_int_equal(m->sum == m->status.slow, together);
	assert_int_equal(host_has_reason(h, "malformed"), !together);
	host_destroy(h);
}

static void real_spectra_come_through_unchanged(void **state)
{
	char path[512];
	size_t files = 0, together = 0;
	struct dirent *entry;
	snprintf(path, sizeof(path), "%s/amptek", data_dir);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		static struct mca m;
		if (strstr(entry->d_name, ".mca") == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/amptek/%s", data_dir, entry->d_name);
		read_mca(path, &m);
		assert_int_equal(m.channels, 2048);
		assert_int_equal(m.status.serial, 2524);
		check_mca(&m);
		files++;
		together += m.sum == m.status.slow;
	}
	closedir(dir);
	assert_true(files >= 4 && together >= 1);
}

/* --- default configurations --- */

static char *read_text(struct host *h, const char *name)
{
	char path[512], *text = host_memory(h, 8192);
	snprintf(path, sizeof(path), "%s/amptek_configs/%s", data_dir, name);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(text, 1, 8191, f);
	fclose(f);
	assert_in_range(n, 100, 8190);
	return text;
}

static void measure(const char *name, unsigned device)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	static struct strict s;
	strict_attach(h, &s, device, false);
	/* The guide contradicts itself on this value, and firmware 6.07.05 refuses it. */
	snprintf(s.refuse, sizeof(s.refuse), "MCST=0.00;");
	const char *text = read_text(h, name);
	host_set(h, "configuration", text);
	if (h->driver->configure(&h->ins) < 0)
		fail_msg("%s: %s", name, h->explained);
	const struct assay_variable *left_out = host_report(h, "left_out");
	assert_non_null(strstr(left_out->text, "RESC=YES (a reset"));
	/* Each command with a value is on the instrument, or recorded as left out. */
	for (const char *line = text; strncmp(line, "[DP5 Configuration Values]", 26) != 0;
		line = strchr(line, '\n') + 1) {
		size_t n = strcspn(line, ";");
		char command[32], *at;
		if (n < 6 || n > 20 || line[4] != '=' || line[5] == '?' ||
			strncmp(line, "MCAE", 4) == 0)
			continue;
		snprintf(command, sizeof(command), "%.*s", (int)n, line);
		bool is_left_out = (at = strstr(left_out->text, command)) != NULL &&
				   strncmp(at + n, " (", 2) == 0;
		strcat(command, ";");
		if (is_left_out == (strstr(s.values, command) != NULL))
			fail_msg("%s: %s %s", name, command, left_out->text);
	}
	assert_int_equal(h->driver->start(&h->ins), 0);
	h->stop_at = h->now + 2000;
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), ASSAY_LAST);
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	host_destroy(h);
}

/* The device of a file is in its name. */
static void vendors_default_configurations_measure(void **state)
{
	char path[512];
	unsigned files = 0;
	struct dirent *entry;
	snprintf(path, sizeof(path), "%s/amptek_configs", data_dir);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		const char *name = entry->d_name;
		if (strstr(name, ".txt") == NULL)
			continue;
		unsigned device = strstr(name, "PX5") != NULL   ? 1
				  : strstr(name, "TB5") != NULL ? 4
				  : strstr(name, "DP5") != NULL ? 0
								: 3;
		measure(name, device);
		files++;
	}
	closedir(dir);
	assert_in_range(files, 4, 100);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_spectra_come_through_unchanged),
		cmocka_unit_test(vendors_default_configurations_measure),
	};
	data_dir = argc > 1 ? argv[1] : "";
	DIR *dir = opendir(data_dir);
	if (dir == NULL)
		return 77;
	closedir(dir);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
