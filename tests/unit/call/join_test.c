/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven, through proto, call and dialects: on an HTTP/2 connection joined in its middle, whose path and content types
 * lie in a part of the header table that was missed, a call is known by what it asks and what it answers.
 */
#include "call/call.h"
#include "dialect/dialect.h"
#include "unit/proto/frames.h"
#include <zlib.h>

struct joined {
	struct call_conn *conn;
	char dialect[64], model[64], outputs[1024];
	bool is_stream, has_error;
	int status;
	unsigned calls;
};

static const struct dialect *on_find(void *user, const struct dialect_hint *hint, unsigned *ret_score)
{
	return dialect_find(hint, ret_score);
}

static void on_done(void *user, struct call *call)
{
	struct joined *joined = user;

	joined->calls++;
	snprintf(joined->dialect, sizeof(joined->dialect), "%s", call->dialect->name);
	snprintf(joined->model, sizeof(joined->model), "%.*s",
		 SLICE_FMT(call->request_model.len ? call->request_model : call->response_model));
	snprintf(joined->outputs, sizeof(joined->outputs), "%.*s", SLICE_FMT(call->outputs));
	joined->is_stream = call->is_stream;
	joined->has_error = call->has_error;
	joined->status = call->status;
}

static void on_verdict(void *user, uint64_t conn, enum verdict verdict, uint64_t alike)
{
}

static void on_bytes(void *user, uint64_t bytes)
{
}

static const struct call_ops call_ops = {
	.find = on_find, .done = on_done, .verdict = on_verdict, .no_call = on_bytes, .shed = on_bytes
};

static void on_head(void *user, uint64_t exchange, const struct message_head *head)
{
	struct joined *joined = user;

	if (head->kind == MESSAGE_REQUEST)
		assert_int_equal(head->target.len, 0);
	call_on_head(joined->conn, exchange, head, 1);
}

static void on_part(void *user, uint64_t exchange, enum message_kind kind, const struct message_part *part)
{
	call_on_part(((struct joined *)user)->conn, exchange, kind, part);
}

static void on_hole(void *user, uint64_t exchange, enum message_kind kind, enum missing_reason reason, uint64_t time_ns)
{
	call_on_hole(((struct joined *)user)->conn, exchange, kind, reason, time_ns);
}

static void on_end(void *user, uint64_t exchange, enum message_kind kind, const struct message_end *end)
{
	call_on_end(((struct joined *)user)->conn, exchange, kind, end);
}

static void on_proto_verdict(void *user, enum verdict verdict)
{
	fail();
}

static const struct proto_ops proto_ops = { on_head, on_part, on_hole, on_end, on_proto_verdict };

/* What was told of the pieces. @step: bytes of each feed; 0: each piece whole. */
static struct joined run(const struct frames *h2, size_t from, size_t step)
{
	static struct alloc_heap heap = ALLOC_HEAP((size_t)64 << 20);
	struct call_opts call_opts = { .alloc = &heap.alloc, .call_bytes_max = 1 << 20, .idle_ns = 1ull << 60 };
	struct proto_opts opts = proto_opts_default;
	struct conn_info info = { .id = 1, .kind = CAPTURE_OPENSSL };
	struct joined joined = { 0 };
	struct call_tracker *tracker;
	struct proto *proto;

	opts.alloc = &heap.alloc;
	assert_int_equal(call_tracker_new(&call_opts, &call_ops, &joined, &tracker), 0);
	joined.conn = call_conn_open(tracker, &info);
	assert_int_equal(proto_new(&opts, true, &proto_ops, &joined, &proto), 0);
	for (size_t i = from; i < h2->count; i++) {
		struct slice rest = h2->pieces[i].text;

		while (rest.len) {
			struct slice piece = slice_head(rest, step ? step : rest.len);

			proto_bytes(proto, h2->pieces[i].dir, 1000 * (i + 1), piece);
			rest = slice_from(rest, piece.len);
		}
	}
	proto_end(proto, CLOSE_REMOTE, 1000000);
	call_conn_close(joined.conn, CLOSE_REMOTE, 1000000);
	call_flush(tracker, 2000000);
	proto_free(proto);
	call_tracker_free(tracker);
	assert_int_equal(heap.used, 0);
	return joined;
}

/* ---- AWS's event streams ---- */

static void number_put(char *at, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		at[i] = (char)(number >> (24 - 8 * i));
}

static size_t header_put(char *at, const char *name, const char *value)
{
	size_t name_len = strlen(name), value_len = strlen(value);

	at[0] = (char)name_len;
	memcpy(at + 1, name, name_len);
	at[1 + name_len] = 7;
	at[2 + name_len] = 0;
	at[3 + name_len] = (char)value_len;
	memcpy(at + 4 + name_len, value, value_len);
	return 4 + name_len + value_len;
}

static struct slice aws_message(char *to, const char *type, const char *payload)
{
	size_t len = 12;

	len += header_put(to + len, ":message-type", "event");
	len += header_put(to + len, ":event-type", type);
	len += header_put(to + len, ":content-type", "application/json");
	number_put(to + 4, (uint32_t)len - 12);
	memcpy(to + len, payload, strlen(payload));
	len += strlen(payload);
	number_put(to, (uint32_t)len + 4);
	number_put(to + 8, (uint32_t)crc32(0, (Bytef *)to, 8));
	number_put(to + len, (uint32_t)crc32(0, (Bytef *)to, (unsigned)len));
	return (struct slice){ to, len + 4 };
}

/* ---- the calls ---- */

struct row {
	const char *dialect, *path, *type, *request;
	const char *answers[6]; /* a DATA frame each; of AWS "event-type|payload" */
	int status;             /* 0: 200 */
	bool is_stream;
};

#define JSON "application/json"
#define SSE  "text/event-stream"
#define AWS  "application/vnd.amazon.eventstream"
#define CHAT "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"

static const struct row rows[] = {
	{ "openai.chat",
	  "/v1/chat/completions",
	  JSON,
	  CHAT,
	  { "{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":"
	    "{\"role\":\"assistant\",\"content\":\"words\"},\"finish_reason\":\"stop\"}]}" },
	  0,
	  false },
	{ "openai.chat",
	  "/v1/chat/completions",
	  SSE,
	  CHAT,
	  { "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,"
	    "\"delta\":{\"role\":\"assistant\",\"content\":\"wo\"}}]}\n\n",
	    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,"
	    "\"delta\":{\"content\":\"rds\"},\"finish_reason\":\"stop\"}]}\n\n",
	    "data: [DONE]\n\n" },
	  0,
	  true },
	{ "openai.responses",
	  "/v1/responses",
	  JSON,
	  "{\"model\":\"m\",\"input\":\"hi\"}",
	  { "{\"id\":\"r\",\"object\":\"response\",\"status\":\"completed\",\"model\":\"m\",\"output\":[{\"type\":"
	    "\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"words\"}]}]}" },
	  0,
	  false },
	{ "openai.responses",
	  "/v1/responses",
	  SSE,
	  "{\"model\":\"m\",\"input\":\"hi\",\"stream\":true}",
	  { "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"object\":"
	    "\"response\",\"output\":[]}}\n\n",
	    "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"object\":"
	    "\"response\",\"status\":\"completed\",\"output\":[{\"type\":\"message\",\"role\":\"assistant\","
	    "\"content\":[{\"type\":\"output_text\",\"text\":\"words\"}]}]}}\n\n" },
	  0,
	  true },
	{ "anthropic.messages",
	  "/v1/messages",
	  JSON,
	  "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}",
	  { "{\"id\":\"a\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[{\"type\":\"text\","
	    "\"text\":\"words\"}],\"stop_reason\":\"end_turn\"}" },
	  0,
	  false },
	{ "anthropic.messages",
	  "/v1/messages",
	  SSE,
	  "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true}",
	  { "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"role\":\"assistant\","
	    "\"model\":\"m\",\"content\":[]}}\n\n",
	    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":"
	    "\"text\",\"text\":\"\"}}\n\n",
	    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
	    "\"text_delta\",\"text\":\"words\"}}\n\n",
	    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n" },
	  0,
	  true },
	{ "gemini.generate",
	  "/v1beta/models/g:generateContent",
	  JSON,
	  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}",
	  { "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"words\"}]},\"finishReason\":"
	    "\"STOP\"}],\"modelVersion\":\"m\"}" },
	  0,
	  false },
	{ "gemini.generate",
	  "/v1beta/models/g:streamGenerateContent?alt=sse",
	  SSE,
	  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}",
	  { "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"wo\"}]}}],\"modelVersion\":"
	    "\"m\"}\r\n\r\n",
	    "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"rds\"}]},\"finishReason\":"
	    "\"STOP\"}],\"modelVersion\":\"m\"}\r\n\r\n" },
	  0,
	  true },
	{ "gemini.generate",
	  "/v1beta/models/g:streamGenerateContent",
	  JSON,
	  "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"hi\"}]}]}",
	  { "[{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"wo\"}]}}],\"modelVersion\":"
	    "\"m\"}",
	    ",\r\n{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"rds\"}]},\"finishReason\":"
	    "\"STOP\"}],\"modelVersion\":\"m\"}]" },
	  0,
	  false },
	{ "bedrock.converse",
	  "/model/m/converse",
	  JSON,
	  "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
	  { "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"words\"}]}},\"stopReason\":"
	    "\"end_turn\",\"usage\":{\"inputTokens\":1,\"outputTokens\":2,\"totalTokens\":3}}" },
	  0,
	  false },
	{ "bedrock.converse",
	  "/model/m/converse-stream",
	  AWS,
	  "{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"hi\"}]}]}",
	  { "messageStart|{\"role\":\"assistant\"}",
	    "contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"text\":\"words\"}}",
	    "contentBlockStop|{\"contentBlockIndex\":0}", "messageStop|{\"stopReason\":\"end_turn\"}" },
	  0,
	  true },
	{ "cohere.chat",
	  "/v2/chat",
	  JSON,
	  CHAT,
	  { "{\"id\":\"c\",\"finish_reason\":\"COMPLETE\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":"
	    "\"text\",\"text\":\"words\"}]},\"usage\":{\"billed_units\":{\"input_tokens\":1}}}" },
	  0,
	  false },
	{ "cohere.chat",
	  "/v2/chat",
	  SSE,
	  CHAT,
	  { "event: message-start\ndata: {\"id\":\"c\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":"
	    "\"assistant\",\"content\":[]}}}\n\n",
	    "event: content-start\ndata: {\"type\":\"content-start\",\"index\":0,\"delta\":{\"message\":{\"content\":"
	    "{\"type\":\"text\",\"text\":\"\"}}}}\n\n",
	    "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":"
	    "{\"text\":\"words\"}}}}\n\n",
	    "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\"}}\n\n" },
	  0,
	  true },
	{ "openai.chat",
	  "/v1/chat/completions",
	  JSON,
	  CHAT,
	  { "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"code\":null}}" },
	  400,
	  false },
	{ "openai.responses",
	  "/v1/responses",
	  JSON,
	  "{\"model\":\"m\",\"input\":\"hi\",\"store\":false}",
	  { "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"code\":null}}" },
	  400,
	  false },
	{ "anthropic.messages",
	  "/v1/messages",
	  JSON,
	  "{\"model\":\"m\",\"max_tokens\":9,\"messages\":[]}",
	  { "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"no\"}}" },
	  400,
	  false },
	{ "gemini.generate",
	  "/v1beta/models/g:generateContent",
	  JSON,
	  "{\"contents\":[]}",
	  { "{\"error\":{\"code\":400,\"message\":\"no\",\"status\":\"INVALID_ARGUMENT\"}}" },
	  400,
	  false },
	{ "cohere.chat", "/v2/chat", JSON, CHAT, { "{\"id\":\"e\",\"message\":\"no such model\"}" }, 400, false },
	{ "unknown",
	  "/v1/x",
	  JSON,
	  "{\"model\":\"m\",\"prompt\":\"x\"}",
	  { "{\"error\":{\"message\":\"no\"}}" },
	  400,
	  false },
};

static void answer_put(struct frames *h2, uint32_t stream, const struct row *row, const char *text, int flags)
{
	const char *bar = strchr(text, '|');
	char message[1024], type[64];

	if (strcmp(row->type, AWS) != 0)
		return frames_data(h2, SERVER, stream, flags, text);
	snprintf(type, sizeof(type), "%.*s", (int)(bar - text), text);
	frames_raw(h2, SERVER, DATA, flags, stream, aws_message(message, type, bar + 1));
}

/* One exchange; its heads refer to fields that were inserted in the table before. *ret_answer: its first piece. */
static struct frames exchange_of(const struct row *row, size_t *ret_answer)
{
	struct frames h2 = frames_bare();

	frames_raw(&h2, CLIENT, WINDOW_UPDATE, 0, 0, SLICE("\0\1\0\0"));
	frames_raw(&h2, CLIENT, HEADERS, END_HEADERS, 1, SLICE("\x83\x87\xbe\xbf\xc0"));
	frames_data(&h2, CLIENT, 1, END_STREAM, row->request);
	*ret_answer = h2.count;
	frames_raw(&h2, SERVER, HEADERS, END_HEADERS, 1, row->status ? SLICE("\x8c\xbe") : SLICE("\x88\xbe"));
	for (size_t i = 0; i < ARRAY_SIZE(row->answers) && row->answers[i]; i++)
		answer_put(&h2, 1, row, row->answers[i], 0);
	frames_raw(&h2, SERVER, DATA, END_STREAM, 1, SLICE_NONE);
	return h2;
}

static void row_check(const struct row *row, const struct frames *h2, size_t from, size_t step)
{
	struct joined joined = run(h2, from, step);

	if (joined.calls != 1 || strcmp(joined.dialect, row->dialect) != 0)
		fail_msg("%s %s (step %d): %d calls, of %s", row->path, row->type, (int)step, joined.calls,
			 joined.dialect);
	assert_int_equal(joined.is_stream, row->is_stream);
	if (row->status)
		assert_true(joined.has_error);
	else if (!strstr(joined.outputs, "words"))
		fail_msg("%s %s: outputs %s", row->path, row->type, joined.outputs);
}

static void bodies_tell_whose_a_call_without_a_path_is(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t answer;
		struct frames h2 = exchange_of(&rows[i], &answer);

		row_check(&rows[i], &h2, 0, 0);
		row_check(&rows[i], &h2, 0, 1);
		row_check(&rows[i], &h2, 0, 7);
		frames_free(&h2);
	}
}

/* The request was missed altogether. */
static void answers_alone_tell(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t answer;
		struct frames h2 = exchange_of(&rows[i], &answer);

		if (!rows[i].status)
			row_check(&rows[i], &h2, answer, 0);
		frames_free(&h2);
	}
}

/* Neither a page nor a service that speaks JSON, nor one whose refusal is like that of a model's, is a call. */
static void nobodys_is_nobodys_without_a_path_too(void **state)
{
	static const struct row others[] = {
		{ "-", "/x", "text/html", "a=b", { "<html></html>" }, 0, false },
		{ "-", "/x", JSON, "{\"query\":\"q\"}", { "{\"data\":{\"messages\":[]}}" }, 0, false },
		{ "-", "/x", JSON, "{\"messages\":[\"a\"]}", { "{\"error\":{\"message\":\"no\"}}" }, 400, false },
		{ "-", "/x", JSON, "{\"contents\":[\"a\"]}", { "{\"error\":\"no\"}" }, 400, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		size_t answer;
		struct frames h2 = exchange_of(&others[i], &answer);

		assert_int_equal(run(&h2, 0, 0).calls, 0);
		assert_int_equal(run(&h2, answer, 1).calls, 0);
		frames_free(&h2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_tell_whose_a_call_without_a_path_is),
		cmocka_unit_test(answers_alone_tell),
		cmocka_unit_test(nobodys_is_nobodys_without_a_path_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
