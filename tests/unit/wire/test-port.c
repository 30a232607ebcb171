/* SPDX-License-Identifier: Apache-2.0 */
/* The table of link kinds, and each of its uses for a port of every kind. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "record/encode.h"
#include "record/read.h"
#include "record/text.h"
#include "wire/port.h"

static struct buffer out;

static void *value_of(struct port *port, const struct port_key *key)
{
	return (char *)port + key->offset;
}

static bool is_text(const struct port_key *key)
{
	return key->type < PORT_NUMBER;
}

static bool belongs(const struct port_key *key, const struct port_kind *kind)
{
	return (key->links & kind->link) != 0 && !key->of_unit;
}

/* Another value than `port` has, of those that the key may have. */
static void change(struct port *port, const struct port_key *key)
{
	const char **text = value_of(port, key);
	unsigned *number = value_of(port, key);
	if (is_text(key))
		*text = *text == NULL ? "/dev/1-2" : "/dev/3-4";
	else if (key->words != NULL || key->type == PORT_BOOL)
		*number = *number == 0;
	else
		*number = *number == key->max ? key->max - 1 : key->max;
}

static struct port full(const struct port_kind *kind)
{
	const struct port_key *key;
	struct port port;
	port_init(&port, NULL, kind);
	if (kind->link == PORT_PLAYBACK)
		port.kind = port_kind_named(string_of("usb"))->link;
	for (size_t i = 0; (key = port_key_at(i)) != NULL; i++)
		if (belongs(key, kind))
			change(&port, key);
	return port;
}

static int read_back(struct port *back)
{
	struct reader r;
	read_init(&r, out.data, out.len);
	return port_read(&r, back);
}

static void write_port(const struct port *port)
{
	struct map map;
	buffer_reset(&out);
	map_open(&map, &out);
	port_write(&map, port);
	map_close(&map);
}

static void every_port_is_read_as_it_was_written(void **state)
{
	const struct port_kind *kind;
	size_t count = 0;
	for (; (kind = port_kind_at(count)) != NULL; count++) {
		struct port port = full(kind), back, defaults;
		port_init(&defaults, NULL, kind);
		defaults.kind = port.kind;
		if (kind->link == PORT_PLAYBACK)
			defaults.playback = "/r";
		struct port *ports[] = {&port, &defaults};
		for (size_t i = 0; i < 2; i++) {
			write_port(ports[i]);
			assert_int_equal(read_back(&back), 0);
			assert_true(port_is_equal(ports[i], &back));
			assert_ptr_equal(port_kind(&back), kind);
			port_finish(&back);
		}
	}
	assert_true(count >= 9);
}

static void a_difference_in_any_key_makes_ports_differ(void **state)
{
	const struct port_kind *kind;
	const struct port_key *key;
	size_t compared = 0;
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++) {
		for (size_t j = 0; (key = port_key_at(j)) != NULL; j++) {
			struct port a = full(kind), b = full(kind);
			if (!belongs(key, kind))
				continue;
			assert_true(port_is_equal(&a, &b));
			change(&b, key);
			assert_false(port_is_equal(&a, &b));
			assert_int_equal(port_may_be(&a, &b),
				kind->link != port_kind_named(string_of("none"))->link &&
					!key->names_port);
			compared++;
		}
	}
	assert_true(compared > 40);
}

static void missing_keys_do_not_distinguish_usb_devices(void **state)
{
	struct port a = full(port_kind_named(string_of("usb"))), b = a;
	b.serial = b.path = NULL;
	assert_true(port_may_be(&a, &b));
	assert_true(port_may_be(&b, &a));
	assert_false(port_is_equal(&a, &b));
	b.serial = "another";
	assert_false(port_may_be(&a, &b));
}

static void hosts_are_equal_in_any_case_and_kinds_of_a_family_meet(void **state)
{
	struct port a = full(port_kind_named(string_of("tcp")));
	struct port b = full(port_kind_named(string_of("modbus-tcp")));
	a.host = "Gas-1";
	b.host = "gas-1";
	a.number = b.number = 502;
	assert_true(port_may_be(&a, &b));
	assert_false(port_is_equal(&a, &b));
	a = b;
	a.host = "GAS-1";
	assert_true(port_is_equal(&a, &b));
	b = full(port_kind_named(string_of("udp")));
	b.host = "gas-1";
	b.number = 502;
	assert_false(port_may_be(&a, &b));
}

/* The pairs of a map, each a key and one item. */
static void refuse(const char *pairs, size_t len, size_t count)
{
	struct port back;
	buffer_reset(&out);
	encode_map(&out, count);
	buffer_append(&out, pairs, len);
	assert_int_equal(read_back(&back), -EBADMSG);
	port_finish(&back);
}

static void maps_that_are_no_port_are_rejected(void **state)
{
#define REFUSE(count, pairs) refuse(pairs, sizeof pairs - 1, count)
	REFUSE(0, "");
	REFUSE(1, "\x64type\x65glass");
	REFUSE(1, "\x64type\x68playback");
	REFUSE(1, "\x64type\x01");
	REFUSE(2, "\x64type\x63tcp\x64host\x01");
	REFUSE(2, "\x64type\x63tcp\x64host\x63"
		  "a\0b");
	REFUSE(2, "\x64type\x63tcp\x66number\x1b\0\0\0\1\0\0\0\0");
	REFUSE(2, "\x64type\x63tcp\x66number\x61"
		  "5");
	REFUSE(2, "\x64type\x66serial\x66parity\x61X");
	REFUSE(2, "\x64type\x66serial\x64"
		  "flow\x64none"); /* left out in the canonical form */
	REFUSE(2, "\x64type\x66serial\x64loop\x01");
	REFUSE(2, "\x64type\x66serial\x67unit_id\x01");
	REFUSE(2, "\x64type\x66serial\x66serial"); /* cut off */
	REFUSE(3, "\x64type\x63tcp\x64host\x61"
		  "a\x64host\x61"
		  "b");
#undef REFUSE
}

static void the_table_is_sound(void **state)
{
	const struct port_key *key, *other;
	for (size_t i = 0; (key = port_key_at(i)) != NULL; i++) {
		assert_int_equal(key->required & ~key->links, 0);
		assert_true(key->min <= key->max);
		assert_true(key->key == NULL || key->help != NULL);
		assert_int_equal(
			key->words != NULL, key->type == PORT_CHOICE || key->type == PORT_SWITCH);
		assert_int_equal(key->forms != NULL, key->type == PORT_CHOICE);
		/* The same key or member twice only for different kinds. */
		for (size_t j = 0; j < i; j++) {
			other = port_key_at(j);
			if ((key->links & other->links) != 0 && key->of_unit == other->of_unit)
				assert_int_not_equal(key->offset, other->offset);
			if ((key->links & other->links) != 0 && key->key != NULL &&
				other->key != NULL)
				assert_string_not_equal(key->key, other->key);
			if (strcmp(key->name, other->name) == 0) {
				assert_int_equal(key->offset, other->offset);
				assert_int_equal(key->type, other->type);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(every_port_is_read_as_it_was_written),
		cmocka_unit_test(a_difference_in_any_key_makes_ports_differ),
		cmocka_unit_test(missing_keys_do_not_distinguish_usb_devices),
		cmocka_unit_test(hosts_are_equal_in_any_case_and_kinds_of_a_family_meet),
		cmocka_unit_test(maps_that_are_no_port_are_rejected),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	buffer_finish(&out);
	return failed;
}
