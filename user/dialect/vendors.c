/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services of which we know the name, one row each. A vendor is not a dialect: the row says who answers, the path and
 * the body say in which format. Rows are tried from above, so a path of a host stands before the host alone.
 */
#include "dialect/vendors.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "dialect/dialect.h"

static const struct dialect_vendor vendors[] = {
	{ "api.openai.com", NULL, "openai", "OpenAI" },
	{ "chatgpt.com", "/backend-api/codex", "openai", "OpenAI (ChatGPT plan, Codex)" },
	{ "services.ai.azure.com", "/anthropic", "anthropic", "Anthropic in Microsoft Foundry" },
	{ "openai.azure.com", NULL, "azure.ai.openai", "Azure OpenAI" },
	{ "services.ai.azure.com", "/openai", "azure.ai.openai", "Azure OpenAI in Microsoft Foundry" },
	{ "services.ai.azure.com", NULL, "azure.ai.inference", "Azure AI Inference" },
	{ "cognitiveservices.azure.com", NULL, "azure.ai.openai", "Azure OpenAI (Cognitive Services)" },
	{ "models.inference.ai.azure.com", NULL, "azure.ai.inference", "Azure AI Inference" },
	{ NULL, "/openai/deployments/", "azure.ai.openai", "Azure OpenAI behind another name" },
	{ "api.anthropic.com", NULL, "anthropic", "Anthropic" },
	{ "aws-external-anthropic.*.api.aws", NULL, "anthropic", "Anthropic on AWS" },
	{ "generativelanguage.googleapis.com", NULL, "gcp.gemini", "Gemini API" },
	{ "cloudcode-pa.googleapis.com", NULL, "gcp.gen_ai", "Gemini Code Assist" },
	{ "*aiplatform.googleapis.com", NULL, "gcp.vertex_ai", "Vertex AI" },
	{ "aiplatform.*.rep.googleapis.com", NULL, "gcp.vertex_ai", "Vertex AI, multi-region" },
	{ "bedrock-runtime.*.amazonaws.com", NULL, "aws.bedrock", "Amazon Bedrock" },
	{ "bedrock-agent-runtime.*.amazonaws.com", NULL, "aws.bedrock", "Amazon Bedrock agents and knowledge bases" },
	{ "runtime.sagemaker.*.amazonaws.com", NULL, "aws.sagemaker", "Amazon SageMaker endpoints" },
	{ "bedrock-mantle.*.api.aws", NULL, "aws.bedrock", "Amazon Bedrock (OpenAI and Anthropic formats)" },
	{ "api.groq.com", NULL, "groq", "Groq" },
	{ "api.deepseek.com", NULL, "deepseek", "DeepSeek" },
	{ "api.mistral.ai", NULL, "mistral_ai", "Mistral AI" },
	{ "codestral.mistral.ai", NULL, "mistral_ai", "Mistral AI (Codestral)" },
	{ "api.x.ai", NULL, "x_ai", "xAI" },
	{ "api.perplexity.ai", NULL, "perplexity", "Perplexity" },
	{ "api.cohere.com", NULL, "cohere", "Cohere" },
	{ "api.cohere.ai", NULL, "cohere", "Cohere" },
	{ "api.moonshot.ai", NULL, "moonshot_ai", "Moonshot AI" },
	{ "api.moonshot.cn", NULL, "moonshot_ai", "Moonshot AI (China)" },
	{ "ml.cloud.ibm.com", NULL, "ibm.watsonx.ai", "IBM watsonx.ai" },
	{ "api.together.xyz", NULL, "together", "Together AI" },
	{ "api.together.ai", NULL, "together", "Together AI" },
	{ "api.fireworks.ai", NULL, "fireworks", "Fireworks AI" },
	{ "openrouter.ai", NULL, "openrouter", "OpenRouter" },
	{ "router.huggingface.co", NULL, "huggingface", "Hugging Face router" },
	{ "endpoints.huggingface.cloud", NULL, "huggingface", "Hugging Face endpoints" },
	{ "api-inference.huggingface.co", NULL, "huggingface", "Hugging Face inference" },
	{ "api.cerebras.ai", NULL, "cerebras", "Cerebras" },
	{ "api.sambanova.ai", NULL, "sambanova", "SambaNova" },
	{ "integrate.api.nvidia.com", NULL, "nvidia", "NVIDIA" },
	{ "api.nvcf.nvidia.com", NULL, "nvidia", "NVIDIA" },
	{ "api.avian.io", NULL, "avian", "Avian" },
	{ "api.z.ai", NULL, "z_ai", "Z.ai" },
	{ "open.bigmodel.cn", NULL, "z_ai", "Z.ai (BigModel)" },
	{ "dashscope*.aliyuncs.com", NULL, "dashscope", "Alibaba DashScope" },
	{ "maas.aliyuncs.com", NULL, "dashscope", "Alibaba Model Studio workspaces" },
	{ "api.minimax.io", NULL, "minimax", "MiniMax" },
	{ "api.minimax.chat", NULL, "minimax", "MiniMax" },
	{ "api.minimaxi.com", NULL, "minimax", "MiniMax (China)" },
	{ "api.siliconflow.*", NULL, "siliconflow", "SiliconFlow" },
	{ "api.deepinfra.com", NULL, "deepinfra", "DeepInfra" },
	{ "api.hyperbolic.xyz", NULL, "hyperbolic", "Hyperbolic" },
	{ "api.novita.ai", NULL, "novita", "Novita AI" },
	{ "api.studio.nebius.*", NULL, "nebius", "Nebius" },
	{ "api.tokenfactory.nebius.com", NULL, "nebius", "Nebius" },
	{ "inference.baseten.co", NULL, "baseten", "Baseten" },
	{ "api.lambda.ai", NULL, "lambda", "Lambda" },
	{ "api.ai21.com", NULL, "ai21", "AI21" },
	{ "api.writer.com", NULL, "writer", "Writer" },
	{ "api.upstage.ai", NULL, "upstage", "Upstage" },
	{ "api.voyageai.com", NULL, "voyage", "Voyage AI" },
	{ "api.jina.ai", NULL, "jina", "Jina AI" },
	{ "models.github.ai", NULL, "github", "GitHub Models" },
	{ "githubcopilot.com", NULL, "github_copilot", "GitHub Copilot" },
	{ "api.replicate.com", NULL, "replicate", "Replicate" },
	{ "snowflakecomputing.com", NULL, "snowflake", "Snowflake Cortex" },
	{ "databricks.com", NULL, "databricks", "Databricks" },
	{ "azuredatabricks.net", NULL, "databricks", "Databricks on Azure" },
	{ "gcp.databricks.com", NULL, "databricks", "Databricks on Google Cloud" },
	{ "ai-gateway.vercel.sh", NULL, "vercel", "Vercel AI Gateway" },
	{ "gateway.ai.cloudflare.com", NULL, "cloudflare", "Cloudflare AI Gateway" },
	{ "api.cloudflare.com", NULL, "cloudflare", "Cloudflare Workers AI" },
	{ "api.portkey.ai", NULL, "portkey", "Portkey" },
	{ "helicone.ai", NULL, "helicone", "Helicone" },
	{ "ollama.com", NULL, "ollama", "Ollama cloud" },
	{ "pinecone.io", NULL, "pinecone", "Pinecone" },
	{ "*-vector.upstash.io", NULL, "upstash", "Upstash Vector" },
	{ "qdrant.io", NULL, "qdrant", "Qdrant Cloud" },
	{ "weaviate.cloud", NULL, "weaviate", "Weaviate Cloud" },
	{ "weaviate.network", NULL, "weaviate", "Weaviate Cloud" },
	{ "api.trychroma.com", NULL, "chroma", "Chroma Cloud" },
	{ "zillizcloud.com", NULL, "milvus", "Zilliz Cloud (Milvus)" },
	{ "turbopuffer.com", NULL, "turbopuffer", "turbopuffer" },
	{ "search.windows.net", NULL, "azure.ai.search", "Azure AI Search" },
	{ "s3vectors.*.api.aws", NULL, "aws.s3vectors", "Amazon S3 Vectors" },
	{ "api.lancedb.com", NULL, "lancedb", "LanceDB Cloud" },
	{ "elastic-cloud.com", NULL, "elasticsearch", "Elastic Cloud" },
	{ "elastic.cloud", NULL, "elasticsearch", "Elastic Cloud, serverless" },
	{ "api.tavily.com", NULL, "tavily", "Tavily" },
	{ "api.exa.ai", NULL, "exa", "Exa" },
	{ "api.search.brave.com", NULL, "brave", "Brave Search" },
	{ NULL, "/serving-endpoints/", "databricks", "Databricks model serving" },
	{ NULL, "/api/v2/cortex/", "snowflake", "Snowflake Cortex behind another name" },
	{ NULL, "/compatible-mode/", "dashscope", "DashScope behind another name" },
};

/* What a server or gateway on any host says of itself: a header of the answer, or a member of its body. */
static const struct {
	struct slice header;
	struct slice member, starts; /* the member is there, as text that starts so ("": whatever it is) */
	const char *vendor;
} marks[] = {
	{ .header = SLICE("x-litellm-call-id"), .vendor = "litellm" },
	{ .header = SLICE("x-litellm-version"), .vendor = "litellm" },
	{ .member = SLICE("timings"), .vendor = "llama_cpp" },
	{ .member = SLICE("system_fingerprint"), .starts = SLICE("fp_ollama"), .vendor = "ollama" },
	{ .member = SLICE("prompt_logprobs"), .vendor = "vllm" },
	{ .member = SLICE("kv_transfer_params"), .vendor = "vllm" },
};

static const struct dialect_vendor mark_rows[] = {
	{ NULL, NULL, "litellm", "LiteLLM (by its headers)" },
	{ NULL, NULL, "llama_cpp", "llama.cpp (by its answers)" },
	{ NULL, NULL, "ollama", "Ollama (by its answers)" },
	{ NULL, NULL, "vllm", "vLLM (by its answers)" },
};

const struct dialect_vendor *dialect_vendor_at(size_t index)
{
	if (index < ARRAY_SIZE(vendors))
		return &vendors[index];
	index -= ARRAY_SIZE(vendors);
	return index < ARRAY_SIZE(mark_rows) ? &mark_rows[index] : NULL;
}

/* @host ends in @pattern at a label's border; one '*' stands for any characters of one label. */
static bool host_matches(struct slice host, struct slice pattern)
{
	ptrdiff_t star = slice_find(pattern, SLICE("*"));
	struct slice tail = slice_from(pattern, star < 0 ? 0 : (size_t)star + 1);
	struct slice head = slice_head(pattern, star < 0 ? 0 : (size_t)star);
	size_t at;

	if (host.len < tail.len || !slice_equal_nocase(slice_from(host, host.len - tail.len), tail))
		return false;
	at = host.len - tail.len;
	if (star < 0)
		return at == 0 || host.data[at - 1] == '.';
	for (;; at--) {
		struct slice before = slice_head(host, at);

		if (before.len >= head.len && slice_equal_nocase(slice_from(before, before.len - head.len), head) &&
		    (before.len == head.len || before.data[before.len - head.len - 1] == '.'))
			return true;
		if (at == 0 || host.data[at - 1] == '.')
			return false;
	}
}

static bool row_matches(const struct dialect_vendor *row, struct slice host, struct slice path)
{
	if (!row->host && !row->path)
		return false;
	return (!row->host || host_matches(host, slice_of(row->host))) &&
	       (!row->path || slice_starts_nocase(path, slice_of(row->path)));
}

static struct slice host_name(struct slice host)
{
	ptrdiff_t port = slice_find(host, SLICE(":"));

	if (port >= 0)
		host.len = (size_t)port;
	while (host.len && host.data[host.len - 1] == '.')
		host.len--;
	return host;
}

bool vendor_host_is(struct slice host, const char *pattern)
{
	return host_matches(host_name(host), slice_of(pattern));
}

struct slice dialect_vendor_find(struct slice host, struct slice path)
{
	host = host_name(host);
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		if (row_matches(&vendors[i], host, path))
			return slice_of(vendors[i].vendor);
	return SLICE_NONE;
}

struct slice vendor_of(const struct call *call, const char *otherwise)
{
	struct slice found = dialect_vendor_find(call->host, call->path);

	return found.len ? found : slice_of(otherwise);
}

static bool mark_is_there(size_t i, const struct call *call, struct slice answer)
{
	if (marks[i].header.len)
		return call_header(call->response_headers, call->response_header_count, marks[i].header).len > 0;
	json_foreach_member(member, answer)
		if (slice_equal(member.name, marks[i].member) &&
		    slice_starts(json_raw_text(member.value), marks[i].starts))
			return true;
	return false;
}

void vendor_refine(struct call *call, struct slice answer)
{
	if (dialect_vendor_find(call->host, call->path).len)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (mark_is_there(i, call, answer)) {
			call->vendor = slice_of(marks[i].vendor);
			return;
		}
}
