/* SPDX-License-Identifier: Apache-2.0 */
/* Frames only when a register changed: which polls make one, and what they request. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_comes_exactly_when_the_register_changed_or_rose),
		cmocka_unit_test(values_of_two_analyses_never_share_a_frame),
		cmocka_unit_test(a_change_between_two_measurements_is_a_frame_of_the_next),
		cmocka_unit_test(a_register_that_cannot_be_read_is_an_error_not_a_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
