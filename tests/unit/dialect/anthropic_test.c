/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: blocks grow in any order, usage replaces itself field by field, the page gets what it cannot read. */
#include "unit/dialect/attributes.h"
#include "unit/dialect/talk.h"

#define ASK                                                                                                                              \
	SLICE("{\"model\":\"claude-x\",\"max_tokens\":9,\"system\":\"Be terse.\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]," \
	      "\"metadata\":{\"user_id\":\"user_ab_account_cd_session_ef\"}}")
#define START                                                                                                                             \
	SLICE("message_start|{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\","      \
	      "\"model\":\"claude-x-1\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":14,"                              \
	      "\"cache_creation_input_tokens\":50,\"cache_read_input_tokens\":1000,\"cache_creation\":{\"ephemeral_1h_input_tokens\":7}," \
	      "\"output_tokens\":1}}}")
#define BLOCK(index, block) SLICE("{\"type\":\"content_block_start\",\"index\":" index ",\"content_block\":" block "}")
#define DELTA(index, delta) SLICE("{\"type\":\"content_block_delta\",\"index\":" index ",\"delta\":" delta "}")
#define STOP                                                                                                           \
	SLICE("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\",\"stop_sequence\":null},"           \
	      "\"usage\":{\"input_tokens\":20,\"cache_read_input_tokens\":null,\"output_tokens\":6}}")
#define SAID(content, reason)                                                                                            \
	"{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-x-1\",\"stop_reason\":" reason \
	",\"content\":[" content "],\"usage\":{\"input_tokens\":14,\"cache_creation_input_tokens\":50,"                  \
	"\"cache_read_input_tokens\":1000,\"cache_creation\":{\"ephemeral_1h_input_tokens\":7},\"output_tokens\":1}}"

static struct talk messages(void)
{
	return (struct talk){
		.path = "/v1/messages", .host = "api.anthropic.com", .agent = "Anthropic/Python 2.12.0", .request = ASK
	};
}

static void an_answer_in_one_piece(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.body = SLICE(
		"{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-x-1\",\"content\":["
		"{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"s\"},{\"type\":\"text\",\"text\":\"Yo\"},"
		"{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"f\",\"input\":{\"a\":1}}],\"stop_reason\":\"tool_use\","
		"\"usage\":{\"input_tokens\":14,\"output_tokens\":6,\"service_tier\":\"standard\"}}");
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "anthropic.messages");
	assert_slice(told.dialect->span_name(&told.call), "Messages.create");
	assert_slice(told.call.outputs, talk.body.data);
	assert_slice(told.call.vendor, "anthropic");
	assert_slice(told.call.user_id, "user_ab_account_cd");
	assert_slice(told.call.session_id, "ef");
	assert_slice(told.call.service_tier, "standard");
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be terse.\"}]");
	assert_slice(
		told.call.output_messages,
		"[{\"role\":\"assistant\",\"parts\":[{\"type\":\"reasoning\",\"content\":\"hm\"},{\"type\":\"text\",\"content\":\"Yo\"},"
		"{\"type\":\"tool_call\",\"id\":\"t1\",\"name\":\"f\",\"arguments\":{\"a\":1}}],\"finish_reason\":\"tool_call\"}]");
	assert_slice(told.call.chat_messages, "");
	assert_int_equal(told.call.usage.input, 14);
	assert_int_equal(told.call.usage.total, 20);
	assert_int_equal(told.call.usage.cache_read, -1);
	told_free(&told);
}

static void blocks_grow_in_any_order(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.agent = "AsyncAnthropic/Python 2.12.0";
	talk.events[0] = START;
	talk.events[1] = BLOCK("0", "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
	talk.events[2] = BLOCK("1", "{\"type\":\"text\",\"text\":\"\"}");
	talk.events[3] = BLOCK("2", "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}");
	talk.events[4] = DELTA("2", "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\"}");
	talk.events[5] = DELTA("1", "{\"type\":\"text_delta\",\"text\":\"Let \"}");
	talk.events[6] = DELTA("0", "{\"type\":\"thinking_delta\",\"thinking\":\"hm\"}");
	talk.events[7] = DELTA("2", "{\"type\":\"input_json_delta\",\"partial_json\":\"\\\": 1}\"}");
	talk.events[8] = DELTA("1", "{\"type\":\"text_delta\",\"text\":\"me\"}");
	talk.events[9] = DELTA("0", "{\"type\":\"signature_delta\",\"signature\":\"S\"}");
	talk.events[10] = DELTA("1", "{\"type\":\"citations_delta\",\"citation\":{\"c\":1}}");
	talk.events[11] = SLICE("ping|{\"type\": \"ping\"}");
	talk.events[12] = STOP;
	talk.events[13] = SLICE("{\"type\":\"message_stop\"   }");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "qqqqcccccqcqql");
	assert_slice(told.dialect->span_name(&told.call), "AsyncMessages.create");
	assert_slice(
		told.call.outputs,
		"{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-x-1\",\"stop_reason\":\"tool_use\","
		"\"stop_sequence\":null,\"content\":[{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"S\"},"
		"{\"type\":\"text\",\"text\":\"Let me\",\"citations\":[{\"c\":1}]},"
		"{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\": 1}}],\"usage\":{\"input_tokens\":20,"
		"\"cache_creation_input_tokens\":50,\"cache_read_input_tokens\":1000,\"cache_creation\":{\"ephemeral_1h_input_tokens\":7},"
		"\"output_tokens\":6}}");
	assert_int_equal(told.call.usage.input, 1070);
	assert_int_equal(told.call.usage.output, 6);
	assert_int_equal(told.call.usage.total, 1076);
	assert_int_equal(told.call.usage.cache_read, 1000);
	assert_int_equal(told.call.usage.cache_write, 50);
	assert_int_equal(told.call.usage.cache_write_1h, 7);
	assert_slice(told.call.finish_reasons[0], "tool_use");
	assert_false(told.call.is_undecodable);
	told_free(&told);
}

static void a_cut_tool_call_stands_as_text(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.end = CALL_END_CLIENT_CANCEL;
	talk.events[0] = START;
	talk.events[1] = BLOCK("0", "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}");
	talk.events[2] = DELTA("0", "{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"a\"}");
	told = talk_told(&talk);
	assert_slice(told.call.outputs,
		     SAID("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":\"{\\\"a\"}", "null"));
	told_free(&told);
}

static void a_stream_joined_in_its_middle_is_still_a_message(void **state)
{
	struct talk talk = { 0 };
	struct told told;

	talk.events[0] = DELTA("3", "{\"type\":\"text_delta\",\"text\":\"nd of it\"}");
	talk.events[1] = STOP;
	told = talk_told(&talk);
	assert_string_equal(told.dialect->name, "anthropic.messages");
	assert_slice(
		told.call.outputs,
		"{\"stop_reason\":\"tool_use\",\"stop_sequence\":null,\"content\":[{\"type\":\"text\",\"text\":\"nd of it\"}],"
		"\"usage\":{\"input_tokens\":20,\"cache_read_input_tokens\":null,\"output_tokens\":6}}");
	assert_slice(told.call.vendor, "anthropic");
	assert_int_equal(told.call.operation, OPERATION_CHAT);
	told_free(&told);
}

static void an_error_event_is_an_error(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.events[0] = START;
	talk.events[1] = SLICE(
		"error|{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}");
	told = talk_told(&talk);
	assert_true(told.call.has_error && told.call.error.in_band);
	assert_slice(told.call.error.type, "overloaded_error");
	assert_slice(told.call.error.message, "Overloaded");
	told_free(&told);
}

static void a_delta_of_an_unknown_kind_is_told(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.events[0] = START;
	talk.events[1] = DELTA("0", "{\"type\":\"smell_delta\",\"smell\":\"rose\"}");
	told = talk_told(&talk);
	assert_true(told.call.is_undecodable);
	told_free(&told);
}

static void counting_is_an_operation_of_its_own(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.path = "/v1/messages/count_tokens";
	talk.body = SLICE("{\"input_tokens\":14}");
	told = talk_told(&talk);
	assert_int_equal(told.call.operation, OPERATION_COUNT_TOKENS);
	assert_slice(told.dialect->span_name(&told.call), "Messages.count_tokens");
	assert_slice(told.call.outputs, "{\"input_tokens\":14}");
	assert_int_equal(told.call.usage.input, -1);
	told_free(&told);
}

static void tools_and_blocks_of_the_provider(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.request = SLICE(
		"{\"model\":\"m\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\","
		"\"tool_use_id\":\"t\",\"content\":\"18\"},{\"type\":\"text\",\"text\":\"so?\"}]}],\"tools\":["
		"{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":\"object\"},\"cache_control\":{}},"
		"{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":3}],"
		"\"metadata\":{\"user_id\":\"{\\\"device_id\\\":\\\"d\\\",\\\"session_id\\\":\\\"s\\\"}\"}}");
	talk.body = SLICE(
		"{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"server_tool_use\",\"id\":\"x\",\"name\":\"web_search\"},"
		"{\"type\":\"text\",\"text\":\"P\"}],\"stop_reason\":\"end_turn\"}");
	told = talk_told(&talk);
	assert_slice(
		told.call.tools,
		"[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}},"
		"{\"type\":\"function\",\"function\":{\"name\":\"web_search\"}}]");
	assert_slice(
		told.call.chat_messages,
		"[{\"role\":\"tool\",\"tool_call_id\":\"t\",\"content\":\"18\"},"
		"{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"so?\"}]},"
		"{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"[server_tool_use]\"},{\"type\":\"text\",\"text\":\"P\"}]}]");
	assert_slice(told.call.session_id, "s");
	assert_slice(told.call.user_id, "d");
	told_free(&told);
}

/* Both what the top level says and what it leaves out: an adviser of another model. */
static void iterations_of_other_models_are_counted(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.body = SLICE(
		"{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],"
		"\"stop_reason\":\"pause_turn\",\"usage\":{\"input_tokens\":24,\"cache_read_input_tokens\":0,\"output_tokens\":14,"
		"\"server_tool_use\":{\"web_search_requests\":2},\"iterations\":["
		"{\"type\":\"message\",\"input_tokens\":11,\"output_tokens\":13,\"cache_read_input_tokens\":0},"
		"{\"type\":\"advisor_message\",\"model\":\"n\",\"input_tokens\":25,\"cache_read_input_tokens\":100,\"output_tokens\":2},"
		"{\"type\":\"message\",\"input_tokens\":13,\"output_tokens\":1}]}}");
	told = talk_told(&talk);
	assert_int_equal(told.call.usage.input, 149);
	assert_int_equal(told.call.usage.cache_read, 100);
	assert_int_equal(told.call.usage.output, 16);
	assert_int_equal(told.call.usage.total, 165);
	assert_int_equal(told.call.usage.searches, 2);
	assert_slice(told.call.finish_reasons[0], "pause_turn");
	assert_true(slice_contains(told.call.output_messages, SLICE("\"finish_reason\":\"stop\"")) ||
		    !told.call.output_messages.len);
	told_free(&told);
}

/* What came with the later betas: a summary in place of the past, sources, a container, why something was refused. */
static void a_stream_tells_all_that_a_message_has(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.events[0] = START;
	talk.events[1] = BLOCK("0", "{\"type\":\"compaction\",\"content\":null}");
	talk.events[2] = DELTA("0", "{\"type\":\"compaction_delta\",\"content\":\"so far\"}");
	talk.events[3] = BLOCK("1", "{\"type\":\"text\",\"text\":\"\",\"citations\":[]}");
	talk.events[4] = DELTA("1", "{\"type\":\"citations_delta\",\"citation\":{\"type\":\"page_location\"}}");
	talk.events[5] = DELTA("1", "{\"type\":\"text_delta\",\"text\":\"Yo\"}");
	talk.events[6] = SLICE("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"refusal\",\"stop_details\":"
			       "{\"type\":\"refusal\",\"category\":\"x\"},\"container\":{\"id\":\"container_1\"}},"
			       "\"context_management\":{\"applied_edits\":[]},\"usage\":{\"output_tokens\":6}}");
	talk.events[7] = SLICE("{\"type\":\"message_stop\"}");
	told = talk_told(&talk);
	assert_slice(json_get(told.call.outputs, SLICE("content")),
		     "[{\"type\":\"compaction\",\"content\":\"so far\"},"
		     "{\"type\":\"text\",\"text\":\"Yo\",\"citations\":[{\"type\":\"page_location\"}]}]");
	assert_slice(json_path(told.call.outputs, "stop_details", "category", NULL), "\"x\"");
	assert_slice(json_path(told.call.outputs, "container", "id", NULL), "\"container_1\"");
	assert_true(json_get(told.call.outputs, SLICE("context_management")).data);
	assert_slice(told.call.finish_reasons[0], "refusal");
	assert_true(slice_contains(told.call.output_messages, SLICE("\"finish_reason\":\"content_filter\"")));
	assert_false(told.call.is_undecodable);
	told_free(&told);
}

/* Claude Code: who asks, a system message in the middle, and a line for billing that is no instruction. */
static void a_coding_agent_says_who_it_is(void **state)
{
	struct talk talk = messages();
	struct told told;

	talk.header = (struct name_value){ SLICE("x-claude-code-agent-id"), SLICE("agent-7") };
	talk.request = SLICE(
		"{\"model\":\"m\",\"max_tokens\":9,\"system\":[{\"type\":\"text\",\"text\":\"x-anthropic-billing-header: cch=1\"},"
		"{\"type\":\"text\",\"text\":\"Be terse.\"}],\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},"
		"{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"Now.\"}]}],"
		"\"metadata\":{\"user_id\":\"{\\\"device_id\\\":\\\"d\\\",\\\"session_id\\\":\\\"s-1\\\"}\"}}");
	talk.body = SLICE(SAID("", "\"end_turn\""));
	told = talk_told(&talk);
	assert_slice(attribute_text(&told.call, "gen_ai.agent.id"), "agent-7");
	assert_slice(told.call.session_id, "s-1");
	assert_slice(told.call.user_id, "d");
	assert_slice(told.call.system_instructions, "[{\"type\":\"text\",\"content\":\"Be terse.\"}]");
	assert_slice(told.call.input_messages,
		     "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Hi\"}]},"
		     "{\"role\":\"system\",\"parts\":[{\"type\":\"text\",\"content\":\"Now.\"}]}]");
	told_free(&told);
	talk.header.name = SLICE("x-claude-code-parent-agent-id");
	told = talk_told(&talk);
	assert_slice(attribute_text(&told.call, "spantap.agent.parent_id"), "agent-7");
	told_free(&told);
}

static void the_first_api_completes(void **state)
{
	struct talk talk = {
		.path = "/v1/complete",
		.host = "api.anthropic.com",
		.request = SLICE("{\"model\":\"claude-1\",\"max_tokens_to_sample\":9,\"prompt\":\"Human: Hi\"}"),
		.body = SLICE("{\"type\":\"completion\",\"id\":\"c\",\"completion\":\" Yo\",\"model\":\"claude-1.3\","
			      "\"stop_reason\":\"stop_sequence\"}")
	};
	struct told told = talk_told(&talk);

	assert_string_equal(told.dialect->name, "anthropic.complete");
	assert_slice(told.call.request_model, "claude-1");
	assert_slice(told.call.response_model, "claude-1.3");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\" Yo\"}],"
		     "\"finish_reason\":\"stop\"}]");
	told_free(&told);
	talk.events[0] = SLICE(
		"completion|{\"type\":\"completion\",\"completion\":\" Y\",\"stop_reason\":null,\"model\":\"n\"}");
	talk.events[1] = SLICE("ping|{}");
	talk.events[2] =
		SLICE("completion|{\"type\":\"completion\",\"completion\":\"o\",\"stop_reason\":null,\"model\":\"n\"}");
	talk.events[3] = SLICE(
		"completion|{\"type\":\"completion\",\"completion\":\"\",\"stop_reason\":\"max_tokens\",\"model\":\"n\"}");
	told = talk_told(&talk);
	assert_string_equal(told.kinds, "cqcl");
	assert_slice(told.call.outputs,
		     "{\"completion\":\" Yo\",\"type\":\"completion\",\"stop_reason\":\"max_tokens\",\"model\":\"n\"}");
	assert_slice(told.call.finish_reasons[0], "max_tokens");
	told_free(&told);
}

/* The same messages at everybody who serves them. */
static void vendors_are_who_answers(void **state)
{
	static const struct {
		const char *host, *path, *vendor;
	} rows[] = {
		{ "api.anthropic.com", "/v1/messages", "anthropic" },
		{ "aws-external-anthropic.us-east-1.api.aws", "/v1/messages", "anthropic" },
		{ "r.services.ai.azure.com", "/anthropic/v1/messages", "anthropic" },
		{ "bedrock-mantle.us-east-1.api.aws", "/anthropic/v1/messages", "aws.bedrock" },
		{ "us-east5-aiplatform.googleapis.com",
		  "/v1/projects/p/locations/l/publishers/anthropic/models/c:rawPredict", "gcp.vertex_ai" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct talk talk = { .path = rows[i].path,
				     .host = rows[i].host,
				     .request = SLICE("{\"model\":\"m\",\"max_tokens\":9,\"anthropic_version\":\"v\","
						      "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"),
				     .body = SLICE(SAID("", "\"end_turn\"")) };
		struct told told = talk_told(&talk);

		assert_string_equal(told.dialect->name, "anthropic.messages");
		assert_slice(told.call.vendor, rows[i].vendor);
		told_free(&told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_in_one_piece),
		cmocka_unit_test(blocks_grow_in_any_order),
		cmocka_unit_test(a_cut_tool_call_stands_as_text),
		cmocka_unit_test(a_stream_joined_in_its_middle_is_still_a_message),
		cmocka_unit_test(an_error_event_is_an_error),
		cmocka_unit_test(a_delta_of_an_unknown_kind_is_told),
		cmocka_unit_test(iterations_of_other_models_are_counted),
		cmocka_unit_test(a_stream_tells_all_that_a_message_has),
		cmocka_unit_test(a_coding_agent_says_who_it_is),
		cmocka_unit_test(the_first_api_completes),
		cmocka_unit_test(vendors_are_who_answers),
		cmocka_unit_test(counting_is_an_operation_of_its_own),
		cmocka_unit_test(tools_and_blocks_of_the_provider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
