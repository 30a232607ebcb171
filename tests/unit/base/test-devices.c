/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that udev reports, on the real loop; umockdev plays udev, and sends "add" for each device that is made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <umockdev.h>

#include "base/clock.h"
#include "base/event-loop.h"
#include "base/loop.h"

static UMockdevTestbed *testbed;
static struct loop *loop;
static unsigned seen;

static void on_device(void *arg)
{
	seen++;
	loop_stop(loop, 0);
}

static void on_time(void *arg)
{
	loop_stop(loop, 1);
}

/* Runs until a device is seen (0), or for so long (1). */
static int wait_device(uint64_t ns)
{
	struct loop_source *timer;
	assert_int_equal(loop_add_timer(loop, &timer, on_time, NULL), 0);
	loop_set_timer(timer, ns);
	int r = loop_run(loop);
	loop_drop(timer);
	return r;
}

static void new_serial_and_usb_devices_are_seen(void **state)
{
	const char *const none[] = {NULL};
	const char *const usb[] = {"DEVTYPE", "usb_device", NULL};
	struct loop_source *devices;
	testbed = umockdev_testbed_new();
	assert_int_equal(event_loop_open(&loop), 0);
	assert_int_equal(loop_add_devices(loop, &devices, on_device, NULL), 0);

	char *tty = umockdev_testbed_add_devicev(testbed, "tty", "ttyUSB0", NULL,
		(char **)(uintptr_t)none, (char **)(uintptr_t)none);
	assert_non_null(tty);
	assert_int_equal(wait_device(10 * NS_PER_S), 0);
	char *device = umockdev_testbed_add_devicev(
		testbed, "usb", "1-2", NULL, (char **)(uintptr_t)none, (char **)(uintptr_t)usb);
	assert_int_equal(wait_device(10 * NS_PER_S), 0);

	/* Removal, and devices of other kinds, are not. */
	seen = 0;
	umockdev_testbed_uevent(testbed, tty, "remove");
	char *disk = umockdev_testbed_add_devicev(
		testbed, "block", "sda", NULL, (char **)(uintptr_t)none, (char **)(uintptr_t)none);
	umockdev_testbed_uevent(testbed, device, "bind"); /* comes after them */
	assert_int_equal(wait_device(10 * NS_PER_S), 0);
	assert_int_equal(wait_device(50 * NS_PER_MS), 1);
	assert_int_equal(seen, 1);
	loop_drop(devices);
	loop_close(loop);
	g_free(tty);
	g_free(device);
	g_free(disk);
	g_object_unref(testbed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_serial_and_usb_devices_are_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
