/* SPDX-License-Identifier: Apache-2.0 */
/* A line protocol of the test's own: W asks for a weight, T for a temperature. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;

static void set(struct host_settings *row, const char *const cells[][2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		host_settings_set(row, cells[i][0], cells[i][1]);
}

#define ROW(h, table, ...)                                                              \
	do {                                                                            \
		static const char *const cells[][2] = {__VA_ARGS__};                    \
		set(host_add_row((h), (table)), cells, sizeof(cells) / sizeof(*cells)); \
	} while (0)

static int setup(void **state)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	ROW(h, "requests", {"ask", "W"}, {"reply", "{state S|D} {mass number} {unit word}"},
		{"reply", "{state X|E}"});
	ROW(h, "values", {"name", "mass"}, {"unit_from", "unit"});
	ROW(h, "words", {"part", "state"}, {"text", "S"});
	ROW(h, "words", {"part", "state"}, {"text", "D"}, {"quality", "suspect"},
		{"reason", "not-ready"}, {"meaning", "not stable"});
	ROW(h, "words", {"part", "state"}, {"text", "X"}, {"quality", "missing"},
		{"reason", "saturated"}, {"meaning", "overload"});
	ROW(h, "words", {"part", "state"}, {"text", "E"}, {"quality", "error"},
		{"meaning", "no such command"});
	ROW(h, "units", {"text", "g"}, {"unit", "g"});
	ROW(h, "units", {"text", "\\xB5g"}, {"unit", "ug"});
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

static int acquire(struct host *h)
{
	h->raw.count = 0;
	return h->driver->acquire(&h->ins, &h->raw.handle);
}

static void run(struct host *h)
{
	struct assay_identity id = {0};
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_int_equal(h->driver->configure(&h->ins), 0);
	assert_int_equal(h->driver->start(&h->ins), 0);
}

/* One frame whose only request is W. */
static void weigh(struct host *h, const char *reply)
{
	host_expect_text(h, "W\r\n");
	host_answer_text(h, reply);
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
}

static void refuse(struct host *h, const char *reply, int result, const char *explained)
{
	host_expect_text(h, "W\r\n");
	host_answer_text(h, reply);
	h->explained[0] = '\0';
	assert_int_equal(acquire(h), result);
	if (strstr(h->explained, explained) == NULL)
		fail_msg("'%s' was explained as '%s'", reply, h->explained);
}

static void a_reply_becomes_a_frame_however_it_arrives(void **state)
{
	struct host *h = *state;
	static const char *const ends[] = {"\r\n", "\n", "\r"};
	run(h);
	for (size_t e = 0; e < 3; e++)
		for (size_t piece = 1; piece < 14; piece++) {
			char reply[40];
			snprintf(reply, sizeof(reply), "S    -12.50 g%s", ends[e]);
			host_expect_text(h, "W\r\n");
			host_answer_split(h, reply, strlen(reply), piece);
			assert_int_equal(acquire(h), ASSAY_FRAME);
			assert_int_equal(host_decode(h), 0);
			assert_true(host_find(h, "mass")->real == -12.5);
			assert_string_equal(host_find(h, "mass")->unit, "g");
			assert_int_equal(h->frame.flag, ASSAY_GOOD);
		}
	assert_int_equal(h->drains, 1); /* after the connection; nothing was out of step since */
	assert_true(host_is_done(h));
}

/* The protocol needs the whole wait, also for the last frame. */
static void a_request_to_stop_shortens_no_wait_of_the_protocol(void **state)
{
	struct host *h = *state;
	uint64_t before = 0;
	ROW(h, "requests", {"ask", "T"}, {"wait", "0.3"}, {"reply", "{temperature number}"});
	run(h);
	for (int i = 0; i < 2; i++) { /* the first one waits for silence before */
		before = h->now;
		h->stop_at = i == 1 ? before + 100 : 0;
		host_expect_text(h, "W\r\n");
		host_answer_text(h, "S 1 g\r\n");
		host_expect_text(h, "T\r\n");
		host_answer_text(h, "20\r\n");
		assert_true(acquire(h) > 0);
	}
	assert_true(h->stopping);
	assert_int_equal(h->now - before, 300);
	assert_true(host_is_done(h));
}

static void words_decide_about_quality(void **state)
{
	struct host *h = *state;
	run(h);
	weigh(h, "D 1.5 g\r\n");
	assert_int_equal(h->frame.flag, ASSAY_SUSPECT);
	assert_true(host_has_reason(h, "not-ready"));
	assert_string_equal(host_find(h, "status_text")->text, "not stable");
	assert_true(host_find(h, "mass")->real == 1.5);
	weigh(h, "X\r\n");
	assert_int_equal(h->frame.flag, ASSAY_MISSING);
	assert_true(host_has_reason(h, "saturated"));
	assert_null(host_find(h, "mass"));
	assert_string_equal(host_find(h, "missing")->text, "mass");
	refuse(h, "E\r\n", -EPROTO, "'E': no such command");
	weigh(h, "S 1.5 \xB5g\r\n");
	assert_string_equal(host_find(h, "mass")->unit, "ug");
}

static void a_reply_that_the_profile_does_not_know_is_an_error(void **state)
{
	struct host *h = *state;
	run(h);
	refuse(h, "S 1.5 oz\r\n", -EBADMSG, "'1.5': the profile does not know its unit");
	refuse(h, "S 1.5 G\r\n", -EBADMSG, "unit");
	refuse(h, "S 1.5\r\n", -EBADMSG, "'S 1.5' fits no pattern");
	refuse(h, "S 1.5 g\x07\r\n", -EBADMSG, "'S 1.5 g\\x07'");
	refuse(h, "S 1e999 g\r\n", -EBADMSG, "infinite");
	weigh(h, "S 1.5 g\r\n");
	ROW(h, "words", {"part", "unit"}, {"text", "kg"});
	refuse(h, "S 1.5 g\r\n", -EBADMSG, "does not know 'g' as 'unit'");
}

static void a_mark_in_place_of_a_number_is_a_missing_value(void **state)
{
	struct host *h = *state;
	static const char *const marks[] = {"S ----- g\r\n", "S ^^^^^^ g\n", "S #12.5 g\r"};
	run(h);
	for (size_t i = 0; i < 3; i++) {
		weigh(h, marks[i]);
		assert_null(host_find(h, "mass"));
		assert_int_equal(h->frame.flag, ASSAY_MISSING);
		assert_true(host_has_reason(h, "out-of-range"));
	}
}

/* The reply to W comes too late.  It must not be taken for the reply to the next W. */
static void a_late_reply_answers_no_other_request(void **state)
{
	struct host *h = *state;
	run(h);
	host_expect_text(h, "W\r\n");
	host_delay(h, 2500);
	host_answer_text(h, "S 1.0 g\r\n");
	assert_int_equal(acquire(h), -ETIMEDOUT);
	assert_non_null(strstr(h->explained, "no reply to 'W' within 2000 ms"));
	weigh(h, "S 2.0 g\r\n");
	assert_true(host_find(h, "mass")->real == 2.0);
	assert_true(host_is_done(h));
}

/* One reply too many: it is discarded with all that follows, not taken for the next one. */
static void a_reply_without_a_request_is_dropped(void **state)
{
	struct host *h = *state;
	run(h);
	weigh(h, "S 1.0 g\r\nS 9.0 g\r\n");
	assert_true(host_find(h, "mass")->real == 1.0);
	weigh(h, "S 2.0 g\r\n");
	assert_true(host_find(h, "mass")->real == 2.0);
	assert_int_equal(h->drains, 2);
	host_answer_text(h, "S 8.0");
	host_silence(h);
	host_answer_text(h, "0 g\r\n");
	weigh(h, "S 3.0 g\r\n");
	assert_true(host_find(h, "mass")->real == 3.0);
	assert_true(host_is_done(h));
}

static void a_reply_to_a_stop_answers_no_request(void **state)
{
	struct host *h = *state;
	ROW(h, "requests", {"use", "stop"}, {"ask", "HALT"});
	host_expect_text(h, "HALT\r\n");
	run(h);
	weigh(h, "S 1.0 g\r\n");
	host_expect_text(h, "HALT\r\n");
	host_delay(h, 500);
	host_answer_text(h, "S 9.0 g\r\n");
	assert_int_equal(h->driver->stop(&h->ins), 0);
	assert_int_equal(h->driver->start(&h->ins), 0);
	weigh(h, "S 2.0 g\r\n");
	assert_true(host_find(h, "mass")->real == 2.0);
	assert_true(host_is_done(h));
}

static void an_instrument_that_never_pauses_is_explained(void **state)
{
	struct host *h = *state;
	struct assay_identity id = {0};
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_true(id.declared);
	h->never_pauses = true;
	assert_int_equal(acquire(h), -EBADMSG);
	assert_non_null(strstr(h->explained, "sends without a request"));
	assert_int_equal(h->writes, 0);
}

static void without_checksum_and_status_a_frame_is_unchecked(void **state)
{
	struct host *h = *state;
	ROW(h, "requests", {"ask", "T"}, {"reply", "{temperature number}"});
	ROW(h, "values", {"name", "temperature"}, {"unit", "Cel"}, {"role", "aux"});
	run(h);
	host_expect_text(h, "W\r\n");
	host_answer_text(h, "S 1.0 g\r\n");
	host_expect_text(h, "T\r\n");
	host_answer_text(h, "21.5\r\n");
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(h->raw.count, 2);
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
	assert_true(host_find(h, "temperature")->real == 21.5);
	struct assay_bytes blocks[] = {h->raw.blocks[0], h->raw.blocks[1], h->raw.blocks[1]};
	assert_int_equal(host_decode_bytes(h, blocks, 2, NULL, 0), 0);
	assert_int_equal(host_decode_bytes(h, blocks, 1, NULL, 0), -EBADMSG);
	assert_int_equal(host_decode_bytes(h, blocks, 3, NULL, 0), -EBADMSG);
}

static void a_word_can_take_the_data_away(void **state)
{
	struct host *h = *state;
	ROW(h, "requests", {"ask", "F"}, {"reply", "{flags hex} {text word}"});
	ROW(h, "words", {"part", "flags"}, {"bit", "4"}, {"quality", "missing"},
		{"reason", "maintenance"});
	ROW(h, "values", {"name", "flags"}, {"unit", "1"}, {"role", "aux"});
	ROW(h, "values", {"name", "operator"}, {"part", "text"}, {"unit", "1"}, {"role", "aux"});
	run(h);
	static const struct {
		const char *reply;
		enum assay_quality flag;
		int result;
	} cases[] = {{"0F kim\r\n", ASSAY_GOOD, ASSAY_FRAME},
		{"10 kim\r\n", ASSAY_MISSING, ASSAY_FRAME},
		{"8000000000000000 kim\r\n", 0, -EBADMSG}, {"00 k\xEDm\r\n", 0, -EBADMSG}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		host_expect_text(h, "W\r\n");
		host_answer_text(h, "S 1.5 g\r\n");
		host_expect_text(h, "F\r\n");
		host_answer_text(h, cases[i].reply);
		assert_int_equal(acquire(h), cases[i].result);
		if (cases[i].result < 0)
			continue;
		assert_int_equal(host_decode(h), 0);
		assert_int_equal(h->frame.flag, cases[i].flag);
		assert_true((host_find(h, "mass") != NULL) == (cases[i].flag == ASSAY_GOOD));
		assert_int_equal(host_find(h, "flags")->integer, i == 0 ? 0x0F : 0x10);
		assert_string_equal(host_find(h, "operator")->text, "kim");
	}
}

static void an_echo_is_read_and_compared(void **state)
{
	struct host *h = *state;
	host_set(h, "echo", "true");
	run(h);
	host_expect_text(h, "W\r\n");
	host_answer_text(h, "W\r\nS 1.0 g\r\n");
	assert_int_equal(acquire(h), ASSAY_FRAME);
	refuse(h, "V\r\nS 1.0 g\r\n", -EBADMSG, "the echo of a request is 'V\\x0D\\x0A'");
}

/* --- instruments that send by themselves ------------------------------------------------------- */

static struct host *stream(void)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	ROW(h, "requests", {"reply", "{mass number} g"});
	ROW(h, "values", {"name", "mass"}, {"unit", "g"});
	return h;
}

static void the_rest_of_a_line_is_not_a_value(void **state)
{
	struct host *h = stream();
	run(h);
	host_answer_text(h, "2.345 g\r\n1");
	host_silence(h);
	host_answer_text(h, "2.5 g\r\n3.5 g\r");
	host_answer_text(h, "\n");
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_true(host_find(h, "mass")->real == 12.5);
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_true(host_find(h, "mass")->real == 3.5);
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
	host_answer_text(h, "nonsense\r\n");
	assert_int_equal(acquire(h), -EBADMSG);
	host_answer_text(h, ".5 g\n4.5 g\n"); /* after an error it looks for a line again */
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_true(host_find(h, "mass")->real == 4.5);
	assert_int_equal(h->driver->stop(&h->ins), 0);
	host_answer_text(h, "7.5 g\n8");
	assert_int_equal(h->driver->start(&h->ins), 0);
	host_answer_text(h, ".5 g\n9.5 g\n"); /* the rest of 8.5 */
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_true(host_find(h, "mass")->real == 9.5);
	assert_int_equal(acquire(h), -ETIMEDOUT);
	h->stopping = true;
	assert_int_equal(acquire(h), ASSAY_DONE);
	assert_int_equal(h->writes, 0);
	host_destroy(h);
}

static void a_frame_of_several_lines_begins_with_its_first(void **state)
{
	struct host *h = stream();
	ROW(h, "requests", {"reply", "{temperature number} C"});
	ROW(h, "values", {"name", "temperature"}, {"unit", "Cel"});
	run(h);
	host_answer_text(h, "g\n20.5 C\n12.5 g\n21.5 C\n");
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_true(host_find(h, "mass")->real == 12.5);
	assert_true(host_find(h, "temperature")->real == 21.5);
	host_destroy(h);
}

static void rows_of_start_and_stop_are_sent(void **state)
{
	struct host *h = stream();
	struct assay_identity id = {0};
	ROW(h, "requests", {"use", "start"}, {"ask", "GO"}, {"reply", "OK"});
	ROW(h, "requests", {"use", "stop"}, {"ask", "HALT"});
	ROW(h, "requests", {"use", "identity"}, {"ask", "ID"},
		{"reply", "{model word} {serial text}"});
	host_expect_text(h, "HALT\r\n");
	host_answer_text(h, "5.5 g\r\n6");
	host_expect_text(h, "ID\r\n");
	host_answer_text(h, "B-1 00\xB5"
			    "17\r\n");
	assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	assert_string_equal(id.model, "B-1");
	assert_string_equal(id.serial, "00?17");
	assert_false(id.declared);
	host_expect_text(h, "GO\r\n");
	host_answer_text(h, "OK\r\n");
	assert_int_equal(h->driver->start(&h->ins), 0);
	host_answer_text(h, "1.5 g\r\n2.5 g\r\n");
	assert_int_equal(acquire(h), ASSAY_FRAME);
	host_expect_text(h, "HALT\r\n");
	assert_int_equal(h->driver->stop(&h->ins), 0);
	assert_true(host_is_done(h));
	host_destroy(h);
}

/* --- frames with checksums, lines, arrays ------------------------------------------------------ */

#define BLOCK  \
	"\x02" \
	"1.8.0(0123.5*kWh)\r\nC.1(77)\r\n!\r\n\x03"

static struct host *meter(void)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	host_set(h, "checksum", "xor8");
	host_set(h, "checksum_form", "bytes");
	host_set(h, "checksum_after_end", "true");
	host_set(h, "checksum_skip", "1");
	ROW(h, "requests", {"ask", "?"}, {"begin", "\\x02"}, {"end", "\\x03"}, {"lines", "true"},
		{"reply", "1.8.0({energy number}*kWh)"}, {"reply", "!"},
		{"reply", "{text}({text}"});
	ROW(h, "values", {"name", "energy_import"}, {"part", "energy"}, {"unit", "kW.h"});
	return h;
}

static void every_changed_byte_of_a_reply_with_a_checksum_is_found(void **state)
{
	char good[] = BLOCK "\0", bad[sizeof(good)];
	size_t len = strlen(BLOCK) + 1;
	for (size_t i = 1; i < len - 1; i++)
		good[len - 1] ^= good[i];
	struct host *h = meter();
	struct assay_bytes raw = {.media = "text/plain", .data = (uint8_t *)good, .len = len};
	assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), 0);
	assert_true(host_find(h, "energy_import")->real == 123.5);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	raw.data = (uint8_t *)bad;
	for (size_t at = 0; at < len; at++)
		for (int x = 1; x < 256; x++) {
			memcpy(bad, good, len);
			bad[at] = (char)(bad[at] ^ x);
			assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), -EBADMSG);
		}
	for (raw.len = 0; raw.len < len; raw.len++)
		assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), -EBADMSG);
	host_expect_text(h, "?\r\n");
	host_answer_split(h, good, len, 7);
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_true(host_is_done(h));
	host_destroy(h);
}

static void a_value_that_comes_twice_is_no_value(void **state)
{
	struct host *h = meter();
	host_set(h, "checksum", "none");
	host_expect_text(h, "?\r\n");
	host_answer_text(h, "\x02"
			    "1.8.0(1*kWh)\r\n1.8.0(2*kWh)\r\n!\r\n\x03");
	assert_int_equal(acquire(h), -EBADMSG);
	assert_non_null(strstr(h->explained, "a part came twice"));
	host_expect_text(h, "?\r\n");
	host_answer_text(h, "\x02"
			    "C.1(77)\r\n!\r\n\x03");
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_string_equal(host_find(h, "missing")->text, "energy_import");
	assert_int_equal(h->frame.flag, ASSAY_MISSING);
	host_destroy(h);
}

static struct host *spectrometer(const char *pattern, const char *length)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_TCP);
	host_set(h, "frame", "spectrum");
	ROW(h, "axes", {"name", "wavelength"}, {"unit", "nm"}, {"first", "1500"}, {"step", "2.5"},
		{"count", "3"});
	ROW(h, "requests", {"use", "start"}, {"ask", "W{index},{value}"}, {"each", "wavelength"},
		{"reply", "{text}"});
	struct host_settings *row = host_add_row(h, "requests");
	host_settings_set(row, "ask", "X");
	host_settings_set(row, "reply", pattern);
	host_settings_set(row, "length", length);
	ROW(h, "values", {"name", "single_beam"}, {"unit", "1"}, {"axis", "wavelength"});
	return h;
}

static void an_array_has_as_many_numbers_as_its_axis(void **state)
{
	struct host *h = spectrometer("{single_beam numbers}", "0");
	host_expect_text(h, "W0,1500.0\r\n");
	host_answer_text(h, "ok\r\n");
	host_expect_text(h, "W1,1502.5\r\n");
	host_answer_text(h, "ok\r\n");
	host_expect_text(h, "W2,1505.0\r\n");
	host_answer_text(h, "ok\r\n");
	run(h);
	host_expect_text(h, "X\r\n");
	host_answer_text(h, "1 -2.5 3e2\r\n");
	assert_int_equal(acquire(h), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_int_equal(h->frame.kind, ASSAY_SPECTRUM);
	assert_true(host_element(host_find(h, "single_beam"), 1) == -2.5);
	assert_true(host_element(host_find(h, "wavelength"), 2) == 1505);
	host_expect_text(h, "X\r\n");
	host_answer_text(h, "1 2\r\n");
	assert_int_equal(acquire(h), -EBADMSG);
	assert_non_null(strstr(h->explained, "its axis has another number of values"));
	host_destroy(h);
}

static void floats_are_read_in_the_order_of_the_profile(void **state)
{
	static const struct {
		const char *pattern, *hex;
	} cases[] = {{"{single_beam float32le 3}", "00 00 C0 3F 0D 0A 00 0D 00 00 20 C1"},
		{"{single_beam float32be 3}", "3F C0 00 00 0D 00 0A 0D C1 20 00 00"}};
	for (size_t i = 0; i < 2; i++) {
		struct host *h = spectrometer(cases[i].pattern, "12");
		host_expect_text(h, "X\r\n");
		host_answer_hex(h, cases[i].hex); /* with line ends in it */
		assert_int_equal(acquire(h), ASSAY_FRAME);
		assert_int_equal(host_decode(h), 0);
		assert_true(host_element(host_find(h, "single_beam"), 0) == 1.5);
		assert_true(host_element(host_find(h, "single_beam"), 2) == -10);
		host_expect_text(h, "X\r\n");
		host_answer_hex(
			h, "00 00 80 7F 7F 80 00 00 00 00 00 00"); /* infinity in one of both */
		assert_int_equal(acquire(h), -EBADMSG);
		host_destroy(h);
	}
}

/* --- errors of the link ------------------------------------------------------------------------ */

static void an_error_of_the_link_is_returned_at_once(void **state)
{
	struct host *h = *state;
	static const int errors[] = {-ENODEV, -ECANCELED};
	for (size_t i = 0; i < 2; i++) {
		struct assay_identity id = {0};
		host_error(h, errors[i]);
		assert_int_equal(acquire(h), errors[i]);
		host_revive(h);
		host_reset(h);
		host_expect_text(h, "W\r\n");
		host_answer_text(h, "S 1.");
		host_error(h, errors[i]);
		assert_int_equal(acquire(h), errors[i]);
		host_revive(h);
		host_reset(h);
		assert_int_equal(h->driver->identify(&h->ins, &id), 0);
	}
	weigh(h, "S 2.0 g\r\n");
	h->stopping = true;
	assert_int_equal(acquire(h), ASSAY_DONE);
}

static void a_reply_without_an_end_is_bounded(void **state)
{
	struct host *h = *state;
	static char flood[20000];
	memset(flood, 'x', sizeof(flood));
	host_expect_text(h, "W\r\n");
	host_answer(h, flood, sizeof(flood));
	assert_int_equal(acquire(h), -EBADMSG);
	assert_non_null(strstr(h->explained, "a reply without an end"));
}

static void a_request_is_sent_whole_or_not_at_all(void **state)
{
	struct host *h = *state;
	char address[600] = "";
	memset(address, '7', sizeof(address) - 1);
	host_set(h, "address", address);
	host_set(h, "ask_end", "{address}");
	assert_int_equal(acquire(h), -EINVAL);
	assert_non_null(strstr(h->explained, "more than 511 characters"));
	assert_int_equal(h->writes, 0);
}

static void readings_are_counted(void **state)
{
	struct host *h = *state;
	host_set(h, "readings", "2");
	run(h);
	weigh(h, "S 1.0 g\r\n");
	host_expect_text(h, "W\r\n");
	host_answer_text(h, "S 2.0 g\r\n");
	assert_int_equal(acquire(h), ASSAY_LAST);
}

/* --- check ------------------------------------------------------------------------------------- */

static void expect_finding(struct host *h, const char *finding)
{
	host_check(h);
	if (strstr(h->found, finding) == NULL)
		fail_msg("'%s' is not in:\n%s", finding, h->found);
	assert_int_equal(h->driver->configure(&h->ins), -EINVAL);
}

static void every_wrong_row_is_found(void **state)
{
	static const struct {
		const char *table, *cells[4][2], *finding;
	} cases[] = {
		{"requests", {{"reply", "{a foo}"}, {"ask", "A"}},
			"requests[1].reply: character 1"},
		{"requests", {{"ask", "\\q"}, {"reply", "A"}}, "requests[1].ask: a wrong escape"},
		{"requests", {{"use", "start"}}, "requests[1]: neither"},
		{"requests", {{"ask", "A"}, {"reply", "A"}, {"begin", ""}},
			"requests[1].begin: expected"},
		{"requests", {{"use", "stop"}, {"reply", "A"}}, "requests[1].use: this use needs"},
		{"requests", {{"ask", "A"}, {"reply", "A"}, {"length", "3"}, {"end", "x"}},
			"requests[1].length: a reply of fixed"},
		{"requests", {{"ask", "A"}, {"reply", "A"}, {"lines", "true"}},
			"requests[1].lines: "},
		{"requests", {{"use", "start"}, {"ask", "A"}, {"each", "no"}},
			"requests[1].each: "},
		{"requests", {{"ask", "A"}, {"reply", "{address}"}},
			"requests[1].reply: character 1"},
		{"values", {{"name", "volume"}, {"unit", "L"}}, "values[1].name: no reply"},
		{"values", {{"name", "volume"}, {"part", "x"}, {"unit", "L"}},
			"values[1].part: no reply"},
		{"values", {{"name", "mass"}, {"unit", "g"}},
			"values[1].name: 'mass': there is already"},
		{"values", {{"name", "Mass"}, {"part", "mass"}, {"unit", "g"}},
			"values[1].name: 'Mass'"},
		{"values", {{"name", "missing"}, {"part", "mass"}, {"unit", "g"}}, "is reserved"},
		{"values", {{"name", "m"}, {"part", "mass"}},
			"values[1].name: expected one of 'unit'"},
		{"values", {{"name", "m"}, {"part", "mass"}, {"unit_from", "x"}},
			"values[1].unit_from: no reply"},
		{"values", {{"name", "m"}, {"part", "mass"}, {"unit", "g"}, {"axis", "t"}},
			"values[1].axis: one value"},
		{"words", {{"part", "x"}, {"text", "y"}}, "words[4].part: no reply"},
		{"words", {{"part", "state"}, {"bit", "2"}}, "words[4].bit: bits are"},
		{"words", {{"part", "state"}, {"text", "\\q"}}, "words[4].text: a wrong escape"},
		{"units", {{"text", "g"}, {"unit", "kg"}}, "units[2].text: 'g' is there twice"},
		{"axes", {{"name", "Time"}, {"unit", "s"}, {"step", "1"}, {"count", "2"}},
			"axes[0].name: 'Time'"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		void *own;
		setup(&own);
		struct host *h = own;
		host_check(h);
		assert_string_equal(h->found, "");
		struct host_settings *row = host_add_row(h, cases[i].table);
		for (size_t c = 0; c < 4 && cases[i].cells[c][0] != NULL; c++)
			host_settings_set(row, cases[i].cells[c][0], cases[i].cells[c][1]);
		expect_finding(h, cases[i].finding);
		host_destroy(h);
	}
	struct host *h = *state;
	host_set(h, "ask_end", "\\q");
	expect_finding(h, "ask_end: a wrong escape");
	host_set(h, "ask_end", "\\r");
	host_set(h, "checksum", "xor8");
	host_set(h, "checksum_after_end", "true");
	expect_finding(h, "requests[0].end: a checksum after");
}

int main(void)
{
#define WITH_SCALE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_SCALE(a_reply_becomes_a_frame_however_it_arrives),
		WITH_SCALE(a_request_to_stop_shortens_no_wait_of_the_protocol),
		WITH_SCALE(words_decide_about_quality),
		WITH_SCALE(a_reply_that_the_profile_does_not_know_is_an_error),
		WITH_SCALE(a_mark_in_place_of_a_number_is_a_missing_value),
		WITH_SCALE(a_late_reply_answers_no_other_request),
		WITH_SCALE(a_reply_without_a_request_is_dropped),
		WITH_SCALE(a_reply_to_a_stop_answers_no_request),
		WITH_SCALE(an_instrument_that_never_pauses_is_explained),
		WITH_SCALE(without_checksum_and_status_a_frame_is_unchecked),
		WITH_SCALE(a_word_can_take_the_data_away),
		WITH_SCALE(an_echo_is_read_and_compared),
		cmocka_unit_test(the_rest_of_a_line_is_not_a_value),
		cmocka_unit_test(a_frame_of_several_lines_begins_with_its_first),
		cmocka_unit_test(rows_of_start_and_stop_are_sent),
		cmocka_unit_test(every_changed_byte_of_a_reply_with_a_checksum_is_found),
		cmocka_unit_test(a_value_that_comes_twice_is_no_value),
		cmocka_unit_test(an_array_has_as_many_numbers_as_its_axis),
		cmocka_unit_test(floats_are_read_in_the_order_of_the_profile),
		WITH_SCALE(an_error_of_the_link_is_returned_at_once),
		WITH_SCALE(a_reply_without_an_end_is_bounded),
		WITH_SCALE(a_request_is_sent_whole_or_not_at_all),
		WITH_SCALE(readings_are_counted),
		WITH_SCALE(every_wrong_row_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
