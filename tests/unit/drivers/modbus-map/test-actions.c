/* SPDX-License-Identifier: Apache-2.0 */
/* Writes: their bytes, the values read before and put back, and the order around a hazard. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "rows.h"

extern const struct assay_driver *const assay_driver;

/* A device: a few coils and registers, and a protocol of the writes. */
static uint16_t coils[16], registers[16];
static char journal[512]; /* "5:3=1 " per write, "!" while a hazard is reported */
static int refusal;       /* of all writes */
static bool is_stubborn;  /* writes are confirmed and have no effect */
static struct host *h;

static int reply_read(struct host *host, enum assay_modbus_table table, unsigned address,
	unsigned count, uint16_t *out)
{
	(void)host;
	const uint16_t *from = table == ASSAY_COILS     ? coils
			       : table == ASSAY_HOLDING ? registers
							: NULL;
	if (from == NULL || address + count > 16)
		return ASSAY_MODBUS_EXCEPTION - 2;
	memcpy(out, from + address, count * sizeof(*out));
	return 0;
}

/* "Modbus application protocol" 6.5, 6.6, 6.11, 6.12. */
static ssize_t reply_write(struct host *host, unsigned function, const uint8_t *r, size_t len,
	uint8_t *reply, size_t size, size_t expected)
{
	unsigned address = (unsigned)(r[0] << 8 | r[1]), value = (unsigned)(r[2] << 8 | r[3]);
	bool is_coil = function == 5 || function == 15;
	assert_int_equal(expected, 4);
	assert_true(size >= 4 && address < 16);
	if (function == 5)
		assert_true(len == 4 && (value == 0xff00 || value == 0));
	else if (function == 6)
		assert_int_equal(len, 4);
	else if (function == 15)
		assert_true(len == 6 && value == 1 && r[4] == 1);
	else
		assert_true(function == 16 && len == 7 && value == 1 && r[4] == 2);
	value = function == 5    ? value == 0xff00
		: function == 15 ? r[5]
		: function == 16 ? (unsigned)(r[5] << 8 | r[6])
				 : value;
	snprintf(journal + strlen(journal), sizeof(journal) - strlen(journal), "%s%u:%u=%u ",
		host->hazard ? "!" : "", function, address, value);
	if (refusal != 0)
		return refusal;
	if (!is_stubborn)
		(is_coil ? coils : registers)[address] = (uint16_t)value;
	memcpy(reply, r, 4);
	return 4;
}

static int setup(void **state)
{
	static const char *const actions[] = {
		"name=stream use=hold table=holding address=3 value=1",
		"name=mode use=hold table=coil address=4 value=1",
		"name=range use=hold table=holding address=5 value=7 multiple=true",
		"name=tare use=pulse table=coil address=6 value=1",
		"name=reset use=pulse table=coil address=7 value=0 multiple=true",
		"name=lamp use=hazard table=holding address=8 value=90 off=5",
		"name=pump use=hazard table=coil address=9 value=1 off=0", NULL};
	(void)state;
	memset(coils, 0, sizeof(coils));
	memset(registers, 0, sizeof(registers));
	journal[0] = '\0';
	refusal = 0;
	is_stubborn = false;
	h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
	h->modbus = reply_read;
	h->modbus_raw = reply_write;
	rows_add(h, "points", "name=x table=holding address=0");
	rows_add_all(h, "actions", actions);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_destroy(h);
	return 0;
}

static void run_once(void)
{
	assert_int_equal(h->driver->configure(&h->ins), 0);
	assert_int_equal(h->driver->start(&h->ins), 0);
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), ASSAY_FRAME);
	assert_int_equal(h->driver->stop(&h->ins), 0);
}

static void nothing_is_written_unless_a_setting_names_it(void **state)
{
	struct assay_identity id = {0};
	(void)state;
	host_check(h);
	assert_string_equal(h->found, "");
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	run_once();
	assert_int_equal(h->driver->read_back(&h->ins), 0);
	assert_string_equal(journal, "");
	assert_string_equal(host_report(h, "hold")->text, "stream=0, mode=0, range=0");
	assert_int_equal(h->hazards, 0);
}

static void a_held_value_is_read_written_and_put_back(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 50; round++) {
		char found[80], wanted[80];
		uint16_t before[2] = {(uint16_t)(round * 7919), (uint16_t)(round * 104729)};
		registers[3] = before[0];
		registers[5] = before[1];
		coils[4] = round & 1;
		assert_int_equal(h->driver->read_back(&h->ins), 0);
		snprintf(found, sizeof(found), "%s", host_report(h, "hold")->text);
		snprintf(wanted, sizeof(wanted), "stream=%u, mode,range", round);
		host_set(h, "hold", wanted);
		host_check(h);
		assert_string_equal(h->found, "");
		assert_int_equal(h->driver->configure(&h->ins), 0);
		assert_int_equal(registers[3], round);
		assert_int_equal(coils[4], 1);
		assert_int_equal(registers[5], 7);
		snprintf(wanted, sizeof(wanted), "stream=%u, mode=1, range=7", round);
		assert_string_equal(host_report(h, "hold")->text, wanted);
		host_set(h, "hold", found); /* as the daemon does when no run requests it */
		assert_int_equal(h->driver->configure(&h->ins), 0);
		assert_int_equal(registers[3], before[0]);
		assert_int_equal(registers[5], before[1]);
		assert_int_equal(coils[4], round & 1);
		host_reset(h);
	}
	journal[0] = '\0';
	assert_int_equal(h->driver->configure(&h->ins), 0);
	assert_string_equal(journal, ""); /* it has the value */
}

static void a_write_that_is_refused_or_not_taken_rejects_the_run(void **state)
{
	(void)state;
	host_set(h, "hold", "stream=2");
	refusal = ASSAY_MODBUS_EXCEPTION - 3;
	assert_int_equal(h->driver->configure(&h->ins), -EPROTO);
	assert_string_equal(
		h->explained, "action 'stream' is refused: exception 3 (not so many values)");
	refusal = 0;
	is_stubborn = true;
	assert_int_equal(h->driver->configure(&h->ins), -EPROTO);
	assert_string_equal(
		h->explained, "action 'stream': the instrument has 0 after 2 was written");
	host_set(h, "before_start", "tare");
	refusal = ASSAY_MODBUS_EXCEPTION - 1;
	assert_int_equal(h->driver->start(&h->ins), -EPROTO);
	refusal = -ETIMEDOUT;
	assert_int_equal(h->driver->start(&h->ins), -ETIMEDOUT);
}

/* Each function's bytes are checked by the device. */
static void pulses_surround_each_measurement(void **state)
{
	(void)state;
	host_set(h, "before_start", "tare");
	host_set(h, "before_start", "reset");
	host_set(h, "after_stop", "reset");
	host_check(h);
	assert_string_equal(h->found, "");
	run_once();
	run_once();
	assert_string_equal(journal, "5:6=1 15:7=0 15:7=0 5:6=1 15:7=0 15:7=0 ");
}

static void a_hazard_is_reported_before_it_is_on_and_until_it_is_off(void **state)
{
	(void)state;
	host_set(h, "switch_on", "lamp");
	host_set(h, "switch_on", "pump");
	host_set(h, "after_stop", "tare");
	host_check(h);
	assert_string_equal(h->found, "");
	run_once();
	assert_string_equal(journal, "!6:8=90 !5:9=1 !6:8=5 !5:9=0 5:6=1 ");
	assert_false(h->hazard);
	/* The lamp cannot be switched off: the pump is, and the hazard stays reported. */
	assert_int_equal(h->driver->start(&h->ins), 0);
	journal[0] = '\0';
	refusal = -ETIMEDOUT;
	assert_int_equal(h->driver->stop(&h->ins), -ETIMEDOUT);
	assert_string_equal(journal, "!6:8=5 !5:9=0 !5:6=1 ");
	assert_true(h->hazard);
	/* Another worker, whose settings switch nothing on. */
	assert_int_equal(h->driver->make_safe(&h->ins), -ETIMEDOUT);
	assert_true(h->hazard);
	refusal = 0;
	host_unset(h, "switch_on");
	assert_int_equal(h->driver->make_safe(&h->ins), 0);
	assert_false(h->hazard);
	assert_int_equal(registers[8], 5);
	host_set(h, "switch_on", "lamp");
	/* Refused in the middle of the start: it counts as on. */
	refusal = ASSAY_MODBUS_EXCEPTION - 4;
	assert_int_equal(h->driver->start(&h->ins), -EPROTO);
	assert_true(h->hazard);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(nothing_is_written_unless_a_setting_names_it),
		T(a_held_value_is_read_written_and_put_back),
		T(a_write_that_is_refused_or_not_taken_rejects_the_run),
		T(pulses_surround_each_measurement),
		T(a_hazard_is_reported_before_it_is_on_and_until_it_is_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
