/* SPDX-License-Identifier: Apache-2.0 */
/* Completions, embeddings, images, Ollama's own API, and calls of which nothing is known. */
#include "unit/dialect/talk.h"
#include <stdio.h>

static void completions_are_put_together(void **state)
{
	struct talk talk = { .path = "/v1/completions",
			     .request = SLICE("{\"model\":\"m\",\"prompt\":[\"A\",\"B\"]}") };
	struct told told;

	talk.events[0] = SLICE(
		"{\"id\":\"cmpl\",\"created\":3,\"model\":\"m-1\",\"choices\":[{\"text\":\" Par\",\"index\":0,\"finish_reason\":null}]}");
	talk.events[1] =
		SLICE("{\"id\":\"cmpl\",\"choices\":[{\"text\":\"is.\",\"index\":0,\"finish_reason\":\"stop\"}]}");
	talk.events[2] = SLICE("[DONE]");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "openai.completions");
	assert_string_equal(told.kinds, "cce");
	assert_int_equal(told.call.operation, OPERATION_TEXT_COMPLETION);
	assert_slice(told.call.outputs,
		     "{\"id\":\"cmpl\",\"object\":\"text_completion\",\"created\":3,\"model\":\"m-1\","
		     "\"choices\":[{\"index\":0,\"text\":\" Paris.\",\"finish_reason\":\"stop\"}]}");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"A\"}]},"
		     "{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"B\"}]}]");
	told_free(&told);
	memset(talk.events, 0, sizeof(talk.events));
	talk.events[0] = SLICE("{\"value\":\"Par\"}");
	talk.events[1] = SLICE("{\"value\":\"is\"}");
	told = talk_told(&talk);
	assert_slice(json_path(told.call.outputs, "choices", "#0", "text", NULL), "\"Paris\"");
	told_free(&told);
}

static size_t base64(const void *data, size_t len, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *bytes = data;
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		uint32_t bits = (uint32_t)bytes[i] << 16 | (i + 1 < len ? bytes[i + 1] << 8 : 0) |
				(i + 2 < len ? bytes[i + 2] : 0);

		out[n++] = digits[bits >> 18];
		out[n++] = digits[bits >> 12 & 63];
		out[n++] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		out[n++] = i + 2 < len ? digits[bits & 63] : '=';
	}
	return n;
}

/* Every number that comes out, read as a double, is the float that went in. */
static void vectors_are_the_floats_they_were(void **state)
{
	enum { COUNT = 4096 };
	static char text[COUNT * 6], body[COUNT * 6 + 200];
	struct talk talk = { .path = "/v1/embeddings", .request = SLICE("{\"model\":\"m\",\"input\":\"x\"}") };
	static float values[COUNT] = { 0.1f,  0.25f, -0.5f,  1.0f,  0.0f,   7.9999995f,
				       -8.0f, 1e-7f, 1e-30f, 3e30f, 1e-45f, 0.001f };
	uint64_t seed = 7;
	struct told told;
	size_t i;

	for (i = 12; i < COUNT; i++) {
		uint32_t bits = (uint32_t)random_next(&seed);

		if (i % 4) /* most like those of models */
			bits = (bits & 0x807fffff) | (uint32_t)(100 + random_below(&seed, 30)) << 23;
		if ((bits >> 23 & 0xff) == 0xff)
			bits &= 0x807fffff;
		memcpy(&values[i], &bits, sizeof(bits));
	}
	snprintf(
		body, sizeof(body),
		"{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":\"%.*s\"}],\"model\":\"m-1\","
		"\"usage\":{\"prompt_tokens\":8,\"total_tokens\":8}}",
		(int)base64(values, sizeof(values), text), text);
	talk.body = slice_of(body);
	told = talk_told(&talk);
	assert_slice(told.dialect->span_name(&told.call), "Embeddings");
	assert_int_equal(json_check(told.call.outputs, 10), 0);
	i = 0;
	json_foreach_element(number, json_path(told.call.outputs, "data", "#0", "embedding", NULL)) {
		double value = 99;

		assert_int_equal(json_double(number.value, &value), 0);
		if (value != (double)values[i])
			fail_msg("%.*s is not %.17g", SLICE_FMT(number.value), (double)values[i]);
		i++;
	}
	assert_int_equal(i, COUNT);
	assert_int_equal(told.call.usage.input, 8);
	assert_int_equal(told.call.usage.output, -1);
	told_free(&told);
}

static void what_is_no_vector_of_floats_stays_as_it_was(void **state)
{
	static const struct slice data[] = { SLICE("\"AAAA\""), SLICE("\"not base64!\""), SLICE("[1,2]"),
					     SLICE("\"AAAAAAA\"") };

	for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
		struct talk talk = { .path = "/v1/embeddings", .request = SLICE("{\"model\":\"m\",\"input\":\"x\"}") };
		char body[200];
		struct told told;

		snprintf(body, sizeof(body), "{\"data\":[{\"embedding\":%s}]}", data[i].data);
		talk.body = slice_of(body);
		told = talk_told(&talk);
		assert_slice(told.call.outputs, body);
		told_free(&told);
	}
}

static void images_are_shown_as_they_are(void **state)
{
	struct talk talk = { .path = "/v1/images/generations",
			     .request = SLICE("{\"model\":\"gpt-image-1\",\"prompt\":\"dot\"}") };
	struct told told;

	talk.body = SLICE(
		"{\"created\":4,\"data\":[{\"b64_json\":\"AAAA\"}],\"usage\":{\"input_tokens\":9,\"output_tokens\":272,\"total_tokens\":281}}");
	told = talk_told(&talk);
	assert_slice(told.dialect->span_name(&told.call), "Images");
	assert_int_equal(told.call.operation, OPERATION_IMAGE);
	assert_slice(told.call.output_type, "image");
	assert_slice(told.call.outputs, talk.body.data);
	assert_int_equal(told.call.usage.total, 281);
	told_free(&told);
}

static void ollama_lines_become_one_answer(void **state)
{
	struct talk talk = {
		.path = "/api/chat",
		.host = "localhost:11434",
		.request = SLICE(
			"{\"model\":\"l\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\",\"images\":[\"/9j/AA\",\"AA\"]}],\"format\":\"json\"}")
	};
	struct told told;

	talk.events[0] = SLICE(
		"{\"model\":\"l:1\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}");
	talk.events[1] = SLICE(
		"{\"model\":\"l:1\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"Y\"},\"done\":false}");
	talk.events[2] = SLICE(
		"{\"model\":\"l:1\",\"created_at\":\"t\",\"message\":{\"role\":\"assistant\",\"content\":\"o\",\"tool_calls\":"
		"[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]},\"done\":false}");
	talk.events[3] = SLICE(
		"{\"model\":\"l:1\",\"created_at\":\"u\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done_reason\":\"stop\","
		"\"done\":true,\"prompt_eval_count\":26,\"eval_count\":3}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "ollama.chat");
	assert_string_equal(told.kinds, "cccl");
	assert_slice(
		told.call.outputs,
		"{\"model\":\"l:1\",\"created_at\":\"u\",\"done_reason\":\"stop\",\"done\":true,\"prompt_eval_count\":26,\"eval_count\":3,"
		"\"message\":{\"role\":\"assistant\",\"content\":\"Yo\",\"thinking\":\"hm\",\"tool_calls\":"
		"[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]}}");
	assert_int_equal(told.call.usage.input, 26);
	assert_int_equal(told.call.usage.total, 29);
	assert_slice(told.call.usage_raw, "{\"prompt_eval_count\":26,\"eval_count\":3}");
	assert_slice(told.call.vendor, "ollama");
	assert_slice(told.call.output_type, "json");
	assert_slice(
		told.call.chat_messages,
		"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"},{\"type\":\"image_url\","
		"\"image_url\":{\"url\":\"data:image/jpeg;base64,/9j/AA\"}},{\"type\":\"text\",\"text\":\"[blob]\"}]},"
		"{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Yo\"}],\"reasoning\":\"hm\",\"tool_calls\":"
		"[{\"id\":\"\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]}]");
	told_free(&told);
}

static void ollama_generates_and_embeds(void **state)
{
	struct talk talk = { .path = "/api/generate",
			     .request = SLICE("{\"model\":\"l\",\"prompt\":\"Hi\",\"system\":\"S\"}") };
	struct told told;

	talk.events[0] = SLICE("{\"model\":\"l\",\"created_at\":\"t\",\"response\":\"Y\",\"done\":false}");
	talk.events[1] = SLICE("{\"error\":\"out of memory\"}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "ollama.generate");
	assert_slice(told.call.outputs, "{\"model\":\"l\",\"created_at\":\"t\",\"done\":false,\"response\":\"Y\"}");
	assert_slice(told.call.error.message, "out of memory");
	told_free(&told);
	talk = (struct talk){ .path = "/api/embed",
			      .request = SLICE("{\"model\":\"l\",\"input\":[\"a\"]}"),
			      .body = SLICE("{\"model\":\"l\",\"embeddings\":[[0.1]],\"prompt_eval_count\":2}") };
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "ollama.embed");
	assert_int_equal(told.call.operation, OPERATION_EMBEDDINGS);
	assert_int_equal(told.call.usage.input, 2);
	told_free(&told);
}

static void an_unknown_format_is_shown_as_it_is(void **state)
{
	struct talk talk = { .path = "/v2/infer",
			     .request = SLICE("{\"model\":\"m\",\"prompt\":\"x\"}"),
			     .body = SLICE(
				     "{\"generation\":\"y\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}") };
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "unknown");
	assert_slice(told.dialect->span_name(&told.call), "infer");
	assert_int_equal(told.call.operation, OPERATION_UNKNOWN);
	assert_slice(told.call.outputs, talk.body.data);
	assert_int_equal(told.call.usage.output, 2);
	told_free(&told);
	talk.body = SLICE_NONE;
	talk.path = "/m/0123";
	talk.events[0] = SLICE("{\"delta\":\"a\"}");
	talk.events[1] = SLICE("plain");
	told = talk_told(&talk);
	assert_slice(told.dialect->span_name(&told.call), "LLM");
	assert_slice(told.call.outputs, "{\"delta\":\"a\"}\nplain");
	assert_true(told.call.outputs_is_text);
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completions_are_put_together),
		cmocka_unit_test(vectors_are_the_floats_they_were),
		cmocka_unit_test(what_is_no_vector_of_floats_stays_as_it_was),
		cmocka_unit_test(images_are_shown_as_they_are),
		cmocka_unit_test(ollama_lines_become_one_answer),
		cmocka_unit_test(ollama_generates_and_embeds),
		cmocka_unit_test(an_unknown_format_is_shown_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
