/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A port, the instruments on it, and the table of all kinds of link with their keys.
 *
 * From the table follow the keys of `link:` in YAML with their ranges, defaults and help, the
 * names of ports, the canonical form, the message to the worker, comparison and freeing.  A new
 * kind of link is rows in port.c, a file in worker/link/, and a row in worker/link/link.c.
 *
 * The structs are plain data; their texts belong to the configuration or to the message that
 * they were read from.
 */
#ifndef ASSAY_WIRE_PORT_H
#define ASSAY_WIRE_PORT_H

#include <assay/driver.h>
#include <assay/record.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map;
struct reader;

/* The kind `playback`, next to those of enum assay_link: a recording in place of any of them. */
#define PORT_PLAYBACK (1u << 30)

/* Kinds by the device behind them. */
#define PORT_USB    ((unsigned)ASSAY_LINK_USB)
#define PORT_SERIAL ((unsigned)(ASSAY_LINK_SERIAL | ASSAY_LINK_MODBUS_RTU))

enum port_parity {
	PORT_PARITY_NONE,
	PORT_PARITY_EVEN,
	PORT_PARITY_ODD,
};

enum port_flow {
	PORT_FLOW_NONE,
	PORT_FLOW_RTSCTS,
	PORT_FLOW_XONXOFF,
};

enum port_dtr {
	PORT_DTR_ON,
	PORT_DTR_OFF,
	PORT_DTR_KEPT, /* on, and left on when the port is closed */
};

enum port_rts {
	PORT_RTS_ON,
	PORT_RTS_OFF,
};

enum port_framing {
	PORT_FRAMING_TCP,
	PORT_FRAMING_RTU, /* a device server passes the frames of a line through */
};

enum port_data_sets {
	PORT_DATA_SETS_FILES,
	PORT_DATA_SETS_FOLDERS,
};

enum port_connection {
	PORT_CONNECTION_KEPT,
	PORT_CONNECTION_PER_REQUEST, /* made before each exchange and closed after it */
};

/* Members that do not belong to the kind are zero.  Each is a text or has the size of unsigned. */
struct port {
	unsigned kind; /* one enum assay_link */

	const char *port; /* serial, modbus-rtu: the device file, best a by-id name */
	unsigned baud, data_bits, stop_bits;
	enum port_parity parity;
	enum port_flow flow;
	enum port_dtr dtr;
	enum port_rts rts;

	const char *host; /* tcp, udp, modbus-tcp, http */
	unsigned number;  /* the TCP or UDP port */

	unsigned vid, pid;  /* usb */
	const char *serial; /* iSerialNumber string to pick one of several; NULL: any */
	const char *path;   /* sysfs name such as "1-2.3"; NULL: any */
	unsigned interface, in, out, stream, stream_2, out_2;

	const char *folder, *pattern;  /* folder: its path, and the names of data sets; NULL: all */
	enum port_data_sets data_sets; /* what a data set is */
	unsigned is_deep;              /* 1: folders in the folder are searched, too */
	unsigned settle_ms, poll_ms;
	struct assay_span taken; /* folder, in the worker: as of struct wire_setup; borrowed */

	/* playback: the recording, of a link of `kind`, in place of the port; NULL: none */
	const char *playback;
	unsigned recorded_pace; /* 1: at the recorded pace; 0: as fast as possible */
	unsigned loop;          /* 1: from the start again at the end; 0: the port is lost then */

	const char *faults; /* of a simulated instrument's link, wire/faults.h; NULL: none */

	unsigned open_ms;                /* limit for opening or connecting */
	enum port_connection connection; /* tcp, modbus-tcp */
	/* Modbus */
	unsigned reply_ms;      /* total deadline of one exchange */
	unsigned pause_ms;      /* silence before each request */
	unsigned max_registers; /* of one request; 0: as the protocol */
	unsigned echo;          /* 1: the adapter returns each request */
	enum port_framing framing;
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
	const char *technique; /* NULL: not known */
	unsigned unit_id;      /* Modbus */
	enum unit_raw raw;
	/*
	 * CBOR map name => setting as in the record format's `settings`, units already converted
	 * to those of the driver's table; a table is a list of rows, a row the list
	 * [name, value, name, value ...].
	 */
	const uint8_t *settings;
	size_t settings_len;
};

/* --- the table -------------------------------------------------------------------------------- */

struct port_kind {
	unsigned link;      /* enum assay_link, or PORT_PLAYBACK */
	const char *name;   /* `type:` in YAML, "serial", "modbus-tcp" ... */
	const char *family; /* start of the ports' names: kinds of one family share their ports */
	bool is_searched;   /* the device is searched for: `port` is no path of it */
	bool is_modbus;     /* several instruments may be on one port, with different unit_id */
	bool is_folder;     /* the driver reads files */
	bool is_http;       /* the driver sends requests, each with a connection of its own */
	bool is_shared;     /* so may those of drivers with ASSAY_LINK_SHARED */
	bool has_messages;  /* the bytes of one send or receive belong together */
	bool has_no_bytes;  /* generators in tests and benchmarks */
};

enum port_type {
	PORT_TEXT = 1, /* const char * */
	PORT_FILE,     /* const char *: an absolute path */
	PORT_DEVICE,   /* const char *: the same, of a device that may be unplugged */
	PORT_HOST,     /* const char *: a host name or address, in any case */
	PORT_SOCKET,   /* const char *: a USB socket such as "1-2.3" */
	PORT_NUMBER,   /* unsigned: `min` ... `max` */
	PORT_HEX,      /* the same, in hexadecimal */
	PORT_MS,       /* unsigned: milliseconds, written as a time */
	PORT_BOOL,     /* unsigned: 0 or 1, written as false or true */
	PORT_CHOICE,   /* enum: the index in `words` */
	PORT_SWITCH,   /* unsigned: 0 for the first of two `words`, 1 for the second */
};

/* A key that several kinds have with other ranges or defaults has several rows. */
struct port_key {
	const char *key;  /* in YAML; NULL: cannot be set */
	const char *name; /* in the canonical form and in messages, and of the member */
	size_t offset;    /* in struct port, or with `of_unit` in struct unit */
	enum port_type type;
	unsigned links;    /* the kinds that have it */
	unsigned required; /* those of them that must have it */
	bool names_port;   /* part of the port's name; else it is only how the port is used */
	bool of_unit;      /* of one instrument on the port */
	unsigned min, max, fallback;
	const char *const *words; /* ends with NULL */
	const char *const *forms; /* in the canonical form, as many; NULL there: left out */
	const char *help;
};

/* i = 0, 1 ... until NULL; the keys in the order of the canonical form. */
const struct port_kind *port_kind_at(size_t i);
const struct port_key *port_key_at(size_t i);

/* The kind of the one link in these bits or PORT_PLAYBACK, of a name, of a port; NULL: there is none. */
const struct port_kind *port_kind_of(unsigned link);
const struct port_kind *port_kind_named(struct assay_string name);
const struct port_kind *port_kind(const struct port *port); /* PORT_PLAYBACK for a recording */

/* Whether a driver with these links (bits of enum assay_link) can have this kind, or share it. */
bool port_kind_fits(const struct port_kind *kind, unsigned links);
bool port_kind_is_shared(const struct port_kind *kind, unsigned links);

/* --- ports ------------------------------------------------------------------------------------ */

/* Sets everything to the defaults of the kind.  `unit` may be NULL; only its keys are set. */
void port_init(struct port *port, struct unit *unit, const struct port_kind *kind);

/* Whether the ports are the same and used in the same way. */
bool port_is_equal(const struct port *a, const struct port *b);

/* Whether they can be one device: all keys that name a port are equal, or absent in one of them. */
bool port_may_be(const struct port *a, const struct port *b);

/* Appends the pairs of the canonical form to an open map. */
void port_write(struct map *map, const struct port *port);

/*
 * Reads a map of those pairs.  The texts are owned: port_finish(), after an error too.  Returns 0,
 * -EBADMSG or -ENOMEM.
 */
int port_read(struct reader *r, struct port *port);
void port_finish(struct port *port);

#endif
