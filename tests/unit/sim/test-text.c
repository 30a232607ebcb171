/* SPDX-License-Identifier: Apache-2.0 */
/* Dialogues of the line protocols, byte for byte. */
#include "bench.h"
#include "text/text.h"

#define start(b, ...)                              \
	bench_start(b, &text_model, SIM_PTY, NULL, \
		(const char *const[]){"instrument", __VA_ARGS__, NULL})

static void ask(struct bench *b, const char *request, const char *reply)
{
	send_bytes(b, request, strlen(request));
	b->sent[b->len] = '\0';
	assert_string_equal((const char *)b->sent, reply);
}

/* Forgets what was sent, then lets time pass. */
static void pass(struct bench *b, uint64_t ns, const char *reply)
{
	b->len = 0;
	wait_until(b, b->now + ns);
	b->sent[b->len] = '\0';
	assert_string_equal((const char *)b->sent, reply);
}

static void balance_weighs(void **state)
{
	struct bench b;
	start(&b, "mt-sics", "value", "100", "serial", "9990301");
	ask(&b, "S\r\n", "S S     100.00 g\r\n");
	ask(&b, "SI\r\n", "S S     100.00 g\r\n");
	ask(&b, "I4\r\n", "I4 A \"9990301\"\r\n");
	ask(&b, "@\r\n", "I4 A \"9990301\"\r\n");
	ask(&b, "T\r\n", "T S     100.00 g\r\n");
	ask(&b, "S\r\n", "S S       0.00 g\r\n");
	ask(&b, "TA\r\n", "TA A     100.00 g\r\n");
	ask(&b, "TAC\r\n", "TAC A\r\n");
	ask(&b, "TA 50.5 g\r\n", "TA A      50.50 g\r\n");
	ask(&b, "SI\r\n", "S S      49.50 g\r\n");
	ask(&b, "Z\r\n", "Z +\r\n");
	bench_stop(&b);
}

static void balance_refuses(void **state)
{
	struct bench b;
	start(&b, "mt-sics");
	ask(&b, "s\r\n", "ES\r\n");
	ask(&b, "X\r\n", "ES\r\n");
	ask(&b, "S 1\r\n", "S L\r\n");
	ask(&b, "TA 50\r\n", "TA L\r\n");
	ask(&b, "TA -1 g\r\n", "TA L\r\n");
	ask(&b, "S\r", "");
	ask(&b, "\n", "S S     100.00 g\r\n");
	ask(&b, "S\n", "");
	ask(&b, "\r\n", "ES\r\n");
	b.faults.strength[FAULT_BUSY] = 1;
	ask(&b, "SI\r\n", "S I\r\n");
	b.faults.strength[FAULT_BUSY] = 0;
	b.faults.strength[FAULT_WRONG_IDENTITY] = 1;
	ask(&b, "I4\r\n", "I4 A \"9990301\"\r\n");
	bench_stop(&b);
	start(&b, "mt-sics", "value", "300");
	ask(&b, "S\r\n", "S +\r\n");
	bench_stop(&b);
	start(&b, "mt-sics", "value", "-100");
	ask(&b, "SI\r\n", "S -\r\n");
	bench_stop(&b);
}

static void balance_waits_until_the_weight_is_stable(void **state)
{
	struct bench b;
	start(&b, "mt-sics", "period", "60", "settle", "4");
	wait_until(&b, 1 * S);
	ask(&b, "SI\r\n", "S D      25.00 g\r\n");
	ask(&b, "S\r\n", "");
	ask(&b, "SI\r\n", "S I\r\n");
	pass(&b, 4 * S, "S S     100.00 g\r\n");
	bench_stop(&b);
	start(&b, "mt-sics", "period", "60", "settle", "50");
	ask(&b, "S\r\n", "");
	pass(&b, 11 * S, "S I\r\n");
	ask(&b, "S\r\n", "");
	ask(&b, "@\r\n", "I4 A \"9990300\"\r\n");
	pass(&b, 11 * S, "");
	bench_stop(&b);
}

static void balance_repeats_until_another_command(void **state)
{
	struct bench b;
	start(&b, "mt-sics");
	ask(&b, "SIR\r\n", "S S     100.00 g\r\n");
	pass(&b, 400 * MS, "S S     100.00 g\r\nS S     100.00 g\r\n");
	ask(&b, "S\r\n", "S S     100.00 g\r\n");
	pass(&b, 1 * S, "");
	bench_stop(&b);
}

static void ph_circuit_reads_each_second_until_told_otherwise(void **state)
{
	struct bench b;
	start(&b, "ezo-ph", "value", "9.56");
	pass(&b, 2 * S, "9.560\r9.560\r");
	ask(&b, "c,0\r", "*OK\r");
	pass(&b, 3 * S, "");
	ask(&b, "R\r", "");
	pass(&b, 899 * MS, "");
	pass(&b, 1 * MS, "9.560\r*OK\r");
	ask(&b, "i\r", "?I,pH,1.98\r*OK\r");
	ask(&b, "C,?\r", "?C,0\r*OK\r");
	ask(&b, "T,19.5\r", "*OK\r");
	ask(&b, "T,?\r", "?T,19.5\r*OK\r");
	ask(&b, "Status\r", "?Status,P,5.038\r*OK\r");
	ask(&b, "X\r", "*ER\r");
	ask(&b, "C,5x\r", "*ER\r");
	ask(&b, "*OK,0\r", "");
	ask(&b, "X\r", "");
	ask(&b, "C,?\r", "?C,0\r");
	bench_stop(&b);
}

static void prepared_instruments_only_wait_for_polls(void **state)
{
	struct bench b;
	start(&b, "ezo-ph", "prepared", "");
	pass(&b, 5 * S, "");
	ask(&b, "R\r", "");
	pass(&b, 1 * S, "7.012\r*OK\r");
	bench_stop(&b);
	start(&b, "gasera-one", "prepared", "");
	ask(&b, "\x02 ASTS K0\x03", "\x02 ASTS 0 5\x03");
	bench_stop(&b);
}

/* 02 20 A K O N 20 K 0 03 and so on. */
static void ak_analyser_has_common_functions(void **state)
{
	struct bench b;
	start(&b, "ak", "value", "12.5");
	send_hex(&b, "02 20 41 4B 4F 4E 20 4B 30 03");
	expect_hex(&b, "02 20 41 4B 4F 4E 20 30 20 31 32 2E 35 30 03");
	ask(&b, "\x02 XXXX K0\x03", "\x02 ???? 0\x03");
	ask(&b, "\x02 STBY K0\x03", "\x02 STBY 0 OF\x03");
	ask(&b, "\x02 SREM K0\x03", "\x02 SREM 0\x03");
	ask(&b, "\x02 STBY K0\x03", "\x02 STBY 0\x03");
	ask(&b, "\x02 ASTZ K0\x03", "\x02 ASTZ 0 SREM STBY\x03");
	ask(&b, "\x02 AKEN K0\x03", "\x02 AKEN 0 SIM-9990300\x03");
	ask(&b, "\x02 AKON K0 x\x03", "\x02 AKON 0 SE\x03");
	ask(&b, "\x02 AKON KX\x03", "\x02 ???? 0 SE\x03");
	ask(&b, "noise\x02half\x02 AKON K0\x03", "\x02 AKON 0 12.50\x03");
	b.faults.strength[FAULT_BUSY] = 1;
	ask(&b, "\x02 AKON K0\x03", "\x02 AKON 1 12.50\x03");
	bench_stop(&b);
	start(&b, "ak", "period", "60", "settle", "4", "value", "12");
	wait_until(&b, 2 * S);
	ask(&b, "\x02 AKON K0\x03", "\x02 AKON 0 #6.00\x03");
	bench_stop(&b);
}

static void gasera_measures_a_task(void **state)
{
	struct bench b;
	start(&b, "gasera-one");
	ask(&b, "\x02 ASTS K0\x03", "\x02 ASTS 0 2\x03");
	ask(&b, "\x02 ACON K0\x03", "\x02 ACON 0 NA\x03");
	ask(&b, "\x02 STAM K0 9\x03", "\x02 STAM 0 SE\x03");
	ask(&b, "\x02 STAM K0 1\x03", "\x02 STAM 0\x03");
	ask(&b, "\x02 STAM K0 1\x03", "\x02 STAM 0 BS\x03");
	ask(&b, "\x02 ASTS K0\x03", "\x02 ASTS 0 5\x03");
	ask(&b, "\x02 ACON K0\x03",
		"\x02 ACON 0 1511865967 74-82-8 0.919439 1511865967 124-38-9 435.765\x03");
	ask(&b, "\x02 STPM K0\x03", "\x02 STPM 0\x03");
	ask(&b, "\x02 ASTS K0\x03", "\x02 ASTS 0 2\x03");
	bench_stop(&b);
}

#define METER_DATA                                                     \
	"\x02"                                                         \
	"F.F(00000000)\r\n0.0.0(9990300)\r\n1.8.0(012345.678*kWh)\r\n" \
	"32.7.0(230.1*V)\r\n31.7.0(001.250*A)\r\n!\r\n\x03"

static void expect_meter_data(struct bench *b)
{
	size_t len = strlen(METER_DATA);
	uint8_t check = 0;
	for (size_t i = 1; i < len; i++)
		check ^= (uint8_t)METER_DATA[i];
	assert_int_equal(b->len, len + 1);
	assert_memory_equal(b->sent, METER_DATA, len);
	assert_int_equal(b->sent[len], check);
}

static void meter_is_read_with_an_option_or_after_a_time(void **state)
{
	struct bench b;
	start(&b, "iec-62056-21");
	ask(&b, "/?!\r\n", "/SIM5ASSAY 9990300\r\n");
	send_bytes(&b,
		"\x06"
		"050\r\n",
		6);
	expect_meter_data(&b);
	pass(&b, 5 * S, "");
	ask(&b, "/?9990300!\r\n", "/SIM5ASSAY 9990300\r\n");
	b.len = 0;
	wait_until(&b, b.now + 3 * S);
	expect_meter_data(&b);
	ask(&b, "/?12345678!\r\n", "");
	ask(&b,
		"\x06"
		"050\r\n",
		"");
	ask(&b, "/?!\r\n", "/SIM5ASSAY 9990300\r\n");
	ask(&b,
		"\x06"
		"999\r\n",
		"");
	pass(&b, 5 * S, "");
	bench_stop(&b);
}

static void nirone_measures_a_spectrum(void **state)
{
	struct bench b;
	float values[3];
	start(&b, "nirone", "value", "0.8");
	ask(&b, "h3\r", "h3: 1.55e+03\r\n");
	ask(&b, "W0,1600.0\r", "W0: 1600.0\r\n");
	ask(&b, "W1,1750.0\n", "W1: 1750.0\r\n");
	ask(&b, "W2,1930.0\r\n", "W2: 1930.0\r\n");
	ask(&b, "W512,1600.0\r", "");
	ask(&b, "W0,1500.0\r", "");
	ask(&b, "m\r", "m: 3\r\n");
	ask(&b, "V3,10\r", "V: 3,10\r\n");
	ask(&b, "LM1\r", "LM: 1\r\n");
	ask(&b, "LI101\r", "");
	ask(&b, "E0\r", "E0: 3.00e+01\r\n");
	ask(&b, "XM\r", "");
	ask(&b, "h3\r", "");
	pass(&b, 29 * MS, "");
	pass(&b, 1 * MS, "Measurement ready\r\n");
	ask(&b, "Xm0,4\r", "");
	send_bytes(&b, "Xm0,3\r", 6);
	assert_int_equal(b.len, 12);
	memcpy(values, b.sent, sizeof values);
	assert_true(values[1] > 0.7F && values[1] < 0.8F);
	assert_true(values[2] > 0.3F && values[2] < 0.5F); /* the band of water */
	bench_stop(&b);
}

static void overlong_frames_do_not_stop_the_line(void **state)
{
	static const char *const names[] = {
		"mt-sics", "ezo-ph", "nirone", "ak", "gasera-one", "iec-62056-21"};
	char noise[1000];
	memset(noise, 'S', sizeof noise);
	for (size_t i = 0; i < 6; i++) {
		struct bench b;
		start(&b, names[i]);
		send_bytes(&b, "\x02", 1);
		send_bytes(&b, noise, sizeof noise);
		send_bytes(&b, "\x03\r\n", 3);
		if (i == 0)
			expect_hex(&b, "45 53 0D 0A");
		bench_stop(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(balance_weighs),
		cmocka_unit_test(balance_refuses),
		cmocka_unit_test(balance_waits_until_the_weight_is_stable),
		cmocka_unit_test(balance_repeats_until_another_command),
		cmocka_unit_test(ph_circuit_reads_each_second_until_told_otherwise),
		cmocka_unit_test(prepared_instruments_only_wait_for_polls),
		cmocka_unit_test(ak_analyser_has_common_functions),
		cmocka_unit_test(gasera_measures_a_task),
		cmocka_unit_test(meter_is_read_with_an_option_or_after_a_time),
		cmocka_unit_test(nirone_measures_a_spectrum),
		cmocka_unit_test(overlong_frames_do_not_stop_the_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
