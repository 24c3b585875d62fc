/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gateways: who stands between a client and a vendor and passes calls on in any dialect. One row each says by what it is
 * recognised, and where in its calls the vendor's own name may stand; where none of these places names a vendor that we
 * know, the vendor stays what the dialect made of it. A header that only clients send is enough: it asks for this gateway.
 */
#include "base/cleanup.h"
#include "base/json.h"
#include "dialect/dialect.h"
#include "dialect/vendors.h"

enum place_kind {
	PLACE_NONE,
	PLACE_REQUEST,    /* a header of the request that names it */
	PLACE_ANSWER_URL, /* a header of the answer with its address */
	PLACE_PATH,       /* the segment of the path behind this text */
	PLACE_SEGMENT,    /* the segment of the path with this number, from 0 */
	PLACE_HOST,       /* the first label of the host */
	PLACE_MODEL,      /* before the '/' in the model's name */
};

struct place {
	enum place_kind kind;
	const char *name;
	size_t number;
};

enum { HEADERS_MAX = 4, PLACES_MAX = 3 };

struct gateway {
	const char *name;
	const char *hosts[3];             /* as in the table of vendors */
	const char *path;                 /* stands in the path */
	const char *headers[HEADERS_MAX]; /* of request or answer; a '-' at the end stands for any rest */
	const char *not_vendor; /* where the host's own row says this vendor, the header is the vendor's own */
	struct place places[PLACES_MAX];
	const char *id, *cache; /* headers of the answer: its own id of the call, and whether its cache answered */
};

static const struct gateway gateways[] = {
	{
		.name = "litellm",
		.headers = { "x-litellm-" },
		.places = { { PLACE_ANSWER_URL, "x-litellm-model-api-base" }, { PLACE_MODEL } },
		.id = "x-litellm-call-id",
		.cache = "x-litellm-cache-hit",
	},
	{
		.name = "portkey",
		.hosts = { "portkey.ai" },
		.headers = { "x-portkey-" },
		.places = { { PLACE_REQUEST, "x-portkey-provider" }, { PLACE_MODEL } },
		.id = "x-portkey-trace-id",
		.cache = "x-portkey-cache-status",
	},
	{
		.name = "openrouter",
		.hosts = { "openrouter.ai" },
		.places = { { PLACE_MODEL } },
		.id = "x-generation-id",
	},
	{
		.name = "cloudflare",
		.hosts = { "gateway.ai.cloudflare.com" },
		.headers = { "cf-aig-" },
		.places = { { PLACE_SEGMENT, .number = 3 }, { PLACE_MODEL } },
		.id = "cf-aig-log-id",
		.cache = "cf-aig-cache-status",
	},
	{
		.name = "helicone",
		.hosts = { "helicone.ai", "hconeai.com" },
		.headers = { "helicone-" },
		.places = { { PLACE_HOST }, { PLACE_MODEL } },
		.id = "helicone-id",
		.cache = "helicone-cache",
	},
	{
		.name = "databricks",
		.path = "/ai-gateway/",
		.headers = { "x-databricks-" },
		.places = { { PLACE_PATH, "/ai-gateway/" }, { PLACE_PATH, "/serving-endpoints/" } },
		.id = "x-databricks-request-id",
	},
	{
		.name = "vercel",
		.hosts = { "ai-gateway.vercel.sh" },
		.places = { { PLACE_MODEL } },
		.id = "x-vercel-id",
	},
	{
		.name = "azure.apim",
		.hosts = { "azure-api.net" },
		.headers = { "apim-request-id" },
		.not_vendor = "azure.", /* Azure's own front is made of it */
		.id = "apim-request-id",
	},
};

/* What gateways call the vendors, in lower case. Makers of models that serve them to nobody are not among them. */
static const struct {
	const char *name, *vendor;
} vendors[] = {
	{ "openai", "openai" },
	{ "oai", "openai" },
	{ "azure", "azure.ai.openai" },
	{ "azure-openai", "azure.ai.openai" },
	{ "azure-ai", "azure.ai.inference" },
	{ "azure_ai", "azure.ai.inference" },
	{ "anthropic", "anthropic" },
	{ "google", "gcp.gemini" },
	{ "gemini", "gcp.gemini" },
	{ "google-ai-studio", "gcp.gemini" },
	{ "vertex", "gcp.vertex_ai" },
	{ "vertex-ai", "gcp.vertex_ai" },
	{ "vertex_ai", "gcp.vertex_ai" },
	{ "google-vertex-ai", "gcp.vertex_ai" },
	{ "bedrock", "aws.bedrock" },
	{ "aws-bedrock", "aws.bedrock" },
	{ "amazon", "aws.bedrock" },
	{ "mistral", "mistral_ai" },
	{ "mistralai", "mistral_ai" },
	{ "mistral-ai", "mistral_ai" },
	{ "cohere", "cohere" },
	{ "groq", "groq" },
	{ "deepseek", "deepseek" },
	{ "xai", "x_ai" },
	{ "x-ai", "x_ai" },
	{ "grok", "x_ai" },
	{ "perplexity", "perplexity" },
	{ "perplexity-ai", "perplexity" },
	{ "moonshot", "moonshot_ai" },
	{ "moonshotai", "moonshot_ai" },
	{ "watsonx", "ibm.watsonx.ai" },
	{ "together", "together" },
	{ "together-ai", "together" },
	{ "together_ai", "together" },
	{ "fireworks", "fireworks" },
	{ "fireworks-ai", "fireworks" },
	{ "fireworks_ai", "fireworks" },
	{ "cerebras", "cerebras" },
	{ "huggingface", "huggingface" },
	{ "replicate", "replicate" },
	{ "ollama", "ollama" },
	{ "databricks", "databricks" },
	{ "openrouter", "openrouter" },
	{ "workers-ai", "cloudflare" },
};

static struct slice request_header(const struct call *call, const char *name)
{
	return name ? call_header(call->request_headers, call->request_header_count, slice_of(name)) : SLICE_NONE;
}

static struct slice answer_header(const struct call *call, const char *name)
{
	return name ? call_header(call->response_headers, call->response_header_count, slice_of(name)) : SLICE_NONE;
}

/* ---- which ---- */

static bool headers_have(const struct name_value *list, size_t count, struct slice name)
{
	bool is_begin = slice_ends(name, SLICE("-"));

	for (size_t i = 0; i < count; i++)
		if (is_begin ? slice_starts(list[i].name, name) : slice_equal(list[i].name, name))
			return true;
	return false;
}

static bool is_through(const struct gateway *gateway, const struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(gateway->hosts) && gateway->hosts[i]; i++)
		if (vendor_host_is(call->host, gateway->hosts[i]))
			return true;
	if (gateway->path && slice_contains(call->path, slice_of(gateway->path)))
		return true;
	if (gateway->not_vendor &&
	    slice_starts(dialect_vendor_find(call->host, SLICE_NONE), slice_of(gateway->not_vendor)))
		return false;
	for (size_t i = 0; i < HEADERS_MAX && gateway->headers[i]; i++) {
		struct slice name = slice_of(gateway->headers[i]);

		if (headers_have(call->request_headers, call->request_header_count, name) ||
		    headers_have(call->response_headers, call->response_header_count, name))
			return true;
	}
	return false;
}

/* ---- whom it asked ---- */

static struct slice path_segment(struct slice path, size_t number)
{
	slice_cut(&path, '/');
	while (number--)
		slice_cut(&path, '/');
	return slice_cut(&path, '/');
}

/* "https://api.openai.com/v1" */
static struct slice url_vendor(struct slice url)
{
	ptrdiff_t at = slice_find(url, SLICE("://"));
	struct slice path = slice_from(url, at < 0 ? 0 : (size_t)at + 3);
	struct slice host = slice_cut(&path, '/');

	/* The rows say "/openai", so the slash belongs to the path. */
	return dialect_vendor_find(host, path.len ? (struct slice){ path.data - 1, path.len + 1 } : SLICE_NONE);
}

static struct slice place_name(const struct place *place, const struct call *call)
{
	struct slice name = SLICE_NONE, rest;
	ptrdiff_t at;

	switch (place->kind) {
	case PLACE_REQUEST:
		return request_header(call, place->name);
	case PLACE_PATH:
		at = slice_find(call->path, slice_of(place->name));
		rest = slice_from(call->path, at < 0 ? call->path.len : (size_t)at + strlen(place->name));
		return slice_cut(&rest, '/');
	case PLACE_SEGMENT:
		return path_segment(call->path, place->number);
	case PLACE_HOST:
		rest = call->host;
		return slice_cut(&rest, '.');
	case PLACE_MODEL:
		rest = call->request_model;
		if (slice_contains(rest, SLICE("/")))
			name = slice_cut(&rest, '/');
		return name;
	default:
		return name;
	}
}

/* Portkey writes "@name" for a provider of the account's own naming. */
static struct slice vendor_named(struct slice name)
{
	if (slice_starts(name, SLICE("@")))
		name = slice_from(name, 1);
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		if (slice_equal_nocase(name, slice_of(vendors[i].name)))
			return slice_of(vendors[i].vendor);
	return SLICE_NONE;
}

static struct slice vendor_behind(const struct gateway *gateway, const struct call *call)
{
	for (size_t i = 0; i < PLACES_MAX && gateway->places[i].kind; i++) {
		const struct place *place = &gateway->places[i];
		struct slice vendor = place->kind == PLACE_ANSWER_URL ? url_vendor(answer_header(call, place->name))
								      : vendor_named(place_name(place, call));

		if (vendor.len)
			return vendor;
	}
	return SLICE_NONE;
}

/* LiteLLM says in a header what the call cost: "0.000123", "1.5e-06". */
static void cost_read(struct call *call)
{
	double dollars;

	if (call->cost_told_nano < 0 && json_double(answer_header(call, "x-litellm-response-cost"), &dollars) == 0 &&
	    dollars >= 0 && dollars < 1e6)
		call->cost_told_nano = (int64_t)(dollars * 1e9 + 0.5);
}

void dialect_gateway_put(struct call *call)
{
	for (size_t i = 0; i < ARRAY_SIZE(gateways); i++) {
		const struct gateway *gateway = &gateways[i];
		struct slice vendor;

		if (!is_through(gateway, call))
			continue;
		call->gateway = slice_of(gateway->name);
		vendor = vendor_behind(gateway, call);
		if (vendor.len)
			call->vendor = vendor;
		call_put_text(call, "spantap.gateway.request_id", answer_header(call, gateway->id));
		call_put_text(call, "spantap.gateway.cache", answer_header(call, gateway->cache));
		break;
	}
	cost_read(call);
}
