/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: Google's messages over gRPC mean what they mean as JSON, at once or as a stream, and other services are left alone. */
#include "unit/dialect/grpc_talk.h"

#define SERVICE "/google.ai.generativelanguage.v1beta.GenerativeService/"
#define VERTEX  "/google.cloud.aiplatform.v1.PredictionService/"

static struct pbw content(const char *role, const char *text)
{
	struct pbw part = { 0 }, content = { 0 };

	pbw_text(&part, 2, text);
	pbw_message(&content, 1, &part);
	pbw_text(&content, 2, role);
	return content;
}

static struct pbw asked(void)
{
	struct pbw ask = { 0 }, user = content("user", "how warm?"), config = { 0 };

	pbw_text(&ask, 1, "models/gemini-2.5-flash");
	pbw_message(&ask, 2, &user);
	pbw_varint(&config, 4, 50);
	pbw_float(&config, 5, 0.5f);
	pbw_message(&ask, 4, &config);
	return ask;
}

static struct pbw said(const char *text, unsigned reason)
{
	struct pbw answer = { 0 }, candidate = { 0 }, model = content("model", text), usage = { 0 };

	pbw_message(&candidate, 1, &model);
	if (reason)
		pbw_varint(&candidate, 2, reason);
	pbw_message(&answer, 1, &candidate);
	pbw_varint(&usage, 1, 4);
	pbw_varint(&usage, 2, 2);
	pbw_varint(&usage, 3, 9);
	pbw_varint(&usage, 10, 3);
	pbw_message(&answer, 3, &usage);
	pbw_text(&answer, 4, "gemini-2.5-flash-001");
	pbw_text(&answer, 5, "r1");
	return answer;
}

static struct grpc_talk once(void)
{
	return (struct grpc_talk){
		.path = SERVICE "GenerateContent", .request = asked(), .answers = { said("warm", 1) }, .answer_count = 1
	};
}

static struct grpc_talk stream(void)
{
	return (struct grpc_talk){ .path = SERVICE "StreamGenerateContent",
				   .request = asked(),
				   .answers = { said("it is ", 0), said("warm", 1) },
				   .answer_count = 2 };
}

static void an_answer_means_what_its_json_means(void **state)
{
	struct grpc_talk talk = once();
	struct told told = grpc_told(&talk);
	const struct call *call = &told.call;

	assert_string_equal(told.dialect->name, "google.grpc");
	assert_slice(call->vendor, "gcp.gemini");
	assert_slice(call->request_model, "gemini-2.5-flash");
	assert_slice(call->response_model, "gemini-2.5-flash-001");
	assert_slice(call->inputs,
		     "{\"model\":\"models/gemini-2.5-flash\",\"contents\":[{\"parts\":[{\"text\":\"how warm?\"}],"
		     "\"role\":\"user\"}],\"generationConfig\":{\"maxOutputTokens\":50,\"temperature\":0.5}}");
	assert_slice(call->outputs,
		     "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"warm\"}],\"role\":\"model\"},"
		     "\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount\":2,"
		     "\"totalTokenCount\":9,\"thoughtsTokenCount\":3},\"modelVersion\":\"gemini-2.5-flash-001\","
		     "\"responseId\":\"r1\"}");
	assert_slice(call->output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"warm\"}],"
		     "\"finish_reason\":\"stop\"}]");
	assert_int_equal(call->usage.input, 4);
	assert_int_equal(call->usage.output, 5);
	assert_int_equal(attribute_of(call, "gen_ai.request.max_tokens")->value.integer, 50);
	assert_false(call->is_stream || call->is_undecodable || call->has_error);
	told_free(&told);
}

static struct pbw vertex_content(const char *role, const char *text)
{
	struct pbw part = { 0 }, content = { 0 };

	pbw_text(&part, 1, text);
	pbw_text(&content, 1, role);
	pbw_message(&content, 2, &part);
	return content;
}

static struct pbw vertex_said(const char *text, unsigned reason)
{
	struct pbw answer = { 0 }, candidate = { 0 }, model = vertex_content("model", text), usage = { 0 };

	pbw_message(&candidate, 2, &model);
	if (reason)
		pbw_varint(&candidate, 3, reason);
	pbw_message(&answer, 2, &candidate);
	pbw_varint(&usage, 1, 4);
	pbw_varint(&usage, 2, 2);
	pbw_varint(&usage, 3, 9);
	pbw_varint(&usage, 5, 1);
	pbw_varint(&usage, 14, 3);
	pbw_message(&answer, 4, &usage);
	pbw_text(&answer, 11, "gemini-2.5-flash-001");
	pbw_text(&answer, 13, "r1");
	return answer;
}

static struct grpc_talk vertex(void)
{
	struct grpc_talk talk = { .path = VERTEX "StreamGenerateContent",
				  .answers = { vertex_said("it is ", 0), vertex_said("warm", 1) },
				  .answer_count = 2 };
	struct pbw user = vertex_content("user", "how warm?"), config = { 0 };

	pbw_message(&talk.request, 2, &user);
	pbw_varint(&config, 5, 50);
	pbw_message(&talk.request, 4, &config);
	pbw_text(&talk.request, 5, "projects/p/locations/l/publishers/google/models/gemini-2.5-flash");
	return talk;
}

static void vertex_numbers_them_otherwise(void **state)
{
	struct grpc_talk talk = vertex();
	struct told told = grpc_told(&talk);
	const struct call *call = &told.call;

	assert_string_equal(told.dialect->name, "google.grpc");
	assert_slice(call->vendor, "gcp.vertex_ai");
	assert_slice(call->request_model, "gemini-2.5-flash");
	assert_slice(call->response_model, "gemini-2.5-flash-001");
	assert_slice(call->response_id, "r1");
	assert_slice(call->input_messages,
		     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"how warm?\"}]}]");
	assert_slice(call->output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"it is warm\"}],"
		     "\"finish_reason\":\"stop\"}]");
	assert_int_equal(call->usage.input, 4);
	assert_int_equal(call->usage.output, 5);
	assert_int_equal(attribute_of(call, "gen_ai.request.max_tokens")->value.integer, 50);
	assert_true(call->is_stream && !call->is_undecodable && !call->has_error);
	told_free(&told);
}

static void a_stream_is_put_together(void **state)
{
	struct grpc_talk talk = stream();
	struct told told = grpc_told(&talk);

	assert_string_equal(told.kinds, "cc");
	assert_true(told.call.is_stream);
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"it is warm\"}],"
		     "\"finish_reason\":\"stop\"}]");
	assert_int_equal(told.call.usage.output, 5);
	told_free(&told);
}

/* A tool of another service's takes its key with it. */
static void a_key_in_a_message_is_hidden(void **state)
{
	struct grpc_talk talk = vertex();
	struct pbw search = { 0 }, tool = { 0 };
	struct told told;

	pbw_text(&search, 1, "key-of-the-search");
	pbw_message(&tool, 15, &search);
	pbw_message(&talk.request, 6, &tool);
	told = grpc_told(&talk);
	assert_true(slice_contains(told.call.inputs, SLICE("\"exaAiSearch\":{}")));
	assert_false(slice_contains(told.call.inputs, SLICE("key-of-the-search")));
	assert_false(told.call.is_undecodable);
	told_free(&told);
}

static void texts_are_embedded(void **state)
{
	struct grpc_talk talk = { .path = SERVICE "EmbedContent", .answer_count = 1 };
	struct pbw text = content("user", "x"), vector = { 0 };
	struct told told;

	pbw_text(&talk.request, 1, "models/text-embedding-004");
	pbw_message(&talk.request, 2, &text);
	pbw_bytes(&vector, 1, (float[]){ 0.5f, 1 }, 2 * sizeof(float));
	pbw_message(&talk.answers[0], 1, &vector);
	told = grpc_told(&talk);
	assert_int_equal(told.call.operation, OPERATION_EMBEDDINGS);
	assert_slice(told.call.request_model, "text-embedding-004");
	assert_slice(told.call.outputs, "{\"embedding\":{\"values\":[0.5,1.0]}}");
	told_free(&told);
}

static void a_refusal_is_told(void **state)
{
	struct grpc_talk talk = {
		.path = SERVICE "GenerateContent", .request = asked(), .status = "3", .message = "bad"
	};
	struct told told = grpc_told(&talk);

	assert_slice(told.call.error.type, "INVALID_ARGUMENT");
	assert_slice(told.call.error.message, "bad");
	told_free(&told);
}

static void other_services_are_not_its(void **state)
{
	static const struct name_value type = { SLICE("content-type"), SLICE("application/grpc") };
	static const char *const paths[] = { "/google.ai.generativelanguage.v1beta.ModelService/ListModels",
					     "/google.ai.generativelanguage.v1.x.GenerativeService/GenerateContent",
					     "/google.ai.generativelanguage.GenerativeService/GenerateContent" };
	unsigned score;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct dialect_hint hint = {
			.method = SLICE("POST"), .path = slice_of(paths[i]), .headers = &type, .header_count = 1
		};

		assert_null(dialect_find(&hint, &score));
	}
}

static void damage_and_full_memory_are_survived(void **state)
{
	struct grpc_talk talks[] = { once(), stream(), vertex() };

	for (size_t i = 0; i < ARRAY_SIZE(talks); i++) {
		grpc_survives_damage(&talks[i]);
		grpc_survives_full_memory(&talks[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_means_what_its_json_means),
		cmocka_unit_test(a_stream_is_put_together),
		cmocka_unit_test(vertex_numbers_them_otherwise),
		cmocka_unit_test(a_key_in_a_message_is_hidden),
		cmocka_unit_test(texts_are_embedded),
		cmocka_unit_test(a_refusal_is_told),
		cmocka_unit_test(other_services_are_not_its),
		cmocka_unit_test(damage_and_full_memory_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
