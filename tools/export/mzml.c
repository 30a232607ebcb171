/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indexed mzML 1.1 (HUPO-PSI): scans as spectra, traces as chromatograms, in one pass with a running
 * SHA-1.  Names of terms are exactly those of the PSI-MS vocabulary; validators compare them.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "cell.h"
#include "mass.h"
#include "record/uuid.h"

#define SECOND " unitCvRef=\"UO\" unitAccession=\"UO:0000010\" unitName=\"second\""
#define MZ     " unitCvRef=\"MS\" unitAccession=\"MS:1000040\" unitName=\"m/z\""

struct mzml {
	EVP_MD_CTX *sha1;
	z_stream zip;
	struct buffer mz, intensities, packed; /* of the spectrum that is written */
	uint64_t length;                       /* of the file so far */
	struct buffer offsets; /* uint64_t: of the spectra, then of the chromatograms */
	uint64_t spectra;
	const char *unit;            /* of intensities, as attributes */
	char other_unit[TRACE_TEXT]; /* the true one if the vocabulary does not have it */
};

static struct mzml *mzml_of(const struct export *e)
{
	return ((struct mass_run *)e->own)->more;
}

/* --- XML -------------------------------------------------------------------------------------- */

/*
 * The text of an attribute.  Bytes that are not UTF-8 and controls were escaped before; U+FFFE and
 * U+FFFF are no characters of XML.
 */
static void put_xml(struct buffer *to, const char *text)
{
	for (; *text != '\0'; text++) {
		const char *entity = *text == '&'   ? "&amp;"
				     : *text == '<' ? "&lt;"
				     : *text == '>' ? "&gt;"
				     : *text == '"' ? "&quot;"
						    : NULL;
		bool is_none = strncmp(text, "\xef\xbf\xbe", 3) == 0 ||
			       strncmp(text, "\xef\xbf\xbf", 3) == 0;
		if (is_none) {
			cell_put(to, "\\uff%s", text[2] == '\xbe' ? "fe" : "ff");
			text += 2;
		} else if (entity != NULL) {
			buffer_append(to, entity, strlen(entity));
		} else {
			buffer_append(to, text, 1);
		}
	}
}

static void put_user(struct buffer *to, const char *name, const char *value)
{
	cell_put(to, "<userParam name=\"%s\" value=\"", name);
	put_xml(to, value);
	cell_put(to, "\"/>");
}

static void put_term(struct buffer *to, const char *id, const char *name)
{
	cell_put(to, "<cvParam cvRef=\"MS\" accession=\"%s\" name=\"%s\"/>", id, name);
}

static void put_number(
	struct buffer *to, const char *id, const char *name, double value, const char *unit)
{
	cell_put(to, "<cvParam cvRef=\"MS\" accession=\"%s\" name=\"%s\" value=\"%.17g\"%s/>", id,
		name, value, unit);
}

/* An id of XML: the run's number with _ in place of the characters that an id cannot have. */
static void put_id(struct buffer *to, const char *number)
{
	if (strchr("0123456789.-", number[0]) != NULL)
		cell_put(to, "_");
	for (; *number != '\0'; number++) {
		bool is_legal = (*number | 32) >= 'a' && (*number | 32) <= 'z';
		is_legal |= *number != '\0' && strchr("0123456789.-_", *number) != NULL;
		buffer_append(to, is_legal ? number : "_", 1);
	}
}

/* --- arrays ----------------------------------------------------------------------------------- */

enum array { ARRAY_MZ, ARRAY_TIME, ARRAY_INTENSITY };

static void add_double(struct buffer *doubles, double value)
{
	uint8_t bytes[8];
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	put_le64(bytes, bits);
	buffer_append(doubles, bytes, sizeof bytes);
}

/* The unit of intensities, and the true one where the vocabulary has none for it. */
static void put_unit(struct buffer *to, const struct mzml *m)
{
	if (m->other_unit[0] != '\0')
		put_user(to, "unit", m->other_unit);
}

/* Packs with the file's one stream of zlib, which would cost more to make than an array to pack. */
static int pack(struct mzml *m, const struct buffer *doubles)
{
	uLong bound = deflateBound(&m->zip, doubles->len);
	buffer_reset(&m->packed);
	if (bound > INT32_MAX / 2)
		return -EFBIG;
	m->zip.next_out = buffer_reserve(&m->packed, bound);
	m->zip.avail_out = (uInt)bound;
	m->zip.next_in = doubles->data;
	m->zip.avail_in = (uInt)doubles->len;
	if (doubles->failed || m->packed.failed || deflateReset(&m->zip) != Z_OK ||
		deflate(&m->zip, Z_FINISH) != Z_STREAM_END)
		return -ENOMEM;
	m->packed.len = m->zip.total_out;
	return 0;
}

/* The doubles, packed and in base64.  0 or a negative errno. */
static int put_array(struct export *e, enum array array, const struct buffer *doubles)
{
	static const char *const terms[] = {"accession=\"MS:1000514\" name=\"m/z array\"" MZ,
		"accession=\"MS:1000595\" name=\"time array\"" SECOND,
		"accession=\"MS:1000515\" name=\"intensity array\""};
	struct mzml *m = mzml_of(e);
	int r = pack(m, doubles);
	if (r < 0)
		return r;
	size_t encoded = (m->packed.len + 2) / 3 * 4;
	cell_put(&e->to, "<binaryDataArray encodedLength=\"%zu\">", encoded);
	put_term(&e->to, "MS:1000523", "64-bit float");
	put_term(&e->to, "MS:1000574", "zlib compression");
	cell_put(&e->to, "<cvParam cvRef=\"MS\" %s%s/>", terms[array],
		array == ARRAY_INTENSITY ? m->unit : "");
	if (array == ARRAY_INTENSITY)
		put_unit(&e->to, m);
	cell_put(&e->to, "<binary>");
	uint8_t *to = buffer_reserve(&e->to, encoded + 1);
	if (to != NULL)
		e->to.len += (size_t)EVP_EncodeBlock(to, m->packed.data, (int)m->packed.len);
	cell_put(&e->to, "</binary></binaryDataArray>");
	return 0;
}

/* --- the head --------------------------------------------------------------------------------- */

static void put_cvs(struct buffer *to)
{
	cell_put(to,
		"<cvList count=\"2\"><cv id=\"MS\" fullName=\"Proteomics Standards Initiative "
		"Mass Spectrometry Ontology\" version=\"4.1.257\" "
		"URI=\"https://raw.githubusercontent.com/HUPO-PSI/psi-ms-CV/master/psi-ms.obo\"/>"
		"<cv id=\"UO\" fullName=\"Unit Ontology\" version=\"09:04:2014\" "
		"URI=\"https://raw.githubusercontent.com/bio-ontology-research-group/"
		"unit-ontology/master/unit.obo\"/></cvList>\n");
}

/* A run with both kinds of spectra has neither term here: the vocabulary allows one. */
static void put_content(struct export *e, const struct mass_run *mass)
{
	struct buffer *to = &e->to;
	cell_put(to, "<fileDescription><fileContent>");
	if (mass->count > 0)
		put_term(to, "MS:1000579", "MS1 spectrum");
	if (mass->count > 0 && mass->profiles == 0)
		put_term(to, "MS:1000127", "centroid spectrum");
	if (mass->count > 0 && mass->profiles == mass->count)
		put_term(to, "MS:1000128", "profile spectrum");
	put_term(to, "MS:1000235", "total ion current chromatogram");
	for (enum fact_id i = 0; i < FACTS_COUNT; i++) {
		if (e->about.texts[i][0] != '\0')
			put_user(to, fact_names[i], e->about.texts[i]);
	}
	put_unit(to, mzml_of(e));
	cell_put(to, "</fileContent></fileDescription>\n");
	if (e->about.texts[FACT_SAMPLE][0] != '\0') {
		cell_put(to, "<sampleList count=\"1\"><sample id=\"sample\" name=\"");
		put_xml(to, e->about.texts[FACT_SAMPLE]);
		cell_put(to, "\"/></sampleList>\n");
	}
}

static void put_instrument(struct buffer *to, const struct facts *about)
{
	cell_put(to,
		"<softwareList count=\"1\"><software id=\"assayd\" version=\"" ASSAY_VERSION
		"\"><cvParam cvRef=\"MS\" accession=\"MS:1000799\" name=\"custom unreleased "
		"software tool\" value=\"assayd\"/></software></softwareList>\n"
		"<instrumentConfigurationList count=\"1\"><instrumentConfiguration id=\"IC1\">");
	put_term(to, "MS:1000031", "instrument model");
	if (about->texts[FACT_SERIAL][0] != '\0') {
		cell_put(to, "<cvParam cvRef=\"MS\" accession=\"MS:1000529\" name=\"instrument "
			     "serial number\" value=\"");
		put_xml(to, about->texts[FACT_SERIAL]);
		cell_put(to, "\"/>");
	}
	put_user(to, "make", about->texts[FACT_MAKE]);
	put_user(to, "model", about->texts[FACT_MODEL]);
	cell_put(to,
		"<softwareRef ref=\"assayd\"/></instrumentConfiguration>"
		"</instrumentConfigurationList>\n<dataProcessingList count=\"1\">"
		"<dataProcessing id=\"DP1\"><processingMethod order=\"0\" softwareRef=\"assayd\">");
	put_term(to, "MS:1000544", "Conversion to mzML");
	cell_put(to, "</processingMethod></dataProcessing></dataProcessingList>\n");
}

static void put_run(struct buffer *to, const struct export *e, const struct mass_run *mass)
{
	struct tm tm;
	char text[32];
	time_t seconds = (time_t)(e->about.started / NS_PER_S);
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	cell_put(to, "<run id=\"");
	put_id(to, e->run.number);
	cell_put(to, "\" defaultInstrumentConfigurationRef=\"IC1\"%s startTimeStamp=\"%s\">\n",
		e->about.texts[FACT_SAMPLE][0] != '\0' ? " sampleRef=\"sample\"" : "", text);
	if (mass->count > 0)
		cell_put(to, "<spectrumList count=\"%zu\" defaultDataProcessingRef=\"DP1\">\n",
			mass->count);
}

/* Counts what was appended since `from` as written. */
static void hash(struct export *e, size_t from)
{
	struct mzml *m = mzml_of(e);
	if (e->to.len > from)
		EVP_DigestUpdate(m->sha1, e->to.data + from, e->to.len - from);
	m->length += e->to.len - from;
}

/* Of intensities in another unit the attributes say counts, which a valid file needs. */
static void choose_unit(struct mzml *m, const char *unit)
{
	m->unit = " unitCvRef=\"MS\" unitAccession=\"MS:1000131\" unitName=\"number of detector "
		  "counts\"";
	if (strcmp(unit, "{count}/s") == 0)
		m->unit = " unitCvRef=\"MS\" unitAccession=\"MS:1000814\" unitName=\"counts per "
			  "second\"";
	else if (strcmp(unit, "1") != 0 && strcmp(unit, "{count}") != 0)
		snprintf(m->other_unit, sizeof m->other_unit, "%s", unit);
}

static int begin(struct export *e)
{
	struct mass_run *mass = e->own;
	bool is_new;
	if (mass == NULL || (mass->count == 0 && mass->traces.count == 0))
		return 0;
	struct mzml *m = mass->more = calloc(1, sizeof *m);
	if (m == NULL || (m->sha1 = EVP_MD_CTX_new()) == NULL ||
		EVP_DigestInit_ex(m->sha1, EVP_sha1(), NULL) != 1 ||
		deflateInit(&m->zip, Z_BEST_SPEED) != Z_OK)
		return -ENOMEM;
	int r = export_choose_file(e, 0, &is_new);
	if (r < 0)
		return r;
	choose_unit(m, mass->count > 0 ? mass->unit : mass->traces.of[0].unit);
	cell_put(&e->to, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			 "<indexedmzML xmlns=\"http://psi.hupo.org/ms/mzml\" "
			 "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
			 "xsi:schemaLocation=\"http://psi.hupo.org/ms/mzml "
			 "http://psidev.info/files/ms/mzML/xsd/mzML1.1.2_idx.xsd\">\n"
			 "<mzML xmlns=\"http://psi.hupo.org/ms/mzml\" version=\"1.1.0\" id=\"");
	put_id(&e->to, e->run.number);
	cell_put(&e->to, "\">\n");
	put_cvs(&e->to);
	put_content(e, mass);
	put_instrument(&e->to, &e->about);
	put_run(&e->to, e, mass);
	hash(e, 0);
	return 0;
}

/* --- spectra ---------------------------------------------------------------------------------- */

static void put_scan_terms(struct export *e, const struct mass_scan *scan)
{
	const struct mzml *m = mzml_of(e);
	struct buffer *to = &e->to, quality = {0};
	put_term(to, "MS:1000579", "MS1 spectrum");
	cell_put(to, "<cvParam cvRef=\"MS\" accession=\"MS:1000511\" name=\"ms level\" "
		     "value=\"1\"/>");
	put_term(to, scan->is_profile ? "MS:1000128" : "MS:1000127",
		scan->is_profile ? "profile spectrum" : "centroid spectrum");
	put_term(to, scan->is_negative ? "MS:1000129" : "MS:1000130",
		scan->is_negative ? "negative scan" : "positive scan");
	put_number(to, "MS:1000285", "total ion current", scan->total, "");
	if (scan->points > 0) {
		put_number(to, "MS:1000504", "base peak m/z", scan->base_mz, MZ);
		put_number(to, "MS:1000505", "base peak intensity", scan->base, m->unit);
		put_number(to, "MS:1000528", "lowest observed m/z", scan->mz_least, MZ);
		put_number(to, "MS:1000527", "highest observed m/z", scan->mz_most, MZ);
	}
	facts_put_quality(&quality, scan->frame);
	buffer_append(&quality, "", 1);
	if (!quality.failed)
		put_user(to, "quality", (const char *)quality.data);
	buffer_finish(&quality);
	cell_put(to, "<scanList count=\"1\">");
	put_term(to, "MS:1000795", "no combination");
	cell_put(to, "<scan>");
	put_number(to, "MS:1000016", "scan start time", scan->time, SECOND);
	cell_put(to, "<scanWindowList count=\"1\"><scanWindow>");
	put_number(to, "MS:1000501", "scan window lower limit", scan->window_first, MZ);
	put_number(to, "MS:1000500", "scan window upper limit", scan->window_last, MZ);
	cell_put(to, "</scanWindow></scanWindowList></scan></scanList>");
}

static int put_spectrum(struct export *e, struct mass_scan *scan)
{
	struct mzml *m = mzml_of(e);
	double mz, intensity;
	buffer_reset(&m->mz);
	buffer_reset(&m->intensities);
	while (mass_next(scan, &mz, &intensity)) {
		add_double(&m->mz, mz);
		add_double(&m->intensities, intensity);
	}
	buffer_append(&m->offsets, &m->length, sizeof m->length);
	cell_put(&e->to,
		"<spectrum index=\"%" PRIu64 "\" id=\"scan=%" PRIu64
		"\" defaultArrayLength=\"%zu\">",
		m->spectra++, scan->frame->record.n + 1, scan->points);
	put_scan_terms(e, scan);
	cell_put(&e->to, "<binaryDataArrayList count=\"2\">");
	int r = put_array(e, ARRAY_MZ, &m->mz);
	if (r == 0)
		r = put_array(e, ARRAY_INTENSITY, &m->intensities);
	cell_put(&e->to, "</binaryDataArrayList></spectrum>\n");
	return r;
}

static int put_entry(struct export *e, const struct export_item *item)
{
	struct mass_scan scan;
	size_t from = e->to.len;
	if (!mass_read(e, item, &scan) ||
		mzml_of(e)->spectra == ((const struct mass_run *)e->own)->count)
		return 0;
	int r = put_spectrum(e, &scan);
	hash(e, from);
	return r;
}

/* --- chromatograms and index ------------------------------------------------------------------ */

/* "TIC" of the scans is chromatogram 0; traces follow, by their channels: "fid", "fid 2". */
static void name_chromatogram(const struct mass_run *mass, size_t i, char name[2 * TRACE_TEXT])
{
	size_t first = mass->count > 0, number = 1;
	if (i < first) {
		snprintf(name, 2 * TRACE_TEXT, "TIC");
		return;
	}
	const struct trace *trace = &mass->traces.of[i - first];
	const char *channel = trace->channel[0] != '\0' ? trace->channel : trace->name;
	for (const struct trace *t = mass->traces.of; t < trace; t++)
		number += strcmp(t->channel[0] != '\0' ? t->channel : t->name, channel) == 0;
	if (number > 1)
		snprintf(name, 2 * TRACE_TEXT, "%s %zu", channel, number);
	else
		snprintf(name, 2 * TRACE_TEXT, "%s", channel);
}

static void fill_chromatogram(
	const struct mass_run *mass, size_t i, struct buffer *times, struct buffer *values)
{
	size_t first = mass->count > 0;
	const struct trace *trace = i < first ? NULL : &mass->traces.of[i - first];
	for (size_t k = 0; k < (trace != NULL ? trace->count : mass->count); k++) {
		add_double(times, trace != NULL ? trace_time(trace, k) : mass_row(mass, k)->time);
		add_double(
			values, trace != NULL ? trace_value(trace, k) : mass_row(mass, k)->total);
	}
}

static int put_chromatogram(struct export *e, const struct mass_run *mass, size_t i)
{
	struct mzml *m = mass->more;
	struct buffer times = {0}, values = {0};
	char name[2 * TRACE_TEXT];
	name_chromatogram(mass, i, name);
	fill_chromatogram(mass, i, &times, &values);
	bool is_total = i < (mass->count > 0) || strcmp(mass->traces.of[i - (mass->count > 0)].name,
							 "total_ion_current") == 0;
	buffer_append(&m->offsets, &m->length, sizeof m->length);
	size_t from = e->to.len;
	cell_put(&e->to, "<chromatogram index=\"%zu\" id=\"", i);
	put_xml(&e->to, name);
	cell_put(&e->to, "\" defaultArrayLength=\"%zu\">", times.len / sizeof(double));
	put_term(&e->to, is_total ? "MS:1000235" : "MS:1000810",
		is_total ? "total ion current chromatogram" : "ion current chromatogram");
	cell_put(&e->to, "<binaryDataArrayList count=\"2\">");
	int r = put_array(e, ARRAY_TIME, &times);
	if (r == 0)
		r = put_array(e, ARRAY_INTENSITY, &values);
	cell_put(&e->to, "</binaryDataArrayList></chromatogram>\n");
	hash(e, from);
	buffer_finish(&times);
	buffer_finish(&values);
	return r;
}

static void put_offset(struct export *e, size_t i, const char *name)
{
	uint64_t offset;
	memcpy(&offset, mzml_of(e)->offsets.data + i * sizeof offset, sizeof offset);
	cell_put(&e->to, "<offset idRef=\"");
	put_xml(&e->to, name);
	cell_put(&e->to, "\">%" PRIu64 "</offset>", offset);
}

static void put_index(struct export *e, const struct mass_run *mass, size_t chromatograms)
{
	char name[2 * TRACE_TEXT];
	cell_put(&e->to, "<indexList count=\"%d\">", mass->count > 0 ? 2 : 1);
	if (mass->count > 0)
		cell_put(&e->to, "<index name=\"spectrum\">");
	for (size_t i = 0; i < mass->count; i++) {
		snprintf(name, sizeof name, "scan=%" PRIu64, mass_row(mass, i)->n + 1);
		put_offset(e, i, name);
	}
	cell_put(&e->to, "%s<index name=\"chromatogram\">", mass->count > 0 ? "</index>" : "");
	for (size_t i = 0; i < chromatograms; i++) {
		name_chromatogram(mass, i, name);
		put_offset(e, mass->count + i, name);
	}
	cell_put(&e->to, "</index></indexList>\n");
}

/* The checksum is that of all bytes before it. */
static void put_checksum(struct export *e, struct mzml *m)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	char hex[HEX_SIZE(EVP_MAX_MD_SIZE)];
	unsigned len = 0;
	EVP_DigestFinal_ex(m->sha1, sum, &len);
	cell_put(&e->to, "%s</fileChecksum>\n</indexedmzML>\n", hex_write(hex, sum, len));
}

static int end(struct export *e)
{
	const struct mass_run *mass = e->own;
	struct mzml *m = mass != NULL ? mass->more : NULL;
	if (m == NULL)
		return 0;
	if (m->spectra != mass->count)
		return -EAGAIN; /* the journal has lost some since the survey */
	size_t chromatograms = (mass->count > 0) + mass->traces.count;
	cell_put(&e->to, "%s<chromatogramList count=\"%zu\" defaultDataProcessingRef=\"DP1\">\n",
		mass->count > 0 ? "</spectrumList>\n" : "", chromatograms);
	hash(e, 0);
	for (size_t i = 0; i < chromatograms; i++) {
		int r = put_chromatogram(e, mass, i);
		if (r < 0)
			return r;
	}
	size_t from = e->to.len;
	cell_put(&e->to, "</chromatogramList>\n</run>\n</mzML>\n");
	uint64_t index = m->length + e->to.len - from;
	if (m->offsets.failed)
		return -ENOMEM;
	put_index(e, mass, chromatograms);
	cell_put(&e->to, "<indexListOffset>%" PRIu64 "</indexListOffset>\n<fileChecksum>", index);
	hash(e, from);
	put_checksum(e, m);
	if (m->other_unit[0] != '\0')
		export_note(e,
			"run with intensities in a unit that mzML does not have: written as "
			"counts, userParam \"unit\" has it",
			1);
	return 0;
}

static void forget(struct export *e)
{
	struct mzml *m = mzml_of(e);
	if (m != NULL) {
		EVP_MD_CTX_free(m->sha1);
		deflateEnd(&m->zip);
		buffer_finish(&m->mz);
		buffer_finish(&m->intensities);
		buffer_finish(&m->packed);
		buffer_finish(&m->offsets);
	}
	free(m);
	mass_forget(e);
}

const struct export_format export_mzml = {.survey = mass_take,
	.begin = begin,
	.entry = put_entry,
	.end = end,
	.forget = forget,
	.lacks = "raw bytes; peak tables; flags and uncertainties of single values"};
