/* SPDX-License-Identifier: Apache-2.0 */
#include "jcamp-decode.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "asdf.h"
#include "bytes.h"
#include "date.h"
#include "jcamp-scan.h"
#include "jcamp-words.h"
#include "numbers.h"

enum field {
	/* Of one table. */
	DATA_TYPE,
	X_UNITS,
	Y_UNITS,
	X_FACTOR,
	Y_FACTOR,
	FIRST_X,
	LAST_X,
	DELTA_X,
	POINTS,
	/* Of NTUPLES: lists, one item for each symbol. */
	SYMBOL,
	VAR_NAME,
	UNITS,
	FACTOR,
	FIRST,
	LAST,
	VAR_DIM,
	PAGE,
	/* Others. */
	RETENTION_TIME, /* of programs that write scans one behind the other */
	LONG_DATE,
	DATE,
	RESOLUTION,
	FIELDS,
};

static const char *const labels[FIELDS] = {
	[DATA_TYPE] = "DATATYPE",
	[X_UNITS] = "XUNITS",
	[Y_UNITS] = "YUNITS",
	[X_FACTOR] = "XFACTOR",
	[Y_FACTOR] = "YFACTOR",
	[FIRST_X] = "FIRSTX",
	[LAST_X] = "LASTX",
	[DELTA_X] = "DELTAX",
	[POINTS] = "NPOINTS",
	[SYMBOL] = "SYMBOL",
	[VAR_NAME] = "VARNAME",
	[UNITS] = "UNITS",
	[FACTOR] = "FACTOR",
	[FIRST] = "FIRST",
	[LAST] = "LAST",
	[VAR_DIM] = "VARDIM",
	[PAGE] = "PAGE",
	[RETENTION_TIME] = "RETENTIONTIME",
	[LONG_DATE] = "LONGDATE",
	[DATE] = "DATE",
	[RESOLUTION] = "RESOLUTION",
};

/* The records before a table, the last of each label, and the table. */
struct records {
	char text[FIELDS][FORMAT_FACT];
	enum jcamp_form form;
	char x[JCAMP_SYMBOL], y[JCAMP_SYMBOL];
	const char *table;
	size_t table_len;
};

/* --- records ---------------------------------------------------------------------------------- */

/* A block as a source, for the scan. */
struct block_source {
	struct source source;
	struct source_file file;
	const struct assay_bytes *bytes;
};

static int read_block(struct source *s, unsigned file, uint64_t offset, void *to, size_t len)
{
	const struct assay_bytes *bytes = ((struct block_source *)(void *)s)->bytes;
	if (file != 0 || !bytes_fit(offset, len, bytes->len))
		return -ENODATA;
	memcpy(to, bytes->data + offset, len);
	return 0;
}

static void read_records(const struct assay_bytes *bytes, struct records *to)
{
	struct block_source block = {.file = {"", bytes->len}, .bytes = bytes};
	block.source = (struct source){
		.files = 1, .file = &block.file, .name = "", .read = read_block};
	struct jcamp_scan scan;
	struct jcamp_record record;
	bool is_table = false;
	jcamp_scan_init(&scan, &block.source);
	while (jcamp_scan_next(&scan, &record) == 1) {
		if (is_table)
			to->table_len = (size_t)record.at -
					(size_t)(to->table - (const char *)bytes->data);
		is_table = false;
		for (int i = 0; i < FIELDS; i++)
			if (strcmp(record.label, labels[i]) == 0)
				memcpy(to->text[i], record.text, FORMAT_FACT);
		char x[JCAMP_SYMBOL], y[JCAMP_SYMBOL];
		enum jcamp_form form = jcamp_form_of(&record, x, y);
		if (form == JCAMP_NO_FORM)
			continue;
		is_table = true;
		to->form = form;
		memcpy(to->x, x, sizeof x);
		memcpy(to->y, y, sizeof y);
		to->table = (const char *)bytes->data + record.after;
		to->table_len = bytes->len - (size_t)record.after;
	}
}

/* The number at the start of a text; NAN: there is none. */
static double number_of(const struct assay_decoding *in, const char *text)
{
	double value;
	size_t len = strcspn(text, " \t,;");
	return len > 0 && assay_parse_number(in->host, text, len, &value) == 0 ? value
									       : (double)NAN;
}

/* Item `i` of a list with commas, without blanks around it. */
static void take_list_item(const char *list, int i, char to[FORMAT_FACT])
{
	for (; i > 0 && *list != '\0'; i--) {
		list += strcspn(list, ",");
		list += *list == ',';
	}
	list += strspn(list, " \t");
	size_t len = strcspn(list, ",");
	while (len > 0 && (list[len - 1] == ' ' || list[len - 1] == '\t'))
		len--;
	memcpy(to, list, len);
	to[len] = '\0';
}

/* The place of a symbol in the list of symbols; -1: it is not there. */
static int find_symbol(const struct records *r, const char *symbol)
{
	char item[FORMAT_FACT];
	for (int i = 0; i < 16 && symbol[0] != '\0'; i++) {
		take_list_item(r->text[SYMBOL], i, item);
		if (strcmp(item, symbol) == 0)
			return i;
	}
	return -1;
}

/* The fields of a table of NTUPLES, as those of a table of its own. */
static void flatten(struct records *r)
{
	int x = find_symbol(r, r->x), y = find_symbol(r, r->y);
	if (x < 0 || y < 0)
		return;
	const struct {
		enum field to, from;
		int item;
	} rows[] = {
		{X_UNITS, UNITS, x},
		{Y_UNITS, UNITS, y},
		{X_FACTOR, FACTOR, x},
		{Y_FACTOR, FACTOR, y},
		{FIRST_X, FIRST, x},
		{LAST_X, LAST, x},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (r->text[rows[i].to][0] == '\0')
			take_list_item(r->text[rows[i].from], rows[i].item, r->text[rows[i].to]);
	if (r->text[POINTS][0] == '\0')
		take_list_item(r->text[VAR_DIM], x, r->text[POINTS]);
}

/* --- time ------------------------------------------------------------------------------------- */

void jcamp_date(const char *text, char to[FORMAT_FACT], char zone[FORMAT_FACT])
{
	int part[6] = {0}, parts = 0, digits = 0;
	char date[DATE_TEXT];
	const char *at = text;
	for (; parts < 6 && digits <= 4; at++) {
		if (*at >= '0' && *at <= '9') {
			part[parts] = part[parts] * 10 + (*at - '0');
			digits++;
		} else if (digits > 0 && (*at == '\0' || strchr("/ :.", *at) != NULL)) {
			parts++;
			digits = 0;
		} else if (*at != ' ') {
			break;
		}
		if (*at == '\0')
			break;
	}
	size_t len = strlen(text);
	const char *end = len > 6 ? text + len - 5 : "";
	bool is_date = (parts == 3 || parts == 6) && text[strspn(text, "0123456789")] == '/' &&
		       part[0] > 31 &&
		       date_write(date, part[0], part[1], part[2], part[3], part[4], part[5]);
	if (is_date)
		text = date;
	snprintf(to, FORMAT_FACT, "%s", text);
	if (is_date && (*end == '+' || *end == '-') && strspn(end + 1, "0123456789") == 4)
		snprintf(zone, FORMAT_FACT, "%.3s:%.2s", end, end + 3);
}

/* --- the frame -------------------------------------------------------------------------------- */

static const char *label_of(const struct quantity *of, const char *text)
{
	bool is_other = strcmp(of->name, "abscissa") == 0 || strcmp(of->name, "ordinate") == 0;
	return is_other && text[0] != '\0' ? text : NULL;
}

/* The value of the page, "T= 272", in the unit of its symbol; or a retention time of its own. */
static void add_page(
	const struct assay_decoding *in, const struct records *r, struct assay_frame *out)
{
	char symbol[FORMAT_FACT], name[FORMAT_FACT], unit[FORMAT_FACT];
	const char *page = r->text[PAGE], *is = strchr(page, '=');
	struct assay_variable v = {.name = "retention_time",
		.role = ASSAY_AUX,
		.unit = "s",
		.type = ASSAY_SCALAR_FLOAT,
		.real = number_of(in, r->text[RETENTION_TIME])};
	if (is != NULL) {
		take_list_item(page, 0, symbol);
		symbol[strcspn(symbol, " =")] = '\0';
		int i = find_symbol(r, symbol);
		take_list_item(r->text[VAR_NAME], i, name);
		take_list_item(r->text[UNITS], i, unit);
		struct quantity of = jcamp_place(unit);
		bool is_retention = strcmp(name, "RETENTION TIME") == 0 &&
				    strcmp(of.name, "time") == 0;
		v.name = is_retention ? "retention_time" : "series_position";
		v.unit = of.unit;
		v.label = name[0] != '\0' ? name : symbol;
		v.real = number_of(in, is + 1 + strspn(is + 1, " "));
	}
	if (isfinite(v.real))
		assay_frame_add(out, &v);
}

static double factor_of(const struct assay_decoding *in, const char *text)
{
	double factor = number_of(in, text);
	return fabs(factor) > 0 ? factor : 1;
}

/* Reads the numbers of the table, and the even places of a list. */
static int read_table(const struct assay_decoding *in, const struct records *r,
	struct assay_frame *out, struct places *x, double **ys, struct asdf_result *result)
{
	struct asdf table = {.host = in->host,
		.text = r->table,
		.len = r->table_len,
		.factor = factor_of(in, r->text[X_FACTOR])};
	double stated = number_of(in, r->text[POINTS]), y_factor = factor_of(in, r->text[Y_FACTOR]);
	bool is_list = r->form == JCAMP_LIST;
	int e = is_list ? asdf_list(&table, NULL, NUMBERS_MAX, result)
			: asdf_pairs(&table, NULL, NULL, NUMBERS_MAX, result);
	if (e < 0 || result->count == 0)
		return -EBADMSG;
	size_t n = x->count = result->count;
	double *xs = assay_frame_scratch(out, n * sizeof *xs);
	*ys = assay_frame_scratch(out, n * sizeof **ys);
	if (xs == NULL || *ys == NULL)
		return -ENOMEM;
	if (is_list) {
		double steps = (stated > 1 ? stated : (double)n) - 1;
		double step = number_of(in, r->text[DELTA_X]);
		x->first = number_of(in, r->text[FIRST_X]);
		x->last = number_of(in, r->text[LAST_X]);
		if (isfinite(x->last))
			step = steps > 0 ? (x->last - x->first) / steps : 1;
		table.has_places = isfinite(x->first) && isfinite(step);
		table.first = x->first;
		table.step = step;
		if (!isfinite(x->last) || steps > (double)n - 1 || steps < (double)n - 1)
			x->last = x->first + step * (double)(n - 1);
		e = asdf_list(&table, *ys, n, result);
	} else {
		e = asdf_pairs(&table, xs, *ys, n, result);
		x->data = xs;
		x->type = ASSAY_F64;
	}
	for (size_t i = 0; i < n; i++) {
		xs[i] *= table.factor;
		(*ys)[i] *= y_factor;
	}
	if (isfinite(stated) && (stated > (double)n || stated < (double)n))
		result->wrong++;
	return e;
}

/* A scan without peaks: only its place in the series. */
static int add_no_peaks(
	const struct assay_decoding *in, const struct records *r, struct assay_frame *out)
{
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	assay_add_int(out, "file_bytes", ASSAY_AUX, (int64_t)r->table_len, "By");
	add_page(in, r, out);
	return 0;
}

int jcamp_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	struct records *r = assay_frame_scratch(out, sizeof *r);
	size_t blocks = strcmp(part, "page") == 0 ? 2 : 1;
	struct asdf_result result;
	struct places x = {.count = 0};
	struct quantity y;
	double *ys;
	if (r == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < blocks && i < in->raw_count; i++)
		read_records(&in->raw[i], r);
	if (r->form == JCAMP_NO_FORM) {
		assay_explain_decode(in, "no table of numbers");
		return -EBADMSG;
	}
	flatten(r);
	enum assay_kind kind = jcamp_sides(
		r->text[DATA_TYPE], r->text[X_UNITS], r->text[Y_UNITS], &x.of, &y);
	int e = read_table(in, r, out, &x, &ys, &result);
	if (e == -EBADMSG && fabs(number_of(in, r->text[POINTS])) <= 0)
		return add_no_peaks(in, r, out);
	if (e < 0) {
		assay_explain_decode(in, "the table has no numbers, or more than a frame has");
		return e;
	}
	if (y.unit == NULL)
		y.unit = numbers_ratio_unit(ASSAY_F64, ys, x.count);
	assay_frame_kind(out, kind);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	if (result.wrong > 0)
		assay_frame_quality(out, ASSAY_SUSPECT, "malformed");
	const char *time = r->text[r->text[LONG_DATE][0] != '\0' ? LONG_DATE : DATE];
	if (time[0] != '\0')
		assay_frame_device_time(out, time);
	struct assay_variable resolution = {.type = ASSAY_SCALAR_FLOAT,
		.unit = x.of.unit,
		.real = number_of(in, r->text[RESOLUTION])};
	if (resolution.real > 0 && strcmp(x.of.unit, "cm-1") == 0)
		assay_frame_setting(out, "resolution", &resolution);
	x.label = label_of(&x.of, r->text[X_UNITS]);
	const char *axis = numbers_add_places(out, &x);
	numbers_add_values(out, axis, &y, label_of(&y, r->text[Y_UNITS]), ASSAY_F64, ys, x.count);
	add_page(in, r, out);
	return 0;
}
