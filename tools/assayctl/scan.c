/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan: what is plugged in, and on request which instruments reply.  The output is YAML: comments, and
 * the instruments that were found.  Without a request nothing is opened; a port of the daemon never is.
 */
#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/clock.h"
#include "catalog.h"
#include "print.h"
#include "record/text.h"
#include "scan.h"

#define ASK_MODBUS    5 /* seconds */
#define ASK_OTHER     20
#define SECONDS       120
#define UNIT_MAX      247
#define UNITS_OF_LINE 32
#define MODBUS_PORT   "502"
#define HTTP_PORT     80

/* --- output ----------------------------------------------------------------------------------- */

static void print_device(FILE *to, const struct scan_device *d)
{
	fprintf(to, "#   %s", d->is_serial ? (d->by_id[0] != '\0' ? d->by_id : d->port) : d->path);
	if (d->is_serial && d->by_id[0] != '\0')
		fprintf(to, " (%s)", d->port);
	if (d->has_usb)
		fprintf(to, ": %04x:%04x %s %s%s%s", d->vid, d->pid, d->make, d->product,
			d->serial[0] != '\0' ? ", serial " : "", d->serial);
	fputc('\n', to);
}

static void print_answer(const struct device_scan *scan, const char *place, const char *name,
	const struct scan_answer *answer)
{
	if (answer->is_identity && answer->is_declared)
		fprintf(scan->out,
			"# %s: %s: found no fault, but such instruments have no identity\n", place,
			name);
	else if (answer->is_identity)
		fprintf(scan->out, "# %s: %s: make %s, model %s, serial %s, firmware %s\n", place,
			name, answer->make, answer->model, answer->serial, answer->fw);
	else
		fprintf(scan->out, "# %s: %s: %s\n", place, name, answer->text);
	fflush(scan->out);
}

/* Drivers and profiles that have this kind of link, as one comment. */
static void print_candidates(const struct device_scan *scan, unsigned link, const char *title)
{
	fprintf(scan->out, "# %s", title);
	for (size_t i = 0; i < scan->catalog->count; i++)
		if ((scan->catalog->drivers[i].links & link) != 0)
			fprintf(scan->out, " %s", scan->catalog->drivers[i].name);
	for (size_t i = 0; i < scan->profile_count; i++) {
		const struct catalog_driver *driver = catalog_find(
			scan->catalog, scan->profiles[i].facts.driver);
		if (driver != NULL && (driver->links & link) != 0)
			fprintf(scan->out, " %s", scan->profiles[i].name);
	}
	fputc('\n', scan->out);
}

/* --- names ------------------------------------------------------------------------------------ */

/* Profiles of a folder: by their path, or by their name if it is that of the installed ones. */
static void read_profiles(struct device_scan *scan, const char *folder)
{
	char pattern[PATH_MAX], real[PATH_MAX];
	glob_t found;
	const char *dir = folder != NULL ? realpath(folder, real) : config_profile_dir();
	snprintf(pattern, sizeof pattern, "%s/*.yaml", dir != NULL ? dir : "");
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && scan->profile_count < SCAN_PROFILES_MAX; i++) {
		const char *path = found.gl_pathv[i], *base = strrchr(path, '/') + 1;
		struct scan_profile *profile = &scan->profiles[scan->profile_count];
		struct config_errors errors = {0};
		int len = (int)(strlen(base) - strlen(".yaml"));
		if (config_read_profile(path, &profile->facts, &errors) == 0) {
			scan->profile_count++;
			if (folder != NULL)
				snprintf(profile->name, sizeof profile->name, "%s", path);
			else
				snprintf(profile->name, sizeof profile->name, "%.*s", len, base);
		}
		config_errors_finish(&errors);
	}
	globfree(&found);
}

/* A name of --driver: the driver, and the profile's name or NULL; NULL after a message. */
static const struct catalog_driver *find_name(
	const struct device_scan *scan, const char *name, const char **profile)
{
	const struct catalog_driver *driver = catalog_find(scan->catalog, name);
	struct config_profile facts;
	struct config_errors errors = {0};
	*profile = NULL;
	if (driver != NULL)
		return driver;
	if (config_read_profile(name, &facts, &errors) == 0)
		driver = catalog_find(scan->catalog, facts.driver);
	if (driver == NULL)
		fprintf(stderr, "assayctl: there is no driver or profile %s\n", name);
	config_errors_finish(&errors);
	*profile = name;
	return driver;
}

/* The driver with the device's USB numbers; NULL: there is none. */
static const struct catalog_driver *driver_of(
	const struct device_scan *scan, const struct scan_device *device)
{
	unsigned vid, pid;
	for (size_t i = 0; i < scan->catalog->count; i++) {
		const struct catalog_driver *driver = &scan->catalog->drivers[i];
		if (device->has_usb && scan_usb_numbers(driver, &vid, &pid) && device->vid == vid &&
			device->pid == pid)
			return driver;
	}
	return NULL;
}

/* --- devices ---------------------------------------------------------------------------------- */

static const char *used_port(const struct device_scan *scan, const char *port)
{
	char name[SCAN_TEXT + 10];
	snprintf(name, sizeof name, "serial:%s", port);
	return scan_used(scan, name);
}

static void list_ports(const struct device_scan *scan)
{
	bool has_any = false;
	fputs("# serial ports, none was opened\n", scan->out);
	for (size_t i = 0; i < scan->device_count; i++) {
		const struct scan_device *d = &scan->devices[i];
		if (!d->is_serial)
			continue;
		has_any = true;
		print_device(scan->out, d);
		const char *user = used_port(scan, d->port);
		const struct catalog_driver *driver = driver_of(scan, d);
		if (user != NULL)
			fprintf(scan->out, "#     used by instrument %s\n", user);
		else if (driver != NULL)
			fprintf(scan->out, "#     the USB numbers of driver %s\n", driver->name);
		else if (scan_is_generic(d))
			fputs("#     any instrument may be behind it\n", scan->out);
	}
	if (!has_any)
		fputs("#   none\n", scan->out);
	else
		print_candidates(scan, PORT_SERIAL,
			"to ask a port: assayctl scan --serial PORT --driver NAME, of");
}

/* Devices with the numbers of a driver; they are asked if `asks`. */
static void scan_usb(struct device_scan *scan, bool asks)
{
	bool has_any = false;
	fputs("# USB devices\n", scan->out);
	for (size_t i = 0; i < scan->device_count; i++) {
		const struct scan_device *d = &scan->devices[i];
		char path[60], serial[SCAN_TEXT + 10];
		if (d->is_serial)
			continue;
		has_any = true;
		print_device(scan->out, d);
		const struct catalog_driver *driver = driver_of(scan, d);
		const char *user = scan_used_usb(scan, d);
		if (user != NULL)
			fprintf(scan->out, "#     used by instrument %s\n", user);
		if (driver == NULL || user != NULL)
			continue;
		fprintf(scan->out, "#     the USB numbers of driver %s\n", driver->name);
		snprintf(path, sizeof path, "path=%s", d->path);
		snprintf(serial, sizeof serial, "serial=%s", d->serial);
		const char *by_path[] = {"usb", path}, *by_serial[] = {"usb", serial};
		struct scan_answer answer = {0};
		if (asks) {
			scan_ask(scan, driver->name, by_path, 2, ASK_OTHER, &answer);
			print_answer(scan, d->path, driver->name, &answer);
		}
		if (!asks || answer.is_identity)
			scan_put_block(scan, driver, NULL,
				d->serial[0] != '\0' ? by_serial : by_path, 2, &answer);
	}
	if (!has_any)
		fputs("#   none\n", scan->out);
}

/* --- serial ports ----------------------------------------------------------------------------- */

static void ask_port(struct device_scan *scan, const char *port,
	const struct catalog_driver *driver, const char *profile)
{
	char word[PATH_MAX + 10];
	struct scan_answer answer;
	const char *name = profile != NULL ? profile : driver->name, *user = used_port(scan, port);
	if (user != NULL) {
		fprintf(scan->out, "# %s is used by instrument %s, it was not opened\n", port,
			user);
		return;
	}
	snprintf(word, sizeof word, "port=%s", port);
	const char *const words[] = {"serial", word};
	scan_ask(scan, name, words, 2, ASK_OTHER, &answer);
	print_answer(scan, port, name, &answer);
	if (answer.is_identity)
		scan_put_block(scan, driver, profile, words, 2, &answer);
}

/* Ports that were named, by the drivers that were named; else ports with the numbers of a driver. */
static int scan_serial(struct device_scan *scan, const struct args *args)
{
	for (int i = 0; i < args->word_count; i++)
		for (size_t k = 0; k < args->text_count; k++) {
			const char *profile;
			const struct catalog_driver *driver = find_name(
				scan, args->texts[k], &profile);
			if (driver == NULL)
				return 1;
			ask_port(scan, args->words[i], driver, profile);
		}
	for (size_t i = 0; i < scan->device_count && args->word_count == 0; i++) {
		const struct scan_device *d = &scan->devices[i];
		const struct catalog_driver *driver = d->is_serial ? driver_of(scan, d) : NULL;
		if (driver != NULL && !scan_is_generic(d) && (driver->links & PORT_SERIAL) != 0)
			ask_port(scan, d->by_id[0] != '\0' ? d->by_id : d->port, driver, NULL);
	}
	return 0;
}

/* --- HOST[:PORT] ------------------------------------------------------------------------------ */

struct web_place {
	char host[SCAN_TEXT], port[10]; /* "": that of the driver or protocol */
};

/* "a.example:502", "[2001:db8::1]:502", "192.0.2.1" */
static bool read_place(const char *text, struct web_place *place)
{
	const char *colon = strrchr(text, ':');
	bool is_bracketed = text[0] == '[';
	size_t len = strlen(text);
	if (is_bracketed)
		colon = strstr(text, "]:") != NULL ? strstr(text, "]:") + 1 : NULL;
	else if (colon != NULL && strchr(text, ':') != colon)
		colon = NULL; /* an IPv6 address alone */
	size_t host = colon != NULL ? (size_t)(colon - text) : len;
	if (is_bracketed)
		text++, host -= 2;
	snprintf(place->host, sizeof place->host, "%.*s", (int)host, text);
	snprintf(place->port, sizeof place->port, "%s", colon != NULL ? colon + 1 : "");
	return host > 0 && host < sizeof place->host && strlen(place->port) < 6 &&
	       place->port[strspn(place->port, "0123456789")] == '\0';
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static void ask_web(struct device_scan *scan, const char *text, const struct web_place *place)
{
	char host[SCAN_TEXT + 10], port[20];
	snprintf(host, sizeof host, "host=%s", place->host);
	snprintf(port, sizeof port, "port=%s", place->port);
	const char *const words[] = {"http", host, port};
	size_t count = place->port[0] != '\0' ? 3 : 2;
	for (size_t i = 0; i < scan->catalog->count; i++) {
		const struct catalog_driver *driver = &scan->catalog->drivers[i];
		struct scan_answer answer;
		char name[SCAN_TEXT + 20];
		unsigned number;
		if (!port_kind_fits(port_kind_named(string_of("http")), driver->links))
			continue;
		if (place->port[0] != '\0')
			number = (unsigned)strtoul(place->port, NULL, 10);
		else if (!scan_default(driver, "http", "port", &number))
			number = HTTP_PORT;
		snprintf(name, sizeof name, "tcp:%s:%u", place->host, number);
		if (scan_used(scan, name) != NULL) {
			fprintf(scan->out, "# %s is used by instrument %s, it was not opened\n",
				text, scan_used(scan, name));
			continue;
		}
		scan_ask(scan, driver->name, words, count, ASK_OTHER, &answer);
		print_answer(scan, text, driver->name, &answer);
		if (answer.is_identity) {
			scan_put_block(scan, driver, NULL, words, count, &answer);
			if (!answer.is_declared)
				return;
		}
	}
}

/* --- Modbus ----------------------------------------------------------------------------------- */

/* A line or a host, and one of its units. */
struct modbus_place {
	const char *text, *words[SCAN_WORDS_MAX];
	char device[PATH_MAX + 10], port[20], unit[20];
	size_t count; /* words that name the unit */
};

/* Whether a text is the beginning of the other, in any case: "Acme" of "ACME Instruments". */
static bool is_start(const char *a, const char *b)
{
	size_t len = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
	return len > 0 && strncasecmp(a, b, len) == 0;
}

/*
 * The profile's identity was read and is that of its make; a code that its table does not have stays a
 * number.
 */
static bool is_match(const struct config_profile *facts, const struct scan_answer *answer)
{
	bool is_code = answer->model[0] != '\0' &&
		       answer->model[strspn(answer->model, "0123456789")] == '\0';
	bool is_other = facts->make[0] != '\0' && answer->make[0] != '\0' &&
			!is_start(facts->make, answer->make);
	bool has_any = answer->make[0] != '\0' || answer->model[0] != '\0';
	return answer->is_identity && !answer->is_declared && has_any && !is_code && !is_other;
}

/* Tries the profiles at a unit that replies; `own` is its identity by function 43. */
static void match_profiles(
	struct device_scan *scan, struct modbus_place *place, const struct scan_answer *own)
{
	size_t before = scan->found, count = place->count;
	place->words[count] = "reply_timeout=500ms";
	for (size_t i = 0; i < scan->profile_count; i++) {
		const struct scan_profile *profile = &scan->profiles[i];
		const struct catalog_driver *driver = catalog_find(
			scan->catalog, profile->facts.driver);
		struct scan_answer answer;
		if (driver == NULL ||
			!port_kind_fits(port_kind_named(string_of(place->words[0])), driver->links))
			continue;
		bool by_make = own->is_identity && is_start(profile->facts.make, own->make);
		if (!by_make)
			scan_ask(scan, profile->name, place->words, count + 1, ASK_MODBUS, &answer);
		if (by_make || is_match(&profile->facts, &answer))
			scan_put_block(scan, driver, profile->name, place->words, count,
				by_make ? own : &answer);
	}
	if (scan->found == before)
		fprintf(scan->out,
			"# %s unit %s: no profile has this identity; docs of driver modbus-map "
			"show how "
			"to write one\n",
			place->text, place->unit + strlen("unit_id="));
}

/* Asks one unit; false: there is no sense in asking the others. */
static bool ask_unit(struct device_scan *scan, struct modbus_place *place, unsigned unit)
{
	char title[PATH_MAX + 40];
	struct scan_answer answer;
	snprintf(place->unit, sizeof place->unit, "unit_id=%u", unit);
	snprintf(title, sizeof title, "%s unit %u", place->text, unit);
	size_t count = place->count;
	place->words[count++] = "reply_timeout=300ms";
	place->words[count++] = "identity=[{field: make, table: device-id, address: 0}, "
				"{field: model, table: device-id, address: 1}, "
				"{field: fw, table: device-id, address: 2}]";
	/* No map is without a point; this one is not read for the identity. */
	place->words[count++] =
		"points=[{name: a, table: holding, address: 0, type: uint16, unit: '1'}]";
	scan_ask(scan, "modbus-map", place->words, count, ASK_MODBUS, &answer);
	if (answer.is_silent || strstr(answer.text, "gateway") != NULL)
		return true;
	bool replies = answer.is_identity || strcmp(answer.code, "EPROTO") == 0;
	print_answer(scan, title, replies ? "function 43" : "modbus-map", &answer);
	if (replies)
		match_profiles(scan, place, &answer);
	return replies;
}

static void scan_modbus(struct device_scan *scan, const char *text, unsigned first, unsigned last)
{
	struct modbus_place place = {.text = text};
	struct web_place host;
	char name[PATH_MAX + 40];
	bool is_line = text[0] == '/';
	if (is_line) {
		snprintf(place.device, sizeof place.device, "port=%s", text);
		place.words[place.count++] = "modbus-rtu";
		place.words[place.count++] = place.device;
		snprintf(name, sizeof name, "serial:%s", text);
	} else {
		read_place(text, &host);
		snprintf(place.device, sizeof place.device, "host=%s", host.host);
		snprintf(place.port, sizeof place.port, "port=%s",
			host.port[0] != '\0' ? host.port : MODBUS_PORT);
		place.words[place.count++] = "modbus-tcp";
		place.words[place.count++] = place.device;
		place.words[place.count++] = place.port;
		snprintf(name, sizeof name, "tcp:%s:%s", host.host, place.port + strlen("port="));
	}
	place.words[place.count++] = place.unit;
	const char *user = scan_used(scan, name);
	if (user != NULL) {
		fprintf(scan->out, "# %s is used by instrument %s, it was not opened\n", text,
			user);
		return;
	}
	if (last == 0)
		last = is_line ? UNITS_OF_LINE : first;
	for (unsigned unit = first; unit <= last; unit++)
		if (!ask_unit(scan, &place, unit))
			break;
}

/* --- the command ------------------------------------------------------------------------------ */

/* "3" or "1-16" */
static bool read_units(const char *text, unsigned *first, unsigned *last)
{
	char *end;
	*first = 1;
	*last = 0;
	if (text == NULL)
		return true;
	*first = *last = (unsigned)strtoul(text, &end, 10);
	if (*end == '-')
		*last = (unsigned)strtoul(end + 1, &end, 10);
	return *end == '\0' && isdigit((unsigned char)text[0]) && *first >= 1 && *first <= *last &&
	       *last <= UNIT_MAX;
}

static int check_args(const struct args *args)
{
	bool serial = args_has(args, "serial"), modbus = args_has(args, "modbus"),
	     http = args_has(args, "http");
	struct web_place place;
	if (args->word_count > 0 && serial + modbus + http != 1)
		return args_reject(args, "places need one of --serial, --modbus, --http");
	if (args->word_count == 0 && (modbus || http))
		return args_reject(args, "%s needs the places to ask: nothing searches a network",
			modbus ? "--modbus" : "--http");
	if (serial && args->word_count > 0 && args->text_count == 0)
		return args_reject(args,
			"a port that is named needs --driver: the request of another protocol "
			"may be a command to the instrument");
	for (int i = 0; i < args->word_count; i++) {
		if (modbus && args->words[i][0] == '/' && !args_has(args, "link"))
			return args_reject(
				args, "a line needs --link, such as baud=19200,parity=even");
		bool is_path = args->words[i][0] == '/';
		bool is_right = serial ? is_path
				       : (is_path && modbus) ||
						 (!is_path && read_place(args->words[i], &place));
		if (!is_right)
			return args_reject(args, "'%s': expected %s", args->words[i],
				serial ? "the path of a port" : "HOST or HOST:PORT");
	}
	return 0;
}

/* KEY=VALUE,KEY=VALUE; `copy` is taken apart. */
static size_t read_link(char *copy, const char *words[SCAN_WORDS_MAX])
{
	size_t count = 0;
	for (char *word = strtok(copy, ","); word != NULL && count < SCAN_WORDS_MAX / 2;
		word = strtok(NULL, ","))
		words[count++] = word;
	return count;
}

static int run(struct device_scan *scan, const struct args *args)
{
	unsigned first, last;
	int code = 0;
	if (!read_units(args_text(args, "units"), &first, &last))
		return args_reject(args, "--units: expected 1 to %d, such as 5 or 1-16", UNIT_MAX);
	int r = scan_devices(scan);
	if (r < 0)
		fprintf(stderr, "assayctl: the devices cannot be listed: %s\n", strerror(-r));
	scan_uses(scan);
	if (args->word_count == 0) {
		list_ports(scan);
		scan_usb(scan, args_has(args, "usb"));
	}
	if (args_has(args, "serial"))
		code = scan_serial(scan, args);
	for (int i = 0; i < args->word_count; i++) {
		struct web_place place;
		if (args_has(args, "modbus"))
			scan_modbus(scan, args->words[i], first, last);
		else if (args_has(args, "http") && read_place(args->words[i], &place))
			ask_web(scan, args->words[i], &place);
	}
	if (clock_boot() >= scan->end)
		fputs("# the time of --seconds is over: not all was asked\n", scan->out);
	return code;
}

static json_t *devices_json(const struct device_scan *scan)
{
	json_t *list = json_array();
	for (size_t i = 0; i < scan->device_count; i++) {
		const struct scan_device *d = &scan->devices[i];
		json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind",
			d->is_serial ? "serial" : "usb", "port", d->port, "by_id", d->by_id, "make",
			d->make, "product", d->product, "serial", d->serial);
		if (d->has_usb)
			json_object_update_new(
				one, json_pack("{s:s, s:i, s:i}", "path", d->path, "vid",
					     (int)d->vid, "pid", (int)d->pid));
		json_array_append_new(list, one);
	}
	return list;
}

int command_scan(const struct options *options, const struct args *args)
{
	static struct device_scan scan;
	const char *words[SCAN_WORDS_MAX], *link = args_text(args, "link");
	uint64_t seconds = args_has(args, "seconds") ? args_number(args, "seconds") : SECONDS;
	char *copy = link != NULL ? strdup(link) : NULL, *blocks = NULL, *comments = NULL;
	size_t size, length;
	int code = check_args(args);
	struct catalog *catalog = code == 0 ? load_catalog(options) : NULL;
	scan = (struct device_scan){.options = options,
		.catalog = catalog,
		.end = clock_boot() + seconds * NS_PER_S,
		.link_words = words,
		.link_count = copy != NULL ? read_link(copy, words) : 0,
		.out = options->json ? open_memstream(&comments, &length) : stdout,
		.blocks = open_memstream(&blocks, &size)};
	if (catalog == NULL || scan.blocks == NULL || scan.out == NULL) {
		code = code != 0 ? code : 1;
	} else {
		read_profiles(&scan, args_text(args, "profiles"));
		code = run(&scan, args);
		fflush(scan.out);
		fflush(scan.blocks);
		if (options->json)
			print_object(json_pack("{s:o, s:s, s:s}", "devices", devices_json(&scan),
				"comments", comments, "instruments", blocks));
		else if (scan.found > 0)
			printf("instruments:\n%s", blocks);
		scan_uses_finish(&scan);
	}
	if (options->json && scan.out != NULL)
		fclose(scan.out);
	if (scan.blocks != NULL)
		fclose(scan.blocks);
	catalog_destroy(catalog);
	free(comments);
	free(blocks);
	free(copy);
	return code;
}
