/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "date.h"
#include "xray.h"

const struct xray xray_none = {.live = NAN, .real = NAN, .voltage = NAN, .current = NAN};

static const char symbols[][3] = {"H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg",
	"Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca", "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni",
	"Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y", "Zr", "Nb", "Mo", "Tc",
	"Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce",
	"Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta",
	"W", "Re", "Os", "Ir", "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra",
	"Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm", "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr",
	"Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc", "Lv", "Ts", "Og"};

#define ELEMENTS (sizeof symbols / sizeof symbols[0])

const char *xray_element(unsigned z)
{
	return z >= 1 && z <= ELEMENTS ? symbols[z - 1] : NULL;
}

unsigned xray_element_find(const char *symbol, size_t len)
{
	for (unsigned z = 1; z <= ELEMENTS; z++)
		if (strlen(symbols[z - 1]) == len && memcmp(symbols[z - 1], symbol, len) == 0)
			return z;
	return 0;
}

void xray_add_aux(struct assay_frame *out, const char *name, double value, const char *unit)
{
	if (isfinite(value))
		assay_add_float(out, name, ASSAY_AUX, value, unit);
}

void xray_add_setting_number(
	struct assay_frame *out, const char *name, double value, const char *unit)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_FLOAT, .real = value, .unit = unit};
	if (isfinite(value))
		assay_frame_setting(out, name, &v);
}

void xray_add_setting_text(struct assay_frame *out, const char *name, const char *text)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	if (text[0] != '\0')
		assay_frame_setting(out, name, &v);
}

static const char *add_axis(const struct xray *x, struct assay_frame *out)
{
	if (x->unit == NULL) {
		assay_frame_quality(out, ASSAY_GOOD, "no-calibration");
		assay_add_linear_axis(out, "channel", "1", 0, 1, x->n);
		return "channel";
	}
	struct assay_variable v = {.name = "energy",
		.role = ASSAY_AXIS,
		.dims = {"energy"},
		.unit = x->unit,
		.type = ASSAY_F64,
		.data = x->energies,
		.count = x->n};
	if (x->energies != NULL)
		assay_frame_add(out, &v);
	else
		assay_add_linear_axis(out, "energy", x->unit, x->first, x->step, x->n);
	return "energy";
}

/* As the smallest of u32 and u64 that holds all; false: they are not all whole numbers. */
static bool make_whole(const struct xray *x, struct assay_variable *v, void *room)
{
	double most = 0;
	for (size_t i = 0; i < x->n; i++) {
		if (!(x->counts[i] >= 0 && x->counts[i] <= 9007199254740992.0) ||
			x->counts[i] != floor(x->counts[i]))
			return false;
		most = fmax(most, x->counts[i]);
	}
	uint32_t *small = room;
	uint64_t *large = room;
	v->type = most <= UINT32_MAX ? ASSAY_U32 : ASSAY_U64;
	for (size_t i = 0; i < x->n; i++)
		if (v->type == ASSAY_U32)
			small[i] = (uint32_t)x->counts[i];
		else
			large[i] = (uint64_t)x->counts[i];
	v->data = room;
	return true;
}

int xray_add(const struct xray *x, struct assay_frame *out)
{
	void *room = assay_frame_scratch(out, x->n * sizeof(uint64_t));
	if (room == NULL)
		return -ENOMEM;
	assay_frame_kind(out, ASSAY_SPECTRUM);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	struct assay_variable v = {.name = "counts",
		.role = ASSAY_DATA,
		.dims = {add_axis(x, out)},
		.unit = "{count}",
		.type = ASSAY_F64,
		.data = x->counts,
		.count = x->n};
	make_whole(x, &v, room);
	assay_frame_add(out, &v);
	xray_add_aux(out, "live_time", x->live, "s");
	xray_add_aux(out, "real_time", x->real, "s");
	xray_add_setting_number(out, "tube_voltage", x->voltage, "kV");
	xray_add_setting_number(out, "tube_current", x->current, x->current_unit);
	return 0;
}

void xray_write_time(char to[XRAY_TIME], const uint8_t *at)
{
	char time[DATE_TEXT];
	to[0] = '\0';
	if (date_write(time, get_le16(at), get_le16(at + 2), get_le16(at + 6), get_le16(at + 8),
		    get_le16(at + 10), get_le16(at + 12)))
		snprintf(to, XRAY_TIME, "%s.%03u", time, get_le16(at + 14) % 1000u);
}

int xray_plan_file(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	bool *is_given = state;
	if (rewind)
		*is_given = false;
	if (*is_given)
		return 0;
	*is_given = true;
	plan->part = "spectrum";
	plan->slice[0] = (struct format_slice){0, 0, s->file[0].size};
	plan->count = 1;
	return 1;
}
