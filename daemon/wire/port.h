/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port and the instruments on it: what the configuration says, what the core tells a worker in
 * its first message, and what the worker opens.  Plain data; texts are owned by whoever made the
 * struct (the configuration, or the message it was read from).
 */
#ifndef ASSAY_WIRE_PORT_H
#define ASSAY_WIRE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum port_flow {
	PORT_FLOW_NONE,
	PORT_FLOW_RTSCTS,
	PORT_FLOW_XONXOFF,
};

/* Fields that do not belong to `kind` are zero. */
struct port {
	unsigned kind; /* one enum assay_link of <assay/driver.h> */

	const char *port; /* serial, modbus-rtu: the device file, best a by-id name */
	unsigned baud, data_bits, stop_bits;
	char parity; /* 'N', 'E', 'O' */
	enum port_flow flow;

	const char *host; /* tcp, udp, modbus-tcp, http */
	unsigned number;  /* the TCP or UDP port */

	unsigned vid, pid;  /* usb */
	const char *serial; /* iSerialNumber string to pick one of several; NULL: any */
	const char *path;   /* sysfs name such as "1-2.3"; NULL: any */
	unsigned interface, in, out;

	/* playback: the recording, of a link of `kind`, that stands in for the port; NULL: none */
	const char *playback;
	bool recorded_pace; /* at the recorded pace; else as fast as it goes */
	bool loop;          /* at the end from the beginning; else the port is over */

	unsigned open_ms;  /* limit for opening or connecting */
	unsigned reply_ms; /* Modbus: total deadline of one exchange */
};

enum unit_raw {
	UNIT_RAW_KEEP, /* the bytes and their hash-to-be: the default */
	UNIT_RAW_HASH, /* SHA-256 and size only */
	UNIT_RAW_OFF,
};

/* One instrument on a port. */
struct unit {
	const char *key;
	const char *driver;
	unsigned unit_id; /* Modbus */
	enum unit_raw raw;
	/* CBOR map name => setting as in the record format's `settings`, units already converted
	 * to those of the driver's table; a table is a list of rows, a row the list
	 * [name, value, name, value ...]. */
	const uint8_t *settings;
	size_t settings_len;
};

#endif
