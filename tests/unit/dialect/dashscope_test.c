/* SPDX-License-Identifier: Apache-2.0 */
/* DashScope's own format: chats, applications, vectors, scores; streams that glue and streams that say themselves again. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/talk.h"
#include <stdio.h>

#define CHAT   "/api/v1/services/aigc/text-generation/generation"
#define VISION "/api/v1/services/aigc/multimodal-generation/generation"
#define APP    "/api/v1/apps/a1b2/completion"
#define EMBED  "/api/v1/services/embeddings/text-embedding/text-embedding"
#define RERANK "/api/v1/services/rerank/text-rerank/text-rerank"
#define HOST   "dashscope-intl.aliyuncs.com"
#define ASK_WITH(parameters)                                                                                           \
	"{\"model\":\"qwen-plus\",\"parameters\":{" parameters                                                         \
	"},\"input\":{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Hi\"}]}}"
#define ASK   ASK_WITH("\"result_format\":\"message\",\"temperature\":0.5,\"max_tokens\":99,\"top_k\":20,\"n\":1")
#define GLUED ASK_WITH("\"result_format\":\"message\",\"incremental_output\":true")
#define USAGE "\"usage\":{\"input_tokens\":26,\"output_tokens\":7,\"total_tokens\":33}"
#define ANSWER                                                                                                                       \
	"{\"output\":{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"Hello\"}}]}," USAGE \
	",\"request_id\":\"r-1\"}"

static struct told told_by(struct talk *talk, const char *const *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		talk->events[i] = slice_of(lines[i]);
	return talk_told(talk);
}

static void an_answer_in_one_piece(void **state)
{
	struct talk talk = { .path = CHAT, .host = HOST, .request = SLICE(ASK) };
	struct told told;

	talk.body = SLICE(
		"{\"output\":{\"choices\":[{\"finish_reason\":\"length\",\"message\":{\"role\":\"assistant\",\"content\":\"Hello\","
		"\"reasoning_content\":\"hm\"}}]},\"usage\":{\"input_tokens\":26,\"output_tokens\":7,\"total_tokens\":33,"
		"\"output_tokens_details\":{\"reasoning_tokens\":4},\"prompt_tokens_details\":{\"cached_tokens\":10,"
		"\"cache_creation_input_tokens\":5,\"cache_creation\":{\"ephemeral_5m_input_tokens\":5,\"ephemeral_1h_input_tokens\":0}},"
		"\"plugins\":{\"search\":{\"count\":2}}},\"request_id\":\"r-1\"}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "dashscope.chat");
	assert_int_equal(told.score, 100);
	assert_int_equal(told.call.operation, OPERATION_CHAT);
	assert_slice(told.call.vendor, "dashscope");
	assert_slice(told.call.request_model, "qwen-plus");
	assert_slice(told.call.response_id, "r-1");
	assert_slice(told.call.finish_reasons[0], "length");
	assert_slice(told.dialect->span_name(&told.call), "Generation");
	assert_int_equal(told.call.usage.input, 26);
	assert_int_equal(told.call.usage.output, 7);
	assert_int_equal(told.call.usage.total, 33);
	assert_int_equal(told.call.usage.cache_read, 10);
	assert_int_equal(told.call.usage.cache_write, 5);
	assert_int_equal(told.call.usage.cache_write_1h, 0);
	assert_int_equal(told.call.usage.reasoning, 4);
	assert_int_equal(told.call.usage.searches, 2);
	assert_int_equal(attribute_count(&told.call, "gen_ai.request.max_tokens"), 99);
	assert_non_null(attribute_of(&told.call, "gen_ai.request.temperature"));
	assert_slice(told.call.outputs, talk.body.data);
	assert_slice(
		told.call.chat_messages,
		"[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"Be brief.\"}]},"
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]},"
		"{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"}],\"reasoning\":\"hm\"}]");
	told_free(&told);
}

static void a_text_answers_a_prompt(void **state)
{
	struct talk talk = {
		.path = "/gateway" CHAT "/",
		.request = SLICE("{\"model\":\"qwen-turbo\",\"input\":{\"prompt\":\"Hi\"},\"parameters\":{}}"),
		.body = SLICE("{\"output\":{\"finish_reason\":\"stop\",\"text\":\"Hello\"}," USAGE
			      ",\"request_id\":\"r\"}"),
	};
	struct told told = talk_told(&talk);

	assert_slice(told.call.vendor, "dashscope");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]}]");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Hello\"}],"
		     "\"finish_reason\":\"stop\"}]");
	told_free(&told);
}

#define EVENT(message, reason)                                                                                         \
	"{\"output\":{\"choices\":[{\"message\":{" message ",\"role\":\"assistant\"},\"finish_reason\":\"" reason      \
	"\"}]}," USAGE ",\"request_id\":\"r-1\"}"
#define SAID(text, reason)    EVENT("\"content\":\"" text "\"", reason)
#define THOUGHT(text, reason) EVENT("\"content\":\"\",\"reasoning_content\":\"" text "\"", reason)

static const char *const repeated[] = { SAID("Hel", "null"), SAID("Hello, ", "null"), SAID("Hello, you", "null"),
					SAID("Hello, you", "stop") };
static const char *const in_pieces[] = { SAID("Hel", "null"), SAID("lo, ", "null"), SAID("you", "null"),
					 SAID("", "stop") };

static void a_stream_is_the_answer_that_it_would_have_been(void **state)
{
	struct talk said_again = { .path = CHAT, .host = HOST, .request = SLICE(ASK) };
	struct talk glued = { .path = CHAT, .host = HOST, .request = SLICE(GLUED) };
	struct told tolds[] = { told_by(&said_again, repeated, 4), told_by(&glued, in_pieces, 4) };

	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(tolds[i].kinds, "cccl");
		assert_slice(
			tolds[i].call.outputs,
			"{\"output\":{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"role\":\"assistant\",\"content\":\"Hello, you\"}}]}," USAGE
			",\"request_id\":\"r-1\"}");
		assert_slice(tolds[i].call.finish_reasons[0], "stop");
		assert_int_equal(tolds[i].call.finish_count, 1);
		assert_int_equal(tolds[i].call.usage.output, 7);
		assert_true(tolds[i].call.ended_itself);
		assert_false(tolds[i].call.is_undecodable);
		told_free(&tolds[i]);
	}
}

/* Nothing was asked for: each text is given in all its cuts, once in pieces and once growing. */
static void a_text_tells_by_itself_whether_it_repeats(void **state)
{
	static const char *const texts[] = { "haha, hahaha!", "1,2,3,4,5", "\\u00e9\\n a\\\\b", "aaaa, b, c, d" };
	uint64_t seed = 7;

	for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
		for (size_t round = 0; round < 400; round++) {
			size_t len = strlen(texts[t]), begin = 0, end = 0, n = 0;
			char lines[2][16][256];
			const char *list[2][16];

			while (end < len) {
				end = MIN(len, begin + 1 + (round ? random_below(&seed, 5) : 0));
				while (end < len && memchr("u0e9n\\ ", texts[t][end], 7) && texts[t][0] == '\\')
					end++; /* no escape is cut */
				for (size_t way = 0; way < 2; way++) {
					size_t from = way ? begin : 0;

					snprintf(lines[way][n], sizeof(lines[way][n]), SAID("%.*s", "%s"),
						 (int)(end - from), texts[t] + from, end < len ? "null" : "stop");
					list[way][n] = lines[way][n];
				}
				begin = end;
				n++;
			}
			for (size_t way = 0; way < 2; way++) {
				struct talk talk = { .path = CHAT, .request = SLICE(ASK) };
				struct told told = told_by(&talk, list[way], n);
				struct slice got = json_path(told.call.outputs, "output", "choices", "#0", "message",
							     "content", NULL);

				assert_slice(json_raw_text(got), texts[t]);
				told_free(&told);
			}
		}
}

static void thinking_goes_before_the_answer(void **state)
{
	static const char *const growing[] = { THOUGHT("Let", "null"), THOUGHT("Let me", "null"),
					       EVENT("\"content\":\"Hi\",\"reasoning_content\":\"Let me\"", "null"),
					       EVENT("\"content\":\"Hi you\",\"reasoning_content\":\"Let me\"",
						     "stop") };
	static const char *const pieces[] = { THOUGHT("Let", "null"), THOUGHT(" me", "null"),
					      EVENT("\"content\":\"Hi\",\"reasoning_content\":\"\"", "null"),
					      EVENT("\"content\":\" you\",\"reasoning_content\":\"\"", "stop") };
	struct talk a = { .path = CHAT, .request = SLICE(ASK) }, b = a;
	struct told tolds[] = { told_by(&a, growing, 4), told_by(&b, pieces, 4) };

	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(tolds[i].kinds, "cccc");
		assert_slice(tolds[i].call.output_messages,
			     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"Let me\"},"
			     "{\"type\":\"text\",\"content\":\"Hi you\"}],\"finish_reason\":\"stop\"}]");
		told_free(&tolds[i]);
	}
}

#define TOOL(fields, arguments)                                                                                        \
	EVENT("\"content\":\"\",\"tool_calls\":[{\"index\":0," fields ",\"type\":\"function\",\"function\":{"          \
	      "\"name\":\"f\",\"arguments\":\"" arguments "\"}}]",                                                     \
	      "null")

static void tools_are_offered_called_and_answered(void **state)
{
	static const char *const growing[] = { TOOL("\"id\":\"t1\"", "{\\\"a\\\":"),
					       TOOL("\"id\":\"t1\"", "{\\\"a\\\": 1}"), SAID("", "tool_calls") };
	static const char *const pieces[] = { TOOL("\"id\":\"t1\"", "{\\\"a\\\":"), TOOL("\"id\":\"\"", " 1}"),
					      SAID("", "tool_calls") };
	struct talk a = {
		.path = CHAT,
		.request = SLICE(
			"{\"model\":\"q\",\"input\":{\"messages\":[{\"role\":\"user\",\"content\":\"?\"},{\"role\":\"assistant\","
			"\"content\":\"\",\"tool_calls\":[{\"id\":\"t0\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
			"{\"role\":\"tool\",\"tool_call_id\":\"t0\",\"content\":\"18\"}]},\"parameters\":{\"tools\":[{\"type\":\"function\","
			"\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]}}"),
	};
	struct talk b = a;
	struct told tolds[] = { told_by(&a, growing, 3), told_by(&b, pieces, 3) };

	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(tolds[i].kinds, "ccl");
		assert_slice(tolds[i].call.output_messages,
			     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\",\"id\":\"t1\",\"name\":\"f\","
			     "\"arguments\":{\"a\": 1}}],\"finish_reason\":\"tool_call\"}]");
		assert_slice(json_path(tolds[i].call.outputs, "output", "choices", "#0", "message", "tool_calls", NULL),
			     "[{\"index\":0,\"id\":\"t1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
			     "\"arguments\":\"{\\\"a\\\": 1}\"}}]");
		assert_slice(json_path(tolds[i].call.input_messages, "#2", "parts", NULL),
			     "[{\"type\":\"tool_call_response\",\"id\":\"t0\",\"response\":\"18\"}]");
		assert_slice(
			tolds[i].call.tools,
			"[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]");
		told_free(&tolds[i]);
	}
}

static void content_is_a_list_of_what_has_no_type(void **state)
{
	static const char *const lines[] = {
		EVENT("\"content\":[{\"text\":\"A \"}]", "null"),
		EVENT("\"content\":[{\"text\":\"dog\"},{\"image\":\"https://h/i.png\"}]", "null"),
		EVENT("\"content\":[]", "stop"),
	};
	struct talk talk = {
		.path = VISION,
		.request = SLICE(
			"{\"model\":\"qwen-vl-max\",\"input\":{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":\"https://h/x.png\"},"
			"{\"image\":\"data:image/png;base64,AA==\"},{\"video\":[\"https://h/1.jpg\",\"https://h/2.jpg\"]},"
			"{\"audio\":\"https://h/a.wav\"},{\"type\":\"text\",\"text\":\"b\"},{\"text\":\"c\"},{\"z\":1},5]}]},"
			"\"parameters\":{\"incremental_output\":true}}"),
	};
	struct told told = told_by(&talk, lines, 3);

	assert_slice(told.dialect->span_name(&told.call), "MultiModalConversation");
	assert_slice(
		json_path(told.call.input_messages, "#0", "parts", NULL),
		"[{\"type\":\"uri\",\"modality\":\"image\",\"uri\":\"https://h/x.png\"},"
		"{\"type\":\"blob\",\"modality\":\"image\",\"mime_type\":\"image/png\",\"content\":\"AA==\"},"
		"{\"type\":\"uri\",\"modality\":\"image\",\"uri\":\"https://h/1.jpg\"},{\"type\":\"uri\",\"modality\":\"image\",\"uri\":\"https://h/2.jpg\"},"
		"{\"type\":\"uri\",\"modality\":\"audio\",\"uri\":\"https://h/a.wav\"},{\"type\":\"text\",\"content\":\"b\"},"
		"{\"type\":\"text\",\"content\":\"c\"},{\"type\":\"unknown\",\"content\":{\"z\":1}}]");
	assert_slice(json_path(told.call.outputs, "output", "choices", "#0", "message", "content", NULL),
		     "[{\"text\":\"A dog\"},{\"image\":\"https://h/i.png\"}]");
	assert_slice(
		json_path(told.call.output_messages, "#0", "parts", NULL),
		"[{\"type\":\"text\",\"content\":\"A dog\"},{\"type\":\"uri\",\"modality\":\"image\",\"uri\":\"https://h/i.png\"}]");
	told_free(&told);
}

static void speech_is_made_of_a_text(void **state)
{
	struct talk talk = {
		.path = VISION,
		.request = SLICE(
			"{\"model\":\"qwen3-tts\",\"input\":{\"text\":\"Hi\",\"voice\":\"Cherry\"},\"parameters\":{}}"),
		.body = SLICE(
			"{\"output\":{\"choices\":null,\"finish_reason\":\"stop\",\"audio\":{\"data\":\"\",\"url\":\"https://h/a.wav\"}},"
			"\"usage\":{\"characters\":2},\"request_id\":\"r\"}"),
	};
	struct told told = talk_told(&talk);

	assert_int_equal(told.call.operation, OPERATION_SPEECH);
	assert_slice(told.call.output_type, "speech");
	assert_slice(json_path(told.call.output_messages, "#0", "parts", NULL),
		     "[{\"type\":\"uri\",\"modality\":\"audio\",\"uri\":\"https://h/a.wav\"}]");
	assert_int_equal(told.call.usage.input, -1);
	told_free(&told);
}

static void several_choices_stay_apart(void **state)
{
#define OF(index, text, reason)                                                                                        \
	"{\"output\":{\"choices\":[{\"index\":" #index ",\"message\":{\"role\":\"assistant\",\"content\":\"" text      \
	"\"},\"finish_reason\":\"" reason "\"}]}," USAGE ",\"request_id\":\"r\"}"
	static const char *const lines[] = { OF(0, "a", "null"), OF(1, "x", "null"), OF(1, "y", "stop"),
					     OF(0, "b", "stop") };
	struct talk talk = { .path = CHAT, .request = SLICE(ASK_WITH("\"n\":2,\"incremental_output\":true")) };
	struct told told = told_by(&talk, lines, 4);

	assert_int_equal(told.call.finish_count, 2);
	assert_slice(json_path(told.call.output_messages, "#0", "parts", "#0", "content", NULL), "\"ab\"");
	assert_slice(json_path(told.call.output_messages, "#1", "parts", "#0", "content", NULL), "\"xy\"");
	assert_false(told.call.ended_itself);
	told_free(&told);
}

/* A search is told by the first event alone; the others have it empty. */
static void what_a_search_found_is_kept(void **state)
{
	static const char *const lines[] = {
		"{\"output\":{\"choices\":[{\"message\":{\"content\":\"\",\"role\":\"assistant\"},\"finish_reason\":\"null\"}],"
		"\"search_info\":{\"search_results\":[{\"index\":1,\"url\":\"https://h/\"}]}},\"usage\":{},\"request_id\":\"r\"}",
		"{\"output\":{\"choices\":[{\"message\":{\"content\":\"So\",\"role\":\"assistant\"},\"finish_reason\":\"stop\"}],"
		"\"search_info\":{\"search_results\":[]}},\"usage\":{\"input_tokens\":3,\"output_tokens\":1,\"plugins\":{\"search\":{\"count\":1}}},"
		"\"request_id\":\"r\"}",
	};
	struct talk talk = { .path = CHAT, .request = SLICE(GLUED) };
	struct told told = told_by(&talk, lines, 2);

	assert_string_equal(told.kinds, "qc");
	assert_slice(json_path(told.call.outputs, "output", "search_info", NULL),
		     "{\"search_results\":[{\"index\":1,\"url\":\"https://h/\"}]}");
	assert_int_equal(told.call.usage.searches, 1);
	assert_int_equal(told.call.usage.total, 4);
	told_free(&told);
}

static void an_application_answers_for_itself(void **state)
{
	static const char *const lines[] = {
		"{\"output\":{\"session_id\":\"s-1\",\"finish_reason\":\"null\",\"text\":\"It \",\"thoughts\":[{\"action_name\":\"search\","
		"\"action_input\":{\"q\":\"x\"},\"observation\":\"[1]\"},{\"thought\":\"hm\"}]},\"usage\":{},\"request_id\":\"r-9\"}",
		"{\"output\":{\"session_id\":\"s-1\",\"finish_reason\":\"stop\",\"text\":\"is.\"},\"usage\":{\"models\":[{\"input_tokens\":40,"
		"\"output_tokens\":7,\"model_id\":\"qwen-plus\"},{\"input_tokens\":2,\"output_tokens\":1,\"model_id\":\"qwen-max\"}]},\"request_id\":\"r-9\"}",
	};
	struct talk talk = {
		.path = APP,
		.host = HOST,
		.request = SLICE("{\"input\":{\"prompt\":\"What?\"},\"parameters\":{\"incremental_output\":true}}"),
	};
	struct told told = told_by(&talk, lines, 2);

	assert_string_equal(told.dialect->name, "dashscope.app");
	assert_int_equal(told.call.operation, OPERATION_AGENT);
	assert_slice(attribute_text(&told.call, "gen_ai.agent.id"), "a1b2");
	assert_slice(told.call.session_id, "s-1");
	assert_slice(told.call.response_model, "qwen-plus");
	assert_int_equal(told.call.usage.input, 42);
	assert_int_equal(told.call.usage.output, 8);
	assert_int_equal(told.call.usage.total, 50);
	assert_slice(json_path(told.call.output_messages, "#0", "parts", "#0", "content", NULL), "\"It is.\"");
	assert_non_null(told.call.steps);
	assert_null(told.call.steps->next);
	assert_slice(told.call.steps->name, "search");
	assert_slice(told.call.steps->inputs, "{\"q\":\"x\"}");
	told_free(&told);
}

static void vectors_are_counted(void **state)
{
	struct talk talk = {
		.path = EMBED,
		.request = SLICE(
			"{\"model\":\"text-embedding-v4\",\"parameters\":{},\"input\":{\"texts\":[\"a\",\"b\"]}}"),
		.body = SLICE(
			"{\"output\":{\"embeddings\":[{\"text_index\":0,\"embedding\":[0.5,1,2]},{\"text_index\":1,\"embedding\":[1,2,3]}]},"
			"\"usage\":{\"total_tokens\":8},\"request_id\":\"r\"}"),
	};
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "dashscope.embed");
	assert_int_equal(told.call.operation, OPERATION_EMBEDDINGS);
	assert_slice(told.call.request_model, "text-embedding-v4");
	assert_int_equal(attribute_count(&told.call, "gen_ai.embeddings.dimension.count"), 3);
	assert_int_equal(told.call.usage.input, 8);
	assert_int_equal(told.call.usage.output, -1);
	told_free(&told);
	talk.path = "/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding";
	talk.body = SLICE("{\"output\":{\"embedding\":[1,2]},\"usage\":{},\"request_id\":\"r\"}");
	told = talk_told(&talk);
	assert_int_equal(attribute_count(&told.call, "gen_ai.embeddings.dimension.count"), 2);
	assert_slice(told.dialect->span_name(&told.call), "MultiModalEmbedding");
	told_free(&told);
}

static void documents_are_shown_in_their_new_order(void **state)
{
	struct talk talk = {
		.path = RERANK,
		.request = SLICE(
			"{\"model\":\"gte-rerank-v2\",\"parameters\":{\"top_n\":3},\"input\":{\"query\":\"q\",\"documents\":[\"A\",{\"text\":\"B\"}]}}"),
		.body = SLICE(
			"{\"output\":{\"results\":[{\"index\":1,\"relevance_score\":0.9},{\"index\":0,\"relevance_score\":0.5,"
			"\"document\":{\"text\":\"A!\"}},{\"index\":7,\"relevance_score\":0}]},\"usage\":{\"total_tokens\":26},\"request_id\":\"r\"}"),
	};
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "dashscope.rerank");
	assert_int_equal(told.call.operation, OPERATION_RERANK);
	assert_slice(attribute_text(&told.call, "gen_ai.retrieval.query.text"), "q");
	assert_slice(told.call.outputs,
		     "[{\"page_content\":\"B\",\"metadata\":{\"score\":0.9,\"index\":1},\"id\":\"1\"},"
		     "{\"page_content\":\"A!\",\"metadata\":{\"score\":0.5,\"index\":0},\"id\":\"0\"},"
		     "{\"page_content\":\"\",\"metadata\":{\"score\":0,\"index\":7},\"id\":\"7\"}]");
	assert_slice(attribute_text(&told.call, "gen_ai.retrieval.documents"),
		     "[{\"id\":\"1\",\"score\":0.9},{\"id\":\"0\",\"score\":0.5},{\"id\":\"7\",\"score\":0}]");
	assert_int_equal(told.call.usage.input, 26);
	told_free(&told);
}

#define REFUSAL "{\"code\":\"InvalidApiKey\",\"message\":\"No such key.\",\"request_id\":\"r-2\"}"

static void a_refusal_is_an_error_wherever_it_comes(void **state)
{
	static const char *const paths[] = { CHAT, VISION, APP, EMBED, RERANK };
	static const char *const lines[] = { SAID("Hel", "null"), "error|" REFUSAL };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		for (int status = 200; status <= 401; status += 201) {
			struct talk talk = {
				.path = paths[i], .request = SLICE(ASK), .status = status, .body = SLICE(REFUSAL)
			};
			struct told told = talk_told(&talk);

			assert_true(told.call.has_error);
			assert_int_equal(told.call.error.in_band, status == 200);
			assert_slice(told.call.error.code, "InvalidApiKey");
			assert_slice(told.call.error.message, "No such key.");
			assert_slice(told.call.response_id, "r-2");
			told_free(&told);
		}
	for (size_t first = 0; first < 2; first++) {
		struct talk talk = { .path = CHAT, .request = SLICE(ASK) };
		struct told told = told_by(&talk, lines + first, 2 - first);

		assert_true(told.call.has_error && told.call.error.in_band);
		assert_slice(told.call.error.message, "No such key.");
		assert_slice(told.call.response_id, "r-2");
		told_free(&told);
	}
}

/* What came before a stream was cut is what is shown, and no reason to end is made up. */
static void a_stream_may_be_cut_after_each_event(void **state)
{
	static const char *const want[] = { "Hel", "Hello, ", "Hello, you" };

	for (size_t n = 1; n <= 3; n++) {
		struct talk talk = { .path = CHAT, .request = SLICE(ASK), .end = CALL_END_SERVER_CUT };
		struct told told = told_by(&talk, n % 2 ? in_pieces : repeated, n);
		struct slice message = json_path(told.call.output_messages, "#0", NULL);

		assert_slice(json_raw_text(json_path(message, "parts", "#0", "content", NULL)), want[n - 1]);
		assert_null(json_get(message, SLICE("finish_reason")).data);
		assert_int_equal(told.call.finish_count, 0);
		assert_false(told.call.ended_itself);
		told_free(&told);
	}
}

/* A text that says itself again costs what it is long, not the sum of all that was said. */
static void a_long_growing_text_stays_cheap(void **state)
{
	const struct dialect *dialect = dialect_by_name(SLICE("dashscope.chat"));
	struct arena *arena = arena_new(&talk_heap.alloc, (size_t)32 << 20);
	struct call call = { .arena = arena, .usage = USAGE_NONE, .status = 200, .is_stream = true };
	void *memory = arena_alloc(arena, dialect->state_size);
	static char line[70000];

	for (int i = 1; i <= 4000; i++) {
		int len = snprintf(line, sizeof(line), "{\"output\":{\"text\":\"%0*d\"},\"request_id\":\"r\"}", i * 16,
				   0);
		struct message_part part = { .kind = PART_EVENT, .data = { line, (size_t)len } };

		assert_int_equal(dialect->event(&call, memory, &part), DIALECT_EVENT_CONTENT);
	}
	assert_true(arena_used(arena) < 4 * 64000);
	dialect->finish(&call, memory);
	assert_int_equal(json_raw_text(json_path(call.outputs, "output", "text", NULL)).len, 64000);
	assert_false(call.is_undecodable);
	arena_free(arena);
}

static void a_late_join_is_told_by_the_answer(void **state)
{
	static const struct {
		const char *name, *body;
	} rows[] = {
		{ "dashscope.chat", ANSWER },
		{ "dashscope.chat", "{\"output\":{\"text\":\"x\",\"finish_reason\":\"stop\"},\"request_id\":\"r\"}" },
		{ "dashscope.app", "{\"output\":{\"text\":\"x\",\"session_id\":\"s\"},\"request_id\":\"r\"}" },
		{ "dashscope.embed", "{\"output\":{\"embeddings\":[{\"embedding\":[1]}]},\"request_id\":\"r\"}" },
		{ "dashscope.rerank",
		  "{\"output\":{\"results\":[{\"index\":0,\"relevance_score\":1}]},\"request_id\":\"r\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .body = slice_of(rows[i].body) };
		struct told told = talk_told(&talk);

		assert_string_equal(told.dialect->name, rows[i].name);
		assert_slice(told.call.vendor, "dashscope");
		told_free(&told);
	}
}

static void others_are_not_taken(void **state)
{
	static const struct {
		const char *path, *request, *body;
	} rows[] = {
		{ "/compatible-mode/v1/chat/completions", "{\"model\":\"q\",\"messages\":[]}", "" },
		{ CHAT "s", ASK, "" },
		{ CHAT, "{\"model\":\"q\",\"inputs\":{}}", "" },
		{ "/apps/a/completion", "{\"input\":{\"prompt\":\"x\"}}", "" },
		{ "/v1/responses", "{\"model\":\"q\",\"input\":\"x\"}",
		  "{\"output\":[{\"text\":\"x\"}],\"request_id\":\"r\"}" },
		{ "/api/v1/services/aigc/text2image/image-synthesis", "{\"model\":\"w\",\"input\":{\"prompt\":\"x\"}}",
		  "{\"output\":{\"task_id\":\"t\",\"task_status\":\"PENDING\"},\"request_id\":\"r\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .path = rows[i].path,
				     .request = slice_of(rows[i].request),
				     .body = slice_of(rows[i].body) };
		struct told told;

		if (talk_run(&talk, &talk_heap.alloc, NULL, &told))
			assert_false(slice_starts(slice_of(told.dialect->name), SLICE("dashscope.")));
		told_free(&told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_one_piece),
		cmocka_unit_test(a_text_answers_a_prompt),
		cmocka_unit_test(a_stream_is_the_answer_that_it_would_have_been),
		cmocka_unit_test(a_text_tells_by_itself_whether_it_repeats),
		cmocka_unit_test(thinking_goes_before_the_answer),
		cmocka_unit_test(tools_are_offered_called_and_answered),
		cmocka_unit_test(content_is_a_list_of_what_has_no_type),
		cmocka_unit_test(speech_is_made_of_a_text),
		cmocka_unit_test(several_choices_stay_apart),
		cmocka_unit_test(what_a_search_found_is_kept),
		cmocka_unit_test(an_application_answers_for_itself),
		cmocka_unit_test(vectors_are_counted),
		cmocka_unit_test(documents_are_shown_in_their_new_order),
		cmocka_unit_test(a_refusal_is_an_error_wherever_it_comes),
		cmocka_unit_test(a_stream_may_be_cut_after_each_event),
		cmocka_unit_test(a_long_growing_text_stays_cheap),
		cmocka_unit_test(a_late_join_is_told_by_the_answer),
		cmocka_unit_test(others_are_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
