/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "record/techniques.h"
#include "record/text.h"

/*
 * Ids and names of the Chemical Methods Ontology.  For near-infrared instruments it is the
 * parent term: nir differs from ftir by its topic.  Plain devices have terms of this project.
 */
static const struct technique techniques[] = {
	{"ftir", TECHNIQUE_FTIR, "CHMO:0000636", "Fourier transform infrared spectroscopy"},
	{"nir", TECHNIQUE_NIR, "CHMO:0000630", "infrared spectroscopy"},
	{"raman", TECHNIQUE_RAMAN, "CHMO:0000656", "Raman spectroscopy"},
	{"uv-vis", TECHNIQUE_UV_VIS, "CHMO:0000292", "ultraviolet-visible spectrophotometry"},
	{"gc", TECHNIQUE_GC, "CHMO:0001002", "gas chromatography"},
	{"ms", TECHNIQUE_MS, "CHMO:0000470", "mass spectrometry"},
	{"gcms", TECHNIQUE_GCMS, "CHMO:0000497", "gas chromatography-mass spectrometry"},
	{"xrf", TECHNIQUE_XRF, "CHMO:0000307", "X-ray emission spectroscopy"},
	{"weighing", TECHNIQUE_WEIGHING, "ASSAY:0000001", "weighing"},
	{"ph", TECHNIQUE_PH, "ASSAY:0000002", "pH measurement"},
	{"environment", TECHNIQUE_ENVIRONMENT, "ASSAY:0000003", "measurement of the environment"},
	{"other", TECHNIQUE_OTHER, "ASSAY:0000004", "another technique"},
};

const struct technique *technique_at(size_t i)
{
	return i < sizeof techniques / sizeof techniques[0] ? &techniques[i] : NULL;
}

bool technique_is_valid(struct assay_string token)
{
	return token_is_valid(token) && token.data[0] >= 'a' && token.data[0] <= 'z';
}

struct technique technique_of(const char *token)
{
	const struct technique *known = technique_find(string_of(token));
	const struct technique *other = technique_find(string_of("other"));
	return known != NULL ? *known : (struct technique){token, 0, other->id, token};
}

const struct technique *technique_find(struct assay_string token_or_id)
{
	const struct technique *technique;
	for (size_t i = 0; (technique = technique_at(i)) != NULL; i++)
		if (assay_string_is(token_or_id, technique->token) ||
			assay_string_is(token_or_id, technique->id))
			return technique;
	return NULL;
}
