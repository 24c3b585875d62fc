/* SPDX-License-Identifier: Apache-2.0 */
/* Calls as the rooms before this one make them: one that went well, and the same refused. */
#pragma once
#include "base/cleanup.h"
#include "model/dialect.h"
#include "unit/support.h"

#define MS     1000000ull
#define SECOND (1000 * MS)

static struct slice sample_name(const struct call *call)
{
	return call->operation == OPERATION_CHAT && call->vendor.data && call->vendor.data[0] == 'a'
		       ? SLICE("Messages.create")
		       : SLICE("Completions");
}

static const struct dialect sample_openai __attribute__((unused)) = {
	.name = "openai.chat",
	.keeps_chunks = true,
	.message_format = "openai",
	.span_name = sample_name,
};
static const struct dialect sample_anthropic __attribute__((unused)) = {
	.name = "anthropic.messages",
	.message_format = "anthropic",
	.span_name = sample_name,
};
static const struct dialect sample_ollama __attribute__((unused)) = {
	.name = "ollama.chat",
	.span_name = sample_name,
};

#define SAMPLE_REQUEST                                                                                                 \
	"{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"temperature\":0.2,"        \
	"\"max_tokens\":50,\"stream\":false,\"tools\":[{\"a\":1}],\"user\":\"u-77\"}"

static inline void sample_request_header(struct call *call, const char *name, const char *value)
{
	call->request_headers[call->request_header_count++] = (struct name_value){ slice_of(name), slice_of(value) };
}

static inline void sample_response_header(struct call *call, const char *name, const char *value)
{
	call->response_headers[call->response_header_count++] = (struct name_value){ slice_of(name), slice_of(value) };
}

/* A whole call that went well: 100 ms from 1 s on. */
static inline struct call sample_call(void)
{
	struct call call = {
		.conn = { .id = 7, .process = { .pid = 42, .start_ns = 5 }, .kind = CAPTURE_OPENSSL },
		.thread = 43,
		.method = SLICE("POST"),
		.path = SLICE("/v1/chat/completions"),
		.host = SLICE("api.openai.com"),
		.http_version = SLICE("1.1"),
		.status = 200,
		.request_body = SLICE(SAMPLE_REQUEST),
		.request_start_ns = 1 * SECOND,
		.request_end_ns = 1 * SECOND + 1 * MS,
		.response_start_ns = 1 * SECOND + 90 * MS,
		.end_ns = 1 * SECOND + 100 * MS,
		.request_end = { .body_bytes = 150, .stream_bytes = 300 },
		.response_end = { .body_bytes = 80, .stream_bytes = 200 },
		.end = CALL_END_COMPLETE,
		.is_complete = true,
		.dialect = &sample_openai,
		.operation = OPERATION_CHAT,
		.vendor = SLICE("openai"),
		.request_model = SLICE("gpt-4o-mini"),
		.response_model = SLICE("gpt-4o-mini-2024-07-18"),
		.response_id = SLICE("chatcmpl-1"),
		.inputs = SLICE(SAMPLE_REQUEST),
		.outputs = SLICE("{\"choices\":[{\"message\":{\"content\":\"Hello\"}}]}"),
		.input_messages = SLICE("[{\"role\":\"user\"}]"),
		.output_messages = SLICE("[{\"role\":\"assistant\"}]"),
		.usage = { .input = 19,
			   .output = 10,
			   .total = 29,
			   .cache_read = 0,
			   .cache_write = -1,
			   .cache_write_1h = -1,
			   .reasoning = 4 },
		.finish_reasons = { SLICE("stop") },
		.finish_count = 1,
		.credential = SLICE("sk-very-secret"),
		.request_id = SLICE("req-1"),
	};

	sample_request_header(&call, "user-agent", "OpenAI/Python 3.54.0");
	return call;
}

/* The same call, refused. */
static inline struct call sample_refused(int status, const char *body)
{
	struct call call = sample_call();

	call.status = status;
	call.response_body = call.error.raw = slice_of(body);
	call.has_error = true;
	call.usage = USAGE_NONE;
	call.outputs = call.output_messages = call.response_id = call.response_model = SLICE_NONE;
	call.finish_count = 0;
	return call;
}
