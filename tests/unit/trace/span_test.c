/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven: a call becomes the span that MLflow's autolog would have written, with what only the wire knows
 * beside it, and a value that is not known is not there.
 */
#include "unit/trace/bed.h"

#define COUNTS(in, out, sum, read, written, hour, thought)                                                             \
	{                                                                                                              \
		.input = (in), .output = (out), .total = (sum), .cache_read = (read), .cache_write = (written),        \
		.cache_write_1h = (hour), .reasoning = (thought), .input_audio = -1, .output_audio = -1,               \
		.input_image = -1, .output_image = -1, .searches = -1                                                  \
	}

static void run(struct bed *bed, const struct call *call)
{
	trace_on_call(bed->assembler, call);
	trace_flush(bed->assembler);
	assert_int_equal(bed->lost, 0);
}

static void a_chat_has_all_that_autolog_writes(void **state)
{
	static const char *const lines[] = {
		"span Completions kind=3 1001000000000..1001100000000 OK ''",
		"mlflow.spanType=CHAT_MODEL",
		"mlflow.spanInputs=" SAMPLE_REQUEST,
		"mlflow.spanOutputs={\"choices\":[{\"message\":{\"content\":\"Hello\"}}]}",
		"mlflow.chat.tokenUsage={\"input_tokens\":19,\"output_tokens\":10,\"total_tokens\":29,"
		"\"cache_read_input_tokens\":0}",
		"mlflow.llm.model=gpt-4o-mini-2024-07-18",
		"mlflow.llm.provider=openai",
		"mlflow.message.format=openai",
		"mlflow.spanLogLevel=20",
		"mlflow.traceTag.mlflow.traceName=Completions",
		"model=gpt-4o-mini",
		"temperature=0.2",
		"max_tokens=50",
		"stream=false",
		"tools=[{\"a\":1}]",
		"user=u-77",
	};
	struct call call = sample_call();
	struct bed bed;

	bed_init(&bed);
	run(&bed, &call);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_says(&bed, lines[i]);
	assert_int_equal(bed.spans, 1);
	assert_not_said(&bed, "\nmessages=");
	assert_not_said(&bed, "spantap.retry");
	assert_not_said(&bed, "event ");
	bed_free(&bed);
}

static void a_chat_has_what_only_the_wire_knows(void **state)
{
	static const char *const lines[] = {
		"gen_ai.operation.name=chat",
		"gen_ai.provider.name=openai",
		"gen_ai.request.model=gpt-4o-mini",
		"gen_ai.request.temperature=0.2",
		"gen_ai.request.max_tokens=50",
		"gen_ai.response.id=chatcmpl-1",
		"gen_ai.response.finish_reasons=[stop]",
		"gen_ai.usage.input_tokens=19",
		"gen_ai.usage.output_tokens=10",
		"gen_ai.usage.cache_read.input_tokens=0",
		"gen_ai.usage.reasoning.output_tokens=4",
		"gen_ai.input.messages=[{\"role\":\"user\"}]",
		"gen_ai.output.messages=[{\"role\":\"assistant\"}]",
		"http.request.method=POST",
		"http.response.status_code=200",
		"http.request.body.size=150",
		"http.response.body.size=80",
		"spantap.request.stream_bytes=300",
		"spantap.response.stream_bytes=200",
		"spantap.request.missing_bytes=0",
		"spantap.response.missing_bytes=0",
		"url.path=/v1/chat/completions",
		"server.address=api.openai.com",
		"server.port=443",
		"spantap.peer_evidence=host_header",
		"network.protocol.version=1.1",
		"spantap.complete=true",
		"spantap.end=complete",
		"spantap.capture=openssl",
		"spantap.dialect=openai.chat",
		"spantap.request_id=req-1",
		"process.pid=42",
		"thread.id=43",
		"resource host.name=box",
		"http.response.header.x-ratelimit-limit-tokens=[100]",
		"http.response.header.retry-after-ms=[20]",
	};
	struct call call = sample_call();
	struct bed bed;

	sample_response_header(&call, "x-ratelimit-limit-tokens", "100");
	sample_response_header(&call, "retry-after-ms", "20");
	sample_response_header(&call, "server", "cloudflare");
	bed_init(&bed);
	run(&bed, &call);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_says(&bed, lines[i]);
	assert_not_said(&bed, "network.peer");
	assert_not_said(&bed, "cloudflare");
	assert_int_equal(bed_count(&bed, "sk-very-secret"), 1); /* the trace's own field, for the fingerprint */
	assert_says(&bed, "credential=sk-very-secret");
	assert_not_said(&bed, "gen_ai.request.stream=");
	assert_not_said(&bed, "time_to_first");
	bed_free(&bed);
}

static void anthropic_shows_the_asked_model_and_no_arguments(void **state)
{
	struct call call = sample_call();
	struct bed bed;

	call.dialect = &sample_anthropic;
	call.vendor = SLICE("anthropic");
	call.request_model = SLICE("claude-sonnet-4-5");
	call.response_model = SLICE("claude-sonnet-4-5-20250929");
	call.usage = (struct usage)COUNTS(2112, 6, -1, 1800, 300, 0, -1);
	bed_init(&bed);
	run(&bed, &call);
	assert_says(&bed, "mlflow.llm.model=claude-sonnet-4-5");
	assert_says(&bed, "mlflow.llm.provider=anthropic");
	assert_says(&bed, "mlflow.chat.tokenUsage={\"input_tokens\":2112,\"output_tokens\":6,\"total_tokens\":2118,"
			  "\"cache_read_input_tokens\":1800,\"cache_creation_input_tokens\":300,"
			  "\"cache_creation_input_tokens_above_1hr\":0}");
	assert_not_said(&bed, "\ntemperature=");
	assert_not_said(&bed, "\nmodel=");
	assert_says(&bed, "gen_ai.request.temperature=0.2");
	bed_free(&bed);
}

static void what_a_dialect_puts_keeps_its_type(void **state)
{
	static const struct slice words[] = { SLICE("a b"), SLICE("c") };
	struct call call = sample_call();
	struct bed bed;

	bed_init(&bed);
	call.arena = arena_new(&bed.notes_heap.alloc, 1 << 16);
	call_put_texts(&call, "x.words", words, ARRAY_SIZE(words));
	call_put_texts(&call, "x.none", words, 0);
	call_put_double(&call, "x.share", 0.5);
	run(&bed, &call);
	assert_says(&bed, "x.words=[a b|c]");
	assert_says(&bed, "x.share=0.5");
	assert_not_said(&bed, "x.none");
	arena_free(call.arena);
	bed_free(&bed);
}

static void every_operation_has_its_type(void **state)
{
	static const struct {
		enum call_operation operation;
		const char *type, *name;
	} cases[] = {
		{ OPERATION_UNKNOWN, "mlflow.spanType=LLM", "gen_ai.operation.name=generate_content" },
		{ OPERATION_CHAT, "mlflow.spanType=CHAT_MODEL", "gen_ai.operation.name=chat" },
		{ OPERATION_TEXT_COMPLETION, "mlflow.spanType=LLM", "gen_ai.operation.name=text_completion" },
		{ OPERATION_EMBEDDINGS, "mlflow.spanType=EMBEDDING", "gen_ai.operation.name=embeddings" },
		{ OPERATION_RERANK, "mlflow.spanType=RERANKER", "gen_ai.operation.name=rerank" },
		{ OPERATION_IMAGE, "mlflow.spanType=TOOL", "gen_ai.operation.name=generate_content" },
		{ OPERATION_MODERATION, "mlflow.spanType=GUARDRAIL", "gen_ai.operation.name=moderation" },
		{ OPERATION_COUNT_TOKENS, "mlflow.spanType=LLM", "gen_ai.operation.name=count_tokens" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct call call = sample_call();
		struct bed bed;

		call.operation = cases[i].operation;
		bed_init(&bed);
		run(&bed, &call);
		assert_says(&bed, cases[i].type);
		assert_says(&bed, cases[i].name);
		bed_free(&bed);
	}
}

static void usage_is_three_numbers_or_nothing(void **state)
{
	static const struct {
		enum call_operation operation;
		struct usage usage;
		const char *line; /* NULL: none */
	} cases[] = {
		{ OPERATION_CHAT, COUNTS(5, -1, -1, -1, -1, -1, -1), NULL },
		{ OPERATION_CHAT, COUNTS(-1, 5, 5, -1, -1, -1, -1), NULL },
		{ OPERATION_CHAT, COUNTS(1, 2, -1, -1, -1, -1, -1),
		  "mlflow.chat.tokenUsage={\"input_tokens\":1,\"output_tokens\":2,\"total_tokens\":3}" },
		{ OPERATION_EMBEDDINGS, COUNTS(5, -1, 5, -1, -1, -1, -1),
		  "mlflow.chat.tokenUsage={\"input_tokens\":5,\"output_tokens\":0,\"total_tokens\":5}" },
		{ OPERATION_COUNT_TOKENS, COUNTS(5, 0, 5, -1, -1, -1, -1), NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct call call = sample_call();
		struct bed bed;

		call.operation = cases[i].operation;
		call.usage = cases[i].usage;
		bed_init(&bed);
		run(&bed, &call);
		if (cases[i].line)
			assert_says(&bed, cases[i].line);
		else
			assert_not_said(&bed, "tokenUsage");
		bed_free(&bed);
	}
}

static void arguments_keep_their_types_and_claim_no_name_of_ours(void **state)
{
	struct call call = sample_call();
	struct bed bed;

	call.request_body = SLICE("{\"a\":1.0,\"b\":9007199254740993,\"c\":null,\"d\":\"x\\ny\",\"e\":true,"
				  "\"mlflow.spanType\":\"X\",\"process.pid\":1,\"input\":\"hidden\",\"\":1,"
				  "\"stop\":[\"\\n\",\"b\"],\"n\":1,\"stream\":true,"
				  "\"options\":{\"num_predict\":7}}");
	bed_init(&bed);
	run(&bed, &call);
	assert_says(&bed, "a=1");
	assert_says(&bed, "b=9007199254740993");
	assert_int_equal(bed_count(&bed, "d=x\ny\n"), 1);
	assert_says(&bed, "e=true");
	assert_says(&bed, "stop=[\"\\n\",\"b\"]");
	assert_int_equal(bed_count(&bed, "gen_ai.request.stop_sequences=[\n|b]\n"), 1);
	assert_says(&bed, "gen_ai.request.stream=true");
	assert_says(&bed, "gen_ai.request.max_tokens=7");
	assert_says(&bed, "n=1");
	assert_not_said(&bed, "choice.count");
	assert_int_equal(bed_count(&bed, "mlflow.spanType="), 1);
	assert_int_equal(bed_count(&bed, "process.pid="), 1);
	assert_not_said(&bed, "hidden");
	assert_not_said(&bed, "\nc=");
	bed_free(&bed);
}

static void each_back_end_gets_its_own(void **state)
{
	struct call call = sample_call();
	struct trace_opts opts;
	struct bed bed;

	call.tools =
		SLICE("[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]");
	for (int i = 0; i < 2; i++) {
		bed_init(&bed);
		opts = bed_opts(&bed);
		opts.wants_mlflow = i == 0;
		opts.wants_otlp = i == 1;
		trace_assembler_free(bed.assembler);
		assert_int_equal(trace_assembler_new(&opts, &bed_ops, &bed, &bed.assembler), 0);
		run(&bed, &call);
		assert_says(&bed, "gen_ai.usage.input_tokens=19");
		assert_int_equal(bed_count(&bed, "mlflow.") > 0, i == 0);
		assert_int_equal(bed_count(&bed, "\ntemperature=") > 0, i == 0);
		assert_int_equal(bed_count(&bed, "gen_ai.input.messages=") > 0, i == 1);
		if (i == 1)
			assert_says(&bed, "gen_ai.tool.definitions=[{\"type\":\"function\",\"name\":\"f\","
					  "\"parameters\":{\"type\":\"object\"}}]");
		bed_free(&bed);
	}
}

static void a_stream_tells_its_times_and_its_newest_chunks(void **state)
{
	struct chunk chunks[200];
	struct call call = sample_call();
	struct bed bed;

	for (size_t i = 0; i < 200; i++)
		chunks[i] = (struct chunk){ .next = i + 1 < 200 ? &chunks[i + 1] : NULL,
					    .data = SLICE("{\"id\":1}"),
					    .time_ns = SECOND + i };
	call.is_stream = true;
	call.events = 210;
	call.chunks = chunks;
	call.chunk_count = 200;
	call.chunks_dropped = 10;
	call.first_event_ns = SECOND + 20 * MS;
	call.first_token_ns = SECOND + 30 * MS;
	call.max_gap_ns = 10 * MS;
	bed_init(&bed);
	run(&bed, &call);
	assert_says(&bed, "spantap.stream.events=210");
	assert_says(&bed, "gen_ai.response.time_to_first_chunk=0.02");
	assert_says(&bed, "spantap.time_to_first_token=0.03");
	assert_says(&bed, "spantap.stream.max_gap=0.01");
	assert_int_equal(bed_count(&bed, "event mlflow.chunk.item."), 128);
	assert_says(&bed, "event mlflow.chunk.item.209 at=1001000000199");
	assert_says(&bed, "event mlflow.chunk.item.82 at=1001000000072");
	assert_not_said(&bed, "event mlflow.chunk.item.81 ");
	assert_says(&bed, "  mlflow.chunk.value={\"id\":1}");
	bed_free(&bed);
}

static void a_late_call_says_what_is_missing(void **state)
{
	struct call call = sample_call();
	struct bed bed;

	call.request_is_late = true;
	call.is_complete = false;
	call.method = call.path = call.host = call.request_body = call.inputs = SLICE_NONE;
	call.request_start_ns = call.request_end_ns = 0;
	call.request_end = (struct message_end){ .body_bytes = -1, .missing_bytes = -1 };
	call.is_stream = true;
	call.first_event_ns = SECOND;
	bed_init(&bed);
	run(&bed, &call);
	assert_says(&bed, "spantap.complete=false");
	assert_says(&bed, "spantap.missing_reason=[joined_late]");
	assert_says(&bed, "spantap.request.missing_bytes=-1");
	assert_says(&bed, "http.request.body.size=-1");
	assert_says(&bed, "spantap.peer_evidence=unknown");
	assert_says(&bed, "span Completions kind=3 1001090000000..1001100000000 OK ''");
	assert_not_said(&bed, "server.address");
	assert_not_said(&bed, "time_to_first");
	assert_not_said(&bed, "mlflow.spanInputs");
	bed_free(&bed);
}

static void the_peer_is_told_with_its_evidence(void **state)
{
	static const struct {
		const char *host, *address;
		int64_t port;
	} cases[] = {
		{ "api.openai.com", "api.openai.com", 443 },
		{ "localhost:8080", "localhost", 8080 },
		{ "[::1]:11434", "::1", 11434 },
		{ "[::1]", "::1", 443 },
		{ "host:99999", "host", 443 },
		{ "", "10.0.0.7", 8443 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct call call = sample_call();
		char line[64];
		struct bed bed;

		call.host = slice_of(cases[i].host);
		call.conn.peer = (struct peer){ .family = ADDRESS_INET,
						.evidence = PEER_BIO,
						.remote = { { 10, 0, 0, 7 }, 8443 } };
		bed_init(&bed);
		run(&bed, &call);
		snprintf(line, sizeof(line), "server.address=%s", cases[i].address);
		assert_says(&bed, line);
		snprintf(line, sizeof(line), "server.port=%d", (int)cases[i].port);
		assert_says(&bed, line);
		assert_says(&bed, "network.peer.address=10.0.0.7");
		assert_says(&bed, "network.peer.port=8443");
		assert_says(&bed, "spantap.peer_evidence=bio");
		bed_free(&bed);
	}
}

static void the_process_is_named(void **state)
{
	const struct origin origin = {
		.id = { .pid = 42, .start_ns = 5 },
		.parent_pid = 1,
		.comm = SLICE("python3"),
		.exe = SLICE("/usr/bin/python3.11"),
		.args = { SLICE("python3"), SLICE("a.py") },
		.arg_count = 2,
		.owner = SLICE("joe"),
		.cgroup = SLICE("/user.slice"),
		.container_id = SLICE("c0ffee"),
		.start_unix_ns = 1709164799123000000ull,
	};
	static const char *const lines[] = {
		"process.parent_pid=1",
		"process.executable.name=python3.11",
		"process.executable.path=/usr/bin/python3.11",
		"process.command_args=[python3|a.py]",
		"process.owner=joe",
		"linux.cgroup=/user.slice",
		"container.id=c0ffee",
		"process.creation.time=2024-02-28T23:59:59.123Z",
		"resource service.name=python3.11",
		"resource container.id=c0ffee",
	};
	struct call call = sample_call();
	struct bed bed;

	bed_init(&bed);
	bed.origin = &origin;
	run(&bed, &call);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_says(&bed, lines[i]);
	bed_free(&bed);
}

static void a_trace_context_is_a_link_and_never_a_parent(void **state)
{
	static const struct {
		const char *text;
		bool is_good;
	} cases[] = {
		{ "00-0123456789abcdef0123456789abcdef-0123456789abcdef-03", true },
		{ "00-0123456789abcdef0123456789abcdef-0123456789abcdef", true },
		{ "00-0123456789abcdef0123456789abcdeg-0123456789abcdef-03", false },
		{ "00-00000000000000000000000000000000-0123456789abcdef-03", false },
		{ "00-01-02-03", false },
		{ "", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct call call = sample_call();
		struct bed bed;

		sample_request_header(&call, "traceparent", cases[i].text);
		bed_init(&bed);
		run(&bed, &call);
		assert_int_equal(bed_count(&bed, "link 0123456789abcdef0123456789abcdef 0123456789abcdef\n"),
				 cases[i].is_good);
		assert_int_equal(bed_count(&bed, "http.request.header.traceparent=["), cases[i].is_good);
		assert_int_equal(bed_count(&bed, "parent=0000000000000000\n"), 1);
		bed_free(&bed);
	}
}

static void times_follow_the_clock_that_was_set(void **state)
{
	struct call call = sample_call();
	struct bed bed;

	bed_init(&bed);
	trace_set_unix_offset(bed.assembler, 5 * (int64_t)SECOND);
	run(&bed, &call);
	assert_says(&bed, "span Completions kind=3 6000000000..6100000000 OK ''");
	bed_free(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chat_has_all_that_autolog_writes),
		cmocka_unit_test(a_chat_has_what_only_the_wire_knows),
		cmocka_unit_test(anthropic_shows_the_asked_model_and_no_arguments),
		cmocka_unit_test(what_a_dialect_puts_keeps_its_type),
		cmocka_unit_test(every_operation_has_its_type),
		cmocka_unit_test(usage_is_three_numbers_or_nothing),
		cmocka_unit_test(arguments_keep_their_types_and_claim_no_name_of_ours),
		cmocka_unit_test(each_back_end_gets_its_own),
		cmocka_unit_test(a_stream_tells_its_times_and_its_newest_chunks),
		cmocka_unit_test(a_late_call_says_what_is_missing),
		cmocka_unit_test(the_peer_is_told_with_its_evidence),
		cmocka_unit_test(the_process_is_named),
		cmocka_unit_test(a_trace_context_is_a_link_and_never_a_parent),
		cmocka_unit_test(times_follow_the_clock_that_was_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
