/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording: all bytes of one link, with times and directions.  docs/capture-format.md has the
 * format to the byte.
 *
 *	head     "ASSAYCAP", u16 version, u16 zero, u32 size; a CBOR map of that size; u32 CRC-32C
 *	record   u32 size, u8 kind, u8 channel, u16 zero, u64 time; the bytes; u32 CRC-32C
 *	...
 *	END      the last record; without it the file is not whole
 *
 * Everything is little-endian.  Times are CLOCK_BOOTTIME in nanoseconds; the head has one moment on
 * both clocks.  A checksum covers all bytes of its head or record before it.
 */
#ifndef ASSAY_CAPTURE_CAPTURE_H
#define ASSAY_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_MAGIC       "ASSAYCAP"
#define CAPTURE_VERSION     1
#define CAPTURE_HEAD_BYTES  16 /* before the map */
#define CAPTURE_SUM_BYTES   4
#define CAPTURE_MAP_MAX     65536
#define CAPTURE_ROW_BYTES   16 /* before a record's bytes */
#define CAPTURE_DATA_MAX    65536
#define CAPTURE_RECORD_MAX  (CAPTURE_ROW_BYTES + CAPTURE_DATA_MAX + CAPTURE_SUM_BYTES)
#define CAPTURE_UNITS_MAX   64
#define CAPTURE_TEXT_MAX    255
#define CAPTURE_COUNT_BYTES 16 /* the bytes of MISSING: u64 records, u64 bytes */

enum capture_kind {
	CAPTURE_OUT = 1, /* to the instrument; for usb and udp one transfer or datagram */
	CAPTURE_IN,      /* from the instrument, in the pieces received; for usb and udp as above */
	CAPTURE_OPENED,  /* the port was opened: a connection starts */
	CAPTURE_LOST,    /* the connection ended; the bytes are a text, the reason */
	CAPTURE_MISSING, /* so many records and bytes are missing here */
	CAPTURE_END,     /* of the recording; the bytes are a text, the reason */
};

struct capture_record {
	enum capture_kind kind;
	unsigned channel; /* usb: the endpoint's address; else 0 */
	uint64_t mono;
	const uint8_t *data; /* borrowed */
	size_t len;
};

/* An instrument on the recorded port.  Texts are "" if not known. */
struct capture_unit {
	char key[33], driver[33];
	char make[65], model[65], serial[65], fw[65];
	unsigned unit_id; /* Modbus */
	bool simulated;
};

/* The head.  `unit` is the index of the instrument for which the capture was requested. */
struct capture_head {
	char site[33], node[33], version[33]; /* of the daemon */
	char link[33];                        /* "serial", "modbus-tcp" ... */
	uint64_t utc, mono;                   /* one moment on both clocks: the start */
	struct capture_unit units[CAPTURE_UNITS_MAX];
	size_t unit_count, unit;
};

/* "out", "in", "opened" ...; NULL for other numbers. */
const char *capture_kind_name(unsigned kind);

#endif
