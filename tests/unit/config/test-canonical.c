/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash of a configuration goes into every run-start, so the canonical form of an existing
 * file must never change.  The hashes here were computed by the first version that had the form.
 */
#include <assay/driver.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "capture/write.h"
#include "config/load.h"
#include "drivers.h"

#define RECORDING_FD 100 /* the path of a recording is part of the form: /proc/self/fd/100 */
#define XRF          "driver: amptek-dp5, link: "
#define MS           "driver: srs-rga, settings: {mass_first: 1, mass_last: 2}, link: "
#define GAS                                                                                     \
	"driver: modbus-map, technique: ftir, settings: {registers: [{name: a, address: 1}]}, " \
	"link: "
#define ANY "driver: any, technique: ftir, link: "

static const char *configs;
static unsigned changed;

/* One of a link that no driver of the test catalog has. */
static struct catalog_driver drivers[4] = {{.name = "any",
	.version = "1",
	.make = "",
	.links = ASSAY_LINK_SERIAL | ASSAY_LINK_USB | ASSAY_LINK_TCP | ASSAY_LINK_UDP |
		 ASSAY_LINK_HTTP | ASSAY_LINK_NONE}};
static struct catalog catalog = {.drivers = drivers, .count = 4};

static void assert_hash(const char *what, int r, struct config *config,
	struct config_errors *errors, const char *expected)
{
	char found[65] = "";
	for (size_t i = 0; i < errors->count; i++)
		print_error(
			"%s: %u: %s\n", what, errors->items[i].mark.line, errors->items[i].text);
	config_errors_finish(errors);
	assert_int_equal(r, 0);
	for (size_t i = 0; i < 32; i++)
		snprintf(found + 2 * i, 3, "%02x", config->sha256[i]);
	config_destroy(config);
	if (strcmp(found, expected) == 0)
		return;
	print_error("%s: its hash is %s now\n", what, found);
	changed++;
}

static void files_keep_their_hashes(void **state)
{
	static const struct {
		const char *file, *sha256;
	} files[] = {
		{"right/design.yaml",
			"222e2477aee7c5ae2cff0d2a1a8d1e2ceb0ad5c02de9741897e0c099b91a1ee7"},
		{"right/full.yaml",
			"5feab5405a210ae0ab8607fc53778c5c4e86d548a6f5fa08e5f25e09ee75d726"},
		{"right/minimal.yaml",
			"8565ff508a0c76c660ef80f5fc7b643210bb8ff8de60a20bd6daa2af5bca725a"},
		{"right/folder/assayd.yaml",
			"8068b735da35f95e1fb3731f0d10a2ef5213de2064eed5635bda7b9915200cbf"},
	};
	char *profiles;
	assert_true(asprintf(&profiles, "%s/profiles", configs) > 0);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char *path;
		struct config *config = NULL;
		struct config_errors errors;
		assert_true(asprintf(&path, "%s/%s", configs, files[i].file) > 0);
		int r = load_files(path, profiles, &test_catalog, &config, &errors);
		assert_hash(files[i].file, r, config, &errors, files[i].sha256);
		free(path);
	}
	free(profiles);
	assert_int_equal(changed, 0);
}

static void links_keep_their_hashes(void **state)
{
	static const struct {
		const char *instrument, *sha256;
	} links[] = {
		{XRF "usb", "60497f535b0d13c575be1f670790c8dd1fff4cc335cc3c8d46bc529e09945068"},
		{XRF "{type: usb, vid: 1, pid: 0, serial: S 7, path: 1-2.3, interface: 2, "
		     "in: 0x8f, out: 0x0f, open_timeout: 2 s}",
			"fe058fad48e1d2e759d02200728c140cf8468e5da6b716ee2f30b0be38961e99"},
		{XRF "{type: serial, port: /dev/ttyS0, parity: odd, data_bits: 7, stop_bits: 2, "
		     "flow: xonxoff, open_timeout: 0.1 s}",
			"e9b77f52b2955e41261d8e83621678626d77a54b3be24f4b177b2fea88a39fc3"},
		{XRF "{type: udp, host: 192.0.2.1}",
			"18c923e9b7c1f1b5340caf7165426b7dce92c67d52849cda4af1e06155419de9"},
		{MS "{port: /dev/ttyS0}",
			"5251e16d0a23d4aa9defcbb4e35e0a2f3b3faaadba622a413275ed8e3a453a26"},
		{GAS "{type: modbus-rtu, port: /dev/ttyS0, baud: 9600, parity: none, unit_id: 247}",
			"dbecda1749076b9fa397120a1054b27a97c776f4c488491f30fa75c30159ee37"},
		{GAS "{type: modbus-rtu, port: /dev/ttyS0, baud: 9600, parity: even, unit_id: 1, "
		     "data_bits: 7, stop_bits: 2, reply_timeout: 5 s, open_timeout: 1 s}",
			"99743721bfd75e0b05292e0c1a7d8521a3ad42b53702f7a7600785e711dcd058"},
		{GAS "{type: modbus-tcp, host: Gas-1}",
			"2e63e387b35561bae37a266c8da4cddac5fb42c8613470a963d1e63f1aaf43e2"},
		{GAS "{type: modbus-tcp, host: gas-1, port: 503, unit_id: 0, reply_timeout: 1 min}",
			"2ac8fed2bb360a641a3a4c2affca5b5d4a975815300a9dd78081eb1ae06c1f06"},
		{ANY "none", "e18171257943605cb2e26e4646912b68f86d40f10bc35355bfa250294ff50731"},
		{ANY "{type: tcp, host: a.example, port: 4001, open_timeout: 600 s}",
			"add428b0cba7fd9991dc1be9880d5d239a10bb736de859ca148fdcea01fd2296"},
		{GAS "{type: playback, file: /proc/self/fd/100}, simulated: true",
			"5cf60cc5ff01faad6f6c2c342f945a5e62f9d35ac00f74780ea2bebdd15b6042"},
		{GAS "{type: playback, file: /proc/self/fd/100, pace: recorded, end: loop, "
		     "unit_id: 7, reply_timeout: 2 s}, simulated: true",
			"5875d345805f80d2942fc3916c3474502df34cdfed7827dc4e9fd45928e20d37"},
	};
	for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
		char text[600];
		struct config *config = NULL;
		struct config_errors errors;
		int len = snprintf(text, sizeof text,
			"{laboratory: {site: a, node: b}, instruments: {x: {%s}}}",
			links[i].instrument);
		int r = load_text(text, (size_t)len, &catalog, &config, &errors);
		assert_hash(links[i].instrument, r, config, &errors, links[i].sha256);
	}
	assert_int_equal(changed, 0);
}

/* A recording of a Modbus link with unit 3, where its path says. */
static void make_recording(void)
{
	struct capture_head head = {.unit_count = 1};
	struct buffer bytes = {0};
	strcpy(head.link, "modbus-tcp");
	strcpy(head.units[0].key, "x");
	strcpy(head.units[0].driver, "modbus-map");
	head.units[0].unit_id = 3;
	capture_write_head(&bytes, &head);
	int fd = memfd_create("recording", 0);
	assert_int_equal(write(fd, bytes.data, bytes.len), bytes.len);
	assert_int_equal(dup2(fd, RECORDING_FD), RECORDING_FD);
	close(fd);
	buffer_finish(&bytes);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	configs = argv[1];
	memcpy(&drivers[1], test_catalog.drivers, 3 * sizeof drivers[0]);
	make_recording();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_keep_their_hashes),
		cmocka_unit_test(links_keep_their_hashes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
