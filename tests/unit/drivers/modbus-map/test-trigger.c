/* SPDX-License-Identifier: Apache-2.0 */
/* Frames only when a register changed: the polls that make one, and their requests. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "profile.h"
#include "rows.h"

extern const struct assay_driver *const assay_driver;

/* Registers: 0 the counter or flag, 100 and 101 the values, which a device keeps equal. */
static struct host *create(struct rows_device *device, const char *frame)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
	char row[80] = "name=counter table=holding address=0 frame=";
	rows_add(h, "parts", strcat(row, frame));
	rows_add(h, "points", "name=a table=holding address=1");
	rows_add(h, "points", "name=b table=holding address=101");
	host_set(h, "watch", "5");
	rows_connect(h, device);
	assert_int_equal(h->driver->configure(&h->ins), 0);
	assert_int_equal(h->driver->start(&h->ins), 0);
	return h;
}

static int poll(struct host *h)
{
	host_reset(h);
	return h->driver->acquire(&h->ins, &h->raw.handle);
}

/* All sequences of six states of the register: a frame exactly at each change, or at each rise. */
static void a_frame_comes_exactly_when_the_register_changed_or_rose(void **state)
{
	static const char *const words[] = {"change", "rise"};
	for (unsigned word = 0; word < 2; word++)
		for (unsigned sequence = 0; sequence < 729; sequence++) {
			struct rows_device *device = calloc(1, sizeof(*device));
			struct host *h = create(device, words[word]);
			unsigned before = 0, rest = sequence;
			for (int i = 0; i < 6; i++, rest /= 3) {
				unsigned now = rest % 3;
				bool fires = i > 0 &&
					     (word == 0 ? now != before : before == 0 && now != 0);
				device->registers[0] = (uint16_t)now;
				device->requests = 0;
				uint64_t start = h->now;
				assert_int_equal(poll(h), fires ? ASSAY_FRAME : -EAGAIN);
				/* the register, both values, and the register once more */
				assert_int_equal(device->requests, fires ? 4 : 1);
				assert_int_equal(h->now - start, fires ? 0 : 5000);
				before = now;
			}
			host_destroy(h);
			free(device);
		}
	(void)state;
}

/* The device makes a new analysis after the third request of each poll, thrice. */
static void tear(struct rows_device *device)
{
	if (device->requests % 4 != 2 || device->registers[0] >= 4)
		return;
	device->registers[0]++;
	device->registers[1] = device->registers[101] = device->registers[0];
}

static void values_of_two_analyses_never_share_a_frame(void **state)
{
	struct rows_device *device = calloc(1, sizeof(*device));
	struct host *h = create(device, "change");
	assert_int_equal(poll(h), -EAGAIN);
	device->registers[0] = device->registers[1] = device->registers[101] = 1;
	device->requests = 0;
	device->before = tear;
	int r, again = 0;
	while ((r = poll(h)) == -EAGAIN)
		assert_true(++again < 10);
	assert_int_equal(r, ASSAY_FRAME);
	assert_int_equal(again, 3);
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(host_find(h, "a")->integer, 4);
	assert_int_equal(host_find(h, "b")->integer, 4);
	assert_int_equal(poll(h), -EAGAIN);
	host_destroy(h);
	free(device);
	(void)state;
}

static void a_change_between_two_measurements_is_a_frame_of_the_next(void **state)
{
	struct rows_device *device = calloc(1, sizeof(*device));
	struct host *h = create(device, "change");
	assert_int_equal(poll(h), -EAGAIN);
	h->stopping = true;
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), ASSAY_DONE);
	h->stopping = false;
	device->registers[0] = 9;
	assert_int_equal(h->driver->start(&h->ins), 0);
	assert_int_equal(poll(h), ASSAY_FRAME);
	host_destroy(h);
	free(device);
	(void)state;
}

static void a_register_that_cannot_be_read_is_an_error_not_a_silence(void **state)
{
	struct rows_device *device = calloc(1, sizeof(*device));
	struct host *h = create(device, "change");
	device->failure = ASSAY_MODBUS_EXCEPTION - 2;
	assert_int_equal(poll(h), -EPROTO);
	assert_string_equal(h->explained,
		"holding 0+1 decides when there is a frame, and cannot be "
		"read: exception 2 (no such address)");
	device->failure = -ETIMEDOUT;
	assert_int_equal(poll(h), -ETIMEDOUT);
	host_destroy(h);
	free(device);
	(void)state;
}

/* --- the profile of a process gas chromatograph --- */

#define DANIEL PROFILES "/daniel-2251.yaml"

static float results[16];
static unsigned wide_requests;

/* Registers of four bytes from 7001 on. */
static ssize_t reply_wide(struct host *h, unsigned function, const uint8_t *request, size_t len,
	uint8_t *reply, size_t size, size_t expected)
{
	static const uint8_t asked[] = {0x1b, 0x59, 0, 16};
	(void)h;
	wide_requests++;
	if (function != 3 || len != 4 || memcmp(request, asked, 4) != 0 || size < 65)
		return ASSAY_MODBUS_EXCEPTION - 2;
	assert_int_equal(expected, 65);
	reply[0] = 64;
	for (size_t i = 0; i < 16; i++) {
		uint32_t bits;
		memcpy(&bits, &results[i], sizeof(bits));
		for (size_t b = 0; b < 4; b++)
			reply[1 + 4 * i + b] = (uint8_t)(bits >> (24 - 8 * b));
	}
	return 65;
}

/* The values of the fact sheet's example: nitrogen, carbon dioxide, methane, and C6+. */
static void fill(struct rows_device *device)
{
	static const uint16_t codes[] = {114, 117, 100, 108};
	results[0] = 0.031f;
	results[1] = 1.25f;
	results[2] = 94.2f;
	results[3] = 0.85f;
	memcpy(&device->registers[3001], codes, sizeof(codes));
	device->registers[3034] = 2;
	device->registers[3059] = 1;
}

static struct host *create_daniel(struct rows_device *device)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_RTU);
	struct assay_identity id = {0};
	profile_load(h, DANIEL);
	rows_connect(h, device);
	h->modbus_raw = reply_wide;
	host_check(h);
	assert_string_equal(h->found, "");
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_int_equal(h->driver->configure(&h->ins), 0);
	assert_int_equal(h->driver->start(&h->ins), 0);
	return h;
}

static void each_analysis_of_a_chromatograph_is_a_frame(void **state)
{
	struct rows_device *device = calloc(1, sizeof(*device));
	fill(device);
	struct host *h = create_daniel(device);
	assert_int_equal(poll(h), -EAGAIN);
	results[2] = 94.3f;
	device->requests = wide_requests = 0;
	assert_int_equal(poll(h), ASSAY_FRAME);
	assert_int_equal(wide_requests, 2);    /* and once more at the end */
	assert_int_equal(device->requests, 5); /* the stream twice; codes, alarms, analysis */
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	const struct assay_variable *v = host_find_of(h, "mole_fraction", "methane");
	assert_true(v->real == (double)94.3f && v->type == ASSAY_SCALAR_F32);
	assert_string_equal(v->cas, "74-82-8");
	assert_string_equal(v->unit, "%");
	assert_true(host_find_of(h, "mole_fraction", "nitrogen")->real == (double)0.031f);
	assert_true(host_find_of(h, "mole_fraction", "carbon dioxide")->real == 1.25);
	assert_string_equal(host_find_of(h, "mole_fraction", "C6+")->label, "C6+ 47/35/17");
	assert_int_equal(host_find(h, "stream")->integer, 2);
	assert_int_equal(poll(h), -EAGAIN);
	device->registers[3034] = 3;
	assert_int_equal(poll(h), ASSAY_FRAME);
	host_destroy(h);
	free(device);
	(void)state;
}

static void alarms_and_calibrations_of_a_chromatograph_lower_its_frames(void **state)
{
	static const struct {
		unsigned address;
		uint16_t value;
		enum assay_quality quality;
	} cases[] = {{3046, 1, ASSAY_SUSPECT}, {3046, 0x4000, ASSAY_BAD}, {3046, 0x8000, ASSAY_BAD},
		{3047, 0x10, ASSAY_SUSPECT}, {3047, 8, ASSAY_BAD}, {3059, 0, ASSAY_SUSPECT},
		{3004, 101, ASSAY_SUSPECT}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rows_device *device = calloc(1, sizeof(*device));
		fill(device);
		struct host *h = create_daniel(device);
		assert_int_equal(poll(h), -EAGAIN);
		results[0] += 1;
		device->registers[cases[i].address] = cases[i].value;
		assert_int_equal(poll(h), ASSAY_FRAME);
		assert_int_equal(host_decode(h), 0);
		assert_int_equal(h->frame.flag, cases[i].quality);
		host_destroy(h);
		free(device);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_comes_exactly_when_the_register_changed_or_rose),
		cmocka_unit_test(values_of_two_analyses_never_share_a_frame),
		cmocka_unit_test(a_change_between_two_measurements_is_a_frame_of_the_next),
		cmocka_unit_test(a_register_that_cannot_be_read_is_an_error_not_a_silence),
		cmocka_unit_test(each_analysis_of_a_chromatograph_is_a_frame),
		cmocka_unit_test(alarms_and_calibrations_of_a_chromatograph_lower_its_frames),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
