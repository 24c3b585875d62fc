/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream of the OpenAI family has brought so far, between openai_stream.c (gathers) and openai_object.c (writes). */
#pragma once
#include "dialect/openai.h"

enum { CHOICES_MAX = 256, TOOLS_MAX = 1024 };

enum slot {
	SLOT_CONTENT,
	SLOT_TEXT, /* completions */
	SLOT_REFUSAL,
	SLOT_REASONING_CONTENT,
	SLOT_REASONING,
	SLOT_REASONING_TEXT,
	SLOT_REASONING_DETAILS,
	SLOT_ANNOTATIONS,
	SLOT_IMAGES,
	SLOT_EXECUTED_TOOLS,
	SLOT_FUNCTION_NAME,
	SLOT_FUNCTION_ARGUMENTS,
	SLOT_AUDIO_DATA,
	SLOT_AUDIO_TRANSCRIPT,
	SLOT_LOGPROBS,         /* elements of logprobs.content */
	SLOT_LOGPROBS_REFUSAL, /* elements of logprobs.refusal */
	SLOT_THINKING,         /* Mistral: text of content blocks of this type */
	SLOT_BLOCKS,           /* other content blocks */
	_SLOT_MAX,
};

struct openai_tool {
	struct openai_tool *next;
	int64_t index;
	bool is_custom;
	struct slice id, name, extra; /* raw JSON */
	struct pieces arguments;
};

struct openai_choice {
	struct openai_choice *next;
	int64_t index;
	struct slice role, finish_reason, audio_id, audio_expires; /* raw JSON */
	bool has_content;
	struct pieces slots[_SLOT_MAX];
	struct openai_tool *tools, *last_tool;
	size_t tool_count;
};

/* Members of hosts that belong to the answer as a whole; the last one counts. */
#define OPENAI_EXTRA_0 SLICE("citations")
#define OPENAI_EXTRA_1 SLICE("search_results")
#define OPENAI_EXTRA_2 SLICE("provider")
#define OPENAI_EXTRA_3 SLICE("timings")
