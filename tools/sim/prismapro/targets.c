/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The targets: "/mmsp/<path>/get" and "/mmsp/<path>/set?<values>", in capitals or not.  A failure has
 * status 200 and the name "error" with a list of reasons; of their ids only interlockEmisRequired is
 * published.  A set needs the control.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "prismapro.h"

#define ROOT         "/mmsp/"
#define SESSION_NS   UINT64_C(60000000000)
#define PART         48
#define STATUS_RESET 0x00000001u
#define STATUS_SCAN  0x00000002u
#define STATUS_EM    0x00800000u
#define STATUS_RF    0x02000000u
#define STATUS_LOCK  0x08000000u
#define STATUS_WAIT  0x10000000u
#define STATUS_EMITS 0x80000000u

/* One request, taken apart. */
struct target {
	char path[PART * 4]; /* below the root, without get or set, in small letters */
	bool sets;
	long element; /* the number that stood in the path, taken out of it; 0: none */
	const char *origin;
	int origin_len;
	const struct sim_http_request *request;
	struct sim_http_reply *reply;
	uint64_t now;
};

static void start_reply(const struct target *t, const char *name)
{
	fprintf(t->reply->body, "{\"name\":\"%s\",\"origin\":\"%.*s\",\"data\":", name,
		t->origin_len, t->origin);
}

static void fail(struct prisma *p, const struct target *t, const char *id, const char *message)
{
	start_reply(t, "error");
	fprintf(t->reply->body,
		"[{\"command\":\"%s\",\"code\":%13d,\"id\":\"%s\",\"level\":\"error\","
		"\"message\":\"%s\"}]}",
		t->sets ? "set" : "get", 1, id, message);
	sim_truth(p->m, "refused", ",\"id\":\"%s\"", id);
}

static void reply_number(const struct target *t, uint32_t value)
{
	start_reply(t, "got");
	fprintf(t->reply->body, "%13u}", value);
}

static void reply_text(const struct target *t, const char *text)
{
	start_reply(t, "got");
	fprintf(t->reply->body, "\"%s\"}", text);
}

/* The only value of "set?On". */
static const char *value_of(const struct target *t)
{
	return t->request->n_arguments == 1 && t->request->arguments[0].value == NULL
		       ? t->request->arguments[0].key
		       : "";
}

static void confirm(const struct target *t)
{
	start_reply(t, "wasSet");
	fprintf(t->reply->body, "\"%s\"}", value_of(t));
}

/* ---- targets to read ---- */

static void get_serial(struct prisma *p, const struct target *t)
{
	char text[16];
	snprintf(text, sizeof text, "%08u",
		p->plan.serial + sim_fault_active(p->m, FAULT_WRONG_IDENTITY));
	reply_text(t, text);
}

static void get_electronics(struct prisma *p, const struct target *t)
{
	start_reply(t, "got");
	fprintf(t->reply->body, "{\"name\":\"QMG 250 simulated\",\"serialNumber\":\"%08u\"}}",
		p->plan.serial + sim_fault_active(p->m, FAULT_WRONG_IDENTITY));
}

static void get_sensor(struct prisma *p, const struct target *t)
{
	start_reply(t, "got");
	fprintf(t->reply->body,
		"{\"name\":\"simulated\",\"description\":\"quadrupole\",\"serialNumber\":%13u,"
		"\"massMax\":%13.6e,\"detectorType\":%13d}}",
		p->plan.serial, p->plan.mass_max, 1);
}

static void get_in_control(struct prisma *p, const struct target *t)
{
	start_reply(t, "got");
	fprintf(t->reply->body, "%s}", p->is_controlled ? "true" : "false");
}

static void get_client(struct prisma *p, const struct target *t)
{
	reply_text(t, p->client);
}

static uint32_t system_status(const struct prisma *p, uint64_t now)
{
	uint32_t status = STATUS_RF;
	status |= p->was_reset ? STATUS_RESET : 0;
	status |= p->is_scanning ? STATUS_SCAN : 0;
	status |= p->has_multiplier ? STATUS_EM : 0;
	status |= p->errors != 0 ? STATUS_LOCK : 0;
	if (p->is_emitting)
		status |= prisma_emits(p, now) ? STATUS_EMITS : STATUS_WAIT;
	return status;
}

static void get_status(struct prisma *p, const struct target *t)
{
	reply_number(t, system_status(p, t->now));
	p->was_reset = false;
}

static void get_errors(struct prisma *p, const struct target *t)
{
	reply_number(t, p->errors);
}

static void get_warnings(struct prisma *p, const struct target *t)
{
	reply_number(t, p->warnings);
}

static void get_sensitivity(struct prisma *p, const struct target *t)
{
	start_reply(t, "got");
	fprintf(t->reply->body, "%13.6e}", 1e-4);
}

static void get_setup(struct prisma *p, const struct target *t)
{
	start_reply(t, "got");
	fprintf(t->reply->body,
		"{\"startChannel\":%13ld,\"stopChannel\":%13ld,\"scanCount\":%13ld,"
		"\"scanInterval\":%13.6e}}",
		p->first, p->last, p->count, p->interval);
}

static void get_channel(struct prisma *p, const struct target *t)
{
	if (t->element < 1 || t->element > PRISMA_CHANNELS) {
		fail(p, t, "badElement", "no such channel");
		return;
	}
	const struct prisma_channel *c = &p->channels[t->element - 1];
	start_reply(t, "got");
	fprintf(t->reply->body,
		"{\"channelMode\":\"%s\",\"startMass\":%13.6e,\"stopMass\":%13.6e,"
		"\"dwell\":%13ld,\"ppamu\":%13ld,\"enabled\":\"%s\"}}",
		c->mode_name, c->start, c->stop, c->dwell, c->ppamu,
		c->is_enabled ? "True" : "False");
}

static void put_values(const struct target *t, const struct prisma_scan *scan)
{
	fprintf(t->reply->body, "\"scannum\":%13ld,\"scansize\":%13zu,\"values\":[",
		scan != NULL ? scan->number : 0, scan != NULL ? scan->size : 0);
	for (size_t i = 0; scan != NULL && i < scan->size; i++)
		fprintf(t->reply->body, "%s%13.6e", i > 0 ? "," : "", (double)scan->values[i]);
	fputc(']', t->reply->body);
}

static void get_scan(struct prisma *p, const struct target *t)
{
	const struct prisma_scan *scan = sweep_find(p, t->element);
	if (scan == NULL && t->element != -1) {
		fail(p, t, "badElement", "no such scan");
		return;
	}
	start_reply(t, "got");
	fputc('{', t->reply->body);
	put_values(t, scan);
	fputs("}}", t->reply->body);
}

/* Each complete scan once, in turn. */
static void get_next(struct prisma *p, const struct target *t)
{
	const struct prisma_scan *scan = sweep_find(p, p->next);
	start_reply(t, "got");
	fprintf(t->reply->body,
		"{\"systemStatus\":%13u,\"currentScan\":%13ld,\"currentScanPoints\":%13zu,",
		system_status(p, t->now), p->number + p->is_scanning, sweep_points_done(p, t->now));
	put_values(t, scan);
	fputs("}}", t->reply->body);
	p->next += scan != NULL;
	if (scan == NULL && p->next <= p->number) /* too slow: the oldest ones are lost */
		p->next = p->number - PRISMA_SCANS + 1;
}

/* ---- targets to set ---- */

static void set_control(struct prisma *p, const struct target *t)
{
	const char *value = value_of(t);
	bool is_foreign = sim_fault_active(p->m, FAULT_SHARE);
	if (strcasecmp(value, "release") == 0) {
		p->is_controlled = false;
	} else if (strcasecmp(value, "force") == 0 ||
		   (!is_foreign &&
			   (strcasecmp(value, "request") == 0 || strcasecmp(value, "take") == 0))) {
		p->is_controlled = true;
	} else {
		fail(p, t, is_foreign ? "controlLocked" : "badValue", "the control is not given");
		return;
	}
	confirm(t);
}

static void set_lock(struct prisma *p, const struct target *t)
{
	if (strcasecmp(value_of(t), "session") == 0)
		confirm(t);
	else
		fail(p, t, "badValue", "expected Session");
}

static void set_client(struct prisma *p, const struct target *t)
{
	const char *name = value_of(t);
	if (name[0] == '\0' || strlen(name) >= sizeof p->client || strpbrk(name, "\"\\") != NULL) {
		fail(p, t, "badValue", "expected a name");
		return;
	}
	memcpy(p->client, name, strlen(name) + 1);
	confirm(t);
}

/* 1, 0, or neither. */
static int read_switch(const char *value)
{
	if (strcasecmp(value, "on") == 0 || strcasecmp(value, "true") == 0 ||
		strcmp(value, "1") == 0)
		return 1;
	if (strcasecmp(value, "off") == 0 || strcasecmp(value, "false") == 0 ||
		strcmp(value, "0") == 0)
		return 0;
	return -1;
}

static void set_emission(struct prisma *p, const struct target *t)
{
	int on = read_switch(value_of(t));
	if (on < 0) {
		fail(p, t, "badValue", "expected On or Off");
		return;
	}
	if (on && !p->is_emitting)
		p->emission_since = t->now;
	p->is_emitting = on;
	p->has_multiplier = p->has_multiplier && on;
	confirm(t);
}

static void set_multiplier(struct prisma *p, const struct target *t)
{
	int on = read_switch(value_of(t));
	if (on < 0) {
		fail(p, t, "badValue", "expected On or Off");
	} else if (on && !prisma_emits(p, t->now)) {
		fail(p, t, "interlockEmisRequired", "the emission is off");
	} else {
		p->has_multiplier = on;
		confirm(t);
	}
}

static bool read_mode(const char *name, struct prisma_channel *c)
{
	static const struct {
		const char *name;
		enum prisma_mode mode;
	} modes[] = {{"Sweep", PRISMA_SWEEP}, {"Single", PRISMA_SINGLE},
		{"TotalPressure", PRISMA_TOTAL}, {"Timestamp", PRISMA_TIME},
		{"Baseline", PRISMA_OTHER}, {"TPQuad", PRISMA_OTHER},
		{"EmissionCurrent", PRISMA_OTHER}, {"FixedNumber", PRISMA_OTHER},
		{"SystemStatus", PRISMA_OTHER}, {"HardwareErrors", PRISMA_OTHER},
		{"HardwareWarnings", PRISMA_OTHER}};
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		if (strcasecmp(modes[i].name, name) == 0) {
			c->mode = modes[i].mode;
			c->mode_name = modes[i].name;
			return true;
		}
	}
	return false;
}

static bool read_whole(const char *text, long min, long max, long *value)
{
	double v;
	if (number_parse(text, &v) < 0 || v != floor(v) || v < (double)min || v > (double)max)
		return false;
	*value = (long)v;
	return true;
}

static bool read_mass(const struct prisma *p, const char *text, double *mass)
{
	double v;
	if (number_parse(text, &v) < 0 || v < 0 || v > p->plan.mass_max ||
		fabs(v * 100 - round(v * 100)) > 1e-6)
		return false;
	*mass = v;
	return true;
}

/* 1, 2, 4 ... 16384, and 48. */
static bool read_dwell(const char *text, long *dwell)
{
	return read_whole(text, 1, 16384, dwell) && (*dwell == 48 || (*dwell & (*dwell - 1)) == 0);
}

static bool read_channel(
	const struct prisma *p, const struct sim_http_argument *argument, struct prisma_channel *c)
{
	const char *key = argument->key, *value = argument->value != NULL ? argument->value : "";
	int on;
	if (key[0] == '@')
		return true; /* the element */
	if (strcasecmp(key, "channelMode") == 0)
		return read_mode(value, c);
	if (strcasecmp(key, "startMass") == 0)
		return read_mass(p, value, &c->start);
	if (strcasecmp(key, "stopMass") == 0)
		return read_mass(p, value, &c->stop);
	if (strcasecmp(key, "dwell") == 0)
		return read_dwell(value, &c->dwell);
	if (strcasecmp(key, "ppamu") == 0)
		return read_whole(value, 1, 100, &c->ppamu) && 100 % c->ppamu == 0;
	if (strcasecmp(key, "enabled") != 0 || (on = read_switch(value)) < 0)
		return false;
	c->is_enabled = on;
	return true;
}

static void set_channel(struct prisma *p, const struct target *t)
{
	if (t->element < 1 || t->element > PRISMA_CHANNELS) {
		fail(p, t, "badElement", "no such channel");
		return;
	}
	struct prisma_channel changed = p->channels[t->element - 1];
	bool is_good = t->request->n_arguments > 0 && !p->is_scanning;
	for (size_t i = 0; is_good && i < t->request->n_arguments; i++)
		is_good = read_channel(p, &t->request->arguments[i], &changed);
	if (!is_good || (changed.mode == PRISMA_SWEEP && changed.stop < changed.start)) {
		fail(p, t, p->is_scanning ? "scanActive" : "badValue", "not changed");
		return;
	}
	p->channels[t->element - 1] = changed;
	confirm(t);
}

static void set_setup(struct prisma *p, const struct target *t)
{
	long first = p->first, last = p->last, count = p->count;
	double interval = p->interval;
	bool is_good = t->request->n_arguments > 0 && !p->is_scanning;
	for (size_t i = 0; is_good && i < t->request->n_arguments; i++) {
		const struct sim_http_argument *argument = &t->request->arguments[i];
		const char *value = argument->value != NULL ? argument->value : "";
		if (strcasecmp(argument->key, "startChannel") == 0)
			is_good = read_whole(value, 1, PRISMA_CHANNELS, &first);
		else if (strcasecmp(argument->key, "stopChannel") == 0)
			is_good = read_whole(value, 1, PRISMA_CHANNELS, &last);
		else if (strcasecmp(argument->key, "scanCount") == 0)
			is_good = read_whole(value, -1, 1000, &count) && count != 0;
		else if (strcasecmp(argument->key, "scanInterval") == 0)
			is_good = number_parse(value, &interval) == 0 && interval >= 0 &&
				  interval <= 86400000;
		else
			is_good = false;
	}
	if (!is_good || last < first) {
		fail(p, t, p->is_scanning ? "scanActive" : "badValue", "not changed");
		return;
	}
	p->first = first;
	p->last = last;
	p->count = count;
	p->interval = interval;
	confirm(t);
}

static void set_start(struct prisma *p, const struct target *t)
{
	if (p->is_scanning || strcmp(value_of(t), "1") != 0 || sweep_start(p, t->now) < 0)
		fail(p, t, p->is_scanning ? "scanActive" : "badValue", "not started");
	else
		confirm(t);
}

static void set_stop(struct prisma *p, const struct target *t)
{
	const char *value = value_of(t);
	if (strcmp(value, "1") == 0 || strcasecmp(value, "Immediately") == 0) {
		p->is_scanning = false;
	} else if (strcmp(value, "0") == 0) {
		p->stops_at_end = true;
	} else {
		fail(p, t, "badValue", "expected 0, 1 or Immediately");
		return;
	}
	confirm(t);
}

static void clear_errors(struct prisma *p, const struct target *t)
{
	p->errors &= ~(uint32_t)strtoul(value_of(t), NULL, 0);
	confirm(t);
}

static void clear_warnings(struct prisma *p, const struct target *t)
{
	p->warnings &= ~(uint32_t)strtoul(value_of(t), NULL, 0);
	confirm(t);
}

static const struct {
	const char *path;
	void (*get)(struct prisma *p, const struct target *t);
	void (*set)(struct prisma *p, const struct target *t);
} known_targets[] = {
	{"electronicsinfo", get_electronics, NULL},
	{"electronicsinfo/serialnumber", get_serial, NULL},
	{"sensorinfo", get_sensor, NULL},
	{"sensorionsource/ppsensitivityfactor", get_sensitivity, NULL},
	{"communication/control", NULL, set_control},
	{"communication/controllock", NULL, set_lock},
	{"communication/amincontrol", get_in_control, NULL},
	{"communication/clientname", get_client, set_client},
	{"generalcontrol/setemission", NULL, set_emission},
	{"generalcontrol/setem", NULL, set_multiplier},
	{"scansetup", get_setup, set_setup},
	{"scansetup/channels", get_channel, set_channel},
	{"scansetup/channel", get_channel, set_channel},
	{"scansetup/scanstart", NULL, set_start},
	{"scansetup/scanstop", NULL, set_stop},
	{"measurement/scans", get_scan, NULL},
	{"measurement/nextscan", get_next, NULL},
	{"status/systemstatus", get_status, NULL},
	{"status/hardwareerrors", get_errors, clear_errors},
	{"status/hardwarewarnings", get_warnings, clear_warnings},
};

/* Takes a path apart; false if it does not end with get or set, or is too long. */
static bool parse(const char *path, struct target *t)
{
	const char *end = strrchr(path, '/');
	if (strncasecmp(path, ROOT, strlen(ROOT)) != 0 || strpbrk(path, "\"\\") != NULL)
		return false;
	t->origin = path;
	t->origin_len = (int)(end - path);
	t->sets = strcasecmp(end, "/set") == 0;
	if (!t->sets && strcasecmp(end, "/get") != 0)
		return false;
	size_t n = 0;
	for (const char *at = path + strlen(ROOT); at < end;) {
		size_t len = strcspn(at, "/");
		long number = 0;
		char part[PART];
		if (len >= sizeof part || n + len + 2 > sizeof t->path)
			return false;
		snprintf(part, sizeof part, "%.*s", (int)len, at);
		if (read_whole(part, -1000000000, 1000000000, &number)) {
			t->element = number;
		} else {
			n += (size_t)snprintf(
				t->path + n, sizeof t->path - n, "%s%s", n > 0 ? "/" : "", part);
		}
		at += len + 1;
	}
	for (char *c = t->path; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

/* "@channel=1" instead of an element in the path. */
static void read_element(const struct sim_http_request *request, struct target *t)
{
	const char *text = sim_http_argument(request, "@channel");
	if (text != NULL && !read_whole(text, 1, PRISMA_CHANNELS, &t->element))
		t->element = 0;
}

void targets_answer(struct prisma *p, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	struct target t = {
		.element = 0, .origin = "", .request = request, .reply = reply, .now = now};
	reply->type = "application/json";
	if (now > p->heard + SESSION_NS)
		p->is_controlled = false;
	p->heard = now;
	if (strcmp(request->method, "GET") != 0 || !parse(request->path, &t)) {
		fail(p, &t, "badPath", "no such target");
		return;
	}
	read_element(request, &t);
	for (size_t i = 0; i < sizeof known_targets / sizeof known_targets[0]; i++) {
		void (*answer)(
			struct prisma *, const struct target *) = t.sets ? known_targets[i].set
									 : known_targets[i].get;
		if (strcmp(known_targets[i].path, t.path) != 0 || answer == NULL)
			continue;
		if (sim_fault_active(p->m, FAULT_BUSY))
			fail(p, &t, "busy", "busy");
		else if (t.sets && !p->is_controlled && answer != set_control)
			fail(p, &t, "notInControl", "the control is not taken");
		else
			answer(p, &t);
		return;
	}
	fail(p, &t, "badPath", "no such target");
}
