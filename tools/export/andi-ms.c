/* SPDX-License-Identifier: Apache-2.0 */
/* The scans of a run as ANDI-MS: facts of each scan, then all points as records. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "andi.h"
#include "mass.h"

#define INSTRUMENT_TEXT 32

struct andi_ms {
	struct cdf cdf;
	size_t scans; /* written so far */
};

static const struct {
	const char *name;
	enum fact_id fact; /* FACTS_COUNT: empty */
} instrument[] = {{"instrument_name", FACT_INSTRUMENT}, {"instrument_id", FACTS_COUNT},
	{"instrument_mfr", FACT_MAKE}, {"instrument_model", FACT_MODEL},
	{"instrument_serial_no", FACT_SERIAL}, {"instrument_sw_version", FACTS_COUNT},
	{"instrument_fw_version", FACT_FIRMWARE}, {"instrument_os_version", FACTS_COUNT},
	{"instrument_app_version", FACT_PROGRAM}, {"instrument_comments", FACTS_COUNT}};

/* The facts of a scan; NULL: the name of a variable of ours. */
enum column {
	COLUMN_UNKNOWN,
	COLUMN_TIME,
	COLUMN_NUMBER,
	COLUMN_TOTAL,
	COLUMN_LEAST,
	COLUMN_MOST,
	COLUMN_INDEX,
	COLUMN_COUNT,
	COLUMN_ZERO
};

static const struct {
	const char *name;
	enum cdf_type type;
	enum column column;
} columns[] = {{"scan_acquisition_time", CDF_DOUBLE, COLUMN_TIME},
	{"scan_duration", CDF_DOUBLE, COLUMN_UNKNOWN},
	{"inter_scan_time", CDF_DOUBLE, COLUMN_UNKNOWN}, {"resolution", CDF_DOUBLE, COLUMN_UNKNOWN},
	{"actual_scan_number", CDF_INT, COLUMN_NUMBER},
	{"total_intensity", CDF_DOUBLE, COLUMN_TOTAL}, {"mass_range_min", CDF_DOUBLE, COLUMN_LEAST},
	{"mass_range_max", CDF_DOUBLE, COLUMN_MOST}, {"time_range_min", CDF_DOUBLE, COLUMN_UNKNOWN},
	{"time_range_max", CDF_DOUBLE, COLUMN_UNKNOWN}, {"scan_index", CDF_INT, COLUMN_INDEX},
	{"point_count", CDF_INT, COLUMN_COUNT}, {"flag_count", CDF_INT, COLUMN_ZERO},
	{"a_d_sampling_rate", CDF_DOUBLE, COLUMN_UNKNOWN},
	{"a_d_coaddition_factor", CDF_SHORT, COLUMN_UNKNOWN}};

#define COLUMNS     (sizeof columns / sizeof *columns)
#define INSTRUMENTS (sizeof instrument / sizeof *instrument)

static double cell_of(const struct mass_row *row, enum column column, uint64_t index)
{
	switch (column) {
	case COLUMN_TIME: return row->time;
	case COLUMN_NUMBER: return (double)(row->n + 1);
	case COLUMN_TOTAL: return row->total;
	case COLUMN_LEAST: return row->points > 0 ? row->mz_least : ANDI_UNKNOWN;
	case COLUMN_MOST: return row->points > 0 ? row->mz_most : ANDI_UNKNOWN;
	case COLUMN_INDEX: return (double)index;
	case COLUMN_COUNT: return (double)row->points;
	case COLUMN_ZERO: return 0;
	case COLUMN_UNKNOWN: break;
	}
	return ANDI_UNKNOWN;
}

static bool is_count(const char *unit)
{
	return strcmp(unit, "1") == 0 || strcmp(unit, "{count}") == 0;
}

static void declare_points(struct cdf *cdf, const struct mass_run *mass, size_t points)
{
	size_t mz = cdf_var(cdf, andi_name("mz"), CDF_DOUBLE, 1, &points);
	size_t intensity = cdf_var(cdf, andi_name("intensity"), CDF_DOUBLE, 1, &points);
	cdf_text(cdf, mz, "units", "M/Z");
	cdf_number(cdf, mz, "scale_factor", CDF_DOUBLE, 1);
	cdf_text(cdf, intensity, "units",
		is_count(mass->unit) ? "Arbitrary Intensity Units" : mass->unit);
	cdf_number(cdf, intensity, "scale_factor", CDF_DOUBLE, 1);
	cdf_number(cdf, intensity, "add_offset", CDF_DOUBLE, 0);
	cdf->records = mass->points;
}

static void declare(struct cdf *cdf, const struct export *e, const struct mass_run *mass)
{
	size_t points = cdf_dim(cdf, "point_number", 0);
	size_t scans = cdf_dim(cdf, "scan_number", mass->count);
	size_t text[] = {cdf_dim(cdf, "instrument_number", 1),
		cdf_dim(cdf, "_32_byte_string", INSTRUMENT_TEXT)};
	andi_common(cdf, e, "ms_template_revision", "1.0.1");
	andi_time(cdf, "experiment_date_time_stamp", e->about.started);
	cdf_text(cdf, CDF_GLOBAL, "experiment_type",
		mass->profiles > 0 ? "Continuum Mass Spectrum" : "Centroided Mass Spectrum");
	cdf_text(cdf, CDF_GLOBAL, "test_ionization_polarity",
		mass->is_negative ? "Negative Polarity" : "Positive Polarity");
	cdf_text(cdf, CDF_GLOBAL, "test_scan_function", "Mass Scan");
	cdf_text(cdf, CDF_GLOBAL, "raw_data_mass_format", "Double");
	cdf_text(cdf, CDF_GLOBAL, "raw_data_time_format", "Double");
	cdf_text(cdf, CDF_GLOBAL, "raw_data_intensity_format", "Double");
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t var = cdf_var(cdf, columns[i].name, columns[i].type, 1, &scans);
		if (columns[i].column == COLUMN_TIME)
			cdf_text(cdf, var, "units", "Seconds");
	}
	for (size_t i = 0; i < INSTRUMENTS; i++)
		cdf_var(cdf, instrument[i].name, CDF_CHAR, 2, text);
	declare_points(cdf, mass, points);
}

/* Their values, up to the records. */
static void put_facts(struct export *e, struct cdf *cdf, const struct mass_run *mass)
{
	static const char *const no_marks[] = {NULL};
	for (size_t i = 0; i < COLUMNS; i++) {
		uint64_t index = 0;
		for (size_t k = 0; k < mass->count; k++) {
			const struct mass_row *row = mass_row(mass, k);
			cdf_put(cdf, &e->to, cell_of(row, columns[i].column, index));
			index += row->points;
		}
	}
	for (size_t i = 0; i < INSTRUMENTS; i++) {
		struct buffer text = {0};
		if (instrument[i].fact < FACTS_COUNT)
			facts_put_ascii(&text, e->about.texts[instrument[i].fact], no_marks,
				INSTRUMENT_TEXT - 1);
		buffer_append(&text, "", 1);
		cdf_put_text(
			cdf, &e->to, text.failed ? "" : (const char *)text.data, INSTRUMENT_TEXT);
		buffer_finish(&text);
	}
}

static int begin(struct export *e)
{
	struct mass_run *mass = e->own;
	bool is_new;
	if (mass != NULL && mass->traces.count > 0)
		export_note(
			e, "traces left out, which --format andi-chrom has", mass->traces.count);
	if (mass == NULL || mass->count == 0)
		return 0;
	struct andi_ms *andi = mass->more = calloc(1, sizeof *andi);
	if (andi == NULL)
		return -ENOMEM;
	int r = export_choose_file(e, 0, &is_new);
	declare(&andi->cdf, e, mass);
	if (r == 0)
		r = cdf_head(&andi->cdf, &e->to);
	if (r == 0)
		put_facts(e, &andi->cdf, mass);
	return r;
}

static int put_entry(struct export *e, const struct export_item *item)
{
	const struct mass_run *mass = e->own;
	struct mass_scan scan;
	double mz, intensity;
	if (!mass_read(e, item, &scan) || mass->more == NULL)
		return 0;
	struct andi_ms *andi = mass->more;
	if (andi->scans == mass->count) /* came after the survey */
		return 0;
	if (mass_row(mass, andi->scans++)->points != scan.points)
		return -EAGAIN;
	while (mass_next(&scan, &mz, &intensity)) {
		cdf_put(&andi->cdf, &e->to, mz);
		cdf_put(&andi->cdf, &e->to, intensity);
	}
	return 0;
}

static int end(struct export *e)
{
	const struct mass_run *mass = e->own;
	const struct andi_ms *andi = mass != NULL ? mass->more : NULL;
	return andi == NULL || cdf_is_whole(&andi->cdf) ? 0 : -EAGAIN;
}

static void forget(struct export *e)
{
	struct andi_ms *andi = ((struct mass_run *)e->own)->more;
	if (andi != NULL)
		cdf_finish(&andi->cdf);
	free(andi);
	mass_forget(e);
}

const struct export_format export_andi_ms = {.survey = mass_take,
	.begin = begin,
	.entry = put_entry,
	.end = end,
	.forget = forget,
	.lacks = "raw bytes; quality of single scans; flags and uncertainties of single values; "
		 "characters that are not ASCII"};
