/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "examples.h"
#include "record/check.h"
#include "record/digest.h"
#include "record/entry.h"
#include "record/keys.h"
#include "record/record.h"
#include "record/stamp.h"
#include "record/topic.h"
#include "record/uuid.h"

static struct assay_string text(const char *word)
{
	return (struct assay_string){word, strlen(word)};
}

static void topics_are_made_and_read_back(void **state)
{
	char out[ASSAY_TOPIC_MAX + 1];
	struct topic topic;
	int len = topic_make(out, TOPIC_SIM_DATA, "xrf", "ccl-tokyo", "bench-3", "xrf-1");
	assert_string_equal(out, "a1/sim-data/xrf/ccl-tokyo/bench-3/xrf-1/");
	assert_int_equal(len, strlen(out));
	assert_int_equal(topic_parse(text(out), &topic), 0);
	assert_int_equal(topic.kind, TOPIC_SIM_DATA);
	assert_true(assay_string_is(topic.node, "bench-3"));
	assert_true(assay_string_is(topic.instrument, "xrf-1"));
	topic_make(out, TOPIC_HEAD, NULL, "s", "n", NULL);
	assert_string_equal(out, "a1/head/-/s/n/-/");
}

static void topics_keep_to_tokens_and_length(void **state)
{
	char out[ASSAY_TOPIC_MAX + 1];
	struct topic topic;
	const char *longest = "12345678901234567890123456789012";
	assert_int_equal(topic_make(out, TOPIC_DATA, "XRF", "s", "n", "i"), -EINVAL);
	assert_int_equal(topic_make(out, TOPIC_DATA, "", "s", "n", "i"), -EINVAL);
	assert_int_equal(topic_make(out, TOPIC_DATA, "x", "s/t", "n", "i"), -EINVAL);
	assert_int_equal(
		topic_make(out, TOPIC_DATA, "123456789012345678901234567890123", "s", "n", "i"),
		-EINVAL);
	int len = topic_make(out, TOPIC_SIM_STATE, longest, longest, longest, longest);
	assert_true(len > 0 && len <= ASSAY_TOPIC_MAX);
	static const char *const wrong[] = {"", "/", "a1/data/x/s/n/i", "a1/data/x/s/n/i//",
		"a1/data/x/s/n/i/x/", "a2/data/x/s/n/i/", "a1/run/x/s/n/i/", "a1/data/x//n/i/",
		"a1/data/x/s/n/I/"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (topic_parse(text(wrong[i]), &topic) != -EINVAL)
			fail_msg("%s was taken for a topic", wrong[i]);
}

static void simulated_records_have_topics_of_their_own(void **state)
{
	assert_int_equal(topic_kind_of(ASSAY_RECORD_FRAME, true), TOPIC_SIM_DATA);
	assert_int_equal(topic_kind_of(ASSAY_RECORD_RUN_END, false), TOPIC_DATA);
	assert_int_equal(topic_kind_of(ASSAY_RECORD_STATE, true), TOPIC_SIM_STATE);
	assert_int_equal(topic_kind_of(ASSAY_RECORD_AUDIT, true), TOPIC_AUDIT);
	assert_int_equal(topic_kind_of(ASSAY_RECORD_SEAL, false), TOPIC_SEAL);
}

static void the_hash_of_a_leaf_is_that_of_rfc_6962(void **state)
{
	uint8_t hash[ASSAY_SHA256_SIZE];
	char hex[HEX_SIZE(ASSAY_SHA256_SIZE)];
	assert_int_equal(entry_leaf_hash("", 0, hash), 0);
	assert_string_equal(hex_write(hex, hash, sizeof hash),
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
	struct digest digest;
	assert_int_equal(digest_init(&digest), 0);
	digest_update(&digest, "a", 1);
	digest_update(&digest, "bc", 2);
	digest_final(&digest, hash);
	digest_finish(&digest);
	digest_finish(&(struct digest){0});
	assert_string_equal(hex_write(hex, hash, sizeof hash),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void a_heartbeat_names_the_last_entry_of_each_topic(void **state)
{
	struct buffer b = {0};
	struct head_view head;
	example_head(&b);
	assert_int_equal(head_read(b.data, b.len, &head), 0);
	assert_int_equal(head.head, 1042);
	assert_int_equal(head.topics_count, 2);
	assert_int_equal(head.journal[0], 0x1c);
	struct assay_span last = keys_value(head.topics, text(EXAMPLE_DATA));
	assert_int_equal(last.len, 3);
	assert_memory_equal(last.data, "\x19\x04\x12", 3);
	assert_null(keys_value(head.topics, text("a1/")).data);
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(head_read(b.data, len, &head), -EBADMSG);
	buffer_finish(&b);
}

static void a_frame_carries_the_workers_bytes_as_they_are(void **state)
{
	struct buffer part = {0}, record = {0};
	size_t pairs = example_large_part(&part);
	example_frame(&record, &part, pairs);
	assert_false(record.failed);
	assert_int_equal(check_record(record.data, record.len, NULL), 0);
	assert_true(record.len > part.len);
	assert_memory_equal(record.data + record.len - part.len, part.data, part.len);
	buffer_finish(&part);
	buffer_finish(&record);
}

static void a_record_that_is_too_large_is_rejected(void **state)
{
	struct buffer record = {0};
	struct schema_error error;
	buffer_reserve(&record, ASSAY_RECORD_MAX + 1);
	memset(record.data, 0, ASSAY_RECORD_MAX + 1);
	assert_int_equal(check_record(record.data, ASSAY_RECORD_MAX + 1, &error), -EBADMSG);
	assert_string_equal(error.text, "a record of more than 16 MiB");
	buffer_finish(&record);
}

static void uuids_are_random_ones_of_version_4(void **state)
{
	uint8_t a[ASSAY_UUID_SIZE], b[ASSAY_UUID_SIZE];
	uuid_random(a);
	uuid_random(b);
	assert_memory_not_equal(a, b, sizeof a);
	assert_int_equal(a[6] >> 4, 4);
	assert_int_equal(a[8] >> 6, 2);
}

static void hexadecimal_is_read_exactly(void **state)
{
	uint8_t bytes[4];
	assert_int_equal(hex_read(text("00ff-Ab10"), bytes, 4), 0);
	assert_memory_equal(bytes, "\x00\xff\xab\x10", 4);
	static const char *const wrong[] = {"", "00ffab1", "00ffab1000", "00ffab1g", "-00ffab10",
		"00ffab10-", "00--ffab10", "0-0ffab10"};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (hex_read(text(wrong[i]), bytes, 4) != -EINVAL)
			fail_msg("%s was read", wrong[i]);
}

static void a_stamp_is_of_both_clocks(void **state)
{
	uint64_t before = clock_boot();
	struct stamp now = stamp_now();
	assert_true(now.mono >= before && now.mono <= clock_boot());
	assert_true(now.sync >= ASSAY_SYNC_NTP && now.sync <= ASSAY_SYNC_NONE);
	assert_true(now.sync == ASSAY_SYNC_NTP || now.unc == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topics_are_made_and_read_back),
		cmocka_unit_test(topics_keep_to_tokens_and_length),
		cmocka_unit_test(simulated_records_have_topics_of_their_own),
		cmocka_unit_test(the_hash_of_a_leaf_is_that_of_rfc_6962),
		cmocka_unit_test(a_heartbeat_names_the_last_entry_of_each_topic),
		cmocka_unit_test(a_frame_carries_the_workers_bytes_as_they_are),
		cmocka_unit_test(a_record_that_is_too_large_is_rejected),
		cmocka_unit_test(uuids_are_random_ones_of_version_4),
		cmocka_unit_test(hexadecimal_is_read_exactly),
		cmocka_unit_test(a_stamp_is_of_both_clocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
