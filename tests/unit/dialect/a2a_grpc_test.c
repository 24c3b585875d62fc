/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: a message to an agent and what came of it are told, at once or as a stream, with task and conversation. */
#include "unit/dialect/grpc_talk.h"

static struct pbw spoken(const char *text, unsigned role)
{
	struct pbw part = { 0 }, message = { 0 };

	pbw_text(&part, 1, text);
	pbw_text(&message, 1, "m1");
	pbw_text(&message, 2, "c1");
	pbw_varint(&message, 4, role);
	pbw_message(&message, 5, &part);
	return message;
}

static struct grpc_talk once(void)
{
	struct grpc_talk talk = { .path = "/lf.a2a.v1.A2AService/SendMessage", .answer_count = 1 };
	struct pbw ask = spoken("how warm?", 1), said = spoken("warm", 2);

	pbw_message(&talk.request, 2, &ask);
	pbw_message(&talk.answers[0], 2, &said);
	return talk;
}

static struct pbw piece(const char *text)
{
	struct pbw part = { 0 }, artifact = { 0 }, update = { 0 }, event = { 0 };

	pbw_text(&part, 1, text);
	pbw_text(&artifact, 1, "a1");
	pbw_message(&artifact, 4, &part);
	pbw_text(&update, 1, "t1");
	pbw_message(&update, 3, &artifact);
	pbw_message(&event, 4, &update);
	return event;
}

static struct grpc_talk stream(void)
{
	struct grpc_talk talk = { .path = "/lf.a2a.v1.A2AService/SendStreamingMessage", .answer_count = 3 };
	struct pbw ask = spoken("how warm?", 1), update = { 0 }, status = { 0 };

	pbw_message(&talk.request, 2, &ask);
	talk.answers[0] = piece("it is ");
	talk.answers[1] = piece("warm");
	pbw_varint(&status, 1, 3);
	pbw_text(&update, 1, "t1");
	pbw_message(&update, 3, &status);
	pbw_message(&talk.answers[2], 3, &update);
	return talk;
}

static void a_message_and_its_answer_are_told(void **state)
{
	struct grpc_talk talk = once();
	struct told told = grpc_told(&talk);

	assert_string_equal(told.dialect->name, "a2a.grpc");
	assert_int_equal(told.call.operation, OPERATION_AGENT);
	assert_slice(told.call.session_id, "c1");
	assert_slice(told.call.inputs, "{\"message\":{\"messageId\":\"m1\",\"contextId\":\"c1\",\"role\":\"ROLE_USER\","
				       "\"parts\":[{\"text\":\"how warm?\"}]}}");
	assert_slice(told.call.outputs,
		     "{\"message\":{\"messageId\":\"m1\",\"contextId\":\"c1\",\"role\":\"ROLE_AGENT\","
		     "\"parts\":[{\"text\":\"warm\"}]}}");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"warm\"}]}]");
	told_free(&told);
}

static void a_stream_tells_of_its_task(void **state)
{
	struct grpc_talk talk = stream();
	struct told told = grpc_told(&talk);

	assert_string_equal(told.kinds, "ccq");
	assert_slice(attribute_of(&told.call, "a2a.task.id")->value.text, "t1");
	assert_slice(attribute_of(&told.call, "a2a.task.state")->value.text, "TASK_STATE_COMPLETED");
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"it is warm\"}]}]");
	assert_int_equal(json_count(told.call.outputs), 3);
	told_free(&told);
}

static void what_is_said_may_stand_in_the_last_state(void **state)
{
	struct grpc_talk talk = { .path = "/lf.a2a.v1.A2AService/SendStreamingMessage", .answer_count = 2 };
	static const char *const words[] = { "one moment", "warm" };
	struct pbw ask = spoken("how warm?", 1);
	struct told told;

	pbw_message(&talk.request, 2, &ask);
	for (unsigned i = 0; i < 2; i++) {
		struct pbw said = spoken(words[i], 2), update = { 0 }, status = { 0 };

		pbw_varint(&status, 1, 2 + i);
		pbw_message(&status, 2, &said);
		pbw_text(&update, 1, "t1");
		pbw_message(&update, 3, &status);
		pbw_message(&talk.answers[i], 3, &update);
	}
	told = grpc_told(&talk);
	assert_slice(told.call.output_messages,
		     "[{\"role\":\"assistant\",\"parts\":[{\"type\":\"text\",\"content\":\"warm\"}]}]");
	told_free(&told);
}

static void damage_and_full_memory_are_survived(void **state)
{
	struct grpc_talk talks[] = { once(), stream() };

	for (size_t i = 0; i < 2; i++) {
		grpc_survives_damage(&talks[i]);
		grpc_survives_full_memory(&talks[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_and_its_answer_are_told),
		cmocka_unit_test(a_stream_tells_of_its_task),
		cmocka_unit_test(what_is_said_may_stand_in_the_last_state),
		cmocka_unit_test(damage_and_full_memory_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
