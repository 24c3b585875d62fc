/* SPDX-License-Identifier: Apache-2.0 */
/* Chat completions: what is shown of an answer in one piece, of a stream put together again, and of failures. */
#include "unit/dialect/talk.h"

#define ASK                                                                                                            \
	SLICE("{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"system\",\"content\":\"Be terse.\"},"              \
	      "{\"role\":\"user\",\"content\":\"Capital?\"}],\"stream\":true,\"user\":\"u-1\"}")
#define HEAD                                                                                                           \
	"{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m-1\",\"service_tier\":\"default\","
#define CHUNK(delta, reason)                                                                                           \
	SLICE(HEAD "\"system_fingerprint\":\"fp\",\"choices\":[{\"index\":0,\"delta\":" delta                          \
		   ",\"finish_reason\":" reason "}]}")
#define SAID(choices)                                                                                                                       \
	"{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":7,\"model\":\"m-1\",\"system_fingerprint\":\"fp\",\"choices\":[" choices \
	"]}"

static struct talk chat(void)
{
	return (struct talk){ .path = "/v1/chat/completions",
			      .host = "api.openai.com",
			      .agent = "OpenAI/Python 3.54.0",
			      .request = ASK };
}

static void an_answer_in_one_piece_is_shown_to_the_letter(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.body = SLICE(
		"{ \"id\":\"c1\",\"model\":\"m-1\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp\",\"choices\":[{\"index\":0,"
		"\"message\":{\"role\":\"assistant\",\"content\":\"Paris.\"},\"finish_reason\":\"stop\"}],"
		"\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":4,\"total_tokens\":23,"
		"\"prompt_tokens_details\":{\"cached_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":2}}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "openai.chat");
	assert_slice(told.dialect->span_name(&told.call), "Completions");
	assert_slice(told.call.inputs, ASK.data);
	assert_slice(told.call.outputs, talk.body.data);
	assert_slice(told.call.vendor, "openai");
	assert_slice(told.call.request_model, "gpt-4o-mini");
	assert_slice(told.call.response_model, "m-1");
	assert_slice(told.call.response_id, "c1");
	assert_slice(told.call.service_tier, "default");
	assert_slice(told.call.user_id, "u-1");
	assert_int_equal(told.call.usage.input, 19);
	assert_int_equal(told.call.usage.output, 4);
	assert_int_equal(told.call.usage.total, 23);
	assert_int_equal(told.call.usage.cache_read, 0);
	assert_int_equal(told.call.usage.cache_write, -1);
	assert_int_equal(told.call.usage.reasoning, 2);
	assert_int_equal(told.call.finish_count, 1);
	assert_slice(told.call.finish_reasons[0], "stop");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"system\",\"parts\":[{\"type\":\"text\",\"content\":\"Be terse.\"}]},"
		     "{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Capital?\"}]}]");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"Paris.\"}],"
		     "\"finish_reason\":\"stop\"}]");
	assert_slice(told.call.chat_messages, "");
	told_free(&told);
}

static void a_stream_becomes_the_object_it_would_have_been(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.agent = "AsyncOpenAI/Python 3.54.0";
	talk.events[0] = CHUNK("{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}", "null");
	talk.events[1] = CHUNK("{\"content\":\"Par\"}", "null");
	talk.events[2] = CHUNK("{\"content\":\"is.\"}", "null");
	talk.events[3] = CHUNK("{}", "\"stop\"");
	talk.events[4] = SLICE(
		HEAD "\"choices\":[],\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":4,\"total_tokens\":23}}");
	talk.events[5] = SLICE("[DONE]");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qccqqe");
	assert_slice(told.dialect->span_name(&told.call), "AsyncCompletions");
	assert_slice(
		told.call.outputs,
		"{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":7,\"model\":\"m-1\",\"system_fingerprint\":\"fp\","
		"\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Paris.\"},\"finish_reason\":\"stop\"}],"
		"\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":4,\"total_tokens\":23}}");
	assert_slice(told.call.service_tier, "default");
	assert_int_equal(told.call.usage.total, 23);
	assert_false(told.call.is_undecodable);
	told_free(&told);
}

static void choices_stay_apart(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.events[0] =
		SLICE(HEAD "\"system_fingerprint\":\"fp\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"A\"}},"
			   "{\"index\":1,\"delta\":{\"content\":\"B\"}}]}");
	talk.events[1] =
		SLICE(HEAD "\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"},\"finish_reason\":\"length\"}]}");
	talk.events[2] =
		SLICE(HEAD "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}");
	told = talk_told(&talk);
	assert_slice(
		told.call.outputs,
		SAID("{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Aa\"},\"finish_reason\":\"stop\"},"
		     "{\"index\":1,\"message\":{\"role\":\"assistant\",\"content\":\"Bb\"},\"finish_reason\":\"length\"}"));
	assert_int_equal(told.call.finish_count, 2);
	told_free(&told);
}

/* By index; without one; with one index for all; with the name in each delta; with an invented id in each delta. */
static void tool_calls_are_merged_as_hosts_write_them(void **state)
{
	static const struct slice hosts[][5] = {
		{ SLICE("[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]"),
		  SLICE("[{\"index\":0,\"function\":{\"arguments\":\"{\\\"x\\\":\"}}]"),
		  SLICE("[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\"}}]"),
		  SLICE("[{\"index\":0,\"function\":{\"arguments\":\"1}\"}}]"),
		  SLICE("[{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]") },
		{ SLICE("[{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}},"
			"{\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]") },
		{ SLICE("[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}}]"),
		  SLICE("[{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]") },
		{ SLICE("[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\"\"}}]"),
		  SLICE("[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\":1}\"}}]"),
		  SLICE("[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]") },
		{ SLICE("[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]"),
		  SLICE("[{\"index\":0,\"id\":\"z1\",\"function\":{\"arguments\":\"{\\\"x\\\"\"}}]"),
		  SLICE("[{\"index\":0,\"id\":\"z2\",\"function\":{\"name\":\"\",\"arguments\":\":1}\"}}]"),
		  SLICE("[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":{}}}]") },
	};

	for (size_t host = 0; host < ARRAY_SIZE(hosts); host++) {
		char text[6][512];
		struct talk talk = chat();
		struct told told;
		size_t n = 0;

		for (; n < 5 && hosts[host][n].len; n++) {
			snprintf(
				text[n], sizeof(text[n]),
				HEAD
				"\"system_fingerprint\":\"fp\",\"choices\":[{\"index\":0,\"delta\":{\"content\":null,\"tool_calls\":%s}}]}",
				hosts[host][n].data);
			talk.events[n] = slice_of(text[n]);
		}
		talk.events[n] = CHUNK("{}", "\"tool_calls\"");
		told = talk_told(&talk);
		assert_slice(
			told.call.outputs,
			SAID("{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
			     "{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":1}\"}},"
			     "{\"id\":\"b\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},"
			     "\"finish_reason\":\"tool_calls\"}"));
		assert_slice(
			told.call.output_messages,
			"[{\"role\":\"assistant\",\"parts\":["
			"{\"type\":\"tool_call\",\"id\":\"a\",\"name\":\"f\",\"arguments\":{\"x\":1}},"
			"{\"type\":\"tool_call\",\"id\":\"b\",\"name\":\"g\",\"arguments\":{}}],\"finish_reason\":\"tool_call\"}]");
		told_free(&told);
	}
}

/* With nothing but ids to tell them apart. */
static void calls_without_index_and_arguments_stay_apart(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.events[0] = CHUNK("{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\"}}]}", "null");
	talk.events[1] = CHUNK("{\"tool_calls\":[{\"id\":\"b\",\"function\":{\"name\":\"f\"}}]}", "null");
	told = talk_told(&talk);
	assert_int_equal(json_count(json_path(told.call.outputs, "choices", "#0", "message", "tool_calls", NULL)), 2);
	told_free(&told);
}

static void reasoning_refusal_and_logprobs_are_kept(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.events[0] = CHUNK("{\"role\":\"assistant\",\"reasoning_content\":\"So\"}", "null");
	talk.events[1] = CHUNK("{\"reasoning_content\":\"…\"}", "null");
	talk.events[2] = SLICE(
		HEAD
		"\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\"No\"},\"logprobs\":{\"content\":[{\"token\":\"N\"}]}}]}");
	talk.events[3] = SLICE(
		HEAD
		"\"choices\":[{\"index\":0,\"delta\":{\"refusal\":\".\"},\"logprobs\":{\"content\":[{\"token\":\"o\"}]}}]}");
	talk.events[4] = CHUNK("{}", "\"stop\"");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "ccccq");
	assert_slice(
		told.call.outputs,
		SAID("{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,\"refusal\":\"No.\",\"reasoning_content\":\"So…\"},"
		     "\"logprobs\":{\"content\":[{\"token\":\"N\"},{\"token\":\"o\"}]},\"finish_reason\":\"stop\"}"));
	told_free(&told);
}

static void a_surrogate_pair_may_be_split(void **state)
{
	struct talk talk = chat();
	struct told told;
	struct slice text;

	talk.events[0] = CHUNK("{\"content\":\"\\ud83d\"}", "null");
	talk.events[1] = CHUNK("{\"content\":\"\\ude00\"}", "\"stop\"");
	told = talk_told(&talk);
	text = json_text(told.arena, json_path(told.call.outputs, "choices", "#0", "message", "content", NULL));
	assert_slice(text, "\xf0\x9f\x98\x80");
	told_free(&told);
}

/* Azure: the first chunk has no choices and empty strings for names. */
static void placeholders_are_not_values(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.path = "/openai/deployments/my-gpt/chat/completions";
	talk.host = "res.openai.azure.com:443";
	talk.request = SLICE("{\"messages\":[]}");
	talk.events[0] = SLICE(
		"{\"id\":\"\",\"object\":\"\",\"created\":0,\"model\":\"\",\"choices\":[],\"prompt_filter_results\":[]}");
	talk.events[1] = CHUNK("{\"content\":\"x\",\"function_call\":{\"name\":\"\",\"arguments\":\"\"}}", "\"\"");
	talk.events[2] = CHUNK("{}", "\"stop\"");
	told = talk_told(&talk);
	assert_slice(told.call.vendor, "azure.ai.openai");
	assert_slice(told.call.request_model, "my-gpt");
	assert_slice(told.call.response_model, "m-1");
	assert_slice(
		told.call.outputs,
		SAID("{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"x\"},\"finish_reason\":\"stop\"}"));
	told_free(&told);
}

static void a_stream_that_ends_well_without_a_word_ends_with_stop(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.events[0] = CHUNK("{\"content\":\"Par\"}", "null");
	told = talk_told(&talk);
	assert_slice(
		told.call.outputs,
		SAID("{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Par\"},\"finish_reason\":\"stop\"}"));
	assert_int_equal(told.call.finish_count, 0);
	told_free(&told);
	talk.end = CALL_END_SERVER_CUT;
	told = talk_told(&talk);
	assert_slice(
		told.call.outputs,
		SAID("{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Par\"},\"finish_reason\":null}"));
	told_free(&told);
}

static void usage_is_found_where_hosts_put_it(void **state)
{
	static const struct {
		struct slice event;
		int64_t input, output, cache, reasoning;
	} hosts[] = {
		{ SLICE("{\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}}"),
		  3, 4, -1, -1 },
		{ SLICE("{\"choices\":[{\"index\":0,\"delta\":{},\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}]}"),
		  3, 4, -1, -1 },
		{ SLICE("{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":12,"
			"\"completion_tokens_details\":{\"reasoning_tokens\":5}}}"),
		  3, 9, -1, 5 },
		{ SLICE("{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":13,"
			"\"prompt_tokens_details\":{\"audio_tokens\":6}}}"),
		  9, 4, -1, -1 },
		{ SLICE("{\"choices\":[],\"usage\":{\"prompt_tokens\":\"3\",\"completion_tokens\":4.0,\"prompt_cache_hit_tokens\":2}}"),
		  3, 4, 2, -1 },
		{ SLICE("{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"cached_tokens\":2}}"),
		  3, 4, 2, -1 },
		{ SLICE("{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"cache_read_input_tokens\":2,"
			"\"cache_creation_input_tokens\":0}}"),
		  3, 4, 2, -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct talk talk = chat();
		struct told told;

		talk.events[0] = CHUNK("{\"content\":\"x\"}", "\"stop\"");
		talk.events[1] = hosts[i].event;
		told = talk_told(&talk);
		assert_int_equal(told.call.usage.input, hosts[i].input);
		assert_int_equal(told.call.usage.output, hosts[i].output);
		assert_int_equal(told.call.usage.cache_read, hosts[i].cache);
		assert_int_equal(told.call.usage.reasoning, hosts[i].reasoning);
		told_free(&told);
	}
}

static void errors_are_told_in_the_provider_s_words(void **state)
{
	static const struct {
		struct slice body;
		const char *type, *code, *message;
	} bodies[] = {
		{ SLICE("{\"error\":{\"message\":\"slow\",\"type\":\"rate\",\"param\":null,\"code\":\"limit\"}}"),
		  "rate", "limit", "slow" },
		{ SLICE("[{\"error\":{\"message\":\"no\",\"status\":\"INVALID\",\"code\":400}}]"), "INVALID", "400",
		  "no" },
		{ SLICE("{\"error\":\"gone\",\"error_type\":\"overloaded\"}"), "overloaded", "", "gone" },
		{ SLICE("{\"object\":\"error\",\"message\":\"bad\",\"type\":\"t\",\"code\":3000}"), "t", "3000",
		  "bad" },
		{ SLICE("{\"detail\":[{\"loc\":1}]}"), "", "", "[{\"loc\":1}]" },
		{ SLICE("<html>Bad gateway</html>"), "", "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct talk talk = chat();
		struct told told;

		talk.status = 429;
		talk.body = bodies[i].body;
		told = talk_told(&talk);
		assert_true(told.call.has_error);
		assert_false(told.call.error.in_band);
		assert_slice(told.call.error.type, bodies[i].type);
		assert_slice(told.call.error.code, bodies[i].code);
		assert_slice(told.call.error.message, bodies[i].message);
		assert_slice(told.call.error.raw, bodies[i].body.data);
		assert_slice(told.call.outputs, "");
		told_free(&told);
	}
}

static void an_error_inside_a_stream_leaves_what_was_said(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.events[0] = CHUNK("{\"content\":\"Par\"}", "null");
	talk.events[1] = SLICE("error|{\"error\":{\"message\":\"broke\",\"type\":\"server_error\"}}");
	told = talk_told(&talk);
	assert_true(told.call.has_error && told.call.error.in_band);
	assert_slice(told.call.error.message, "broke");
	assert_slice(told.call.error.raw, "{\"error\":{\"message\":\"broke\",\"type\":\"server_error\"}}");
	assert_slice(
		told.call.outputs,
		SAID("{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Par\"},\"finish_reason\":null}"));
	told_free(&told);
}

static void tools_take_mlflow_s_shape(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.request = SLICE(
		"{\"model\":\"m\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
		"\"parameters\":{\"title\":\"T\",\"type\":\"object\",\"properties\":{\"title\":{\"title\":\"U\",\"type\":\"string\"}}},\"strict\":true}},"
		"{\"type\":\"custom\",\"custom\":{\"name\":\"c\"}},{\"type\":\"web_search\"}],"
		"\"functions\":[{\"name\":\"old\",\"parameters\":{}}],\"response_format\":{\"type\":\"json_schema\"}}");
	talk.body = SLICE("{}");
	told = talk_told(&talk);
	assert_slice(
		told.call.tools,
		"[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":\"object\","
		"\"properties\":{\"title\":{\"type\":\"string\"}}},\"strict\":true}},"
		"{\"type\":\"function\",\"function\":{\"name\":\"c\"}},"
		"{\"type\":\"function\",\"function\":{\"name\":\"old\",\"parameters\":{}}}]");
	assert_slice(told.call.output_type, "json");
	told_free(&told);
}

static void what_the_page_cannot_read_is_given_as_chat_messages(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.request = SLICE(
		"{\"model\":\"m\",\"messages\":[{\"role\":\"developer\",\"content\":\"Be kind\"},{\"role\":\"user\",\"content\":["
		"{\"type\":\"text\",\"text\":\"See\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}},"
		"{\"type\":\"file\",\"file\":{\"file_id\":\"f1\"}}]},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"t\","
		"\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]},"
		"{\"role\":\"tool\",\"tool_call_id\":\"t\",\"content\":\"18\"}]}");
	talk.body =
		SLICE("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"ok\",\"reasoning\":\"hm\"}}]}");
	told = talk_told(&talk);
	assert_slice(
		told.call.chat_messages,
		"[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"Be kind\"}]},"
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"See\"},"
		"{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}},{\"type\":\"text\",\"text\":\"[file]\"}]},"
		"{\"role\":\"assistant\",\"content\":[],\"tool_calls\":[{\"id\":\"t\",\"type\":\"function\","
		"\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}}]},"
		"{\"role\":\"tool\",\"tool_call_id\":\"t\",\"content\":\"18\"},"
		"{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"ok\"}],\"reasoning\":\"hm\"}]");
	told_free(&told);
}

static void slashes_of_a_picture_may_be_escaped(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.request = SLICE("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
			     "\"image_url\":{\"url\":\"data:image\\/png;base64,A\\/A=\"}}]}]}");
	talk.body = SLICE("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"b\"}}]}");
	told = talk_told(&talk);
	assert_slice(
		told.call.input_messages,
		"[{\"role\":\"user\",\"parts\":[{\"type\":\"blob\",\"modality\":\"image\",\"mime_type\":\"image/png\","
		"\"content\":\"A\\/A=\"}]}]");
	told_free(&told);
}

static void what_is_thought_may_stand_in_details_alone(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.request = SLICE(
		"{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_details\":["
		"{\"type\":\"reasoning.encrypted\",\"data\":\"x\"},{\"type\":\"reasoning.text\",\"text\":\"so\"}]}]}");
	talk.body = SLICE("{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"b\",\"reasoning\":\"hm\","
			  "\"reasoning_details\":[{\"type\":\"reasoning.summary\",\"summary\":\"hm\"}]}}]}");
	told = talk_told(&talk);
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"so\"},"
		     "{\"type\":\"text\",\"content\":\"a\"}]}]");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},"
		     "{\"type\":\"text\",\"content\":\"b\"}],\"finish_reason\":\"stop\"}]");
	told_free(&told);
}

static void an_answer_that_is_no_json_is_told(void **state)
{
	struct talk talk = chat();
	struct told told;

	talk.body = SLICE("{\"id\":");
	told = talk_told(&talk);
	assert_true(told.call.outputs_is_text && told.call.is_undecodable);
	assert_slice(told.call.outputs, "{\"id\":");
	told_free(&told);
}

/* OpenRouter tells dollars, Perplexity dollars in parts, xAI ten billionths of a dollar. */
static void what_a_host_says_that_it_cost_is_kept(void **state)
{
	static const struct {
		const char *usage;
		int64_t nano;
	} hosts[] = {
		{ "{\"prompt_tokens\":1,\"cost\":0.000014}", 14000 },
		{ "{\"prompt_tokens\":1,\"cost\":{\"input_tokens_cost\":0.1,\"total_cost\":0.006}}", 6000000 },
		{ "{\"prompt_tokens\":1,\"cost_in_usd_ticks\":1043500}", 104350 },
		{ "{\"prompt_tokens\":1,\"cost\":-3}", 0 },
		{ "{\"prompt_tokens\":1}", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct talk talk = { .path = "/v1/chat/completions",
				     .request = SLICE("{\"model\":\"m\",\"messages\":[]}") };
		char body[300];
		struct told told;

		snprintf(body, sizeof(body), "{\"id\":\"c\",\"choices\":[],\"usage\":%s}", hosts[i].usage);
		talk.body = slice_of(body);
		told = talk_told(&talk);
		assert_int_equal(told.call.cost_told_nano, hosts[i].nano);
		told_free(&told);
	}
}

/* A voice in pieces, what it said, and the tokens of both. */
static void a_voice_is_put_together(void **state)
{
	struct talk talk = { .path = "/v1/chat/completions",
			     .request =
				     SLICE("{\"model\":\"m\",\"modalities\":[\"text\",\"audio\"],\"messages\":[]}") };
	struct told told;

	talk.events[0] = SLICE("{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"audio\":"
			       "{\"id\":\"audio_1\",\"transcript\":\"Yo\"}}}]}");
	talk.events[1] = SLICE("{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"audio\":{\"data\":\"AAAA\"}}}]}");
	talk.events[2] =
		SLICE("{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"audio\":{\"expires_at\":9}},"
		      "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":14,\"completion_tokens\":30,"
		      "\"total_tokens\":44,\"prompt_tokens_details\":{\"audio_tokens\":4,\"image_tokens\":3},"
		      "\"completion_tokens_details\":{\"audio_tokens\":20,\"accepted_prediction_tokens\":1}}}");
	told = talk_told(&talk);
	assert_slice(json_path(told.call.outputs, "choices", "#0", "message", "audio", NULL),
		     "{\"id\":\"audio_1\",\"data\":\"AAAA\",\"expires_at\":9,\"transcript\":\"Yo\"}");
	assert_slice(told.call.output_type, "speech");
	assert_int_equal(told.call.usage.input, 14);
	assert_int_equal(told.call.usage.input_audio, 4);
	assert_int_equal(told.call.usage.input_image, 3);
	assert_int_equal(told.call.usage.output_audio, 20);
	assert_true(slice_contains(told.call.usage_raw, SLICE("accepted_prediction_tokens")));
	told_free(&told);
}

/* The older way to call a function, and what a search found, in a stream. */
static void function_calls_and_annotations_of_a_stream(void **state)
{
	struct talk talk = { .path = "/v1/chat/completions",
			     .request = SLICE("{\"model\":\"m\",\"functions\":[{\"name\":\"f\"}],\"messages\":[]}") };
	struct told told;

	talk.events[0] = SLICE("{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"function_call\":"
			       "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\"\"}}}]}");
	talk.events[1] =
		SLICE("{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"function_call\":{\"arguments\":\":1}\"},"
		      "\"annotations\":[{\"type\":\"url_citation\"}]},\"finish_reason\":\"function_call\"}]}");
	told = talk_told(&talk);
	assert_slice(json_path(told.call.outputs, "choices", "#0", "message", "function_call", NULL),
		     "{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}");
	assert_slice(json_path(told.call.outputs, "choices", "#0", "message", "annotations", NULL),
		     "[{\"type\":\"url_citation\"}]");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"tool_call\","
		     "\"name\":\"f\",\"arguments\":{\"a\":1}}],\"finish_reason\":\"tool_call\"}]");
	assert_slice(told.call.tools, "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]");
	told_free(&told);
}

/* Azure: a first chunk of what its filter found, the deployment in the path, a refusal in words of its own. */
static void azure_filters_what_is_asked(void **state)
{
	struct talk talk = { .path = "/openai/deployments/mine/chat/completions",
			     .host = "r.openai.azure.com",
			     .request = SLICE("{\"messages\":[]}") };
	struct told told;

	talk.events[0] = SLICE("{\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\","
			       "\"prompt_filter_results\":[{\"prompt_index\":0}]}");
	talk.events[1] =
		SLICE("{\"id\":\"chatcmpl-1\",\"model\":\"m-1\",\"created\":5,\"choices\":[{\"index\":0,"
		      "\"content_filter_results\":{},\"delta\":{\"content\":\"Yo\"},\"finish_reason\":\"stop\"}]}");
	told = talk_told(&talk);
	assert_slice(told.call.vendor, "azure.ai.openai");
	assert_slice(told.call.request_model, "mine");
	assert_slice(told.call.response_model, "m-1");
	assert_slice(told.call.response_id, "chatcmpl-1");
	assert_string_equal(told.kinds, "qc");
	told_free(&told);
	talk.events[0] = SLICE_NONE;
	talk.status = 400;
	talk.body = SLICE(
		"{\"error\":{\"message\":\"filtered\",\"type\":null,\"param\":\"prompt\",\"code\":\"content_filter\","
		"\"status\":400,\"innererror\":{\"code\":\"ResponsibleAIPolicyViolation\",\"content_filter_result\":{}}}}");
	told = talk_told(&talk);
	assert_slice(told.call.error.type, "");
	assert_slice(told.call.error.code, "content_filter");
	assert_true(slice_contains(told.call.error.raw, SLICE("ResponsibleAIPolicyViolation")));
	told_free(&told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_one_piece_is_shown_to_the_letter),
		cmocka_unit_test(a_stream_becomes_the_object_it_would_have_been),
		cmocka_unit_test(choices_stay_apart),
		cmocka_unit_test(tool_calls_are_merged_as_hosts_write_them),
		cmocka_unit_test(calls_without_index_and_arguments_stay_apart),
		cmocka_unit_test(reasoning_refusal_and_logprobs_are_kept),
		cmocka_unit_test(a_surrogate_pair_may_be_split),
		cmocka_unit_test(placeholders_are_not_values),
		cmocka_unit_test(a_stream_that_ends_well_without_a_word_ends_with_stop),
		cmocka_unit_test(usage_is_found_where_hosts_put_it),
		cmocka_unit_test(errors_are_told_in_the_provider_s_words),
		cmocka_unit_test(an_error_inside_a_stream_leaves_what_was_said),
		cmocka_unit_test(tools_take_mlflow_s_shape),
		cmocka_unit_test(what_the_page_cannot_read_is_given_as_chat_messages),
		cmocka_unit_test(slashes_of_a_picture_may_be_escaped),
		cmocka_unit_test(what_is_thought_may_stand_in_details_alone),
		cmocka_unit_test(an_answer_that_is_no_json_is_told),
		cmocka_unit_test(a_voice_is_put_together),
		cmocka_unit_test(function_calls_and_annotations_of_a_stream),
		cmocka_unit_test(azure_filters_what_is_asked),
		cmocka_unit_test(what_a_host_says_that_it_cost_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
