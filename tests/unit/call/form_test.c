/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a multipart form becomes the same JSON object in any cuts; files are told and not kept; twins are one array;
 * hostile and truncated forms do no harm and give whole JSON; and a call shows its form as request body.
 */
#include "base/json.h"
#include "call/form.h"
#include "unit/call/world.h"

#define TYPE "multipart/form-data; boundary=\"-X y\""
#define MARK "---X y"

static const char whole[] =
	"preamble\r\n" MARK "\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n" MARK
	"\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.wav\"\r\nContent-Type: audio/wav\r\n\r\n"
	"RIFF\r\n-\r\n--\r\n---X\r\r\n" MARK
	" \r\ncontent-disposition: form-data; name=\"image[]\"; filename=\"1\"\r\n\r\n"
	"\x89PNG\r\n" MARK "\r\nContent-Disposition: form-data; name=image[]; filename=2\r\n\r\nGIF89a\r\n" MARK
	"\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nsay \"h\xc3\xa9\"\r\n" MARK "--\r\nepilogue";

static const char shown[] =
	"{\"model\":\"whisper-1\",\"file\":{\"filename\":\"a b.wav\",\"type\":\"audio/wav\",\"bytes\":18,\"sha256\":\"SHA\"},"
	"\"image[]\":[{\"filename\":\"1\",\"type\":\"image/png\",\"bytes\":4,\"sha256\":\"SHA\"},{\"filename\":\"2\","
	"\"type\":\"image/gif\",\"bytes\":6,\"sha256\":\"SHA\"}],\"prompt\":\"say \\\"h\xc3\xa9\\\"\"}";

struct formed {
	struct fail_alloc memory;
	struct buf out;
	struct form form;
};

/* @step: of the cuts; 0: random. */
static void form_read(struct formed *formed, struct slice body, size_t step, uint64_t fail_at)
{
	uint64_t random = body.len + 99;

	*formed = (struct formed){ .memory = FAIL_ALLOC(fail_at) };
	formed->out = BUF(&formed->memory.alloc, 1 << 20);
	assert_true(form_init(&formed->form, SLICE(TYPE), &formed->memory.alloc, &formed->out));
	while (body.len) {
		size_t len = MIN(step ? step : random_below(&random, 40) + 1, body.len);
		struct guard guard = guard_new(slice_head(body, len));

		form_feed(&formed->form, guard.text);
		guard_free(&guard);
		body = slice_from(body, len);
	}
	form_end(&formed->form);
	form_end(&formed->form);
}

static void formed_free(struct formed *formed)
{
	form_free(&formed->form);
	buf_free(&formed->out);
	assert_int_equal(formed->memory.used, 0);
}

/* The digests, which are long, as a word. */
static void digests_hide(struct buf *out)
{
	ptrdiff_t at;

	buf_put_char(out, '\0');
	while ((at = slice_find(buf_slice(out), SLICE("\"sha256\":\""))) >= 0) {
		char *digest = out->data + at + 10;

		if (strspn(digest, "0123456789abcdef") != 64)
			break;
		out->data[at + 1] = 'S';
		memcpy(digest, "SHA", 3);
		memmove(digest + 3, digest + 64, out->len - (size_t)(digest + 64 - out->data));
		out->len -= 61;
	}
	while ((at = slice_find(buf_slice(out), SLICE("\"Sha256\":\""))) >= 0)
		out->data[at + 1] = 's';
}

static void every_cut_gives_the_same_object(void **state)
{
	for (size_t step = 0; step < sizeof(whole); step++) {
		struct formed formed;

		form_read(&formed, SLICE(whole), step, 0);
		assert_int_equal(json_check(buf_slice(&formed.out), 10), 0);
		digests_hide(&formed.out);
		assert_string_equal(formed.out.data, shown);
		assert_int_equal(formed.form.count, 3);
		assert_int_equal(formed.form.bytes, 18 + 4 + 6);
		formed_free(&formed);
	}
}

static void a_truncated_form_is_whole_json(void **state)
{
	for (size_t len = 0; len <= sizeof(whole); len++) {
		struct formed formed;

		form_read(&formed, (struct slice){ whole, len }, 7, 0);
		if (formed.out.len)
			assert_int_equal(json_check(buf_slice(&formed.out), 10), 0);
		formed_free(&formed);
	}
}

static void noise_in_a_form_does_no_harm(void **state)
{
	static const char alphabet[] = "\r\n-X y:;=\"namefl";
	uint64_t random = 31;

	for (int round = 0; round < 2000; round++) {
		char noise[600];
		struct formed formed;

		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = round % 2 ? alphabet[random_below(&random, sizeof(alphabet) - 1)]
					     : whole[i < sizeof(whole) && random_below(&random, 20)
							     ? i
							     : random_below(&random, sizeof(whole))];
		form_read(&formed, (struct slice){ noise, sizeof(noise) }, 0, 0);
		if (formed.out.len)
			assert_int_equal(json_check(buf_slice(&formed.out), 10), 0);
		formed_free(&formed);
	}
}

static void parts_without_number_are_passed_over(void **state)
{
	static const char part[] = MARK "\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n";
	struct alloc_heap heap = ALLOC_HEAP(SIZE_MAX);
	struct buf body = BUF(&heap.alloc, 64 << 20);
	struct formed formed;

	for (int i = 0; i < 20000; i++)
		buf_put(&body, SLICE(part));
	form_read(&formed, buf_slice(&body), 60000, 0);
	assert_int_equal(json_check(buf_slice(&formed.out), 10), 0);
	assert_int_equal(json_count(json_get(buf_slice(&formed.out), SLICE("a"))), FORM_PARTS_MAX);
	formed_free(&formed);
	buf_free(&body);
}

static void a_text_that_is_too_long_is_told_like_a_file(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(SIZE_MAX);
	struct buf body = BUF(&heap.alloc, 64 << 20);
	struct formed formed;
	int64_t bytes = 0;

	buf_put(&body, SLICE(MARK "\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\n"));
	for (int i = 0; i < 30000; i++)
		buf_put(&body, SLICE("long "));
	buf_put(&body, SLICE("\r\n" MARK "--\r\n"));
	form_read(&formed, buf_slice(&body), 1000, 0);
	assert_int_equal(json_int(json_path(buf_slice(&formed.out), "prompt", "bytes", NULL), &bytes), 0);
	assert_int_equal(bytes, 150000);
	formed_free(&formed);
	buf_free(&body);
}

static void a_refused_memory_fails_the_object(void **state)
{
	for (uint64_t nth = 1; nth < 12; nth++) {
		struct formed formed;

		form_read(&formed, SLICE(whole), 50, nth);
		if (!formed.out.failed && formed.out.len)
			assert_int_equal(json_check(buf_slice(&formed.out), 10), 0);
		formed_free(&formed);
	}
}

static void only_forms_with_a_boundary_are_forms(void **state)
{
	struct alloc_heap heap = ALLOC_HEAP(SIZE_MAX);
	struct buf out = BUF(&heap.alloc, 1000);
	struct form form;

	assert_false(form_init(&form, SLICE("multipart/form-data"), &heap.alloc, &out));
	assert_false(form_init(&form, SLICE("multipart/mixed; boundary=a"), &heap.alloc, &out));
	assert_false(form_init(&form, SLICE("multipart/form-data; boundary="), &heap.alloc, &out));
	assert_true(form_init(&form, SLICE("Multipart/Form-Data; charset=x; Boundary=a"), &heap.alloc, &out));
}

static void a_call_shows_its_form(void **state)
{
	static const struct header headers[] = { { SLICE("content-type"), SLICE(TYPE) } };
	struct ask ask = { .headers = headers, .header_count = 1 };
	struct call_conn *conn;

	world = (struct world){ 0 };
	assert_true(world_open(&world));
	conn = world_connect(&world);
	tell_ask(conn, 1, ask, whole, 0);
	tell_answer(conn, 1, "{}", 2);
	call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
	assert_int_equal(world.count, 1);
	assert_true(world.told[0].call.is_complete);
	assert_int_equal(strncmp(world.told[0].request, shown, 20), 0);
	assert_int_equal(world.told[0].call.request_end.body_bytes, 50);
	world_close(&world);
}

/* The answer of a speech model: told, not kept. */
static void a_body_that_is_a_sound_is_told(void **state)
{
	const struct call *call = &world.told[0].call;
	struct call_conn *conn;

	world = (struct world){ 0 };
	assert_true(world_open(&world));
	conn = world_connect(&world);
	tell_ask(conn, 1, (struct ask){ 0 }, "{}", 0);
	tell_response(conn, 1, 200, "audio/mpeg", 2);
	for (int i = 0; i < 300; i++)
		tell_part(conn, 1, MESSAGE_RESPONSE, PART_BYTES,
			  SLICE("\xff\xfb, ten thousand times ten thousand bytes"), 3);
	assert_true(world.memory.used < 20000);
	tell_end(conn, 1, MESSAGE_RESPONSE, 20000, 4);
	call_conn_close(conn, CLOSE_LOCAL, 5 * MS);
	assert_int_equal(world.count, 1);
	assert_true(call->is_complete);
	assert_int_equal(call->response_body.len,
			 strlen("{\"type\":\"audio/mpeg\",\"bytes\":12900,\"sha256\":\"\"}") + 64);
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_gives_the_same_object),
		cmocka_unit_test(a_truncated_form_is_whole_json),
		cmocka_unit_test(noise_in_a_form_does_no_harm),
		cmocka_unit_test(parts_without_number_are_passed_over),
		cmocka_unit_test(a_text_that_is_too_long_is_told_like_a_file),
		cmocka_unit_test(a_refused_memory_fails_the_object),
		cmocka_unit_test(only_forms_with_a_boundary_are_forms),
		cmocka_unit_test(a_call_shows_its_form),
		cmocka_unit_test(a_body_that_is_a_sound_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
