/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever comes, in whatever order, with whatever memory: no dialect reads past what it is given, what it hands out as
 * JSON is JSON, and what it could not keep it tells.
 */
#include "dialect/text.h"
#include "unit/dialect/sane.h"
#include <stdio.h>

#define ASK                                                                                                                                                                                            \
	"{\"model\":\"m\",\"messages\":[{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"a\\u00e9\\ud83d\"},"                                                                        \
	"{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AA\",\"format\":\"wav\"}},{\"type\":\"document\",\"source\":"                                                                           \
	"{\"type\":\"base64\",\"media_type\":\"x/y\",\"data\":\"AA\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"t\",\"content\":\"18\"}],"                                                              \
	"\"input\":[{\"role\":\"user\",\"content\":\"x\"},{\"type\":\"additional_tools\",\"tools\":[{\"type\":\"namespace\",\"tools\":[5]}]}],\"tool_outputs\":[5],\"system\":\"s\",\"prompt\":\"p\"," \
	"\"contents\":[{\"parts\":[{\"text\":\"x\"},{\"inline_data\":{\"data\":\"AA\"}},{\"functionResponse\":{}},5]}],\"generationConfig\":{\"topP\":1},"                                             \
	"\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":{\"type\":\"OBJECT\",\"properties\":{\"a\":{\"type\":\"STRING\"}}}}]},"                                                  \
	"{\"type\":\"function\",\"name\":\"f\",\"input_schema\":{\"title\":\"x\",\"properties\":{\"a\":{\"title\":\"b\"}}},"                                                                           \
	"\"function\":{\"name\":\"f\",\"parameters\":{}}}],\"metadata\":{\"user_id\":\"user_a_session_b\"}}"

/* Events of all dialects in one heap: each dialect meets its own and everybody else's. */
static const struct slice events[] = {
	SLICE("{\"id\":\"c\",\"model\":\"m\",\"created\":1,\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"x\\ud83d\"}}]}"),
	SLICE("{\"choices\":[{\"index\":3,\"delta\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"text\":\"h\"}]},{\"type\":\"z\"}]}}]}"),
	SLICE("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}"),
	SLICE("{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"custom\":{\"name\":\"f\",\"input\":\"i\"}}],\"audio\":{\"data\":\"AA\"}},"
	      "\"logprobs\":{\"content\":[{\"a\":1}],\"refusal\":[]},\"text\":\"t\",\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1}}"),
	SLICE("message_start|{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"role\":\"assistant\",\"usage\":{\"input_tokens\":1}}}"),
	SLICE("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}"),
	SLICE("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\\\":\"}}"),
	SLICE("{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}"),
	SLICE("{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"citations_delta\",\"citation\":{\"a\":1}}}"),
	SLICE("{\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"citations_delta\",\"citation\":null}}"),
	SLICE("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}"),
	SLICE("{\"type\":\"message_stop\"}"),
	SLICE("response.created|{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"output\":[]}}"),
	SLICE("{\"type\":\"response.output_item.added\",\"output_index\":1,\"item\":{\"type\":\"message\",\"content\":[]}}"),
	SLICE("{\"type\":\"response.output_text.delta\",\"output_index\":1,\"content_index\":0,\"delta\":\"x\"}"),
	SLICE("{\"type\":\"response.function_call_arguments.delta\",\"output_index\":2,\"delta\":\"{\"}"),
	SLICE("{\"type\":\"response.output_item.done\",\"output_index\":1,\"item\":{\"type\":\"web_search_call\"}}"),
	SLICE("{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\",\"output\":[],\"usage\":{\"input_tokens\":1}}}"),
	SLICE("{\"model\":\"l\",\"created_at\":\"t\",\"message\":{\"role\":\"a\",\"content\":\"y\",\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]},\"done\":false}"),
	SLICE("{\"model\":\"l\",\"created_at\":\"t\",\"response\":\"y\",\"thinking\":\"h\",\"done\":true,\"eval_count\":3}"),
	SLICE("{\"type\":\"image_generation.partial_image\",\"b64_json\":\"AA\"}"),
	SLICE("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]}}],\"responseId\":\"r\"}"),
	SLICE("{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"h\\ud83d\",\"thought\":true,\"thoughtSignature\":\"AA\"}]}}]}"),
	SLICE("{\"response\":{\"candidates\":[{\"index\":1,\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\"}},{\"executableCode\":{\"code\":\"1\"}},"
	      "{\"codeExecutionResult\":{\"outcome\":2}}]},\"finishReason\":7}]},\"traceId\":\"t\"}"),
	SLICE("{\"candidates\":[{\"finishReason\":\"STOP\",\"groundingMetadata\":{\"webSearchQueries\":[\"q\"],\"groundingChunks\":[{\"maps\":{}}]}}],"
	      "\"usageMetadata\":{\"promptTokenCount\":1,\"promptTokensDetails\":[{\"modality\":\"AUDIO\",\"tokenCount\":1}]}}"),
	SLICE("{\"event_type\":\"step.start\",\"index\":1,\"step\":{\"type\":\"google_search_call\",\"content\":[],\"arguments\":{}}}"),
	SLICE("{\"event_type\":\"step.delta\",\"index\":1,\"delta\":{\"type\":\"text\",\"text\":\"x\\ud83d\"}}"),
	SLICE("{\"event_type\":\"step.delta\",\"index\":0,\"delta\":{\"type\":\"arguments_delta\",\"arguments\":\"{\"}}"),
	SLICE("{\"event_type\":\"interaction.completed\",\"interaction\":{\"id\":\"v\",\"steps\":[{\"type\":\"function_call\"},5],\"usage\":{\"total_tokens\":1}}}"),
	SLICE("{\"type\":\"response.output_audio_transcript.delta\",\"output_index\":1,\"content_index\":1,\"delta\":\"x\\ud83d\"}"),
	SLICE("{\"type\":\"conversation.item.input_audio_transcription.completed\",\"transcript\":\"said\\n\"}"),
	SLICE("{\"type\":\"response.done\",\"response\":{\"id\":\"r\",\"status\":\"failed\",\"status_details\":{\"error\":{\"code\":\"c\"}},"
	      "\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"audio\",\"transcript\":\"t\"},3]}],\"usage\":{}},\"usage\":{\"input_tokens\":1}}"),
	SLICE("{\"serverContent\":{\"modelTurn\":{\"parts\":[{\"text\":\"a\",\"thought\":true},{\"text\":\"b\\ud83d\"},"
	      "{\"inlineData\":{\"data\":\"AAAA\"}}]},\"outputTranscription\":{\"text\":\"c\"},\"inputTranscription\":{\"text\":\"d\"}}}"),
	SLICE("{\"toolCall\":{\"functionCalls\":[{\"name\":\"f\",\"args\":{},\"id\":\"i\"},5]},\"usageMetadata\":{\"promptTokenCount\":1}}"),
	SLICE("{\"error\":{\"message\":\"broke\",\"type\":\"t\",\"code\":1}}"),
	SLICE("{\"type\":\"message-start\",\"id\":\"i\",\"delta\":{\"message\":{\"role\":\"assistant\"}}}"),
	SLICE("{\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"thinking\":\"h\\ud83d\"}}}}"),
	SLICE("{\"type\":\"tool-call-start\",\"index\":7,\"delta\":{\"message\":{\"tool_calls\":{\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}}}}"),
	SLICE("{\"type\":\"citation-start\",\"index\":0,\"delta\":{\"message\":{\"citations\":{\"start\":0},\"tool_plan\":\"p\"}}}"),
	SLICE("{\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"e\",\"usage\":{\"tokens\":{\"input_tokens\":1}}}}"),
	SLICE("{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":\"x\"}"),
	SLICE("{\"is_finished\":true,\"event_type\":\"stream-end\",\"finish_reason\":\"ERROR\",\"response\":{\"text\":\"x\",\"generations\":[{\"text\":\"y\"}]}}"),
	SLICE("{\"index\":1,\"token\":{\"id\":5,\"text\":\"x\\ud83d\",\"special\":false},\"generated_text\":null,\"text_output\":\"x\"}"),
	SLICE("{\"text\":\"x\",\"meta_info\":{\"finish_reason\":{\"type\":\"stop\"},\"prompt_tokens\":1}}"),
	SLICE("{\"content\":\"x\",\"stop\":true,\"timings\":{\"predicted_n\":1},\"generated_text\":\"y\",\"details\":{}}"),
	SLICE("message|{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sampling/createMessage\",\"params\":{\"messages\":[]}}"),
	SLICE("message|{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"x\\ud83d\"}],\"isError\":true}}"),
	SLICE("{\"type\":\"message.output.delta\",\"output_index\":1,\"content\":{\"type\":\"thinking\",\"thinking\":[{\"text\":\"h\"}]},\"model\":\"m\"}"),
	SLICE("{\"type\":\"message.output.delta\",\"output_index\":1,\"content\":{\"type\":\"z\"},\"id\":\"i\"}"),
	SLICE("{\"type\":\"tool.execution.started\",\"output_index\":0,\"name\":\"w\",\"arguments\":\"{}\",\"info\":{}}"),
	SLICE("{\"type\":\"function.call.delta\",\"output_index\":2,\"name\":\"f\",\"arguments\":\"{\"}"),
	SLICE("{\"type\":\"conversation.response.done\",\"conversation_id\":\"c\",\"usage\":{\"prompt_tokens\":1}}"),
	SLICE("{\"model_id\":\"g\",\"results\":[{\"generated_text\":\"x\",\"generated_token_count\":1,\"stop_reason\":\"not_finished\"}]}"),
	SLICE("{\"errors\":[{\"code\":\"c\",\"message\":\"m\"}]}"),
	SLICE("{\"type\":\"chat.start\",\"model_instance_id\":\"m\"}"),
	SLICE("{\"type\":\"reasoning.delta\",\"content\":\"h\"}"),
	SLICE("{\"type\":\"message.delta\",\"content\":\"x\\ud83d\"}"),
	SLICE("{\"type\":\"chat.end\",\"result\":{\"output\":[{\"type\":\"tool_call\",\"tool\":\"t\",\"arguments\":{}},{\"type\":\"z\"}],\"stats\":{\"input_tokens\":1}}}"),
	SLICE("output|some \"text\" \x80"),
	SLICE("[DONE]"),
	SLICE("{\"contentBlockIndex\":3,\"delta\":{\"text\":\"x\"}}"),
	SLICE("messageStart|{\"role\":\"assistant\",\"p\":\"a\"}"),
	SLICE("contentBlockStart|{\"contentBlockIndex\":0,\"start\":{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"f\"}}}"),
	SLICE("contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"toolUse\":{\"input\":\"{\"}}}"),
	SLICE("{\"contentBlockIndex\":1,\"delta\":{\"text\":\"x\",\"citation\":{\"a\":1},\"toolResult\":[{\"b\":1},{\"c\":2}]}}"),
	SLICE("{\"contentBlockIndex\":2,\"delta\":{\"reasoningContent\":{\"text\":\"r\",\"signature\":\"s\"}}}"),
	SLICE("metadata|{\"usage\":{\"inputTokens\":1,\"outputTokens\":2},\"metrics\":{}}"),
	SLICE("{\"type\":\"speech.audio.delta\",\"audio\":\"AAAA\"}"),
	SLICE("{\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":1}}"),
	SLICE("{\"type\":\"transcript.text.delta\",\"delta\":\"x\\ud83d\"}"),
	SLICE("{\"type\":\"transcript.text.done\",\"text\":\"x\",\"usage\":{\"seconds\":1.5}}"),
	SLICE("{\"type\":\"completion\",\"completion\":\"x\",\"stop_reason\":\"stop_sequence\"}"),
	SLICE("{\"object\":\"thread.message.delta\",\"delta\":{\"content\":[{\"text\":{\"value\":\"x\\ud83d\"}},5]}}"),
	SLICE("{\"object\":\"thread.message\",\"status\":\"completed\",\"content\":[{\"type\":\"image_file\"}]}"),
	SLICE("{\"object\":\"thread.run.step\",\"status\":\"completed\",\"step_details\":{\"tool_calls\":[{\"type\":\"file_search\",\"file_search\":{}},5]}}"),
	SLICE("{\"object\":\"thread.run\",\"last_error\":{\"code\":\"c\"},\"required_action\":{\"submit_tool_outputs\":{\"tool_calls\":[{\"id\":1},5]}}}"),
	SLICE("{\"type\":\"message_delta\",\"usage\":{\"input_tokens\":1,\"iterations\":[{\"input_tokens\":9223372036854775807},{\"input_tokens\":9},5]}}"),
	SLICE("exception:throttlingException|{\"message\":\"slow\"}"),
	SLICE("{\"output\":{\"choices\":[{\"index\":1,\"finish_reason\":\"null\",\"message\":{\"role\":\"a\",\"content\":[{\"text\":\"x\\ud83d\"},{\"image\":\"u\"},5],"
	      "\"tool_calls\":[{\"index\":9223372036854775807,\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}},5]}}]},\"request_id\":\"r\"}"),
	SLICE("{\"output\":{\"choices\":[{\"message\":{\"content\":\"xy\",\"reasoning_content\":\"h\"}}],\"text\":\"t\",\"search_info\":{\"a\":1},"
	      "\"thoughts\":[{\"observation\":1},5],\"audio\":{\"data\":\"AA\"}},\"usage\":{\"models\":[{\"input_tokens\":9223372036854775807},5]}}"),
	SLICE("error|{\"code\":\"c\",\"message\":\"m\",\"request_id\":\"r\"}"),
};

static void run_and_judge(const struct talk *talk, const struct dialect *dialect)
{
	struct told told;

	if (talk_run(talk, &talk_heap.alloc, dialect, &told))
		assert_sane(&told);
	told_free(&told);
}

static void any_order_of_any_events(void **state)
{
	const struct dialect *dialect;
	uint64_t seed = 1;

	for (size_t d = 0; (dialect = dialect_at(d)); d++)
		for (int round = 0; round < 150; round++) {
			struct talk talk = { .path = "/x",
					     .request = SLICE(ASK),
					     .end = random_below(&seed, _CALL_END_MAX) };

			talk.event_count = 1 + random_below(&seed, 24);
			for (size_t i = 0; i < talk.event_count; i++)
				talk.events[i] = events[random_below(&seed, ARRAY_SIZE(events))];
			run_and_judge(&talk, dialect);
		}
}

static void events_cut_and_changed_anywhere(void **state)
{
	const struct dialect *dialect;
	char text[512];

	for (size_t d = 0; (dialect = dialect_at(d)); d++)
		for (size_t e = 0; e < ARRAY_SIZE(events); e++)
			for (size_t len = 1; len <= events[e].len; len++) {
				struct guard guard = guard_new(slice_head(events[e], len));
				struct talk talk = { .path = "/x", .request = SLICE(ASK) };

				memcpy(text, events[e].data, events[e].len);
				text[len - 1] = "\"\\{}[]:,x0\x80"[len % 11];
				talk.events[0] = guard.text;
				talk.events[1] = (struct slice){ text, events[e].len };
				run_and_judge(&talk, dialect);
				guard_free(&guard);
			}
}

static void bodies_cut_anywhere(void **state)
{
	static const struct slice answer = SLICE(
		"{\"id\":\"i\",\"model\":\"m\",\"choices\":[{\"message\":{\"role\":\"a\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}],"
		"\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}],\"content\":[{\"type\":\"image\",\"source\":{}}],"
		"\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}]}],\"data\":[{\"embedding\":\"AAAAAA==\"}],"
		"\"message\":{\"content\":\"x\"},\"usage\":{\"input_tokens\":1},\"done\":true}");
	const struct dialect *dialect;

	for (size_t d = 0; (dialect = dialect_at(d)); d++)
		for (size_t len = 0; len <= SLICE(ASK).len; len += 1 + (len > 80) * 2) {
			struct guard request = guard_new(slice_head(SLICE(ASK), len));
			struct guard body = guard_new(slice_head(answer, len));
			struct talk talk = {
				.path = "/x", .request = request.text, .body = body.text, .request_is_cut = true
			};

			run_and_judge(&talk, dialect);
			talk.status = 500;
			run_and_judge(&talk, dialect);
			talk.is_silent = true;
			run_and_judge(&talk, dialect);
			guard_free(&request);
			guard_free(&body);
		}
}

/* The nth request for memory fails, and all after it: the call says that it is not whole, unless only a copy was lost. */
static void memory_may_end_anywhere(void **state)
{
	const struct dialect *dialect;

	for (size_t d = 0; (dialect = dialect_at(d)); d++) {
		struct talk talk = { .path = "/x", .request = SLICE(ASK), .event_count = ARRAY_SIZE(events) };
		uint64_t needed = 1;

		memcpy(talk.events, events, sizeof(events));
		for (uint64_t nth = 1; nth <= needed; nth++) {
			struct fail_alloc fail = FAIL_ALLOC(nth);
			struct told told;

			fail.is_sticky = nth % 2;
			if (talk_run(&talk, &fail.alloc, dialect, &told)) {
				assert_sane(&told);
				if (!told.call.outputs.len && dialect->state_size)
					assert_true(told.call.is_undecodable);
			}
			needed = fail.taken > nth ? fail.taken : nth - (fail.taken < nth);
			told_free(&told);
			assert_int_equal(fail.used, 0);
		}
	}
}

/* Answers in one piece of many formats at once, and a question that asks all of them. */
static void whole_answers_survive_lost_memory(void **state)
{
	static const struct slice asks = SLICE(
		"{\"model\":\"m\",\"message\":\"x\",\"chat_history\":[{\"role\":\"USER\",\"message\":\"a\"}],\"query\":\"q\","
		"\"documents\":[\"A\",{\"text\":\"B\",\"id\":\"b\"},{\"k\":1}],\"inputs\":[\"i\",{\"role\":\"user\",\"content\":\"c\"}],"
		"\"input\":{\"prompt\":\"p\",\"query\":\"q\",\"documents\":[\"A\",{\"k\":1}],\"image_list\":[5]},"
		"\"tools\":[{\"name\":\"f\",\"parameter_definitions\":{}}]}");
	static const struct slice answers[] = {
		SLICE("{\"id\":\"i\",\"message\":{\"role\":\"a\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}],\"tool_plan\":\"p\"},"
		      "\"usage\":{\"billed_units\":{\"input_tokens\":1}},\"text\":\"x\",\"generations\":[{\"text\":\"y\"}],"
		      "\"generated_text\":\"x\",\"details\":{\"finish_reason\":\"length\"},\"meta_info\":{\"id\":\"s\"},\"content\":\"x\","
		      "\"stop\":true,\"text_output\":\"x\",\"output\":[\"a\",\"b\"],\"outputs\":[{\"type\":\"tool.execution\"}],"
		      "\"results\":[{\"index\":1,\"relevance_score\":0.5},{\"index\":-9,\"score\":1}],\"urls\":{},\"stats\":{}}"),
		SLICE("{\"output\":[{\"type\":\"tool_call\",\"tool\":\"t\"},{\"type\":\"message\",\"content\":\"x\"}],\"data\":[{\"index\":2,"
		      "\"score\":1,\"document\":\"d\"}],\"embeddings\":{\"float\":[[1,2]]},\"errors\":[{\"code\":1}],\"error\":\"e\"}"),
		SLICE("[{\"index\":0,\"score\":0.5,\"generated_text\":\"x\",\"content\":\"y\",\"stop\":true,\"embedding\":[[1]]}]"),
		SLICE("{\"output\":{\"choices\":[{\"message\":{\"content\":[{\"audio\":{\"url\":\"u\"}},{\"video\":[\"v\",5]}]}}],\"thoughts\":[{\"observation\":1}],"
		      "\"embedding\":[1],\"results\":[{\"index\":0,\"relevance_score\":1},{\"index\":-9},5]},\"usage\":{\"models\":[5]},\"request_id\":\"r\"}"),
	};
	const struct dialect *dialect;

	for (size_t d = 0; (dialect = dialect_at(d)); d++)
		for (size_t a = 0; a < ARRAY_SIZE(answers); a++)
			for (uint64_t nth = 1; nth < 60; nth++) {
				struct talk talk = { .path = "/v1/models/m", .request = asks, .body = answers[a] };
				struct fail_alloc fail = FAIL_ALLOC(nth);
				struct told told;

				if (talk_run(&talk, &fail.alloc, dialect, &told))
					assert_sane(&told);
				told_free(&told);
				assert_int_equal(fail.used, 0);
				talk.body = slice_head(answers[a], answers[a].len * nth / 60);
				run_and_judge(&talk, dialect);
			}
}

/* A small arena in which each further byte of the stream may be the one too many. */
static void an_arena_may_be_full_anywhere(void **state)
{
	const struct dialect *dialect;

	for (size_t d = 0; (dialect = dialect_at(d)); d++)
		for (size_t cap = 2000; cap < 60000; cap += 509) {
			struct alloc_heap heap = ALLOC_HEAP(cap);
			struct talk talk = { .path = "/x", .request = SLICE(ASK), .event_count = ARRAY_SIZE(events) };
			struct told told;

			memcpy(talk.events, events, sizeof(events));
			if (talk_run(&talk, &heap.alloc, dialect, &told))
				assert_sane(&told);
			told_free(&told);
		}
}

/* A text that lost a piece ends there: what is shown is a beginning, and the call says that it is no more than that. */
static void a_lost_piece_ends_its_text(void **state)
{
	const struct dialect *dialect = dialect_by_name(SLICE("openai.chat"));
	char lines[TALK_EVENTS][256], whole[TALK_EVENTS * 64] = "";
	struct talk talk = { .path = "/x", .event_count = TALK_EVENTS };
	size_t cut = 0, len = 0;

	for (size_t i = 0; i < TALK_EVENTS; i++) {
		char piece[64];

		snprintf(piece, sizeof(piece), "%zu the quick brown fox jumps over the lazy dog ", i);
		len += (size_t)snprintf(whole + len, sizeof(whole) - len, "%s", piece);
		snprintf(lines[i], sizeof(lines[i]), "{\"id\":\"c\",\"choices\":[{\"delta\":{\"content\":\"%s\"}}]}",
			 piece);
		talk.events[i] = slice_of(lines[i]);
	}
	for (uint64_t nth = 2; nth < 12; nth++) {
		struct fail_alloc fail = FAIL_ALLOC(nth);
		struct slice text;
		struct told told;

		if (talk_run(&talk, &fail.alloc, dialect, &told) && told.call.outputs.len) {
			text = json_raw_text(json_path(told.call.outputs, "choices", "#0", "message", "content", NULL));
			assert_true(slice_starts(slice_of(whole), text));
			assert_int_equal(told.call.is_undecodable, text.len < strlen(whole));
			cut += text.len < strlen(whole);
		}
		told_free(&told);
	}
	assert_true(cut > 0);
}

static void pieces_are_glued_in_order(void **state)
{
	struct arena *arena = arena_new(&talk_heap.alloc, 1 << 20);
	struct pieces pieces = { 0 };
	struct slice held = SLICE_NONE, whole;
	char want[40000];
	size_t len = 0;

	for (size_t i = 0; i < 300; i++) {
		char piece[256];
		size_t n = i % 251;

		memset(piece, 'a' + (int)(i % 26), sizeof(piece));
		assert_true(pieces_add(arena, &pieces, (struct slice){ piece, n }));
		memcpy(want + len, piece, n);
		len += n;
	}
	whole = pieces_quoted(arena, &pieces);
	assert_int_equal(whole.len, len + 2);
	assert_memory_equal(whole.data + 1, want, len);
	assert_true(slice_hold(arena, &held, SLICE("longer")));
	assert_true(slice_hold(arena, &held, SLICE("short")));
	assert_true(slice_hold(arena, &held, SLICE_NONE));
	assert_slice(held, "short");
	arena_free(arena);
}

/* The first event in the heap that has @words in it. */
static struct slice event_with(const char *words)
{
	size_t i = 0;

	while (!slice_contains(events[i], slice_of(words)))
		i++;
	return events[i];
}

/* Many small events cost what their bytes cost: nothing is searched through or copied again. */
static void a_long_stream_stays_cheap(void **state)
{
	static const char *const names[] = { "openai.chat", "openai.responses", "anthropic.messages",
					     "ollama.chat", "gemini.generate",  "bedrock.converse" };
	static const char *const kinds[] = { "\"created\":1",  "response.output_text.delta",
					     "text_delta",     "\"created_at\"",
					     "\"responseId\"", "{\"contentBlockIndex\":3" };

	for (size_t d = 0; d < ARRAY_SIZE(names); d++) {
		const struct dialect *dialect = dialect_by_name(slice_of(names[d]));
		struct arena *arena = arena_new(&talk_heap.alloc, (size_t)32 << 20);
		struct call call = { .arena = arena, .usage = USAGE_NONE, .status = 200, .is_stream = true };
		void *memory = arena_alloc(arena, dialect->state_size);
		struct message_part part = { .kind = PART_EVENT, .data = event_with(kinds[d]) };

		for (int i = 0; i < 100000; i++)
			dialect->event(&call, memory, &part);
		assert_true(arena_used(arena) < (size_t)100000 * 32); /* at most 27 bytes of each are kept */
		dialect->finish(&call, memory);
		assert_false(call.is_undecodable);
		assert_true(call.outputs.len > 100000);
		arena_free(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_order_of_any_events),
		cmocka_unit_test(events_cut_and_changed_anywhere),
		cmocka_unit_test(bodies_cut_anywhere),
		cmocka_unit_test(memory_may_end_anywhere),
		cmocka_unit_test(whole_answers_survive_lost_memory),
		cmocka_unit_test(an_arena_may_be_full_anywhere),
		cmocka_unit_test(a_lost_piece_ends_its_text),
		cmocka_unit_test(pieces_are_glued_in_order),
		cmocka_unit_test(a_long_stream_stays_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
