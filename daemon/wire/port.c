/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/encode.h"
#include "record/keys.h"
#include "wire/payload.h"
#include "wire/port.h"

#define PLAYBACK   PORT_PLAYBACK
#define SERIAL     PORT_SERIAL
#define NETWORK    (ASSAY_LINK_TCP | ASSAY_LINK_UDP | ASSAY_LINK_HTTP | ASSAY_LINK_MODBUS_TCP)
#define MODBUS     (ASSAY_LINK_MODBUS_RTU | ASSAY_LINK_MODBUS_TCP)
#define OPEN_MS    5000
#define TIMEOUT_MS 600000 /* the longest */

static const struct port_kind kinds[] = {
	{ASSAY_LINK_SERIAL, "serial", .family = "serial", .is_shared = true},
	{ASSAY_LINK_USB, "usb", .family = "usb", .is_searched = true, .has_messages = true},
	{ASSAY_LINK_TCP, "tcp", .family = "tcp", .is_shared = true},
	{ASSAY_LINK_UDP, "udp", .family = "udp", .has_messages = true},
	{ASSAY_LINK_HTTP, "http", .family = "tcp", .is_http = true},
	{ASSAY_LINK_MODBUS_RTU, "modbus-rtu", .family = "serial", .is_modbus = true,
		.has_messages = true},
	{ASSAY_LINK_MODBUS_TCP, "modbus-tcp", .family = "tcp", .is_modbus = true,
		.has_messages = true},
	{ASSAY_LINK_FOLDER, "folder", .family = "folder", .is_folder = true, .has_messages = true},
	{PORT_PLAYBACK, "playback", .family = "playback"},
	{ASSAY_LINK_NONE, "none", .family = "none", .has_no_bytes = true},
};

static const char *const pace_words[] = {"fast", "recorded", NULL};
static const char *const end_words[] = {"stop", "loop", NULL};
static const char *const parity_words[] = {"none", "even", "odd", NULL};
static const char *const parity_forms[] = {"N", "E", "O"};
static const char *const flow_words[] = {"none", "rtscts", "xonxoff", NULL};
static const char *const flow_forms[] = {NULL, "rtscts", "xonxoff"};
static const char *const dtr_words[] = {"on", "off", "kept", NULL};
static const char *const dtr_forms[] = {NULL, "off", "kept"};
static const char *const rts_words[] = {"on", "off", NULL};
static const char *const rts_forms[] = {NULL, "off"};

static const char *const set_words[] = {"files", "folders", NULL};
static const char *const set_forms[] = {NULL, "folders"};
static const char *const framing_words[] = {"tcp", "rtu-over-tcp", NULL};
static const char *const framing_forms[] = {NULL, "rtu-over-tcp"};
static const char *const connection_words[] = {"kept", "per-request", NULL};
static const char *const connection_forms[] = {NULL, "per-request"};

#define AT(member)      #member, offsetof(struct port, member)
#define AT_UNIT(member) #member, offsetof(struct unit, member)

/* The order is that of the canonical form, whose hash is in every record of a run's start. */
static const struct port_key keys[] = {
	{"file", AT(playback), PORT_FILE, PLAYBACK, .required = PLAYBACK, .names_port = true,
		.help = "a recording made by assayctl capture"},
	{"pace", AT(recorded_pace), PORT_SWITCH, PLAYBACK, .words = pace_words,
		.help = "fast: replies come at once (the default); recorded: at their recorded "
			"times"},
	{"end", AT(loop), PORT_SWITCH, PLAYBACK, .words = end_words,
		.help = "at its end: stop (the default), or loop: from the start again"},

	{"port", AT(port), PORT_DEVICE, SERIAL, .required = SERIAL, .names_port = true,
		.help = "device file, best its name in /dev/serial/by-id, which stays the same"},
	{"baud", AT(baud), PORT_NUMBER, SERIAL, .required = SERIAL, .min = 50, .max = 4000000,
		.help = "bits per second"},
	{"data_bits", AT(data_bits), PORT_NUMBER, SERIAL, .min = 5, .max = 8, .fallback = 8,
		.help = "bits per character; default 8"},
	{"parity", AT(parity), PORT_CHOICE, SERIAL, .required = ASSAY_LINK_MODBUS_RTU,
		.words = parity_words, .forms = parity_forms,
		.help = "none, even or odd, as set at the instrument"},
	{"stop_bits", AT(stop_bits), PORT_NUMBER, SERIAL, .min = 1, .max = 2, .fallback = 1,
		.help = "default 1"},
	{"flow", AT(flow), PORT_CHOICE, ASSAY_LINK_SERIAL, .words = flow_words, .forms = flow_forms,
		.help = "flow control; default none"},
	{"dtr", AT(dtr), PORT_CHOICE, SERIAL, .words = dtr_words, .forms = dtr_forms,
		.help = "DTR after opening: on (the default), off, or kept: on, and left on when "
			"the port is closed"},
	{"rts", AT(rts), PORT_CHOICE, SERIAL, .words = rts_words, .forms = rts_forms,
		.help = "RTS after opening: on (the default) or off; not with flow: rtscts"},

	{"host", AT(host), PORT_HOST, NETWORK, .required = NETWORK, .names_port = true,
		.help = "its name or IP address"},
	{"port", AT(number), PORT_NUMBER, ASSAY_LINK_TCP | ASSAY_LINK_UDP,
		.required = ASSAY_LINK_TCP | ASSAY_LINK_UDP, .names_port = true, .min = 1,
		.max = 65535, .help = "the instrument's port number"},
	{"port", AT(number), PORT_NUMBER, ASSAY_LINK_HTTP, .names_port = true, .min = 1,
		.max = 65535, .fallback = 80, .help = "the instrument's port number; default 80"},
	{"port", AT(number), PORT_NUMBER, ASSAY_LINK_MODBUS_TCP, .names_port = true, .min = 1,
		.max = 65535, .fallback = 502, .help = "the instrument's port number; default 502"},

	{"vid", AT(vid), PORT_HEX, ASSAY_LINK_USB, .required = ASSAY_LINK_USB, .names_port = true,
		.min = 1, .max = 0xffff, .help = "USB vendor number, as lsusb shows it"},
	{"pid", AT(pid), PORT_HEX, ASSAY_LINK_USB, .required = ASSAY_LINK_USB, .names_port = true,
		.max = 0xffff, .help = "USB product number, as lsusb shows it"},
	{"serial", AT(serial), PORT_TEXT, ASSAY_LINK_USB, .names_port = true,
		.help = "USB serial text, to pick one of several equal devices"},
	{"path", AT(path), PORT_SOCKET, ASSAY_LINK_USB, .names_port = true,
		.help = "the socket such as 1-2.3, to pick one of several equal devices"},
	{"interface", AT(interface), PORT_NUMBER, ASSAY_LINK_USB, .max = 255,
		.help = "interface number"},
	{"in", AT(in), PORT_HEX, ASSAY_LINK_USB, .min = 0x81, .max = 0x8f,
		.help = "endpoint from the instrument"},
	{"out", AT(out), PORT_HEX, ASSAY_LINK_USB, .min = 0x01, .max = 0x0f,
		.help = "endpoint to the instrument"},
	{"stream", AT(stream), PORT_HEX, ASSAY_LINK_USB, .min = 0x81, .max = 0x8f,
		.help = "second endpoint from the instrument, such as of a stream of samples"},
	{"stream_2", AT(stream_2), PORT_HEX, ASSAY_LINK_USB, .min = 0x81, .max = 0x8f,
		.help = "third endpoint from the instrument"},
	{"out_2", AT(out_2), PORT_HEX, ASSAY_LINK_USB, .min = 0x01, .max = 0x0f,
		.help = "second endpoint to the instrument"},

	{"path", AT(folder), PORT_FILE, ASSAY_LINK_FOLDER, .required = ASSAY_LINK_FOLDER,
		.names_port = true, .help = "the folder, also of a mounted share; it is only read"},
	{"pattern", AT(pattern), PORT_TEXT, ASSAY_LINK_FOLDER, .names_port = true,
		.help = "names of data sets, such as '*.spa *.spg', in any case; default: all"},
	{"data_sets", AT(data_sets), PORT_CHOICE, ASSAY_LINK_FOLDER, .words = set_words,
		.forms = set_forms,
		.help = "files (the default), or folders: each with all files in it is one"},
	{"subfolders", AT(is_deep), PORT_BOOL, ASSAY_LINK_FOLDER,
		.help = "true: folders in the folder are searched, too; default false"},
	{"settle", AT(settle_ms), PORT_MS, ASSAY_LINK_FOLDER, .min = 100, .max = 86400000,
		.fallback = 10000,
		.help = "a data set is complete when it has not changed for this time, twice; "
			"default 10s"},
	{"poll", AT(poll_ms), PORT_MS, ASSAY_LINK_FOLDER, .min = 100, .max = TIMEOUT_MS,
		.fallback = 3000, .help = "time between two looks at the folder; default 3s"},

	{"open_timeout", AT(open_ms), PORT_MS,
		SERIAL | NETWORK | ASSAY_LINK_USB | ASSAY_LINK_FOLDER, .min = 100,
		.max = TIMEOUT_MS, .fallback = OPEN_MS,
		.help = "limit for opening or connecting; default 5s"},
	/* Not used by these, but part of their canonical form since its first version. */
	{NULL, AT(open_ms), PORT_MS, PLAYBACK | ASSAY_LINK_NONE, .fallback = OPEN_MS},
	{"reply_timeout", AT(reply_ms), PORT_MS, MODBUS | PLAYBACK, .min = 10, .max = TIMEOUT_MS,
		.fallback = 1000, .help = "limit for one whole reply; default 1s"},
	{"reply_timeout", AT(reply_ms), PORT_MS, ASSAY_LINK_SERIAL | ASSAY_LINK_TCP, .min = 10,
		.max = TIMEOUT_MS,
		.help = "of a line that several instruments share: the latest that a reply comes; "
			"default 1s"},
	{"pause", AT(pause_ms), PORT_MS, MODBUS, .min = 1, .max = TIMEOUT_MS,
		.help = "silence before each request, for instruments that need it; default none"},
	{"max_registers", AT(max_registers), PORT_NUMBER, MODBUS, .min = 1, .max = 125,
		.help = "the most registers that one request may read; default 125"},
	{"echo", AT(echo), PORT_BOOL, MODBUS | PLAYBACK,
		.help = "true if the adapter of an RS-485 line returns each request; default "
			"false"},
	{"framing", AT(framing), PORT_CHOICE, ASSAY_LINK_MODBUS_TCP | PLAYBACK,
		.words = framing_words, .forms = framing_forms,
		.help = "tcp (the default), or rtu-over-tcp: a device server that passes the "
			"frames of a serial line through"},
	{"connection", AT(connection), PORT_CHOICE, ASSAY_LINK_TCP | ASSAY_LINK_MODBUS_TCP,
		.words = connection_words, .forms = connection_forms,
		.help = "kept (the default), or per-request: connects before each exchange and "
			"closes after it"},
	{"faults", AT(faults), PORT_TEXT, SERIAL | NETWORK | ASSAY_LINK_USB | PLAYBACK,
		.help = "spoils the bytes of a simulated instrument: 'delay=200ms drop=0.01 "
			"corrupt=0.01 truncate=0.01 rate=960 seed=1', any of these"},

	{"unit_id", AT_UNIT(unit_id), PORT_NUMBER, ASSAY_LINK_MODBUS_RTU,
		.required = ASSAY_LINK_MODBUS_RTU, .of_unit = true, .min = 1, .max = 247,
		.help = "the instrument's Modbus address"},
	{"unit_id", AT_UNIT(unit_id), PORT_NUMBER, ASSAY_LINK_MODBUS_TCP, .of_unit = true,
		.max = 255, .fallback = 1, .help = "the instrument's Modbus address; default 1"},
	{"unit_id", AT_UNIT(unit_id), PORT_NUMBER, PLAYBACK, .of_unit = true, .max = 255,
		.help = "the Modbus address; default as recorded"},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])
#define KEY_COUNT  (sizeof keys / sizeof keys[0])

static_assert(sizeof(enum port_parity) == sizeof(unsigned) &&
		      sizeof(enum port_flow) == sizeof(unsigned) &&
		      sizeof(enum port_dtr) == sizeof(unsigned) &&
		      sizeof(enum port_rts) == sizeof(unsigned) &&
		      sizeof(enum port_framing) == sizeof(unsigned) &&
		      sizeof(enum port_data_sets) == sizeof(unsigned) &&
		      sizeof(enum port_connection) == sizeof(unsigned),
	"every member that is not a text is stored as unsigned");

/* --- the table -------------------------------------------------------------------------------- */

const struct port_kind *port_kind_at(size_t i)
{
	return i < KIND_COUNT ? &kinds[i] : NULL;
}

const struct port_key *port_key_at(size_t i)
{
	return i < KEY_COUNT ? &keys[i] : NULL;
}

const struct port_kind *port_kind_of(unsigned link)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (kinds[i].link == (link & ~(unsigned)ASSAY_LINK_SHARED))
			return &kinds[i];
	return NULL;
}

const struct port_kind *port_kind_named(struct assay_string name)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (assay_string_is(name, kinds[i].name))
			return &kinds[i];
	return NULL;
}

const struct port_kind *port_kind(const struct port *port)
{
	return port_kind_of(port->playback != NULL ? PORT_PLAYBACK : port->kind);
}

bool port_kind_fits(const struct port_kind *kind, unsigned links)
{
	if (kind->link == PORT_PLAYBACK)
		return (links & ~(unsigned)ASSAY_LINK_NONE) != 0; /* all others have bytes */
	return (links & kind->link) != 0;
}

bool port_kind_is_shared(const struct port_kind *kind, unsigned links)
{
	return kind->is_shared && (links & ASSAY_LINK_SHARED) != 0;
}

static bool is_text(const struct port_key *key)
{
	return key->type <= PORT_SOCKET;
}

static const char **text_of(const struct port *port, const struct port_key *key)
{
	return (const char **)((char *)port + key->offset);
}

static unsigned *number_of(const struct port *port, const struct port_key *key)
{
	return (unsigned *)((char *)port + key->offset);
}

/* --- ports ------------------------------------------------------------------------------------ */

void port_init(struct port *port, struct unit *unit, const struct port_kind *kind)
{
	*port = (struct port){.kind = kind->link};
	for (const struct port_key *key = keys; key < keys + KEY_COUNT; key++) {
		if ((key->links & kind->link) == 0 || is_text(key))
			continue;
		if (!key->of_unit)
			*number_of(port, key) = key->fallback;
		else if (unit != NULL)
			*(unsigned *)((char *)unit + key->offset) = key->fallback;
	}
}

static bool is_same(const struct port *a, const struct port *b, const struct port_key *key)
{
	if (!is_text(key))
		return *number_of(a, key) == *number_of(b, key);
	const char *x = *text_of(a, key), *y = *text_of(b, key);
	if (x == NULL || y == NULL)
		return x == y;
	return (key->type == PORT_HOST ? strcasecmp(x, y) : strcmp(x, y)) == 0;
}

bool port_is_equal(const struct port *a, const struct port *b)
{
	bool equal = a->kind == b->kind;
	for (const struct port_key *key = keys; equal && key < keys + KEY_COUNT; key++)
		equal = key->of_unit || is_same(a, b, key);
	return equal;
}

bool port_may_be(const struct port *a, const struct port *b)
{
	const struct port_kind *kind = port_kind(a);
	bool may_be = false; /* a port that no key names is never another one */
	if (strcmp(kind->family, port_kind(b)->family) != 0)
		return false;
	for (const struct port_key *key = keys; key < keys + KEY_COUNT; key++) {
		if (!key->names_port || (key->links & kind->link) == 0)
			continue;
		bool is_absent = is_text(key) &&
				 (*text_of(a, key) == NULL || *text_of(b, key) == NULL);
		if (!is_absent && !is_same(a, b, key))
			return false;
		may_be = true;
	}
	return may_be;
}

/* --- canonical form and messages -------------------------------------------------------------- */

void port_write(struct map *map, const struct port *port)
{
	const struct port_kind *kind = port_kind(port);
	map_text(map, "type", port_kind_of(port->kind)->name);
	for (const struct port_key *key = keys; key < keys + KEY_COUNT; key++) {
		if (key->of_unit || (key->links & kind->link) == 0)
			continue;
		if (is_text(key))
			map_text(map, key->name, *text_of(port, key));
		else if (key->type == PORT_CHOICE)
			map_text(map, key->name, key->forms[*number_of(port, key)]);
		else if (key->type == PORT_BOOL && *number_of(port, key) != 0)
			map_bool(map, key->name, true);
		else if (key->type == PORT_SWITCH)
			map_bool(map, key->name, *number_of(port, key) != 0);
		else if (*number_of(port, key) != 0)
			map_uint(map, key->name, *number_of(port, key));
	}
}

static int read_kind(struct reader *r, const struct key *key, void *to)
{
	struct assay_string name;
	size_t at = r->at;
	if (read_text(r, &name) < 0)
		return r->error;
	const struct port_kind *kind = port_kind_named(name);
	if (kind == NULL || kind->link == PORT_PLAYBACK)
		return read_fail(r, at, "must be a type of link");
	*(unsigned *)to = kind->link;
	return 0;
}

static int read_choice(struct reader *r, const struct key *key, void *to)
{
	struct assay_string text;
	size_t at = r->at;
	const struct port_key *choice = keys;
	while (strcmp(choice->name, key->name) != 0)
		choice++;
	if (read_text(r, &text) < 0)
		return r->error;
	for (unsigned i = 0; choice->words[i] != NULL; i++) {
		if (choice->forms[i] != NULL && assay_string_is(text, choice->forms[i])) {
			*(unsigned *)to = i;
			return 0;
		}
	}
	return read_fail(r, at, "must be a word of '%s'", choice->key);
}

int port_read(struct reader *r, struct port *port)
{
	struct key rows[KEY_COUNT + 2] = {{"type", KEY_OTHER, .required = true,
		KEY_AT(struct port, kind), .read = read_kind}};
	struct key *row = rows + 1;
	*port = (struct port){0};
	for (const struct port_key *key = keys; key < keys + KEY_COUNT; key++) {
		if (key->of_unit)
			continue;
		bool is_choice = key->type == PORT_CHOICE;
		bool is_bool = key->type == PORT_SWITCH || key->type == PORT_BOOL;
		enum key_type type = is_choice || is_text(key) ? KEY_OTHER
				     : is_bool                 ? KEY_BOOL /* the low byte */
							       : KEY_UINT;
		*row++ = (struct key){key->name, type, .at = (uint32_t)key->offset,
			.size = sizeof(unsigned),
			.read = is_choice ? read_choice : payload_read_owned};
	}
	return keys_read(r, &(struct keys){.rows = rows}, port, NULL);
}

void port_finish(struct port *port)
{
	for (const struct port_key *key = keys; key < keys + KEY_COUNT; key++) {
		if (is_text(key)) {
			free((char *)*text_of(port, key));
			*text_of(port, key) = NULL;
		}
	}
}
