/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_spx;

#define XML "<?xml version=\"1.0\" encoding=\"WINDOWS-1252\" standalone=\"yes\"?>\r\n"
#define SPECTRUM(name, count, counts)                                                           \
	"<ClassInstance Type=\"TRTSpectrum\" Name=\"" name "\">"                                \
	"<TRTHeaderedClass>"                                                                    \
	"<ClassInstance Type=\"TRTSpectrumHardwareHeader\"><RealTime>60500</RealTime>"          \
	"<LifeTime>5.82E4</LifeTime><DeadTime>3</DeadTime></ClassInstance>"                     \
	"<ClassInstance Type=\"TRTDetectorHeader\"><Type>XFlash</Type><Serial>4711</Serial>"    \
	"</ClassInstance>"                                                                      \
	"<ClassInstance Type=\"TRTXrfHeader\"><Voltage>50</Voltage><Current>599</Current>"      \
	"<Anode>45</Anode></ClassInstance></TRTHeaderedClass>"                                  \
	"<ClassInstance Type=\"TRTSpectrumHeader\"><Date>23.3.2021</Date><Time>10:57:41</Time>" \
	"<ChannelCount>" count "</ChannelCount><CalibAbs>-9.5E-1</CalibAbs>"                    \
	"<CalibLin>1.0E-2</CalibLin></ClassInstance><Channels>" counts                          \
	"</Channels></ClassInstance>"
#define FILE(spectra) XML "<TRTSpectrum>" spectra "</TRTSpectrum>"

static struct import *of(const char *text)
{
	struct import *im = import_create("xrf", "a.spx");
	import_add(im, NULL, text, strlen(text));
	return im;
}

static int look(const char *text)
{
	struct import *im = of(text);
	int found = import_look(im, &format_spx);
	import_destroy(im);
	return found;
}

/* The second spectrum, such as a fitted background, is not read. */
static void test_values(void **state)
{
	(void)state;
	static const char text[] = FILE(
		SPECTRUM("K\xe4se \x80", "4", "34826,1,\r\n70000,3") SPECTRUM("fit", "2", "7,8"));
	struct import *im = of(text);
	assert_int_equal(import_look(im, &format_spx), FORMAT_WHOLE);
	assert_string_equal(im->facts.title, "K\xc3\xa4se \xe2\x82\xac");
	assert_string_equal(im->facts.serial, "4711");
	assert_string_equal(im->facts.acquired, "2021-03-23T10:57:41");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts"),
				    *energy = host_find(im->host, "energy");
	static const double values[] = {34826, 1, 70000, 3};
	assert_int_equal(counts->type, ASSAY_U32);
	assert_int_equal(counts->count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_true(host_element(counts, i) == values[i]);
	assert_true(energy->start == -0.95 && energy->step == 0.01);
	assert_string_equal(energy->unit, "keV");
	assert_true(host_find(im->host, "live_time")->real == 58.2);
	assert_true(host_find(im->host, "real_time")->real == 60.5);
	const struct host_frame *f = &im->host->frame;
	assert_string_equal(f->device_time, "2021-03-23T10:57:41");
	assert_string_equal(f->settings[0].v.text, "Rh");
	assert_true(f->settings[1].v.real == 50 && f->settings[2].v.real == 599);
	assert_false(import_frame(im));
	import_destroy(im);
	import_cut(
		&format_spx, "xrf", "a.spx", (const uint8_t *)text, strlen(text), strlen(text), 0);
}

static void test_what_is_not_whole(void **state)
{
	(void)state;
	assert_int_equal(look(FILE(SPECTRUM("a", "3", "1,2"))), FORMAT_DAMAGED);
	assert_int_equal(look(FILE(SPECTRUM("a", "4294967295", "1,2"))), FORMAT_DAMAGED);
	assert_int_equal(look(FILE(SPECTRUM("a", "2", "1,x"))), FORMAT_DAMAGED);
	assert_int_equal(look(FILE("")), FORMAT_DAMAGED);
	assert_int_equal(look(XML "<TRTSpectrum><a></b></TRTSpectrum>"), FORMAT_DAMAGED);
	assert_int_equal(look(XML "<Other><TRTSpectrum/></Other>"), FORMAT_FOREIGN);
	assert_int_equal(look("<html>"), FORMAT_FOREIGN);
	char deep[8000] = XML "<TRTSpectrum>";
	for (int i = 0; i < 1000; i++)
		strcat(deep, "<a>");
	assert_int_equal(look(deep), FORMAT_DAMAGED);
}

/* The text of the spectrum would be 10^9 times &a;: it is not even made once. */
static void test_entity_bomb(void **state)
{
	(void)state;
	char text[2000] = "<?xml version=\"1.0\"?><!DOCTYPE TRTSpectrum [<!ENTITY e0 \"1,\">";
	for (int i = 1; i < 10; i++) {
		char line[100] = "<!ENTITY e";
		char *at = line + strlen(line);
		*at++ = (char)('0' + i);
		strcpy(at, " \"");
		for (int k = 0; k < 10; k++) {
			char ref[] = "&e0;";
			ref[2] = (char)('0' + i - 1);
			strcat(line, ref);
		}
		strcat(strcat(text, line), "\">");
	}
	strcat(text,
		"]><TRTSpectrum><ClassInstance "
		"Type=\"TRTSpectrum\"><Channels>&e9;</Channels></ClassInstance></TRTSpectrum>");
	assert_int_equal(look(text), FORMAT_DAMAGED);
	assert_int_equal(look("<?xml version=\"1.0\"?><!DOCTYPE TRTSpectrum [<!ENTITY a "
			      "\"1,2\">]><TRTSpectrum>" SPECTRUM("a", "2", "&a;") "</TRTSpectrum>"),
		FORMAT_DAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_what_is_not_whole),
		cmocka_unit_test(test_entity_bomb),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
