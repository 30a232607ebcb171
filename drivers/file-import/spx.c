/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bruker `.spx` of the programs of M4, M6, ARTAX and Esprit: XML in Windows-1252.  The root is TRTSpectrum; the first
 * ClassInstance of the type TRTSpectrum is the spectrum, a second one may be a fitted background.  Below it are
 * further instances by their type, the header with the calibration, and "Channels", a list of counts.
 *
 * It is whole if its root is closed and it has as many counts as ChannelCount states.  Names of entities are
 * not resolved: a document type is an error, so that no text of the file can grow.
 */
#include <errno.h>
#include <expat.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "piece.h"
#include "text.h"
#include "xray.h"

#define DEPTH_MAX  64
#define TEXT_BYTES 256
#define NAME_BYTES 40

/* Texts of the file, by the type of their instance and their element. */
enum spx_text {
	SPX_REAL,
	SPX_LIVE,
	SPX_SERIAL,
	SPX_VOLTAGE,
	SPX_CURRENT,
	SPX_ANODE,
	SPX_DATE,
	SPX_TIME,
	SPX_COUNT,
	SPX_FIRST,
	SPX_STEP,
	SPX_TEXTS,
};

static const struct {
	const char *type, *element;
} places[SPX_TEXTS] = {
	[SPX_REAL] = {"TRTSpectrumHardwareHeader", "RealTime"},
	[SPX_LIVE] = {"TRTSpectrumHardwareHeader", "LifeTime"},
	[SPX_SERIAL] = {"TRTDetectorHeader", "Serial"},
	[SPX_VOLTAGE] = {"TRTXrfHeader", "Voltage"},
	[SPX_CURRENT] = {"TRTXrfHeader", "Current"},
	[SPX_ANODE] = {"TRTXrfHeader", "Anode"},
	[SPX_DATE] = {"TRTSpectrumHeader", "Date"},
	[SPX_TIME] = {"TRTSpectrumHeader", "Time"},
	[SPX_COUNT] = {"TRTSpectrumHeader", "ChannelCount"},
	[SPX_FIRST] = {"TRTSpectrumHeader", "CalibAbs"},
	[SPX_STEP] = {"TRTSpectrumHeader", "CalibLin"},
};

struct spx {
	XML_Parser parser;
	unsigned depth, spectra; /* spectra: begun so far */
	unsigned at;             /* the depth of the first one; 0: not in it */
	char types[DEPTH_MAX][NAME_BYTES];
	int text; /* the text that comes now; -1: none; SPX_TEXTS: the counts */
	char texts[SPX_TEXTS][TEXT_BYTES], name[TEXT_BYTES];
	size_t lens[SPX_TEXTS];
	struct piece counts; /* owned */
	size_t room;
	bool has_counts, is_closed, failed, is_foreign;
};

static const char *attribute(const char **attributes, const char *name)
{
	for (; attributes[0] != NULL; attributes += 2)
		if (strcmp(attributes[0], name) == 0)
			return attributes[1];
	return "";
}

static void fail(struct spx *spx)
{
	spx->failed = true;
	XML_StopParser(spx->parser, XML_FALSE);
}

static void begin(void *data, const char *element, const char **attributes)
{
	struct spx *spx = data;
	if (spx->depth == 0 && strcmp(element, "TRTSpectrum") != 0) {
		spx->is_foreign = true;
		fail(spx);
		return;
	}
	if (++spx->depth == DEPTH_MAX) {
		fail(spx);
		return;
	}
	bool is_instance = strcmp(element, "ClassInstance") == 0;
	char *type = spx->types[spx->depth];
	if (is_instance)
		snprintf(type, NAME_BYTES, "%s", attribute(attributes, "Type"));
	else
		memcpy(type, spx->types[spx->depth - 1], NAME_BYTES);
	spx->text = -1;
	if (is_instance && strcmp(type, "TRTSpectrum") == 0 && spx->spectra++ == 0) {
		spx->at = spx->depth;
		snprintf(spx->name, sizeof spx->name, "%s", attribute(attributes, "Name"));
	}
	if (spx->at == 0)
		return;
	if (strcmp(element, "Channels") == 0 && strcmp(type, "TRTSpectrum") == 0 &&
		!spx->has_counts) {
		spx->has_counts = true;
		spx->text = SPX_TEXTS;
	}
	for (int i = 0; i < SPX_TEXTS; i++)
		if (strcmp(places[i].element, element) == 0 && strcmp(places[i].type, type) == 0 &&
			spx->lens[i] == 0)
			spx->text = i;
}

static void end(void *data, const char *element)
{
	struct spx *spx = data;
	(void)element;
	if (spx->depth == spx->at)
		spx->at = 0;
	spx->text = -1;
	spx->is_closed = --spx->depth == 0;
}

static void add_counts(struct spx *spx, const char *text, size_t len)
{
	size_t n = spx->counts.len;
	if (len > spx->room - n) {
		size_t room = 2 * (n + len);
		char *more = realloc((void *)(uintptr_t)spx->counts.text, room);
		if (more == NULL) {
			fail(spx);
			return;
		}
		spx->counts.text = more;
		spx->room = room;
	}
	memcpy((char *)(uintptr_t)spx->counts.text + n, text, len);
	spx->counts.len = n + len;
}

static void take(void *data, const char *text, int len)
{
	struct spx *spx = data;
	if (spx->text == SPX_TEXTS)
		add_counts(spx, text, (size_t)len);
	else if (spx->text >= 0 && spx->lens[spx->text] + (size_t)len < TEXT_BYTES) {
		memcpy(spx->texts[spx->text] + spx->lens[spx->text], text, (size_t)len);
		spx->lens[spx->text] += (size_t)len;
	}
}

static void reject_doctype(
	void *data, const char *name, const char *system, const char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	fail(data);
}

/* The character of a byte of Windows-1252. */
static int character_of(uint8_t byte)
{
	char text[8];
	text_convert(text, sizeof text, TEXT_CP1252, &byte, 1);
	const uint8_t *c = (const uint8_t *)text;
	return c[0] < 0xe0 ? (c[0] & 0x1f) << 6 | (c[1] & 0x3f)
			   : (c[0] & 0x0f) << 12 | (c[1] & 0x3f) << 6 | (c[2] & 0x3f);
}

/* The table of Windows-1252 for expat, which knows ISO 8859-1 only. */
static int know_encoding(void *data, const XML_Char *name, XML_Encoding *to)
{
	(void)data;
	if (!piece_is((struct piece){name, strlen(name)}, "windows-1252"))
		return XML_STATUS_ERROR;
	for (int i = 0; i < 256; i++)
		to->map[i] = i < 0x80 || i >= 0xa0 ? i : character_of((uint8_t)i);
	to->data = NULL;
	to->convert = NULL;
	to->release = NULL;
	return XML_STATUS_OK;
}

/* True if the error is one that a text has which only began. */
static bool is_end_missing(enum XML_Error error, const uint8_t *bytes, size_t len)
{
	return error == XML_ERROR_NO_ELEMENTS || error == XML_ERROR_UNCLOSED_TOKEN ||
	       error == XML_ERROR_UNCLOSED_CDATA_SECTION || error == XML_ERROR_PARTIAL_CHAR ||
	       (len > 0 && memchr(bytes, 0, len) != NULL);
}

/* Reads the text, and finds whether it is closed; then finish_spx(). */
static void read_spx(struct spx *spx, const uint8_t *bytes, size_t len)
{
	*spx = (struct spx){.text = -1, .counts = {NULL, 0}, .parser = XML_ParserCreate(NULL)};
	if (spx->parser == NULL || len > PIECE_FILE_MAX) {
		spx->failed = true;
		return;
	}
	XML_SetHashSalt(spx->parser, 1); /* else it reads the system's random numbers */
	XML_SetUserData(spx->parser, spx);
	XML_SetElementHandler(spx->parser, begin, end);
	XML_SetCharacterDataHandler(spx->parser, take);
	XML_SetStartDoctypeDeclHandler(spx->parser, reject_doctype);
	XML_SetUnknownEncodingHandler(spx->parser, know_encoding, NULL);
	if (XML_Parse(spx->parser, (const char *)bytes, (int)len, 1) == XML_STATUS_OK ||
		spx->failed)
		return;
	spx->is_closed = false;
	spx->failed = !is_end_missing(XML_GetErrorCode(spx->parser), bytes, len);
}

static void finish_spx(struct spx *spx)
{
	if (spx->parser != NULL)
		XML_ParserFree(spx->parser);
	free((void *)(uintptr_t)spx->counts.text);
}

static struct piece text_of(const struct spx *spx, enum spx_text which)
{
	return piece_trim((struct piece){spx->texts[which], spx->lens[which]});
}

/* "23.3.2021" and "10:57:41". */
static void write_time(const struct spx *spx, char to[DATE_TEXT])
{
	int n[6] = {0}, part = 0;
	char both[2 * TEXT_BYTES + 2];
	struct piece date = text_of(spx, SPX_DATE), time = text_of(spx, SPX_TIME);
	snprintf(
		both, sizeof both, "%.*s.%.*s", (int)date.len, date.text, (int)time.len, time.text);
	to[0] = '\0';
	for (const char *c = both; *c != '\0'; c++) {
		if (*c >= '0' && *c <= '9' && n[part] < 10000)
			n[part] = 10 * n[part] + (*c - '0');
		else if (part == 5 || *c != (part < 3 ? '.' : ':'))
			return;
		else
			part++;
	}
	if (part == 5)
		date_write(to, n[2], n[1], n[0], n[3], n[4], n[5]);
}

static int judge(const struct spx *spx, struct format_facts *facts)
{
	int64_t stated = piece_whole(text_of(spx, SPX_COUNT));
	int64_t found = spx->counts.len > 0 ? piece_numbers(NULL, spx->counts, NULL, 0) : 0;
	if (spx->is_foreign)
		return FORMAT_FOREIGN;
	if (spx->failed) {
		snprintf(facts->why, sizeof facts->why,
			"it is no XML, has a document type, or is nested too deep");
		return FORMAT_DAMAGED;
	}
	if (!spx->is_closed) {
		snprintf(facts->why, sizeof facts->why, "its root is not closed");
		return FORMAT_INCOMPLETE;
	}
	if (found < 1 || found > XRAY_CHANNELS || found != stated) {
		snprintf(facts->why, sizeof facts->why, "it has %lld counts, ChannelCount is %lld",
			(long long)found, (long long)stated);
		return FORMAT_DAMAGED;
	}
	return FORMAT_WHOLE;
}

static bool fits(struct source *s)
{
	char head[512];
	struct piece p = {head, piece_peek(s, head, sizeof head)};
	static const char root[] = "TRTSpectrum";
	for (; p.len >= sizeof root - 1; p.text++, p.len--)
		if (memcmp(p.text, root, sizeof root - 1) == 0)
			return true;
	return false;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	struct piece text;
	(void)state;
	int r = piece_load(s, 0, &text);
	if (r < 0)
		return r == -EFBIG ? FORMAT_FOREIGN : r;
	struct spx *spx = calloc(1, sizeof *spx);
	r = -ENOMEM;
	if (spx != NULL) {
		read_spx(spx, (const uint8_t *)text.text, text.len);
		r = judge(spx, facts);
		if (r == FORMAT_WHOLE) {
			struct piece name = {spx->name, strlen(spx->name)};
			piece_show(name, facts->title, sizeof facts->title);
			piece_show(text_of(spx, SPX_SERIAL), facts->serial, sizeof facts->serial);
			write_time(spx, facts->acquired);
			memcpy(facts->make, "Bruker", sizeof "Bruker");
		}
		finish_spx(spx);
	}
	free(spx);
	free((void *)(uintptr_t)text.text);
	return r;
}

static double number(const struct assay_decoding *in, const struct spx *spx, enum spx_text which)
{
	return piece_number(in->host, text_of(spx, which));
}

static int add(const struct assay_decoding *in, const struct spx *spx, struct assay_frame *out)
{
	size_t n = (size_t)piece_numbers(NULL, spx->counts, NULL, 0);
	double *counts = assay_frame_scratch(out, n * sizeof *counts);
	if (counts == NULL)
		return -ENOMEM;
	piece_numbers(in->host, spx->counts, counts, n);
	double first = number(in, spx, SPX_FIRST), step = number(in, spx, SPX_STEP);
	struct xray x = {.unit = isfinite(first) && isfinite(step) && step != 0 ? "keV" : NULL,
		.first = first,
		.step = step,
		.counts = counts,
		.n = n,
		.live = number(in, spx, SPX_LIVE) / 1000,
		.real = number(in, spx, SPX_REAL) / 1000,
		.voltage = number(in, spx, SPX_VOLTAGE),
		.current = number(in, spx, SPX_CURRENT),
		.current_unit = "uA"};
	int64_t anode = piece_whole(text_of(spx, SPX_ANODE));
	const char *symbol = anode >= 1 && anode <= 118 ? xray_element((unsigned)anode) : NULL;
	char time[DATE_TEXT];
	write_time(spx, time);
	if (time[0] != '\0')
		assay_frame_device_time(out, time);
	if (symbol != NULL)
		xray_add_setting_text(out, "tube_anode", symbol);
	return xray_add(&x, out);
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	struct format_facts facts = {.why = ""};
	struct spx *spx = assay_frame_scratch(out, sizeof *spx);
	(void)part;
	if (spx == NULL)
		return -ENOMEM;
	if (in->raw_count == 0)
		return -EBADMSG;
	read_spx(spx, in->raw[0].data, in->raw[0].len);
	int r = judge(spx, &facts) == FORMAT_WHOLE ? add(in, spx, out) : -EBADMSG;
	finish_spx(spx);
	return r;
}

const struct format format_spx = {
	.name = "spx",
	.summary = "Bruker micro-XRF (M4, M6, ARTAX, Esprit): *.spx",
	.techniques = "xrf",
	.state_size = sizeof(bool),
	.fits = fits,
	.look = look,
	.next = xray_plan_file,
	.decode = decode,
};
