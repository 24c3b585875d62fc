/* SPDX-License-Identifier: Apache-2.0 */
/* What is done: by a call, or by the provider on its own side while it answers. */
#pragma once
#include "model/span.h"

/* What the call is for: decides span type and gen_ai.operation.name. */
enum call_operation {
	OPERATION_UNKNOWN, /* LLM-like, but of no dialect that we know */
	OPERATION_CHAT,
	OPERATION_TEXT_COMPLETION,
	OPERATION_EMBEDDINGS,
	OPERATION_RERANK,
	OPERATION_IMAGE,
	OPERATION_MODERATION,
	OPERATION_COUNT_TOKENS,
	OPERATION_SPEECH,        /* text to sound */
	OPERATION_TRANSCRIPTION, /* sound to text */
	OPERATION_RETRIEVAL,     /* a search in a vector store or the web: outputs are documents */
	OPERATION_TOOL,          /* a tool that runs elsewhere: MCP */
	OPERATION_TOOL_LIST,     /* what tools, resources, prompts there are: MCP */
	OPERATION_AGENT,         /* an agent that answers for itself: A2A, assistants, agents of clouds */
	OPERATION_FETCH,         /* an answer that was made earlier: its tokens are not counted twice */
	OPERATION_COMPACT,       /* a conversation made shorter */
	OPERATION_GENERATE,      /* Google's word for chat: any contents, any modality */
	_OPERATION_MAX,
};

/* Something that the provider did on its side while it answered (a search, code, an MCP call): a child span. */
struct call_step {
	struct call_step *next;
	enum call_operation operation;
	struct slice name;            /* of the tool */
	struct slice id;              /* of the tool call, or empty */
	struct slice inputs, outputs; /* JSON text */
	struct attribute *attributes;
	uint64_t start_ns, end_ns; /* as far as the stream tells; 0: the answer's own */
	bool has_failed;
	struct slice error; /* its message */
};
