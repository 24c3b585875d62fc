/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: wherever an HTTP/2 connection is joined and whatever is missing of it, no field ever has a wrong value, what
 * is told is the same in all cuts, no byte leaves the books, and an exchange that comes later is told.
 */
#include "proto/http2.h"
#include "unit/proto/frames.h"

enum { EXCHANGES = 5 };

/* Five exchanges; fields repeat, so that later heads are little but references, each with one that is new. */
static struct frames conversation(void)
{
	struct frames h2 = frames_new();

	for (uint32_t i = 0; i < EXCHANGES; i++) {
		uint32_t stream = 2 * i + 1;
		char fields[512], body[64];

		snprintf(fields, sizeof(fields),
			 ":method: POST\n:scheme: https\n:authority: api.example\n:path: /v1/x\ncontent-type: "
			 "application/json\nx-run: run-%d",
			 (int)i);
		frames_headers(&h2, CLIENT, stream, 0, fields);
		snprintf(body, sizeof(body), "{\"model\":\"m-%d\"}", (int)i);
		frames_data(&h2, CLIENT, stream, END_STREAM, body);
		frames_raw(&h2, SERVER, WINDOW_UPDATE, 0, 0, SLICE("\0\0\1\0"));
		snprintf(fields, sizeof(fields), ":status: 200\ncontent-type: text/event-stream\nx-id: id-%d", (int)i);
		frames_headers(&h2, SERVER, stream, 0, fields);
		frames_data(&h2, SERVER, stream, 0, "data: one\n\nda");
		frames_data(&h2, SERVER, stream, 0, "ta: two\n\n");
		frames_headers(&h2, SERVER, stream, END_STREAM, "x-end: yes");
		frames_raw(&h2, CLIENT, WINDOW_UPDATE, 0, 0, SLICE("\0\0\1\0"));
	}
	return h2;
}

static const char *const all_fields[] = { "[content-type=application/json]", "[content-type=text/event-stream]",
					  "[x-end=yes]" };

/* Each "[name=value]" of the text is one that was sent. */
static void fields_check(const char *text, const char *where)
{
	for (const char *at = strchr(text, '['); at; at = strchr(at + 1, '[')) {
		bool is_true = strncmp(at, "[x-run=run-", 11) == 0 || strncmp(at, "[x-id=id-", 9) == 0;

		for (size_t i = 0; i < ARRAY_SIZE(all_fields); i++)
			is_true |= strncmp(at, all_fields[i], strlen(all_fields[i])) == 0;
		if (!is_true)
			fail_msg("%s: a field that was never sent:\n%s", where, text);
	}
}

/* Whole and byte by byte: the same. The text is the caller's. */
static char *run_both(struct wire_opts opts, const struct piece *pieces, size_t count, const char *where)
{
	struct wire whole = wire_run(&opts, pieces, count), cut;

	opts.step = 1;
	cut = wire_run(&opts, pieces, count);
	if (strcmp(whole.text, cut.text) != 0)
		fail_msg("%s: whole\n%s---- byte by byte\n%s", where, whole.text, cut.text);
	free(cut.text);
	fields_check(whole.text, where);
	return whole.text;
}

static void joined_at_any_frame_later_exchanges_are_told(void **state)
{
	struct frames h2 = conversation();

	for (size_t from = 1; from < h2.count; from++) {
		char where[64], *text, *last;

		snprintf(where, sizeof(where), "joined at piece %zu", from);
		text = run_both((struct wire_opts){ .is_late = true }, h2.pieces + from, h2.count - from, where);
		/* The last exchange's frames are whole in it. */
		if (from <= h2.count - 9) {
			last = strstr(text, "q bytes {\"model\":\"m-4\"}\n");
			if (!last || !strstr(last, "a event<> two\n") || !strstr(last, "a framed body=22"))
				fail_msg("%s: no last answer in\n%s", where, text);
		}
		free(text);
	}
	frames_free(&h2);
}

static void joined_inside_any_frame_nothing_wrong_is_told(void **state)
{
	struct frames h2 = conversation();

	for (size_t from = 6; from < h2.count; from++) {
		struct piece *first = &h2.pieces[from];
		struct slice whole = first->text;

		for (size_t skip = 1; skip < whole.len; skip += 1 + skip / 4) {
			first->text = slice_from(whole, skip);
			free(run_both((struct wire_opts){ .is_late = true }, first, h2.count - from, "inside"));
		}
		first->text = whole;
	}
	frames_free(&h2);
}

static void a_hole_anywhere_leaves_later_exchanges(void **state)
{
	struct frames h2 = conversation();
	struct piece *pieces = calloc(h2.count + 2, sizeof(*pieces));

	for (size_t at = 0; at < h2.count; at++) {
		size_t len = h2.pieces[at].text.len;

		for (size_t start = 0; start < len; start += 1 + len / 5) {
			for (size_t hole = 1; start + hole <= len; hole += 1 + len / 4) {
				struct slice text = h2.pieces[at].text;
				char where[64], *told;

				snprintf(where, sizeof(where), "piece %zu, %zu at %zu", at, hole, start);
				memcpy(pieces, h2.pieces, at * sizeof(*pieces));
				pieces[at] = pieces[at + 1] = pieces[at + 2] = h2.pieces[at];
				pieces[at].text = slice_head(text, start);
				pieces[at + 1] = (struct piece){ .dir = h2.pieces[at].dir, .hole_len = hole };
				pieces[at + 2].text = slice_from(text, start + hole);
				memcpy(pieces + at + 3, h2.pieces + at + 1, (h2.count - at - 1) * sizeof(*pieces));
				told = run_both((struct wire_opts){ 0 }, pieces, h2.count + 2, where);
				if (at < h2.count - 16 && !strstr(told, "{\"model\":\"m-4\"}"))
					fail_msg("%s: no last request in\n%s", where, told);
				free(told);
			}
		}
	}
	free(pieces);
	frames_free(&h2);
}

/* What was inserted before we looked is dropped, what came after is exact, at both sides of the boundary. */
static void old_entries_are_unknown_and_new_ones_exact(void **state)
{
	struct frames h2 = frames_new();
	size_t from;

	/* 0x44: a path that is indexed; 0x40: a new name; 0xbe, 0xbf: the newest entry and the one before. */
	frames_raw(&h2, CLIENT, HEADERS, END_HEADERS, 1,
		   SLICE("\x83\x87\x44\4/old\x40\5x-old\1"
			 "1"));
	from = h2.count;
	frames_raw(&h2, CLIENT, HEADERS, END_HEADERS, 3,
		   SLICE("\x83\x87\xbe\xbf\x40\5x-new\1"
			 "2"));
	frames_data(&h2, CLIENT, 3, END_STREAM, "{}");
	frames_raw(&h2, CLIENT, HEADERS, END_HEADERS, 5, SLICE("\x83\x87\xbf\xbe\x44\4/new"));
	frames_data(&h2, CLIENT, 5, END_STREAM, "{}");
	frames_raw(&h2, CLIENT, HEADERS, END_HEADERS | END_STREAM, 7, SLICE("\x83\x87\xc0\xbe\xbf\xff\x20"));
	/* An answer without a known type: its first byte tells. */
	frames_raw(&h2, SERVER, HEADERS, END_HEADERS, 3, SLICE("\x88\xbe"));
	frames_data(&h2, SERVER, 3, END_STREAM, "data: x\n\n");
	wire_expect((struct wire_opts){ .is_late = true, .how = CLOSE_LOCAL }, h2.pieces + from, h2.count - from,
		    "1q POST   2 [x-new=2]\n1q bytes {}\n1q framed body=2 stream=33 missing=0\n"
		    "2q POST  /new 2 [x-new=2]\n2q bytes {}\n2q framed body=2 stream=30 missing=0\n"
		    "3q POST  /new 2 [x-new=2]\n3q framed body=0 stream=16 missing=0\n"
		    "1a 200 2\n1a event<> x\n1a framed body=9 stream=29 missing=0\n");
	frames_free(&h2);
}

/* Late to our eyes only: the preface is there. */
static void called_late_but_seen_from_its_preface(void **state)
{
	struct frames h2 = conversation();
	struct wire_opts late = { .is_late = true }, whole = { 0 };
	struct wire a = wire_run(&late, h2.pieces, h2.count), b = wire_run(&whole, h2.pieces, h2.count);

	assert_string_equal(a.text, b.text);
	free(a.text);
	free(b.text);
	frames_free(&h2);
}

static void joined_in_a_streamed_answer_its_events_are_told(void **state)
{
	struct frames h2 = frames_bare();

	frames_data(&h2, SERVER, 7, 0, "tail of one\n\n");
	frames_data(&h2, SERVER, 7, 0, "data: two\n\n");
	frames_data(&h2, SERVER, 7, 0, "data: three\n\n");
	frames_data(&h2, SERVER, 7, END_STREAM, "data: four\n\n");
	wire_expect((struct wire_opts){ .is_late = true }, h2.pieces, h2.count,
		    "1a late\n1a event<> three\n1a event<> four\n"
		    "1a framed body=-1 stream=43 missing=-1 joined_late\n");
	frames_free(&h2);
}

/* The frame is read before it shows that what begins like a preface is none; so nothing is hidden yet, and it is nobody's. */
static void both_directions_are_read_in_one_order_in_all_cuts(void **state)
{
	struct wire_opts opts = { .is_late = true };

	wire_expect(opts, WIRE(S("\0\0\4\0\0\0\0\0\1data"), C("PRI * HTTP/2.0\r\nwhich is none")), "");
}

/* Rows of bytes of which heads are made: at any time more of them may begin a chain than are watched. */
static void the_same_chain_is_found_in_whatever_cuts(void **state)
{
	static const char bytes[] = { 0, 0, 0, 0, 0, 0, 1, 3, 4, 5, 8, 20 };
	uint64_t seed = 3;
	int found = 0;

	for (int i = 0; i < 4000; i++) {
		char text[400];
		struct slice held = { text, sizeof(text) };
		struct http2_scan whole = { 0 }, cut = { 0 };
		size_t whole_at, cut_at = 0, len = 0;
		bool is_found;

		for (size_t at = 0; at < held.len; at++)
			text[at] = bytes[random_below(&seed, sizeof(bytes))];
		is_found = http2_scan(&whole, held, false, &whole_at);
		while (len < held.len && !http2_scan(&cut, slice_head(held, len + 1), false, &cut_at))
			len++;
		assert_int_equal(is_found, len < held.len);
		assert_int_equal(whole_at, cut_at);
		found += is_found;
	}
	assert_true(found > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joined_at_any_frame_later_exchanges_are_told),
		cmocka_unit_test(joined_inside_any_frame_nothing_wrong_is_told),
		cmocka_unit_test(a_hole_anywhere_leaves_later_exchanges),
		cmocka_unit_test(old_entries_are_unknown_and_new_ones_exact),
		cmocka_unit_test(called_late_but_seen_from_its_preface),
		cmocka_unit_test(joined_in_a_streamed_answer_its_events_are_told),
		cmocka_unit_test(both_directions_are_read_in_one_order_in_all_cuts),
		cmocka_unit_test(the_same_chain_is_found_in_whatever_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
