/* SPDX-License-Identifier: Apache-2.0 */
/* Identity, the commands sent, and the checks of the readback. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

static int setup(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_USB);
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

static int configure(struct host *h)
{
	return h->driver->configure(&h->ins);
}

/* Status and readback, with which every configure starts. */
static void look(struct host *h, const char *readback)
{
	amptek_status_turn(h, &amptek_px5);
	amptek_readback_turn(h, readback);
}

static void assert_has(const char *text, const char *word)
{
	if (strstr(text, word) == NULL)
		fail_msg("\"%s\" does not have \"%s\"", text, word);
}

/* --- reading back --- */

static void set_reported(struct host *h, const struct assay_setting *s)
{
	const struct assay_variable *v = host_report(h, s->name);
	char text[40];
	switch (v->type) {
	case ASSAY_SCALAR_TEXT: host_set(h, s->name, v->text); return;
	case ASSAY_SCALAR_BOOL: snprintf(text, sizeof(text), v->integer ? "true" : "false"); break;
	case ASSAY_SCALAR_INT: snprintf(text, sizeof(text), "%lld", (long long)v->integer); break;
	default: snprintf(text, sizeof(text), "%.10g", v->real); break;
	}
	host_set(h, s->name, text);
}

/* Every value that stays is reported; sent as it was reported, it changes nothing. */
static void what_is_read_back_is_taken_again(void **state)
{
	struct host *h = *state;
	look(h, amptek_px5_readback);
	assert_int_equal(h->driver->read_back(&h->ins), 0);
	assert_true(host_is_done(h));
	for (const struct assay_setting *s = h->driver->settings; s->name != NULL; s++) {
		if ((s->flags & ASSAY_STAYS) == 0)
			continue;
		assert_non_null(host_report(h, s->name));
		set_reported(h, s);
	}
	look(h, amptek_px5_readback);
	assert_int_equal(configure(h), 0);
	assert_true(host_is_done(h));
}

/* --- identity --- */

static void identity_of_a_real_px5_is_read(void **state)
{
	struct host *h = *state;
	struct assay_identity id = {0};
	host_expect_hex(h, "F5 FA 01 01 00 00 FE 0F");
	host_answer_hex(h, amptek_px5_packet);
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_string_equal(id.make, "Amptek");
	assert_string_equal(id.model, "PX5");
	assert_string_equal(id.serial, "2524");
	assert_string_equal(id.fw, "6.08 build 6, FPGA 6.11");
	assert_false(id.declared);
	assert_true(host_is_done(h));
	assert_int_equal(h->hazards, 0);
}

static void every_device_id_of_the_family_has_its_name(void **state)
{
	static const char *const names[] = {"DP5", "PX5", "DP5G", "MCA8000D", "TB-5", "DP5-X"};
	struct host *h = *state;
	for (unsigned i = 0; i < 6; i++) {
		struct assay_identity id = {0};
		amptek_status_turn(h, &(struct amptek_status){.device = i, .serial = 0xff000000});
		assert_int_equal(h->driver->identify(&h->ins, &id), 0);
		assert_string_equal(id.model, names[i]);
		assert_string_equal(id.serial, "none");
	}
}

static void other_devices_are_rejected_with_the_reason(void **state)
{
	struct host *h = *state;
	struct assay_identity id = {0};
	uint8_t block[64] = {0};
	amptek_ask(h, 1, 1, NULL);
	amptek_reply(h, 0x80, 2, block, 64);
	assert_int_equal(h->driver->identify(&h->ins, &id), -EPROTO);
	assert_has(h->explained, "Mini-X2");
	amptek_status_turn(h, &(struct amptek_status){.device = 6});
	assert_int_equal(h->driver->identify(&h->ins, &id), -EPROTO);
	assert_has(h->explained, "device id 6");
	assert_true(host_is_done(h));
}

static void bytes_left_by_an_earlier_dialogue_are_discarded(void **state)
{
	struct host *h = *state;
	struct assay_identity id = {0};
	host_answer_hex(h, "00 00 01 00 00");
	host_answer_hex(h, "F5 FA FF 00 00 00 FD 12");
	host_expect_hex(h, "F5 FA 01 01 00 00 FE 0F");
	host_answer_hex(h, amptek_px5_packet);
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_int_equal(h->retried, 0);
}

/* --- configure --- */

static void nothing_is_sent_when_all_is_as_wanted(void **state)
{
	struct host *h = *state;
	host_set(h, "channels", "2048");
	host_set(h, "peaking_time", "2");
	look(h, amptek_px5_readback);
	assert_int_equal(configure(h), 0);
	assert_true(host_is_done(h));
	assert_int_equal(h->writes, 2);
}

static void values_read_back_are_reported(void **state)
{
	struct host *h = *state;
	look(h, amptek_with(h, amptek_px5_readback, "PRER=60.00;"));
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0x20, 4, "PRER=OFF;");
	amptek_readback_turn(h, amptek_px5_readback);
	assert_int_equal(configure(h), 0);
	assert_int_equal(host_report(h, "channels")->integer, 2048);
	assert_true(host_report(h, "peaking_time")->real == 2);
	assert_string_equal(host_report(h, "peaking_time")->unit, "us");
	assert_true(host_report(h, "gain")->real == 60.023);
	assert_string_equal(host_report(h, "gain")->unit, "1");
	assert_true(host_report(h, "detector_bias")->real == -130);
	assert_true(host_report(h, "cooler_temperature")->real == 225);
	assert_int_equal(host_report(h, "low_discriminator")->integer, 0);
	assert_int_equal(host_report(h, "pileup_rejection")->type, ASSAY_SCALAR_BOOL);
	assert_int_equal(host_report(h, "pileup_rejection")->integer, 1);
	assert_string_equal(host_report(h, "input_polarity")->text, "pos");
	assert_string_equal(host_report(h, "configuration")->text, amptek_px5_readback);
	assert_null(host_report(h, "preset_time"));
	assert_null(host_report(h, "preset_real_time"));
	assert_true(host_is_done(h));
}

static void a_changed_preset_is_sent_alone_and_not_saved(void **state)
{
	struct host *h = *state;
	host_set(h, "preset_time", "100");
	host_set(h, "save_to_flash", "true");
	look(h, amptek_px5_readback);
	host_expect_hex(h, "F5 FA F0 03 00 00 FD 1E");
	host_answer_hex(h, "F5 FA FF 00 00 00 FD 12");
	host_expect_hex(h, "F5 FA 20 04 00 09 50 52 45 54 3D 31 30 30 3B FB A0");
	host_answer_hex(h, "F5 FA FF 00 00 00 FD 12");
	amptek_readback_turn(h, amptek_with(h, amptek_px5_readback, "PRET=100.0;"));
	assert_int_equal(configure(h), 0);
	assert_true(host_report(h, "preset_time")->real == 100);
	assert_true(host_is_done(h));
}

static void firmware_before_608_is_configured_the_only_way_it_has(void **state)
{
	struct host *h = *state;
	struct amptek_status old = amptek_px5;
	old.firmware = 0x67;
	host_set(h, "preset_time", "100");
	amptek_status_turn(h, &old);
	amptek_readback_turn(h, amptek_px5_readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	host_expect_hex(h, "F5 FA 20 02 00 09 50 52 45 54 3D 31 30 30 3B FB A2");
	host_answer_hex(h, "F5 FA FF 00 00 00 FD 12");
	amptek_readback_turn(h, amptek_with(h, amptek_px5_readback, "PRET=100.0;"));
	assert_int_equal(configure(h), 0);
	assert_true(host_is_done(h));
}

static void all_commands_are_sent_together_and_saved_only_on_request(void **state)
{
	struct host *h = *state;
	const char *sent = "TPEA=4;GAIN=16;MCAC=1024;HVSE=-110;TECS=220;";
	const char *after = amptek_with(h, amptek_px5_readback, "TPEA=4.000;");
	after = amptek_with(h, after, "GAIN=15.998;");
	after = amptek_with(h, after, "MCAC=1024;");
	after = amptek_with(h, after, "HVSE=-110;");
	after = amptek_with(h, after, "TECS=220;");
	host_set(h, "channels", "1024");
	host_set(h, "peaking_time", "4");
	host_set(h, "gain", "16");
	host_set(h, "detector_bias", "-110");
	host_set(h, "cooler_temperature", "220");
	for (unsigned pid2 = 4; pid2 >= 2; pid2 -= 2) {
		look(h, amptek_px5_readback);
		amptek_order_turn(h, 0xf0, 3, NULL);
		amptek_order_turn(h, 0x20, pid2, sent);
		amptek_readback_turn(h, after);
		assert_int_equal(configure(h), 0);
		assert_true(host_is_done(h));
		host_set(h, "save_to_flash", "true");
	}
	assert_true(host_report(h, "gain")->real == 15.998);
	assert_has(h->logged, "GAIN=16 reads back as 15.998");
}

static void a_rounded_value_is_not_sent_again(void **state)
{
	struct host *h = *state;
	host_set(h, "gain", "60");
	look(h, amptek_px5_readback);
	assert_int_equal(configure(h), 0);
	assert_true(host_is_done(h));
	assert_true(host_report(h, "gain")->real == 60.023);
}

static void bias_and_cooler_are_touched_only_when_given(void **state)
{
	struct host *h = *state;
	host_set(h, "channels", "1024");
	look(h, amptek_px5_readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0x20, 4, "MCAC=1024;");
	amptek_readback_turn(h, amptek_with(h, amptek_px5_readback, "MCAC=1024;"));
	assert_int_equal(configure(h), 0);
	host_set(h, "detector_bias", "0");
	look(h, amptek_with(h, amptek_px5_readback, "MCAC=1024;"));
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0x20, 4, "MCAC=1024;HVSE=OFF;");
	amptek_readback_turn(
		h, amptek_with(h, amptek_with(h, amptek_px5_readback, "MCAC=1024;"), "HVSE=OFF;"));
	assert_int_equal(configure(h), 0);
	assert_true(host_report(h, "detector_bias")->real == 0);
	assert_true(host_is_done(h));
	assert_int_equal(h->hazards, 0);
}

static void a_refused_command_is_named_with_its_setting(void **state)
{
	struct host *h = *state;
	host_set(h, "channels", "1024");
	look(h, amptek_px5_readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_ask(h, 0x20, 4, "MCAC=1024;");
	host_answer_hex(h, "F5 FA FF 05 00 0A 4D 43 41 43 3D 31 30 30 30 3B FA B6");
	/* A refused number of channels selects 1024. */
	amptek_readback_turn(h, amptek_with(h, amptek_px5_readback, "MCAC=1024;"));
	amptek_order_turn(h, 0x20, 4, "MCAC=2048;");
	amptek_readback_turn(h, amptek_px5_readback);
	assert_int_equal(configure(h), -EPROTO);
	assert_string_equal(h->explained,
		"channels: the instrument refused \"MCAC=1000;\": the value is not allowed (code "
		"05); the configuration before it was put back");
	assert_true(host_is_done(h));
}

static void a_difference_that_matters_is_an_error(void **state)
{
	struct host *h = *state;
	host_set(h, "detector_bias", "-110");
	look(h, amptek_px5_readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0x20, 4, "HVSE=-110;");
	amptek_readback_turn(h, amptek_px5_readback);
	amptek_readback_turn(h, amptek_px5_readback);
	assert_int_equal(configure(h), -EPROTO);
	assert_true(host_is_done(h));
	assert_has(
		h->explained, "detector_bias: sent HVSE=-110, and the instrument reads back -130");
}

static void text_is_filtered_by_device_and_the_rest_is_recorded(void **state)
{
	struct host *h = *state;
	host_set(h, "configuration",
		"[DP5 Configuration File]\nRESC=YES;\nGAIN=30;\nGAIF=1.1;\nGATE=OFF;\nPREL=;\n"
		"PRET=60;\nMCAE=ON;\nCON2=GATEH;\nTHSL=1.5;\n[DP5 Configuration "
		"Values]\nHVSE=-200;\n");
	host_set(h, "gain", "60");
	look(h, amptek_px5_readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0x20, 4, "GAIN=60;CON2=GATEH;THSL=1.5;");
	amptek_order_turn(h, 0x20, 4, "PRET=60;");
	const char *after = amptek_with(h, amptek_px5_readback, "CON2=GATEH;");
	after = amptek_with(h, amptek_with(h, after, "THSL=1.500;"), "PRET=60.0;");
	amptek_readback_turn(h, after);
	assert_int_equal(configure(h), 0);
	assert_true(host_is_done(h));
	assert_has(h->logged, "left out of the configuration for a PX5");
	const char *left_out = "RESC=YES (a reset is the setting 'reset'), GATE=OFF (not on this "
			       "device), MCAE=ON (counting starts with a run), GAIF=1.1 (replaced "
			       "by the setting gain)";
	assert_has(h->logged, left_out);
	assert_string_equal(host_report(h, "left_out")->text, left_out);
}

static void settings_that_contradict_each_other_are_rejected(void **state)
{
	static const struct {
		const char *settings[3][2], *word;
	} wrong[] = {
		{{{"channels", "1000"}}, "channels: expected 256"},
		{{{"preset_counts", "9"}, {"preset_counts_first", "5"},
			 {"preset_counts_last", "4"}},
			"before preset_counts_first"},
		{{{"slice", "1"}, {"preset_time", "10"}}, "PRET would not be reached"},
		{{{"slice", "1"}, {"progress_every", "2"}}, "choose one"},
		{{{"preset_live_time", "10"}}, "the PX5 has no such setting (PREL)"},
		{{{"configuration", "MCAS=MCS;"}}, "counts over time"},
		{{{"configuration", "mcac=5;"}}, "\"mcac=5;\" is not a command"},
		{{{"reset", "true"}}, "a peaking time must be given"},
		{{{"reset", "true"}, {"peaking_time", "2"}}, "HVSE is -130 now and would be lost"},
		{{{"reset", "true"}, {"peaking_time", "2"}, {"detector_bias", "-130"}},
			"TECS is 225 now and would be lost"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
		for (size_t k = 0; k < 3 && wrong[i].settings[k][0] != NULL; k++)
			host_set(h, wrong[i].settings[k][0], wrong[i].settings[k][1]);
		look(h, amptek_px5_readback);
		assert_int_equal(configure(h), -EINVAL);
		assert_has(h->explained, wrong[i].word);
		assert_true(host_is_done(h));
		host_destroy(h);
	}
}

static void a_reset_goes_first_and_everything_after_it(void **state)
{
	struct host *h = *state;
	host_set(h, "reset", "true");
	host_set(h, "peaking_time", "2");
	host_set(h, "detector_bias", "-130");
	host_set(h, "cooler_temperature", "225");
	look(h, amptek_px5_readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0x20, 4, "RESC=Y;TPEA=2;HVSE=-130;TECS=225;");
	amptek_order_turn(h, 0x20, 4, "PRET=OFF;PRER=OFF;PREC=OFF;");
	amptek_readback_turn(h, amptek_px5_readback);
	assert_int_equal(configure(h), 0);
	assert_true(host_is_done(h));
}

/* An MCA8000D has neither shaper nor detector supply, and other presets. */
static const char mca_readback[] =
	"TPEA=??;GAIN=1.00;PURE=OFF;MCAS=NORM;MCAC=2048;SOFF=OFF;GAIA=1;PDMD=NORM;THSL=0.500;"
	"TLLD=OFF;GATE=OFF;AUO1=PEAKH;PRET=??;PRER=OFF;PREL=OFF;PREC=OFF;PRCL=0;PRCH=8191;";
static const char mca_query[] =
	"TPEA=;GAIN=;PURE=;PURS=;SCTC=;MCAS=;RTDD=;RTDW=;MCAC=;SOFF=;INOG=;GAIA=;PDMD=;THSL=;"
	"TLLD=;GATE=;AUO1=;PRET=;PRER=;PREL=;PREC=;PRCL=;PRCH=;PAPS=;SCOE=;SCOT=;SCOG=;MCSL=;"
	"MCSH=;MCST=;AUO2=;AU34=;GPED=;GPIN=;GPME=;GPGA=;GPMC=;SYNC=;CLKL=;LMMO=;";

static void look_at_mca(struct host *h, const char *readback)
{
	amptek_status_turn(h, &(struct amptek_status){.device = 3});
	amptek_ask(h, 0x20, 3, mca_query);
	amptek_reply(h, 0x82, 7, readback, strlen(readback));
}

static void an_mca8000d_presets_real_time_instead(void **state)
{
	struct host *h = *state;
	host_set(h, "preset_time", "60");
	host_set(h, "preset_live_time", "50");
	host_set(h, "configuration", "CLCK=AUTO;TPFA=200;RTDE=ON;GAIN=1.00;");
	look_at_mca(h, mca_readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0x20, 4, "PREL=50;PRER=60;");
	const char *after = amptek_with(
		h, amptek_with(h, mca_readback, "PRER=60.00;"), "PREL=50.00;");
	amptek_ask(h, 0x20, 3, mca_query);
	amptek_reply(h, 0x82, 7, after, strlen(after));
	assert_int_equal(configure(h), 0);
	assert_true(host_report(h, "preset_time")->real == 60);
	assert_true(host_report(h, "preset_live_time")->real == 50);
	assert_has(h->logged, "CLCK=AUTO (not on this device), TPFA=200 (not on this device)");
	assert_true(host_is_done(h));

	host_set(h, "preset_real_time", "70");
	look_at_mca(h, after);
	assert_int_equal(configure(h), -EINVAL);
	assert_has(h->explained, "preset_time is real time on the MCA8000D");
	host_unset(h, "preset_real_time");
	host_set(h, "detector_bias", "100");
	look_at_mca(h, after);
	assert_int_equal(configure(h), -EINVAL);
	assert_has(h->explained, "the MCA8000D has no such setting (HVSE)");
}

static void a_preset_that_the_firmware_lacks_is_rejected(void **state)
{
	struct host *h = *state;
	host_set(h, "preset_live_time", "50");
	look_at_mca(h, amptek_with(h, mca_readback, "PREL=??;"));
	assert_int_equal(configure(h), -EINVAL);
	assert_has(h->explained, "firmware has no preset PREL");
}

/* --- start and stop --- */

static void configured(struct host *h, const char *readback)
{
	look(h, readback);
	assert_int_equal(configure(h), 0);
	assert_true(host_is_done(h));
}

static void start_disables_clears_and_enables(void **state)
{
	struct host *h = *state;
	configured(h, amptek_px5_readback);
	look(h, amptek_px5_readback);
	host_expect_hex(h, "F5 FA F0 03 00 00 FD 1E");
	host_answer_hex(h, "F5 FA FF 00 00 00 FD 12");
	host_expect_hex(h, "F5 FA F0 01 00 00 FD 20");
	host_answer_hex(h, "F5 FA FF 0C 00 00 FD 06");
	host_expect_hex(h, "F5 FA F0 02 00 00 FD 1F");
	host_answer_hex(h, "F5 FA FF 00 00 00 FD 12");
	assert_int_equal(h->driver->start(&h->ins), 0);
	host_expect_hex(h, "F5 FA F0 03 00 00 FD 1E");
	host_answer_hex(h, "F5 FA FF 00 00 00 FD 12");
	assert_int_equal(h->driver->stop(&h->ins), 0);
	assert_true(host_is_done(h));
	assert_null(h->driver->make_safe);
}

static void a_warm_detector_is_reported_and_rejected_only_on_demand(void **state)
{
	struct host *h = *state;
	configured(h, amptek_px5_readback);
	amptek_start_turns(h, &amptek_px5, amptek_px5_readback);
	assert_int_equal(h->driver->start(&h->ins), 0);
	assert_has(h->logged, "detector temperature is 252.0 K, set is 225.0 K");
	assert_true(host_progress(h, "detector_temperature")->real == 252);
	host_set(h, "require_ready", "true");
	look(h, amptek_px5_readback);
	assert_int_equal(h->driver->start(&h->ins), -EPROTO);
	assert_has(h->explained, "not ready: detector temperature is 252.0 K");
	struct amptek_status cold = amptek_px5;
	cold.kelvin = 226.5;
	amptek_start_turns(h, &cold, amptek_px5_readback);
	assert_int_equal(h->driver->start(&h->ins), 0);
	assert_true(host_is_done(h));
}

static void an_instrument_that_restarted_is_configured_again(void **state)
{
	struct host *h = *state;
	struct amptek_status restarted = amptek_px5;
	const char *wanted = amptek_with(h, amptek_px5_readback, "MCAC=1024;");
	restarted.rebooted = true;
	host_set(h, "channels", "1024");
	configured(h, wanted);
	amptek_status_turn(h, &restarted);
	amptek_readback_turn(h, amptek_px5_readback);
	look(h, amptek_px5_readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0x20, 4, "MCAC=1024;");
	amptek_readback_turn(h, wanted);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0xf0, 1, NULL);
	amptek_order_turn(h, 0xf0, 2, NULL);
	assert_int_equal(h->driver->start(&h->ins), 0);
	assert_true(host_is_done(h));
	assert_has(h->logged, "the instrument restarted: sending the configuration again");
}

static void a_configuration_changed_by_another_program_is_sent_again(void **state)
{
	struct host *h = *state;
	host_set(h, "channels", "2048");
	configured(h, amptek_px5_readback);
	look(h, amptek_with(h, amptek_px5_readback, "MCAC=256;"));
	look(h, amptek_with(h, amptek_px5_readback, "MCAC=256;"));
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0x20, 4, "MCAC=2048;");
	amptek_readback_turn(h, amptek_px5_readback);
	amptek_order_turn(h, 0xf0, 3, NULL);
	amptek_order_turn(h, 0xf0, 1, NULL);
	amptek_order_turn(h, 0xf0, 2, NULL);
	assert_int_equal(h->driver->start(&h->ins), 0);
	assert_true(host_is_done(h));
	assert_has(h->logged, "another program changed");
}

static void text_in_no_known_form_is_not_taken_for_a_configuration(void **state)
{
	struct host *h = *state;
	char big[5000];
	memset(big, 'A', sizeof(big));
	look(h, "MCAC=2048;");
	assert_int_equal(configure(h), 0);
	big[sizeof(big) - 1] = '\0';
	look(h, big);
	assert_int_equal(configure(h), -EBADMSG);
	assert_true(host_is_done(h));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_read_back_is_taken_again),
		CASE(identity_of_a_real_px5_is_read),
		CASE(every_device_id_of_the_family_has_its_name),
		CASE(other_devices_are_rejected_with_the_reason),
		CASE(bytes_left_by_an_earlier_dialogue_are_discarded),
		CASE(nothing_is_sent_when_all_is_as_wanted),
		CASE(values_read_back_are_reported),
		CASE(a_changed_preset_is_sent_alone_and_not_saved),
		CASE(firmware_before_608_is_configured_the_only_way_it_has),
		CASE(all_commands_are_sent_together_and_saved_only_on_request),
		CASE(a_rounded_value_is_not_sent_again),
		CASE(bias_and_cooler_are_touched_only_when_given),
		CASE(a_refused_command_is_named_with_its_setting),
		CASE(a_difference_that_matters_is_an_error),
		CASE(text_is_filtered_by_device_and_the_rest_is_recorded),
		CASE(settings_that_contradict_each_other_are_rejected),
		CASE(a_reset_goes_first_and_everything_after_it),
		CASE(an_mca8000d_presets_real_time_instead),
		CASE(a_preset_that_the_firmware_lacks_is_rejected),
		CASE(start_disables_clears_and_enables),
		CASE(a_warm_detector_is_reported_and_rejected_only_on_demand),
		CASE(an_instrument_that_restarted_is_configured_again),
		CASE(a_configuration_changed_by_another_program_is_sent_again),
		CASE(text_in_no_known_form_is_not_taken_for_a_configuration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
