/* SPDX-License-Identifier: Apache-2.0 */
/* The worked examples of the register maps, byte for byte, and faults that a master must handle. */
#include "bench.h"
#include "modbus/frame.h"
#include "modbus/plant.h"

#define start_truth(b, truth, ...) \
	bench_start(b, &modbus_model, SIM_NONE, truth, (const char *const[]){__VA_ARGS__, NULL})
#define start(b, ...) start_truth(b, NULL, __VA_ARGS__)

static void ask(struct bench *b, const char *request, const char *reply)
{
	send_hex(b, request);
	expect_hex(b, reply);
}

/* A read request with its CRC; returns the data after the byte count. */
static const uint8_t *read_rtu(
	struct bench *b, uint8_t unit, uint8_t function, uint16_t address, uint16_t count)
{
	uint8_t frame[8] = {unit, function, (uint8_t)(address >> 8), (uint8_t)address,
		(uint8_t)(count >> 8), (uint8_t)count};
	send_bytes(b, frame, frame_add_crc(frame, 6));
	if (b->len > 0)
		assert_int_equal(frame_crc(b->sent, b->len), 0);
	return b->sent + 3;
}

static float cdab(const uint8_t *at)
{
	uint32_t bits = (uint32_t)at[2] << 24 | (uint32_t)at[3] << 16 | (uint32_t)at[0] << 8 |
			at[1];
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

#define MCS_REPLY                                                                           \
	"01 04 44 00 00 41 48 00 00 00 00 00 00 40 50 00 00 42 34 00 00 42 F1 00 00 00 00 " \
	"00 00 42 0F 00 00 40 20 00 00 00 00 00 00 00 00 33 33 41 63 66 66 41 2E "          \
	"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 4C CD 43 3B EF D8"

static void mcs100ft_replies_as_in_the_worked_example(void **state)
{
	struct bench b;
	start(&b, "fixed", "example");
	ask(&b, "01 04 00 8A 00 22 51 F9", MCS_REPLY);
	ask(&b, "01 02 0F A0 00 01 BA FC", "01 02 01 00 A1 88");
	bench_stop(&b);
}

static void mcs100ft_replies_as_in_the_bench_vector(void **state)
{
	struct bench b;
	start(&b, "fixed", "bench", "address-offset", "-1");
	ask(&b, "01 04 00 89 00 12 A1 ED",
		"01 04 24 00 00 40 C8 00 00 41 C8 00 00 42 C8 00 00 43 C8 00 00 44 C8 00 00 45 C8 "
		"00 00 46 C8 00 00 47 C8 00 00 48 C8 CF C4");
	bench_stop(&b);
}

static void cx4000_replies_as_in_the_worked_example(void **state)
{
	struct bench b;
	start(&b, "profile", "gasmet-cx4000", "fixed", "example");
	ask(&b, "01 03 00 00 00 12 C5 C7",
		"01 03 24 00 00 42 0F 4C CD 43 3B 00 00 40 20 00 00 40 50 00 00 42 34 68 00 47 BF "
		"00 00 41 48 00 00 3F 00 33 33 41 63 0C 34");
	send_hex(&b, "01 03 00 12 00 0E 64 0B");
	assert_int_equal(b.len, 5 + 28);
	assert_true(cdab(b.sent + 3) == 0);
	assert_true(cdab(b.sent + 7) == 4);
	bench_stop(&b);
}

static void cx4000_answers_vendor_functions(void **state)
{
	struct bench b;
	start(&b, "profile", "gasmet-cx4000", "fixed", "example");
	const uint8_t *data = read_rtu(&b, 1, 0x42, 0, 9);
	assert_int_equal(b.len, 3 + 18 + 2);
	assert_int_equal(data[0] << 8 | data[1], 75);   /* SO2 */
	assert_int_equal(data[2] << 8 | data[3], 400);  /* NOx */
	assert_int_equal(data[12] << 8 | data[13], 15); /* HCl, byte 15 of the frame */
	read_rtu(&b, 1, 0x43, 0, 0x20);
	assert_int_equal(b.len, 3 + 64 + 2);
	const uint8_t january[] = {126, 1, 1, 0, 0, 0};
	assert_memory_equal(b.sent + 61, january, sizeof january);
	read_rtu(&b, 1, 0x46, 0, 9);
	assert_int_equal(b.sent[1], 0xC6);
	assert_int_equal(b.sent[2], 1);
	bench_stop(&b);
}

static void unmapped_areas_and_functions_are_rejected(void **state)
{
	struct bench b;
	start(&b, "fixed", "example");
	read_rtu(&b, 1, 4, 499, 2);
	const uint8_t no_address[] = {0x01, 0x84, 0x02, 0xC2, 0xC1};
	assert_int_equal(b.len, sizeof no_address);
	assert_memory_equal(b.sent, no_address, sizeof no_address);
	read_rtu(&b, 1, 4, 0x2A6, 2);
	assert_int_equal(b.sent[2], 2);
	read_rtu(&b, 1, 2, 3000, 1);
	assert_int_equal(b.sent[2], 2);
	read_rtu(&b, 1, 3, 0, 2);
	assert_int_equal(b.sent[1], 0x83);
	assert_int_equal(b.sent[2], 1);
	read_rtu(&b, 1, 4, 0, 126);
	assert_int_equal(b.sent[2], 3);
	read_rtu(&b, 1, 4, 0, 0);
	assert_int_equal(b.sent[2], 3);
	read_rtu(&b, 1, 2, 0, 2000);
	assert_int_equal(b.len, 3 + 250 + 2);
	bench_stop(&b);
}

static void extras_show_zero_time_and_ranges(void **state)
{
	struct bench b;
	start(&b, "fixed", "example", "extras", "");
	const uint8_t *data = read_rtu(&b, 1, 4, 0x2A6, 2);
	uint32_t time = (uint32_t)(data[2] << 24 | data[3] << 16 | data[0] << 8 | data[1]);
	assert_int_equal(time, 1767225600);
	assert_true(cdab(read_rtu(&b, 1, 4, 0x4F6, 2)) == 15.0F);
	bench_stop(&b);
}

static void daniel_2251_replies_as_in_the_worked_frames(void **state)
{
	struct bench b;
	start(&b, "profile", "daniel-2251", "fixed", "example");
	ask(&b, "01 03 0B DA 00 01 A7 D5", "01 03 02 00 01 79 84");
	ask(&b, "01 03 0B E6 00 02 27 D8", "01 03 04 00 00 00 00 FA 33");
	ask(&b, "01 03 1B 59 00 04 92 FE",
		"01 03 10 3C FD F3 B6 3F A0 00 00 42 BC 66 66 3F 59 99 9A 15 8B");
	send_hex(&b, "01 03 1B 59 00 10 92 F1");
	assert_int_equal(b.len, 3 + 64 + 2);
	send_hex(&b, "01 03 0B B9 00 10 97 C7");
	assert_int_equal(b.len, 3 + 32 + 2);
	const uint8_t codes[] = {0, 108, 0, 114, 0, 100, 0, 117};
	assert_memory_equal(b.sent + 3, codes, sizeof codes);
	read_rtu(&b, 1, 3, 7018, 1);
	expect_hex(&b, "01 83 02 C0 F1");
	read_rtu(&b, 1, 3, 7001, 63);
	assert_int_equal(b.sent[2], 2);
	read_rtu(&b, 1, 3, 7001, 0);
	assert_int_equal(b.sent[2], 3);
	bench_stop(&b);
	start(&b, "profile", "daniel-2251", "extras", "");
	read_rtu(&b, 1, 3, 7033, 57);
	assert_int_equal(b.len, 3 + 228 + 2);
	bench_stop(&b);
	start(&b, "profile", "daniel-2251-registers", "fixed", "example");
	read_rtu(&b, 1, 3, 7001, 8);
	expect_hex(&b, "01 03 10 3C FD F3 B6 3F A0 00 00 42 BC 66 66 3F 59 99 9A 15 8B");
	bench_stop(&b);
}

static float mole(struct bench *b, uint16_t slot)
{
	const uint8_t *at = read_rtu(b, 1, 3, (uint16_t)(7001 + slot), 1);
	uint32_t bits = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
			at[3];
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static void daniel_2251_analyses_streams_in_turn_and_holds_values(void **state)
{
	struct bench b;
	start(&b, "profile", "daniel-2251", "streams", "2", "interval", "240", "cycle",
		"normal:600,calibrating:300");
	float first = mole(&b, 1), sum = 0;
	for (uint16_t slot = 0; slot < 16; slot++)
		sum += mole(&b, slot);
	assert_true(sum > 99.999F && sum < 100.001F);
	b.now = 239 * S;
	assert_true(mole(&b, 1) == first);
	assert_int_equal(read_rtu(&b, 1, 3, 3034, 1)[1], 1);
	b.now = 241 * S;
	assert_true(mole(&b, 1) != first);
	assert_int_equal(read_rtu(&b, 1, 3, 3034, 1)[1], 2);
	assert_int_equal(read_rtu(&b, 1, 3, 3062, 1)[1], 1);
	b.now = 500 * S;
	first = mole(&b, 1);
	assert_int_equal(read_rtu(&b, 1, 3, 3059, 1)[1], 1);
	b.now = 800 * S;
	assert_int_equal(read_rtu(&b, 1, 3, 3059, 1)[1], 0);
	assert_int_equal(read_rtu(&b, 1, 3, 3062, 1)[1], 2);
	assert_true(mole(&b, 1) == first);
	bench_stop(&b);
}

static void word_order_can_be_turned(void **state)
{
	struct bench b;
	start(&b, "fixed", "example", "word-order", "abcd");
	const uint8_t hcl[] = {0x41, 0x48, 0, 0};
	assert_memory_equal(read_rtu(&b, 1, 4, 138, 2), hcl, sizeof hcl);
	bench_stop(&b);
}

static void generic_serves_its_whole_map_at_once(void **state)
{
	struct bench b;
	start(&b, "profile", "generic", "fixed", "example");
	const uint8_t *data = read_rtu(&b, 1, 3, 0, 0x3A);
	assert_int_equal(b.len, 3 + 4 * 29 + 2);
	const uint8_t co[] = {0x42, 0x34, 0, 0};
	assert_memory_equal(data + 28, co, sizeof co);
	bench_stop(&b);
}

static void values_drift_slowly_and_are_held_in_zero(void **state)
{
	struct bench b;
	start(&b, "cycle", "normal:10,zero:5,normal:1000");
	float first = cdab(read_rtu(&b, 1, 4, 138, 2));
	b.now = 9 * S;
	float later = cdab(read_rtu(&b, 1, 4, 138, 2));
	assert_true(first != later);
	assert_true(later > 5 && later < 25);
	for (b.now = 11 * S; b.now < 15 * S; b.now += S) {
		assert_true(cdab(read_rtu(&b, 1, 4, 138, 2)) == later);
		assert_int_equal(read_rtu(&b, 1, 2, 4003, 1)[0], 0);
		assert_int_equal(read_rtu(&b, 1, 2, 4485, 1)[0], 1);
		assert_int_equal(read_rtu(&b, 1, 2, 12 * 69, 12)[0], 1 << 2);
	}
	b.now = 16 * S;
	assert_true(cdab(read_rtu(&b, 1, 4, 138, 2)) != later);
	assert_int_equal(read_rtu(&b, 1, 2, 4003, 1)[0], 1);
	bench_stop(&b);
}

static void each_state_raises_its_flag(void **state)
{
	static const struct {
		const char *name;
		uint16_t flag;
	} cases[] = {{"fault", 4000}, {"normal", 4003}, {"calibrating", 4006}, {"zero", 4485},
		{"maintenance", 4487}};
	for (size_t i = 0; i < 5; i++) {
		struct bench b;
		start(&b, "cycle", cases[i].name);
		for (size_t k = 0; k < 5; k++)
			assert_int_equal(read_rtu(&b, 1, 2, cases[k].flag, 1)[0], k == i);
		bench_stop(&b);
	}
}

static void units_are_independent_and_others_are_silent(void **state)
{
	struct bench b;
	start(&b, "units", "1,2,7");
	b.now = 100 * S;
	float one = cdab(read_rtu(&b, 1, 4, 138, 2));
	assert_true(one != cdab(read_rtu(&b, 7, 4, 138, 2)));
	assert_int_equal(b.sent[0], 7);
	read_rtu(&b, 3, 4, 138, 2);
	assert_int_equal(b.len, 0);
	read_rtu(&b, 0, 4, 138, 2);
	assert_int_equal(b.len, 0);
	bench_stop(&b);
}

static void line_resynchronises_at_silence(void **state)
{
	struct bench b;
	uint8_t noise[300];
	start(&b, "fixed", "example");
	memset(noise, 0x55, sizeof noise);
	send_bytes(&b, noise, 5);
	assert_int_equal(b.len, 0);
	assert_true(sim_model_next_wakeup(b.model, b.now) > b.now);
	b.now = sim_model_next_wakeup(b.model, b.now);
	ask(&b, "01 04 00 8A 00 22 51 F9", MCS_REPLY);

	send_bytes(&b, noise,
		from_hex("01 04 00 8A 00 22 51 F8", noise, sizeof noise)); /* wrong CRC */
	assert_int_equal(b.len, 0);
	b.now += S;
	sim_model_tick(b.model, b.now);
	assert_int_equal(sim_model_next_wakeup(b.model, b.now), SIM_NEVER);
	ask(&b, "01 04 00 8A 00 22 51 F9", MCS_REPLY);
	bench_stop(&b);
}

static void request_may_come_byte_by_byte(void **state)
{
	struct bench b;
	uint8_t request[8];
	start(&b, "fixed", "example");
	size_t n = from_hex("01 04 00 8A 00 22 51 F9", request, sizeof request);
	for (size_t i = 0; i + 1 < n; i++, b.now += MS) {
		send_bytes(&b, request + i, 1);
		assert_int_equal(b.len, 0);
	}
	send_bytes(&b, request + n - 1, 1);
	expect_hex(&b, MCS_REPLY);
	bench_stop(&b);
}

static void unknown_function_is_rejected_after_silence(void **state)
{
	struct bench b;
	uint8_t request[16] = {1, 0x11};
	start(&b, "fixed", "example");
	send_bytes(&b, request, frame_add_crc(request, 2));
	assert_int_equal(b.len, 0);
	sim_model_tick(b.model, S);
	assert_int_equal(b.len, 5);
	assert_int_equal(b.sent[1], 0x91);
	assert_int_equal(b.sent[2], 1);
	uint8_t write[] = {1, 6, 0, 0, 0, 1, 0, 0};
	b.now = S;
	send_bytes(&b, write, frame_add_crc(write, 6));
	assert_int_equal(b.sent[1], 0x86);
	assert_int_equal(b.sent[2], 1);
	bench_stop(&b);
}

static void busy_and_wrong_unit_can_be_switched(void **state)
{
	struct bench b;
	start(&b, "fixed", "example");
	b.faults.strength[FAULT_BUSY] = 1;
	read_rtu(&b, 1, 4, 138, 34);
	assert_int_equal(b.sent[1], 0x84);
	assert_int_equal(b.sent[2], 6);
	b.faults.strength[FAULT_BUSY] = 0;
	b.faults.strength[FAULT_WRONG_IDENTITY] = 1;
	read_rtu(&b, 1, 4, 138, 34);
	assert_int_equal(b.sent[0], 1 ^ 0x40);
	assert_int_equal(b.len, 73);
	bench_stop(&b);
}

static size_t ask_tcp(struct bench *b, const char *request, uint8_t *reply)
{
	uint8_t bytes[300];
	bool skip;
	size_t n = from_hex(request, bytes, sizeof bytes);
	assert_int_equal(frame_find_tcp(bytes, n, &skip), n);
	assert_false(skip);
	struct modbus_plant *plant = b->model->state;
	return plant_answer(plant, b->model, 0, FRAMING_TCP, bytes, n, reply);
}

static void tcp_frames_carry_the_same_data(void **state)
{
	struct bench b;
	uint8_t reply[ENGINE_FRAME_MAX], want[512];
	start(&b, "fixed", "example", "units", "1,2");
	size_t n = ask_tcp(&b, "12 34 00 00 00 06 01 04 00 8A 00 22", reply);
	size_t rtu = from_hex(MCS_REPLY, want, sizeof want);
	const uint8_t header[] = {0x12, 0x34, 0, 0, 0, 71};
	assert_int_equal(n, 6 + rtu - 2);
	assert_memory_equal(reply, header, sizeof header);
	assert_memory_equal(reply + 6, want, rtu - 2);

	const uint8_t no_unit[] = {0, 1, 0, 0, 0, 3, 9, 0x84, 0x0B};
	n = ask_tcp(&b, "00 01 00 00 00 06 09 04 00 8A 00 22", reply);
	assert_int_equal(n, sizeof no_unit);
	assert_memory_equal(reply, no_unit, sizeof no_unit);

	const uint8_t too_short[] = {0, 2, 0, 0, 0, 3, 2, 0x84, 0x03};
	n = ask_tcp(&b, "00 02 00 00 00 04 02 04 00 8A", reply);
	assert_int_equal(n, sizeof too_short);
	assert_memory_equal(reply, too_short, sizeof too_short);
	bench_stop(&b);
}

static void tcp_stream_is_followed_by_its_lengths(void **state)
{
	uint8_t bytes[64];
	bool skip;
	size_t n = from_hex("00 01 00 00 00 06 01 04 00 8A 00 22", bytes, sizeof bytes);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(frame_find_tcp(bytes, i, &skip), 0);
	assert_int_equal(frame_find_tcp(bytes, n, &skip), 12);
	bytes[3] = 1;
	assert_int_equal(frame_find_tcp(bytes, n, &skip), 12);
	assert_true(skip);
	bytes[5] = 1;
	assert_true(frame_find_tcp(bytes, n, &skip) < 0);
	bytes[4] = 1;
	assert_true(frame_find_tcp(bytes, n, &skip) < 0);
}

static void truth_names_what_was_sent(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *truth = open_memstream(&text, &size);
	struct bench b;
	start_truth(&b, truth, "fixed", "example");
	read_rtu(&b, 1, 4, 144, 4);
	read_rtu(&b, 1, 2, 4003, 1);
	read_rtu(&b, 1, 4, 600, 1);
	fflush(truth);
	assert_non_null(strstr(text, "\"address\":144,\"count\":4,\"state\":\"normal\","
				     "\"values\":{\"CO\":45,\"NO\":120.5}}"));
	assert_non_null(strstr(text, "\"bits\":\"1\"}"));
	assert_non_null(strstr(text, "\"exception\":2}"));
	bench_stop(&b);
	fclose(truth);
	free(text);
}

static void bad_options_are_rejected(void **state)
{
	static const char *const bad[][2] = {{"units", "0"}, {"units", "1,,2"}, {"units", "1,1"},
		{"units", "248"}, {"profile", "x"}, {"cycle", "normal:0"}, {"cycle", "sleep:5"},
		{"address-offset", "2"}, {"ports", "0"}, {"fixed", "yes"}, {"interval", "0"}};
	struct bench b = {0};
	random_init(&b.random, 1);
	struct sim_env env = {.random = &b.random, .speed = 1};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct sim_options given = {.table = modbus_model.options};
		struct sim_model *model;
		assert_int_equal(options_set(&given, bad[i][0], bad[i][1]), 0);
		assert_true(sim_model_create(&modbus_model, &given, &env, &model) < 0);
		assert_null(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mcs100ft_replies_as_in_the_worked_example),
		cmocka_unit_test(mcs100ft_replies_as_in_the_bench_vector),
		cmocka_unit_test(cx4000_replies_as_in_the_worked_example),
		cmocka_unit_test(cx4000_answers_vendor_functions),
		cmocka_unit_test(unmapped_areas_and_functions_are_rejected),
		cmocka_unit_test(extras_show_zero_time_and_ranges),
		cmocka_unit_test(daniel_2251_replies_as_in_the_worked_frames),
		cmocka_unit_test(daniel_2251_analyses_streams_in_turn_and_holds_values),
		cmocka_unit_test(word_order_can_be_turned),
		cmocka_unit_test(generic_serves_its_whole_map_at_once),
		cmocka_unit_test(values_drift_slowly_and_are_held_in_zero),
		cmocka_unit_test(each_state_raises_its_flag),
		cmocka_unit_test(units_are_independent_and_others_are_silent),
		cmocka_unit_test(line_resynchronises_at_silence),
		cmocka_unit_test(request_may_come_byte_by_byte),
		cmocka_unit_test(unknown_function_is_rejected_after_silence),
		cmocka_unit_test(busy_and_wrong_unit_can_be_switched),
		cmocka_unit_test(tcp_frames_carry_the_same_data),
		cmocka_unit_test(tcp_stream_is_followed_by_its_lengths),
		cmocka_unit_test(truth_names_what_was_sent),
		cmocka_unit_test(bad_options_are_rejected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
