/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: each gateway is known by what it does on the wire, the vendor behind it is told where something names it. */
#include "dialect/dialect.h"
#include "unit/support.h"
#include <stdio.h>

struct row {
	const char *host, *path, *model, *vendor; /* the vendor that the dialect found */
	struct name_value asked, told;            /* one header each */
	const char *gateway, *real;
};

static const struct row rows[] = {
	/* LiteLLM */
	{ "localhost:4000",
	  "/chat/completions",
	  "gpt-4o",
	  "litellm",
	  {},
	  { SLICE("x-litellm-call-id"), SLICE("c-1") },
	  "litellm",
	  "litellm" },
	{ "localhost:4000",
	  "/chat/completions",
	  "anthropic/claude-sonnet-4",
	  "litellm",
	  {},
	  { SLICE("x-litellm-call-id"), SLICE("c-1") },
	  "litellm",
	  "anthropic" },
	{ "proxy",
	  "/v1/messages",
	  "mine",
	  "anthropic",
	  {},
	  { SLICE("x-litellm-model-api-base"), SLICE("https://api.groq.com/openai/v1") },
	  "litellm",
	  "groq" },
	{ "proxy",
	  "/v1/messages",
	  "mine",
	  "anthropic",
	  {},
	  { SLICE("x-litellm-model-api-base"), SLICE("https://r.services.ai.azure.com/anthropic") },
	  "litellm",
	  "anthropic" },
	{ "proxy",
	  "/v1/chat/completions",
	  "m",
	  "openai",
	  { SLICE("x-litellm-session-id"), SLICE("s") },
	  {},
	  "litellm",
	  "openai" },
	/* Portkey */
	{ "api.portkey.ai",
	  "/v1/chat/completions",
	  "gpt-4o",
	  "portkey",
	  { SLICE("x-portkey-provider"), SLICE("openai") },
	  {},
	  "portkey",
	  "openai" },
	{ "api.portkey.ai", "/v1/messages", "@bedrock/claude", "portkey", {}, {}, "portkey", "aws.bedrock" },
	{ "localhost:8787",
	  "/v1/chat/completions",
	  "m",
	  "openai",
	  { SLICE("x-portkey-provider"), SLICE("mistral-ai") },
	  {},
	  "portkey",
	  "mistral_ai" },
	{ "own.example",
	  "/v1/chat/completions",
	  "m",
	  "openai",
	  {},
	  { SLICE("x-portkey-trace-id"), SLICE("t") },
	  "portkey",
	  "openai" },
	/* OpenRouter: the makers that serve nobody are not the vendor */
	{ "openrouter.ai",
	  "/api/v1/chat/completions",
	  "anthropic/claude-sonnet-4",
	  "openrouter",
	  {},
	  {},
	  "openrouter",
	  "anthropic" },
	{ "openrouter.ai",
	  "/api/v1/chat/completions",
	  "meta-llama/llama-3.3-70b",
	  "openrouter",
	  {},
	  {},
	  "openrouter",
	  "openrouter" },
	/* Cloudflare */
	{ "gateway.ai.cloudflare.com",
	  "/v1/acct/gw/openai/chat/completions",
	  "gpt-4o",
	  "cloudflare",
	  {},
	  {},
	  "cloudflare",
	  "openai" },
	{ "gateway.ai.cloudflare.com",
	  "/v1/acct/gw/google-ai-studio/v1/models/g:generateContent",
	  "g",
	  "cloudflare",
	  {},
	  {},
	  "cloudflare",
	  "gcp.gemini" },
	{ "gateway.ai.cloudflare.com",
	  "/v1/acct/gw/compat/chat/completions",
	  "x-ai/grok-4",
	  "cloudflare",
	  {},
	  {},
	  "cloudflare",
	  "x_ai" },
	{ "own.example",
	  "/chat/completions",
	  "m",
	  "openai",
	  {},
	  { SLICE("cf-aig-log-id"), SLICE("l") },
	  "cloudflare",
	  "openai" },
	/* Helicone */
	{ "oai.helicone.ai", "/v1/chat/completions", "gpt-4o", "helicone", {}, {}, "helicone", "openai" },
	{ "anthropic.helicone.ai:443", "/v1/messages", "claude", "helicone", {}, {}, "helicone", "anthropic" },
	{ "api.openai.com",
	  "/v1/chat/completions",
	  "m",
	  "openai",
	  { SLICE("helicone-session-id"), SLICE("s") },
	  {},
	  "helicone",
	  "openai" },
	/* Databricks: serving is its own, the gateway passes on */
	{ "dbc.cloud.databricks.com",
	  "/ai-gateway/anthropic/v1/messages",
	  "claude",
	  "databricks",
	  {},
	  {},
	  "databricks",
	  "anthropic" },
	{ "dbc.cloud.databricks.com",
	  "/serving-endpoints/llama/invocations",
	  "m",
	  "databricks",
	  {},
	  { SLICE("x-databricks-request-id"), SLICE("r") },
	  "databricks",
	  "databricks" },
	/* Vercel */
	{ "ai-gateway.vercel.sh", "/v1/chat/completions", "xai/grok-4", "vercel", {}, {}, "vercel", "x_ai" },
	/* Azure's own front is no gateway of somebody */
	{ "res.openai.azure.com",
	  "/openai/deployments/d/chat/completions",
	  "d",
	  "azure.ai.openai",
	  {},
	  { SLICE("apim-request-id"), SLICE("a") },
	  "",
	  "azure.ai.openai" },
	{ "corp.azure-api.net",
	  "/openai/deployments/d/chat/completions",
	  "d",
	  "azure.ai.openai",
	  {},
	  {},
	  "azure.apim",
	  "azure.ai.openai" },
	{ "llm.corp.example",
	  "/v1/chat/completions",
	  "d",
	  "openai",
	  {},
	  { SLICE("apim-request-id"), SLICE("a") },
	  "azure.apim",
	  "openai" },
	/* nobody in between */
	{ "api.openai.com",
	  "/v1/chat/completions",
	  "openai/gpt-4o",
	  "openai",
	  {},
	  { SLICE("x-request-id"), SLICE("r") },
	  "",
	  "openai" },
	{ "api.together.xyz", "/v1/chat/completions", "mistralai/mixtral", "together", {}, {}, "", "together" },
	{ "evil-openrouter.ai.example", "/v1/chat/completions", "openai/m", "openai", {}, {}, "", "openai" },
	{ "", "", "", "openai", {}, {}, "", "openai" },
};

static struct alloc_heap heap = ALLOC_HEAP(1 << 20);

static struct call call_new(const struct row *row)
{
	struct call call = { .arena = arena_new(&heap.alloc, 1 << 16),
			     .host = slice_of(row->host),
			     .path = slice_of(row->path),
			     .request_model = slice_of(row->model),
			     .vendor = slice_of(row->vendor),
			     .cost_told_nano = -1 };

	if (row->asked.name.len)
		call.request_headers[call.request_header_count++] = row->asked;
	if (row->told.name.len)
		call.response_headers[call.response_header_count++] = row->told;
	return call;
}

static void each_gateway_and_the_vendor_behind_it(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct call call = call_new(&rows[i]);

		dialect_gateway_put(&call);
		if (!slice_equal(call.gateway, slice_of(rows[i].gateway)) ||
		    !slice_equal(call.vendor, slice_of(rows[i].real)))
			fail_msg("row %zu, %s%s: gateway '%.*s', vendor '%.*s'", i, rows[i].host, rows[i].path,
				 SLICE_FMT(call.gateway), SLICE_FMT(call.vendor));
		arena_free(call.arena);
	}
	assert_int_equal(heap.used, 0);
}

static void what_a_gateway_says_of_a_call_is_told(void **state)
{
	static const struct {
		const char *text;
		int64_t nano;
	} costs[] = { { "0.000123", 123000 }, { "1.5e-06", 1500 }, { "0.0", 0 },
		      { "None", -1 },         { "-1", -1 },        { "1e300", -1 } };

	for (size_t i = 0; i < sizeof(costs) / sizeof(*costs); i++) {
		struct row row = { "p", "/v1/chat/completions", "m", "openai",
				   .told = { SLICE("x-litellm-call-id"), SLICE("c-1") } };
		struct call call = call_new(&row);

		call.attributes_tail = NULL;
		call.response_headers[call.response_header_count++] =
			(struct name_value){ SLICE("x-litellm-response-cost"), slice_of(costs[i].text) };
		dialect_gateway_put(&call);
		assert_int_equal(call.cost_told_nano, costs[i].nano);
		assert_non_null(call.attributes);
		assert_true(slice_equal(call.attributes->name, SLICE("spantap.gateway.request_id")));
		assert_true(slice_equal(call.attributes->value.text, SLICE("c-1")));
		arena_free(call.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gateway_and_the_vendor_behind_it),
		cmocka_unit_test(what_a_gateway_says_of_a_call_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
