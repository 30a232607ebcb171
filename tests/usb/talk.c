/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usb-talk VID PID: a host that carries out each line of its standard input at the device, and answers by
 * one line in hexadecimal, or "error" and its name:
 *
 *	out ADDRESS BYTES       a transfer to the device
 *	in ADDRESS              one packet
 *	die ADDRESS             it is killed while a transfer to the host is under way
 *	control SETUP           a control transfer to the host, as its 8 bytes announce it
 */
#include <libusb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS   5000
#define BYTES_MAX 4096
#define PACKET    64

static libusb_device_handle *device;

static int read_hex(const char *hex, uint8_t *to)
{
	int n = 0;
	for (unsigned byte; n < BYTES_MAX && sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
		to[n] = (uint8_t)byte;
	return n;
}

/* By the endpoint's own type. */
static int move(unsigned address, uint8_t *data, int len, int *moved)
{
	struct libusb_config_descriptor *config;
	bool is_interrupt = false;
	int r = libusb_get_active_config_descriptor(libusb_get_device(device), &config);
	if (r < 0)
		return r;
	const struct libusb_interface_descriptor *interface = config->interface[0].altsetting;
	for (int i = 0; i < interface->bNumEndpoints; i++)
		if (interface->endpoint[i].bEndpointAddress == address)
			is_interrupt = (interface->endpoint[i].bmAttributes & 3) ==
				       LIBUSB_TRANSFER_TYPE_INTERRUPT;
	libusb_free_config_descriptor(config);
	return is_interrupt
		       ? libusb_interrupt_transfer(
				 device, (uint8_t)address, data, len, moved, WAIT_MS)
		       : libusb_bulk_transfer(device, (uint8_t)address, data, len, moved, WAIT_MS);
}

static void LIBUSB_CALL ignore(struct libusb_transfer *transfer)
{
}

static int die(unsigned address, uint8_t *data)
{
	struct libusb_transfer *t = libusb_alloc_transfer(0);
	libusb_fill_bulk_transfer(t, device, (uint8_t)address, data, PACKET, ignore, NULL, 0);
	int r = libusb_submit_transfer(t);
	if (r == 0)
		raise(SIGKILL);
	return r;
}

static int carry_out(const char *line, uint8_t *data, int *len)
{
	unsigned address;
	int at = 0;
	if (sscanf(line, "out %x %n", &address, &at) == 1 && at > 0)
		return move(address, data, read_hex(line + at, data), len);
	if (sscanf(line, "in %x", &address) == 1)
		return move(address, data, PACKET, len);
	if (sscanf(line, "die %x", &address) == 1)
		return die(address, data);
	if (strncmp(line, "control ", 8) != 0 || read_hex(line + 8, data) != 8)
		return LIBUSB_ERROR_INVALID_PARAM;
	*len = libusb_control_transfer(device, data[0], data[1], (uint16_t)(data[2] | data[3] << 8),
		(uint16_t)(data[4] | data[5] << 8), data, (uint16_t)(data[6] | data[7] << 8),
		WAIT_MS);
	return *len < 0 ? *len : 0;
}

int main(int argc, char **argv)
{
	static char line[2 * BYTES_MAX];
	static uint8_t data[65536];
	if (argc != 3 || libusb_init(NULL) < 0)
		return 2;
	device = libusb_open_device_with_vid_pid(
		NULL, (uint16_t)strtoul(argv[1], NULL, 16), (uint16_t)strtoul(argv[2], NULL, 16));
	if (device == NULL || libusb_claim_interface(device, 0) < 0)
		return 1;
	setvbuf(stdin, NULL, _IONBF, 0); /* leaves further lines to a successor */
	while (fgets(line, sizeof line, stdin) != NULL) {
		int len = 0, r = carry_out(line, data, &len);
		if (r < 0)
			printf("error %s", libusb_error_name(r));
		for (int i = 0; r == 0 && i < len; i++)
			printf("%02x", data[i]);
		puts("");
		fflush(stdout);
	}
	libusb_release_interface(device, 0);
	libusb_close(device);
	libusb_exit(NULL);
	return 0;
}
