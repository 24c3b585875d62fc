/* SPDX-License-Identifier: Apache-2.0 */
/* generateContent in all its wrappings: whole, as events, as an array; what its parts mean and what its counts count. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/talk.h"
#include <stdio.h>

#define PATH "/v1beta/models/gemini-2.5-flash:generateContent"
#define FLOW "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
#define HOST "generativelanguage.googleapis.com"
#define ASK  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Where?\"}]}]}"

static void one_answer_is_read(void **state)
{
	struct talk talk = { .path = PATH, .host = HOST };
	const struct attribute *stops;
	struct told told;

	talk.request = SLICE(
		"{\"contents\":[{\"parts\":[{\"text\":\"Where?\"}],\"role\":\"user\"}],"
		"\"systemInstruction\":{\"parts\":[{\"text\":\"Be terse.\"}]},"
		"\"generationConfig\":{\"temperature\":0.5,\"maxOutputTokens\":9,\"stopSequences\":[\"a\\n\",\"b\"],\"responseMimeType\":\"application/json\"}}");
	talk.body = SLICE(
		"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hm.\",\"thought\":true},{\"text\":\"Paris.\"}],\"role\":\"model\"},"
		"\"finishReason\":\"STOP\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":900,\"candidatesTokenCount\":3,"
		"\"totalTokenCount\":939,\"cachedContentTokenCount\":800,\"thoughtsTokenCount\":29,\"toolUsePromptTokenCount\":7},"
		"\"modelVersion\":\"gemini-2.5-flash-001\",\"responseId\":\"w1\"}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "gemini.generate");
	assert_int_equal(told.score, 100);
	assert_int_equal(told.call.operation, OPERATION_GENERATE);
	assert_slice(told.call.vendor, "gcp.gemini");
	assert_slice(told.call.request_model, "gemini-2.5-flash");
	assert_slice(told.call.response_model, "gemini-2.5-flash-001");
	assert_slice(told.call.response_id, "w1");
	assert_slice(told.call.output_type, "json");
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be terse.\"}]");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Where?\"}]}]");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"Hm.\"},"
		     "{\"type\":\"text\",\"content\":\"Paris.\"}],\"finish_reason\":\"stop\"}]");
	assert_int_equal(told.call.usage.input, 907);
	assert_int_equal(told.call.usage.output, 32);
	assert_int_equal(told.call.usage.total, 939);
	assert_int_equal(told.call.usage.cache_read, 800);
	assert_int_equal(told.call.usage.reasoning, 29);
	assert_int_equal(told.call.finish_count, 1);
	assert_slice(told.call.finish_reasons[0], "STOP");
	assert_int_equal(told.call.chat_messages.len, 0);
	assert_slice(told.call.attributes->name, "gen_ai.request.max_tokens");
	stops = attribute_of(&told.call, "gen_ai.request.stop_sequences");
	assert_int_equal(stops->value.texts.count, 2);
	assert_slice(stops->value.texts.list[0], "a\n");
	assert_slice(stops->value.texts.list[1], "b");
	assert_slice(told.dialect->span_name(&told.call), "Models.generate_content");
	told_free(&told);
}

static const struct slice chunks[] = {
	SLICE("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hm\",\"thought\":true}],\"role\":\"model\"},\"index\":0}],"
	      "\"usageMetadata\":{\"promptTokenCount\":8,\"totalTokenCount\":8},\"modelVersion\":\"m\",\"responseId\":\"r\"}"),
	SLICE("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"m.\",\"thought\":true},{\"text\":\"Par\"}],\"role\":\"model\"}}]}"),
	SLICE("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"is\\u00e9\"},{\"functionCall\":{\"name\":\"f\",\"args\":{}}}]}}]}"),
	SLICE("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\",\"thoughtSignature\":\"AA==\"}]},\"finishReason\":\"STOP\",\"index\":0}],"
	      "\"usageMetadata\":{\"promptTokenCount\":8,\"candidatesTokenCount\":3,\"totalTokenCount\":11}}"),
};
static const char merged[] =
	"{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hmm.\",\"thought\":true},{\"text\":\"Paris\\u00e9\"},"
	"{\"functionCall\":{\"name\":\"f\",\"args\":{}}},{\"text\":\"\",\"thoughtSignature\":\"AA==\"}],\"role\":\"model\"},"
	"\"index\":0,\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":8,\"candidatesTokenCount\":3,"
	"\"totalTokenCount\":11},\"modelVersion\":\"m\",\"responseId\":\"r\"}";

static void a_stream_is_one_answer(void **state)
{
	struct talk talk = { .path = FLOW, .host = HOST, .request = SLICE(ASK) };
	struct told told;

	memcpy(talk.events, chunks, sizeof(chunks));
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "cccl");
	assert_slice(told.call.outputs, merged);
	assert_int_equal(told.call.usage.output, 3);
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"Hmm.\"},"
		"{\"type\":\"text\",\"content\":\"Paris\\u00e9\"},{\"type\":\"tool_call\",\"name\":\"f\",\"arguments\":{}}],"
		"\"finish_reason\":\"tool_call\"}]");
	assert_true(told.call.chat_messages.len > 0);
	assert_slice(told.dialect->span_name(&told.call), "Models.generate_content_stream");
	told_free(&told);
}

static void an_array_is_the_same_stream(void **state)
{
	struct talk talk = { .path = FLOW, .host = HOST, .request = SLICE(ASK) };
	struct told told;
	char body[2048];

	snprintf(body, sizeof(body), "[%s,\r\n%s,\n%s\n,%s]", chunks[0].data, chunks[1].data, chunks[2].data,
		 chunks[3].data);
	talk.body = slice_of(body);
	told = talk_told(&talk);
	assert_slice(told.call.outputs, merged);
	assert_slice(told.call.finish_reasons[0], "STOP");
	told_free(&told);
	talk.path = NULL;
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "gemini.generate");
	assert_slice(told.call.outputs, merged);
	told_free(&told);
}

/* A reason in every chunk says of none that it is the last: what follows may still be lost. */
static void a_reason_behind_which_it_goes_on_is_no_end(void **state)
{
	static const struct slice more =
		SLICE("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}");
	static const struct slice usage = SLICE("{\"usageMetadata\":{\"totalTokenCount\":3}}");

	for (int count = 1; count <= 3; count++) {
		struct talk talk = { .path = FLOW, .host = HOST, .request = SLICE(ASK) };
		struct told told;

		for (int i = 0; i < count; i++)
			talk.events[i] = more;
		talk.events[count] = usage;
		told = talk_told(&talk);
		assert_int_equal(told.call.ended_itself, count == 1);
		assert_slice(told.call.finish_reasons[0], "STOP");
		told_free(&told);
	}
}

static void tools_and_their_results_are_read(void **state)
{
	struct talk talk = { .path = PATH, .host = HOST };
	struct told told;

	talk.request = SLICE(
		"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA==\"}}]},"
		"{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":1},\"id\":\"i\"}}]},"
		"{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{\"r\":2},\"id\":\"i\"}},"
		"{\"file_data\":{\"file_uri\":\"gs://b/x.mp4\",\"mime_type\":\"video/mp4\"}}]}],"
		"\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":\"OBJECT\","
		"\"properties\":{\"a\":{\"type\":\"STRING\",\"title\":\"A\"}},\"required\":[\"a\"]}}]},{\"googleSearch\":{}}]}");
	talk.body = SLICE("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]},\"finishReason\":3}]}");
	told = talk_told(&talk);
	assert_slice(
		told.call.tools,
		"[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"properties\":"
		"{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}}},{\"type\":\"function\",\"function\":{\"name\":\"googleSearch\"}}]");
	assert_slice(
		told.call.input_messages,
		"[{\"role\":\"user\",\"parts\":[{\"type\":\"blob\",\"modality\":\"image\",\"mime_type\":\"image/png\",\"content\":\"AA==\"}]},"
		"{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"i\",\"name\":\"f\",\"arguments\":{\"a\":1}}]},"
		"{\"role\":\"user\",\"parts\":[{\"type\":\"tool_call_response\",\"id\":\"i\",\"response\":{\"r\":2}},"
		"{\"type\":\"uri\",\"modality\":\"video\",\"uri\":\"gs://b/x.mp4\"}]}]");
	assert_slice(told.call.finish_reasons[0], "SAFETY");
	assert_slice(json_path(told.call.output_messages, "#0", "finish_reason", NULL), "\"content_filter\"");
	told_free(&told);
}

static void searches_and_code_are_steps(void **state)
{
	struct talk talk = { .path = PATH, .host = HOST, .request = SLICE(ASK) };
	const struct call_step *step;
	struct told told;

	talk.body = SLICE(
		"{\"candidates\":[{\"content\":{\"parts\":[{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"1+1\"}},"
		"{\"codeExecutionResult\":{\"outcome\":\"OUTCOME_FAILED\",\"output\":\"2\"}},"
		"{\"toolCall\":{\"toolType\":\"URL_CONTEXT\",\"id\":\"t\",\"args\":{\"u\":1}}},"
		"{\"toolResponse\":{\"toolType\":\"URL_CONTEXT\",\"id\":\"t\",\"response\":{\"ok\":1}}}]},"
		"\"groundingMetadata\":{\"webSearchQueries\":[\"q\"],\"groundingChunks\":[{\"web\":{\"uri\":\"u\"}}]}}],\"modelVersion\":\"m\"}");
	told = talk_told(&talk);
	step = told.call.steps;
	assert_slice(step->name, "code_execution");
	assert_slice(step->inputs, "{\"language\":\"PYTHON\",\"code\":\"1+1\"}");
	assert_slice(step->outputs, "{\"outcome\":\"OUTCOME_FAILED\",\"output\":\"2\"}");
	assert_true(step->has_failed);
	step = step->next;
	assert_slice(step->name, "URL_CONTEXT");
	assert_slice(step->id, "t");
	assert_slice(step->outputs, "{\"ok\":1}");
	step = step->next;
	assert_slice(step->name, "google_search");
	assert_slice(step->inputs, "{\"queries\":[\"q\"]}");
	assert_slice(step->outputs, "[{\"web\":{\"uri\":\"u\"}}]");
	assert_null(step->next);
	told_free(&told);
}

static void steps_without_end_are_bounded(void **state)
{
	static const struct slice head = SLICE("{\"candidates\":[{\"content\":{\"parts\":[");
	static const struct slice part = SLICE("{\"executableCode\":{}},{\"codeExecutionResult\":{}},");
	static const struct slice tail = SLICE("{}]}}]}");
	struct talk talk = { .path = PATH, .host = HOST, .request = SLICE(ASK) };
	struct buf body = BUF(&talk_heap.alloc, 8 << 20);
	struct told told;
	size_t count = 0;

	buf_put(&body, head);
	for (int i = 0; i < 60000; i++)
		buf_put(&body, part);
	buf_put(&body, tail);
	talk.body = buf_slice(&body);
	told = talk_told(&talk);
	for (const struct call_step *step = told.call.steps; step; step = step->next)
		count++;
	assert_int_equal(count, 256);
	assert_false(told.call.is_undecodable);
	told_free(&told);
	buf_free(&body);
}

static void a_blocked_prompt_is_an_answer(void **state)
{
	struct talk talk = { .path = PATH, .host = HOST, .request = SLICE(ASK) };
	struct told told;

	talk.body = SLICE("{\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":{\"promptTokenCount\":8,"
			  "\"totalTokenCount\":8},\"modelVersion\":\"m\"}");
	told = talk_told(&talk);
	assert_false(told.call.has_error);
	assert_slice(told.call.finish_reasons[0], "SAFETY");
	assert_int_equal(told.call.usage.output, 0);
	assert_int_equal(told.call.output_messages.len, 0);
	told_free(&told);
	memset(talk.events, 0, sizeof(talk.events));
	talk.events[0] = talk.body;
	talk.body = SLICE_NONE;
	talk.path = FLOW;
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "l");
	assert_slice(told.call.finish_reasons[0], "SAFETY");
	told_free(&told);
}

static void errors_are_told(void **state)
{
	static const char *const bodies[] = {
		"{\"error\":{\"code\":429,\"message\":\"Slow.\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[]}}",
		"[{\"error\":{\"code\":429,\"message\":\"Slow.\",\"status\":\"RESOURCE_EXHAUSTED\"}}]",
	};

	for (size_t i = 0; i < 4; i++) {
		struct talk talk = { .path = FLOW, .host = HOST, .request = SLICE(ASK) };
		struct told told;

		talk.status = i < 2 ? 429 : 200;
		if (i == 2)
			talk.events[0] = slice_of(bodies[0]);
		else
			talk.body = slice_of(bodies[i == 0 ? 0 : 1]);
		told = talk_told(&talk);
		assert_true(told.call.has_error);
		assert_int_equal(told.call.error.in_band, i >= 2);
		assert_slice(told.call.error.type, "RESOURCE_EXHAUSTED");
		assert_slice(told.call.error.code, "429");
		assert_slice(told.call.error.message, "Slow.");
		told_free(&told);
	}
}

static void paths_name_model_and_service(void **state)
{
	static const struct {
		const char *path, *host, *model, *vendor;
	} rows[] = {
		{ "/v1beta1/projects/p/locations/us/publishers/google/models/gemini-3:generateContent", "x", "gemini-3",
		  "gcp.vertex_ai" },
		{ "/v1/projects/p/locations/us/endpoints/12:streamGenerateContent", "us-aiplatform.googleapis.com",
		  "endpoints/12", "gcp.vertex_ai" },
		{ "/v1beta/tunedModels/mine:generateContent", HOST, "tunedModels/mine", "gcp.gemini" },
		{ "/proxy/v1/models/gemini-2.5-flash:generateContent", "gw.local", "gemini-2.5-flash", "gcp.gemini" },
		{ "/v1internal:generateContent", "cloudcode-pa.googleapis.com", "", "gcp.gen_ai" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .path = rows[i].path, .host = rows[i].host, .request = SLICE(ASK) };
		struct told told = talk_told(&talk);

		assert_string_equal(told.dialect->name, "gemini.generate");
		assert_slice(told.call.request_model, rows[i].model);
		assert_slice(told.call.vendor, rows[i].vendor);
		told_free(&told);
	}
}

static void code_assist_wraps_both_sides(void **state)
{
	struct talk talk = { .path = "/v1internal:streamGenerateContent", .host = "cloudcode-pa.googleapis.com" };
	struct told told;

	talk.request = SLICE("{\"model\":\"gemini-3\",\"project\":\"p\",\"request\":" ASK "}");
	talk.events[0] = SLICE(
		"{\"response\":{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"a\"}]}}]},\"traceId\":\"t\"}");
	talk.events[1] = SLICE(
		"{\"response\":{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"STOP\"}]},\"traceId\":\"t\"}");
	told = talk_told(&talk);
	assert_slice(told.call.request_model, "gemini-3");
	assert_slice(told.call.outputs, "{\"response\":{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"ab\"}],"
					"\"role\":\"model\"},\"finishReason\":\"STOP\"}]},\"traceId\":\"t\"}");
	assert_slice(json_path(told.call.input_messages, "#0", "parts", "#0", "content", NULL), "\"Where?\"");
	assert_slice(json_path(told.call.output_messages, "#0", "parts", "#0", "content", NULL), "\"ab\"");
	assert_true(told.call.chat_messages.len > 0);
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_answer_is_read),
		cmocka_unit_test(a_stream_is_one_answer),
		cmocka_unit_test(an_array_is_the_same_stream),
		cmocka_unit_test(a_reason_behind_which_it_goes_on_is_no_end),
		cmocka_unit_test(tools_and_their_results_are_read),
		cmocka_unit_test(searches_and_code_are_steps),
		cmocka_unit_test(steps_without_end_are_bounded),
		cmocka_unit_test(a_blocked_prompt_is_an_answer),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(paths_name_model_and_service),
		cmocka_unit_test(code_assist_wraps_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
