/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Equal USB devices, devices without a serial number, exchanged ones: which of those that are plugged
 * in a port opens.  There are no nodes, so that the message of the failure names the one that it chose.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <umockdev.h>

#include <assay/driver.h>

#include "worker/link/link.h"

#define VENDOR  0x10c4
#define PRODUCT 0x842a

/* The plugged-in devices; their number on the bus is the place in this table. */
static const struct device {
	char letter; /* in the cases */
	const char *path, *product, *serial;
} devices[] = {
	{'A', "1-1", "842a", "S1"},
	{'B', "1-2", "842a", "S2"},
	{'c', "1-3", "842a", NULL},  /* it has no serial number */
	{'C', "1-4", "842a", NULL},  /* and neither has its twin */
	{'D', "1-5", "842a", "S1"},  /* a clone: the number of A */
	{'X', "1-6", "842b", "S1"},  /* another product */
	{'a', "1-7", "842a", "S10"}, /* a longer number */
	{'e', "1-8", "842a", ""},
};

#define DEVICES (sizeof devices / sizeof devices[0])

static const struct {
	const char *plugged;       /* letters */
	const char *serial, *path; /* of the port; NULL: not configured */
	char expected;             /* letter; '0': none, '+': more than one */
} cases[] = {
	{"", NULL, NULL, '0'},
	{"A", NULL, NULL, 'A'},
	{"AX", NULL, NULL, 'A'},
	{"X", NULL, NULL, '0'},
	{"AB", NULL, NULL, '+'},
	{"AB", "S2", NULL, 'B'},
	{"BA", "S1", NULL, 'A'},
	{"B", "S1", NULL, '0'}, /* exchanged */
	{"aB", "S1", NULL, '0'},
	{"X", "S1", NULL, '0'},
	{"AD", "S1", NULL, '+'},
	{"AD", "S1", "1-5", 'D'},
	{"AD", NULL, "1-1", 'A'},
	{"B", "S1", "1-2", '0'}, /* another unit in the right socket */
	{"A", "S1", "1-2", '0'}, /* the right unit in another socket */
	{"c", NULL, NULL, 'c'},
	{"c", "S1", NULL, '0'}, /* no serial number is never the configured one */
	{"e", "S1", NULL, '0'},
	{"cA", "S1", NULL, 'A'},
	{"cA", NULL, NULL, '+'},
	{"cC", NULL, NULL, '+'},
	{"cC", NULL, "1-4", 'C'},
	{"c", NULL, "1-4", '0'}, /* its twin was there */
	{"cCAaBDeX", "S2", NULL, 'B'},
};

static UMockdevTestbed *plug(const char *letters)
{
	UMockdevTestbed *testbed = umockdev_testbed_new();
	/* The folder of all devices exists, with a hub that is another product. */
	g_free(umockdev_testbed_add_device(
		testbed, "usb", "usb1", NULL, "idVendor", "1d6b", "idProduct", "0002", NULL, NULL));
	for (size_t i = 0; i < DEVICES; i++) {
		char number[8];
		if (strchr(letters, devices[i].letter) == NULL)
			continue;
		snprintf(number, sizeof number, "%zu", i + 1);
		g_free(umockdev_testbed_add_device(testbed, "usb", devices[i].path, NULL,
			"idVendor", "10c4", "idProduct", devices[i].product, "busnum", "1",
			"devnum", number, devices[i].serial != NULL ? "serial" : NULL,
			devices[i].serial, NULL, NULL));
	}
	return testbed;
}

static void check_case(size_t i)
{
	char expected[80];
	struct port port;
	struct link link = {0};
	UMockdevTestbed *testbed = plug(cases[i].plugged);
	port_init(&port, NULL, port_kind_of(ASSAY_LINK_USB));
	port.vid = VENDOR;
	port.pid = PRODUCT;
	port.serial = cases[i].serial;
	port.path = cases[i].path;
	port.in = 0x81;
	port.out = 0x02;
	int r = link_open(&link, &port);
	if (cases[i].expected == '0') {
		snprintf(expected, sizeof expected, "there is no USB device 10c4:842a");
		assert_int_equal(r, -ENODEV);
	} else if (cases[i].expected == '+') {
		snprintf(expected, sizeof expected, "there is more than one USB device 10c4:842a");
		assert_int_equal(r, -ENOTUNIQ);
	} else {
		size_t k = 0;
		while (devices[k].letter != cases[i].expected)
			k++;
		snprintf(expected, sizeof expected, "cannot open /dev/bus/usb/001/%03zu", k + 1);
		assert_int_equal(r, -ENOENT);
	}
	if (strncmp(link.why, expected, strlen(expected)) != 0)
		fail_msg("case %zu, devices %s: expected %s, found %s", i, cases[i].plugged,
			expected, link.why);
	link_close(&link);
	g_object_unref(testbed);
}

static void a_port_opens_its_own_device_or_none(void **state)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check_case(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_opens_its_own_device_or_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
