/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: the reader hands out what the encoding says and nothing beyond its slice; the writer writes proto3 JSON;
 * whatever the bytes, what is written is JSON, and damage is told.
 */
#include "../pbwrite.h"
#include "../support.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/pb.h"
#include <errno.h>

static struct alloc_heap heap = ALLOC_HEAP(64 << 20);

static const struct pb_name color_names[] = { { 0, "RED" }, { 1, "GREEN" }, { -1, "NONE" } };
static const struct pb_enum colors = PB_NAMES(color_names);
extern const struct pb_message all;
static const struct pb_field all_fields[] = {
	PB_FIELD(1, "text", PB_STRING),
	PB_FIELD(2, "raw", PB_BYTES),
	PB_FIELD(3, "yes", PB_BOOL),
	PB_FIELD(4, "i32", PB_INT32),
	PB_FIELD(5, "u32", PB_UINT32),
	PB_FIELD(6, "s32", PB_SINT32),
	PB_FIELD(7, "f32", PB_FIXED32),
	PB_FIELD(8, "sf32", PB_SFIXED32),
	PB_FIELD(9, "i64", PB_INT64),
	PB_FIELD(10, "u64", PB_UINT64),
	PB_FIELD(11, "s64", PB_SINT64),
	PB_FIELD(12, "f64", PB_FIXED64),
	PB_FIELD(13, "sf64", PB_SFIXED64),
	PB_FIELD(14, "n64", PB_NUMBER64),
	PB_FIELD(15, "real", PB_FLOAT),
	PB_FIELD(16, "wide", PB_DOUBLE),
	PB_FIELD(17, "color", PB_ENUM, .names = &colors),
	PB_FIELD(18, "inner", PB_MESSAGE, .message = &all),
	PB_FIELD(19, "at", PB_TIMESTAMP),
	PB_FIELD(20, "took", PB_DURATION),
	PB_LIST(21, "texts", PB_STRING),
	PB_LIST(22, "numbers", PB_INT32),
	PB_LIST(23, "reals", PB_FLOAT),
	PB_LIST(24, "colors", PB_ENUM, .names = &colors),
	PB_MAP(25, "map", PB_INT32),
	PB_MAP(26, "byNumber", PB_STRING, .key = PB_INT32),
	PB_FIELD(27, "struct", PB_MESSAGE, .message = &pb_struct),
	PB_FIELD(28, "vector", PB_HIDDEN),
	PB_LIST(29, "list", PB_MESSAGE, .message = &all),
};
const struct pb_message all = PB_TABLE(all_fields);

struct got {
	struct buf json;
	size_t unknown;
	int verdict;
};

static struct got put(struct slice bytes)
{
	struct got got = { .json = BUF(&heap.alloc, 16 << 20) };
	struct guard guard = guard_new(bytes);

	got.verdict = pb_put_json(&got.json, &all, guard.text, &got.unknown);
	assert_false(got.json.failed);
	assert_int_equal(json_check(buf_slice(&got.json), JSON_DEPTH_MAX), 0);
	guard_free(&guard);
	return got;
}

static void assert_put_all(const struct pbw *pbw, const char *want, int verdict, size_t unknown)
{
	struct got got = put(pbw_slice(pbw));

	buf_put_char(&got.json, 0);
	assert_string_equal(got.json.data, want);
	assert_int_equal(got.verdict, verdict);
	assert_int_equal(got.unknown, unknown);
	buf_free(&got.json);
}

static void assert_put(const struct pbw *pbw, const char *want)
{
	assert_put_all(pbw, want, 0, 0);
}

static void every_kind_is_written_as_proto3_json(void **state)
{
	struct pbw pbw = { 0 };

	pbw_text(&pbw, 1, "a\"\xc3\xa9\n");
	pbw_bytes(&pbw, 2, "\x00\xff", 2);
	pbw_varint(&pbw, 3, 1);
	pbw_varint(&pbw, 4, (uint64_t)-5);
	pbw_varint(&pbw, 5, UINT32_MAX);
	pbw_varint(&pbw, 6, 5);
	pbw_number(&pbw, 7 << 3 | 5);
	pbw_raw(&pbw, "\xfe\xff\xff\xff", 4);
	pbw_number(&pbw, 8 << 3 | 5);
	pbw_raw(&pbw, "\xfe\xff\xff\xff", 4);
	pbw_varint(&pbw, 9, (uint64_t)-7);
	pbw_varint(&pbw, 10, UINT64_MAX);
	pbw_varint(&pbw, 11, 4);
	pbw_number(&pbw, 12 << 3 | 1);
	pbw_raw(&pbw, "\xfe\xff\xff\xff\xff\xff\xff\xff", 8);
	pbw_number(&pbw, 13 << 3 | 1);
	pbw_raw(&pbw, "\xfe\xff\xff\xff\xff\xff\xff\xff", 8);
	pbw_varint(&pbw, 14, (uint64_t)-9);
	pbw_float(&pbw, 15, 0.7f);
	pbw_double(&pbw, 16, 0.1);
	pbw_varint(&pbw, 17, 1);
	assert_put(&pbw, "{\"text\":\"a\\\"\xc3\xa9\\n\",\"raw\":\"AP8=\",\"yes\":true,\"i32\":-5,\"u32\":4294967295,"
			 "\"s32\":-3,\"f32\":4294967294,\"sf32\":-2,\"i64\":\"-7\",\"u64\":\"18446744073709551615\","
			 "\"s64\":\"2\",\"f64\":\"18446744073709551614\",\"sf64\":\"-2\",\"n64\":-9,\"real\":0.7,"
			 "\"wide\":0.1,\"color\":\"GREEN\"}");
}

static void base64_has_its_padding(void **state)
{
	static const char *const want[] = { "\"\"", "\"Zg==\"", "\"Zm8=\"", "\"Zm9v\"", "\"Zm9vYg==\"" };

	for (size_t len = 0; len < ARRAY_SIZE(want); len++) {
		struct pbw pbw = { 0 };
		char text[64];

		pbw_bytes(&pbw, 2, "foob", len);
		snprintf(text, sizeof(text), "{\"raw\":%s}", want[len]);
		assert_put(&pbw, text);
	}
}

static void numbers_that_json_lacks_are_texts(void **state)
{
	struct pbw pbw = { 0 };

	pbw_float(&pbw, 15, __builtin_inff());
	pbw_double(&pbw, 16, __builtin_nan(""));
	pbw_varint(&pbw, 17, 77);
	assert_put(&pbw, "{\"real\":\"Infinity\",\"wide\":\"NaN\",\"color\":77}");
}

static const struct {
	int64_t seconds;
	int32_t nanos;
	const char *time, *duration; /* NULL: out of range */
} times[] = {
	{ 0, 0, "1970-01-01T00:00:00Z", "0s" },
	{ 1768583109, 279624520, "2026-01-16T17:05:09.279624520Z", "1768583109.279624520s" },
	{ 951782400, 500000000, "2000-02-29T00:00:00.500Z", "951782400.500s" },
	{ -1, 1000, "1969-12-31T23:59:59.000001Z", "-1.000001s" },
	{ -62135596800, 0, "0001-01-01T00:00:00Z", "-62135596800s" },
	{ 253402300799, 999999999, "9999-12-31T23:59:59.999999999Z", "253402300799.999999999s" },
	{ 253402300800, 0, NULL, "253402300800s" },
	{ INT64_MIN, 0, NULL, NULL },
	{ 1, 2000000000, NULL, NULL },
};

static void times_are_dates_and_durations_seconds(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		for (unsigned number = 19; number <= 20; number++) {
			const char *want = number == 19 ? times[i].time : times[i].duration;
			struct pbw at = { 0 }, pbw = { 0 };
			char text[128];

			pbw_varint(&at, 1, (uint64_t)times[i].seconds);
			pbw_varint(&at, 2, (uint64_t)times[i].nanos);
			pbw_message(&pbw, number, &at);
			snprintf(text, sizeof(text), "{\"%s\":%s%s%s}", number == 19 ? "at" : "took", want ? "\"" : "",
				 want ? want : "null", want ? "\"" : "");
			assert_put_all(&pbw, text, want ? 0 : -EBADMSG, 0);
		}
}

static void lists_are_gathered_packed_or_not(void **state)
{
	struct pbw pbw = { 0 };

	pbw_text(&pbw, 21, "a");
	pbw_varint(&pbw, 22, 1);
	pbw_bytes(&pbw, 22, "\x02\x96\x01", 3);
	pbw_text(&pbw, 21, "b");
	pbw_bytes(&pbw, 23, "\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
	pbw_bytes(&pbw, 24, "\x01\x00", 2);
	pbw_varint(&pbw, 22, 3);
	pbw_bytes(&pbw, 28, "secret", 6);
	assert_put(
		&pbw,
		"{\"texts\":[\"a\",\"b\"],\"numbers\":[1,2,150,3],\"reals\":[1.0,-2.0],\"colors\":[\"GREEN\",\"RED\"]}");
}

static void maps_are_objects_and_defaults_are_filled_in(void **state)
{
	struct pbw one = { 0 }, two = { 0 }, three = { 0 }, pbw = { 0 };

	pbw_text(&one, 1, "k");
	pbw_varint(&one, 2, 5);
	pbw_text(&two, 1, "zero");
	pbw_varint(&three, 1, (uint64_t)-4);
	pbw_text(&three, 2, "v");
	pbw_message(&pbw, 25, &one);
	pbw_message(&pbw, 25, &two);
	pbw_message(&pbw, 26, &three);
	assert_put(&pbw, "{\"map\":{\"k\":5,\"zero\":0},\"byNumber\":{\"-4\":\"v\"}}");
}

static struct pbw entry(const char *name, const struct pbw *value)
{
	struct pbw entry = { 0 };

	pbw_text(&entry, 1, name);
	if (value)
		pbw_message(&entry, 2, value);
	return entry;
}

static void structs_are_natural_json(void **state)
{
	struct pbw number = { 0 }, text = { 0 }, truth = { 0 }, null = { 0 }, list = { 0 }, items = { 0 },
		   fields = { 0 }, inner = { 0 }, pbw = { 0 }, one;

	pbw_double(&number, 2, 1.5);
	pbw_text(&text, 3, "t");
	pbw_varint(&truth, 4, 0);
	pbw_varint(&null, 1, 0);
	pbw_message(&items, 1, &number);
	pbw_message(&items, 1, &null);
	pbw_message(&list, 6, &items);
	pbw_bytes(&inner, 5, "", 0);
	one = entry("n", &number), pbw_message(&fields, 1, &one);
	one = entry("t", &text), pbw_message(&fields, 1, &one);
	one = entry("f", &truth), pbw_message(&fields, 1, &one);
	one = entry("0", &null), pbw_message(&fields, 1, &one);
	one = entry("l", &list), pbw_message(&fields, 1, &one);
	one = entry("o", &inner), pbw_message(&fields, 1, &one);
	one = entry("none", NULL), pbw_message(&fields, 1, &one);
	pbw_message(&pbw, 27, &fields);
	assert_put(
		&pbw,
		"{\"struct\":{\"n\":1.5,\"t\":\"t\",\"f\":false,\"0\":null,\"l\":[1.5,null],\"o\":{},\"none\":null}}");
}

static void what_the_table_lacks_is_counted(void **state)
{
	struct pbw pbw = { 0 };

	pbw_varint(&pbw, 1, 5); /* a text that comes as a number is none */
	pbw_text(&pbw, 4, "x");
	pbw_text(&pbw, 100, "x");
	pbw_raw(&pbw, "\xa3\x06\x08\x01\xab\x06\xac\x06\xa4\x06", 10); /* a group in a group */
	pbw_varint(&pbw, 3, 1);
	assert_put_all(&pbw, "{\"yes\":true}", 0, 4);
}

static void of_a_single_field_the_last_counts(void **state)
{
	struct pbw pbw = { 0 };

	pbw_text(&pbw, 1, "old");
	pbw_text(&pbw, 1, "new");
	assert_put(&pbw, "{\"text\":\"new\"}");
	assert_int_equal(pb_bytes(pbw_slice(&pbw), 1).len, 3);
	assert_null(pb_bytes(pbw_slice(&pbw), 2).data);
	assert_int_equal(pb_varint(pbw_slice(&pbw), 1), 0);
}

static const struct slice damaged[] = {
	SLICE("\x08"),                                         /* no value */
	SLICE("\x08\x80"),                                     /* a number without end */
	SLICE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), /* of more than 64 bits */
	SLICE("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
	SLICE("\x0a\x02x"),                                /* longer than what is there */
	SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), /* much longer */
	SLICE("\x0d\x01\x02\x03"),                         /* 4 bytes that are 3 */
	SLICE("\x09\x01\x02\x03\x04\x05\x06\x07"),         /* 8 that are 7 */
	SLICE("\x02\x00"),                                 /* field 0 */
	SLICE("\x0e\x00"),                                 /* wire type 6 */
	SLICE("\x0f\x00"),                                 /* and 7 */
	SLICE("\x0c"),                                     /* the end of no group */
	SLICE("\x0b\x08\x01"),                             /* a group without end */
	SLICE("\x0b\x14"),                                 /* that ends as another */
	SLICE("\x80\x80\x80\x80\x10\x00"),                 /* too high a field */
	SLICE("\xb2\x01\x02\x01\x80"),                     /* a packed number without end */
	SLICE("\xba\x01\x03\x01\x02\x03"),                 /* a packed float too short */
	SLICE("\xca\x01\x02\x10\x80"),                     /* the same in a map */
};

static void damage_is_told(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
		struct got got = put(damaged[i]);

		if (got.verdict != -EBADMSG)
			fail_msg("%zu: %d", i, got.verdict);
		buf_free(&got.json);
	}
}

static void nesting_has_an_end(void **state)
{
	struct pbw in = { 0 }, out;
	struct got got;

	for (int depth = 1; depth <= PB_DEPTH_MAX; depth++) {
		got = put(pbw_slice(&in));
		assert_int_equal(got.verdict, 0);
		buf_free(&got.json);
		out = (struct pbw){ 0 };
		pbw_message(&out, depth % 2 ? 18 : 29, &in);
		in = out;
	}
	got = put(pbw_slice(&in));
	assert_int_equal(got.verdict, -E2BIG);
	buf_free(&got.json);
}

static void groups_in_groups_have_an_end(void **state)
{
	char bytes[4096];
	struct got got;

	memset(bytes, 0x0b, sizeof(bytes));
	got = put((struct slice){ bytes, sizeof(bytes) });
	assert_int_equal(got.verdict, -EBADMSG);
	buf_free(&got.json);
}

static struct pbw sample(void)
{
	struct pbw entries = { 0 }, inner = { 0 }, pbw = { 0 };

	pbw_text(&entries, 1, "k");
	pbw_varint(&entries, 2, 300);
	pbw_text(&inner, 1, "in");
	pbw_message(&inner, 25, &entries);
	pbw_float(&inner, 15, 1.5f);
	pbw_text(&pbw, 1, "text");
	pbw_message(&pbw, 18, &inner);
	pbw_message(&pbw, 29, &inner);
	pbw_bytes(&pbw, 22, "\x01\x02\x03", 3);
	pbw_message(&pbw, 19, &entries);
	pbw_double(&pbw, 16, 2);
	return pbw;
}

static void every_cut_is_survived(void **state)
{
	struct pbw pbw = sample();

	for (size_t len = 0; len < pbw.len; len++) {
		struct got got = put(slice_head(pbw_slice(&pbw), len));

		buf_free(&got.json);
	}
}

static void any_bytes_give_json(void **state)
{
	struct pbw good = sample();
	uint64_t seed = 1;

	for (int round = 0; round < 20000; round++) {
		struct pbw pbw = good;
		struct got got;

		for (size_t i = random_below(&seed, 8); i; i--)
			pbw.data[random_below(&seed, pbw.len)] = (char)random_next(&seed);
		if (round % 4 == 0)
			for (size_t i = 0; i < pbw.len; i++)
				pbw.data[i] = (char)random_next(&seed);
		got = put(slice_head(pbw_slice(&pbw), random_below(&seed, pbw.len + 1)));
		buf_free(&got.json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_written_as_proto3_json),
		cmocka_unit_test(base64_has_its_padding),
		cmocka_unit_test(numbers_that_json_lacks_are_texts),
		cmocka_unit_test(times_are_dates_and_durations_seconds),
		cmocka_unit_test(lists_are_gathered_packed_or_not),
		cmocka_unit_test(maps_are_objects_and_defaults_are_filled_in),
		cmocka_unit_test(structs_are_natural_json),
		cmocka_unit_test(what_the_table_lacks_is_counted),
		cmocka_unit_test(of_a_single_field_the_last_counts),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(groups_in_groups_have_an_end),
		cmocka_unit_test(every_cut_is_survived),
		cmocka_unit_test(any_bytes_give_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
