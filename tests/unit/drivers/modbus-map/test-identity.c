/* SPDX-License-Identifier: Apache-2.0 */
/* Models by code, and the objects of function 43. */
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

static struct rows_device *device;
static struct host *h;
static uint8_t object_reply[252];
static ssize_t object_len;

static ssize_t reply_object(struct host *host, unsigned function, const uint8_t *request,
	size_t len, uint8_t *reply, size_t size, size_t expected)
{
	static const uint8_t one[] = {0x0e, 4, 5};
	(void)host;
	if (function != 43 || len != 3 || memcmp(request, one, 3) != 0 || expected != 0)
		return ASSAY_MODBUS_EXCEPTION - 1;
	if (object_len > 0)
		memcpy(reply, object_reply, (size_t)object_len < size ? (size_t)object_len : size);
	return object_len;
}

static int setup(void **state)
{
	(void)state;
	device = calloc(1, sizeof(*device));
	h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
	rows_connect(h, device);
	h->modbus_raw = reply_object;
	rows_add(h, "points", "name=x table=holding address=0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_destroy(h);
	free(device);
	return 0;
}

static int identify(struct assay_identity *id)
{
	*id = (struct assay_identity){0};
	return h->driver->identify(&h->ins, id);
}

static void a_number_is_the_text_that_it_stands_for(void **state)
{
	struct assay_identity id;
	(void)state;
	rows_add(h, "identity",
		"field=model table=holding address=210 type=uint16 codes=0x4017=ADAM-4017+ "
		"codes=7=other");
	host_check(h);
	assert_string_equal(h->found, "");
	device->registers[210] = 0x4017;
	assert_int_equal(identify(&id), 0);
	assert_string_equal(id.model, "ADAM-4017+");
	device->registers[210] = 8;
	assert_int_equal(identify(&id), 0);
	assert_string_equal(id.model, "8");
}

static void an_object_of_function_43_is_a_field(void **state)
{
	static const uint8_t good[] = {0x0e, 4, 1, 0, 0, 1, 5, 4, 'G', 'A', '-', '3'};
	struct assay_identity id;
	(void)state;
	rows_add(h, "identity", "field=model table=device-id address=5");
	host_check(h);
	assert_string_equal(h->found, "");
	memcpy(object_reply, good, sizeof(good));
	object_len = sizeof(good);
	assert_int_equal(identify(&id), 0);
	assert_string_equal(id.model, "GA-3");
	/* cut anywhere, or of another object: no reply to the request, and never a part of a name */
	for (object_len = 0; object_len < (ssize_t)sizeof(good); object_len++)
		assert_int_equal(identify(&id), -EBADMSG);
	for (size_t i = 0; i < 7; i++) {
		bool matters = i < 2 || i == 6;
		object_reply[i]++;
		object_len = sizeof(good);
		assert_int_equal(identify(&id), matters ? -EBADMSG : 0);
		object_reply[i]--;
	}
	object_len = ASSAY_MODBUS_EXCEPTION - 1;
	assert_int_equal(identify(&id), -EPROTO);
	assert_string_equal(
		h->explained, "identity: model cannot be read: exception 1 (no such function)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_number_is_the_text_that_it_stands_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_object_of_function_43_is_a_field, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
