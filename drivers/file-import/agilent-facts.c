/* SPDX-License-Identifier: Apache-2.0 */
/* The facts that the other files of a folder *.D state: sample, method, serial number, end of the acquisition. */
#include "agilent-d.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

#include "bytes.h"
#include "text.h"
#include "xml.h"

#define TEXT_FILE (64u << 10) /* bytes of a text file that are read */
#define LINE      512

static void fill(char to[FORMAT_FACT], const char *text)
{
	if (to[0] == '\0')
		snprintf(to, FORMAT_FACT, "%s", text);
}

/* --- Contents.xml ------------------------------------------------------------------------------- */

struct contents {
	struct format_facts facts;
	char status[8];
};

static void close_contents(void *user, const char *name, const char *text)
{
	struct contents *c = user;
	if (strcmp(name, "AcqStatus") == 0)
		snprintf(c->status, sizeof c->status, "%.7s", text);
	else if (strcmp(name, "AcquiredTime") == 0)
		agilent_date(text, &c->facts);
	else if (strcmp(name, "AcqSoftwareVersion") == 0)
		fill(c->facts.software, text);
}

/* Its time has a zone: it replaces that of a file which has none. */
int agilent_contents(struct source *s, struct format_facts *facts)
{
	static const struct xml_events events = {.close = close_contents};
	struct contents c = {0};
	bool is_needed = false;
	for (unsigned i = 0; i < s->files && !is_needed; i++)
		is_needed = strncasecmp(s->file[i].path, "acqdata/", 8) == 0;
	int file = source_find(s, "acqdata/contents.xml");
	int e = file < 0 ? 0 : xml_read(s, (unsigned)file, &events, &c);
	if (e < 0 && e != -EBADMSG)
		return e;
	if (is_needed && (file < 0 || e < 0 || strcmp(c.status, "2") != 0)) {
		agilent_why(facts, "AcqData/Contents.xml", "%s",
			file < 0 ? "not there yet"
			: e < 0  ? "not all there, or no XML"
				 : "AcqStatus is not 2: the acquisition has not ended");
		return FORMAT_INCOMPLETE;
	}
	if (c.facts.zone[0] != '\0' && facts->zone[0] == '\0') {
		memcpy(facts->acquired, c.facts.acquired, FORMAT_FACT);
		memcpy(facts->zone, c.facts.zone, FORMAT_FACT);
	}
	fill(facts->acquired, c.facts.acquired);
	fill(facts->software, c.facts.software);
	return FORMAT_WHOLE;
}

/* --- sample_info.xml, Devices.xml ------------------------------------------------------------------ */

struct sample {
	char name[XML_TEXT], value[XML_TEXT];
	struct format_facts facts;
	char id[FORMAT_FACT];
};

static void close_sample(void *user, const char *name, const char *text)
{
	struct sample *f = user;
	if (strcmp(name, "Name") == 0) {
		snprintf(f->name, sizeof f->name, "%s", text);
	} else if (strcmp(name, "Value") == 0) {
		snprintf(f->value, sizeof f->value, "%s", text);
	} else if (strcmp(name, "Field") == 0) {
		if (strcmp(f->name, "Sample Name") == 0)
			text_set(f->facts.sample, TEXT_UTF_8, (const uint8_t *)f->value,
				strlen(f->value));
		else if (strcmp(f->name, "Sample ID") == 0)
			text_set(f->id, TEXT_UTF_8, (const uint8_t *)f->value, strlen(f->value));
		f->name[0] = f->value[0] = '\0';
	}
}

/* The serial number only if one device has one: nothing states which of several is the detector. */
struct devices {
	char serial[FORMAT_FACT];
	unsigned serials;
};

static void close_devices(void *user, const char *name, const char *text)
{
	struct devices *d = user;
	if (strcmp(name, "SerialNumber") != 0 || text[0] == '\0')
		return;
	d->serials++;
	text_set(d->serial, TEXT_UTF_8, (const uint8_t *)text, strlen(text));
}

/* A file that is no XML states nothing. */
static int read_xml(struct source *s, const char *path,
	void (*close)(void *, const char *, const char *), void *user)
{
	const struct xml_events events = {.close = close};
	int file = source_find(s, path);
	int e = file < 0 ? 0 : xml_read(s, (unsigned)file, &events, user);
	return e == -EBADMSG ? 0 : e;
}

/* --- text files ---------------------------------------------------------------------------------- */

/* The text behind `key` in the line, or NULL. */
static const char *behind(const char *line, const char *key)
{
	const char *at = strstr(line, key);
	if (at == NULL)
		return NULL;
	at += strlen(key);
	return at + strspn(at, " ");
}

static void take_line(const char *line, struct format_facts *facts)
{
	static const struct {
		const char *key;
		size_t fact;
	} keys[] = {
		{"(_dataname$) =", offsetof(struct format_facts, sample)},
		{"(_methfile$) =", offsetof(struct format_facts, method)},
		{"serial_n=", offsetof(struct format_facts, serial)},
		{"INSTRUMENT CONTROL PARAMETERS:", offsetof(struct format_facts, model)},
	};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const char *value = behind(line, keys[i].key);
		char text[FORMAT_FACT];
		if (value == NULL)
			continue;
		text_set(text, TEXT_UTF_8, (const uint8_t *)value, strlen(value));
		fill((char *)facts + keys[i].fact, text);
	}
}

static int read_lines(struct source *s, const char *path, struct format_facts *facts)
{
	uint8_t bytes[TEXT_FILE];
	int file = source_find(s, path);
	if (file < 0)
		return 0;
	uint64_t size = s->file[file].size;
	size_t len = size < sizeof bytes ? (size_t)size : sizeof bytes;
	int e = s->read(s, (unsigned)file, 0, bytes, len);
	if (e < 0)
		return e;
	bool is_wide = len >= 2 && bytes[0] == 0xff && bytes[1] == 0xfe;
	bool is_utf_8 = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0;
	size_t at = is_wide ? 2 : is_utf_8 ? 3 : 0, unit = is_wide ? 2 : 1;
	for (size_t end; at < len; at = end + unit) {
		char line[LINE];
		for (end = at; end + unit <= len; end += unit)
			if (bytes[end] == '\n' && (!is_wide || bytes[end + 1] == 0))
				break;
		text_set(line,
			is_wide    ? TEXT_UTF_16_LE
			: is_utf_8 ? TEXT_UTF_8
				   : TEXT_CP1252,
			bytes + at, (end < len ? end : len) - at);
		take_line(line, facts);
	}
	return 0;
}

int agilent_facts(struct source *s, struct format_facts *facts)
{
	static const char *const texts[] = {"runstart.txt", "pre_post.ini", "acqmeth.txt"};
	struct sample sample = {0};
	struct devices devices = {0};
	int e = read_xml(s, "acqdata/sample_info.xml", close_sample, &sample);
	if (e == 0)
		e = read_xml(s, "acqdata/devices.xml", close_devices, &devices);
	fill(facts->sample, sample.facts.sample);
	for (size_t i = 0; i < sizeof texts / sizeof *texts && e == 0; i++)
		e = read_lines(s, texts[i], facts);
	fill(facts->sample, sample.id);
	if (devices.serials == 1)
		fill(facts->serial, devices.serial);
	return e;
}
