/* SPDX-License-Identifier: Apache-2.0 */
/* What the dialects of the OpenAI family share: messages, content blocks, usage, names of spans. */
#pragma once
#include "dialect/gather.h"
#include "dialect/parts.h"

/* "Completions" or "AsyncCompletions", as the client is. */
#define SPAN_NAME(call, name) (client_is_async(call) ? SLICE("Async" name) : SLICE(name))

/* One message of chat completions, wholly; @reason as parts_message_close(). */
void openai_message(struct parts *parts, struct slice message, bool has_reason, struct slice reason);
/* A list of messages of chat completions as input_messages. */
void openai_input_messages(struct call *call, struct slice messages, bool *ret_is_foreign);
/* At the end of a chat: what MLflow's page is shown where it cannot read the wire's own shape. */
void openai_chat_messages(struct call *call, bool is_foreign);
/* Content: a string, or blocks of chat completions or Responses. */
void openai_content(struct parts *parts, struct slice content);
/* Usage of chat completions, completions and embeddings. */
void openai_usage_read(struct call *call, struct slice usage);
/* What a host says in its usage that the call cost. */
void openai_cost_read(struct call *call, struct slice usage);
/* id, model, service tier and fingerprint of an answer; the vendor where only the answer tells it. */
void openai_answer_head(struct call *call, struct slice answer);
/* A chat.completion object, whether it came so or was assembled. */
void openai_chat_answer(struct call *call, struct slice answer, bool *ret_is_foreign);
/* A text_completion object. */
void openai_completion_answer(struct call *call, struct slice answer);

/* gen_ai.output.type that a request asks for, or empty. */
struct slice openai_output_type(struct slice response_format, struct slice modalities);
/* The model in the path (an Azure deployment, a serving endpoint), or empty. */
struct slice openai_path_model(const struct call *call);

/* ---- streams of chat.completion.chunk and text_completion ---- */
struct openai_choice;

enum { OPENAI_EXTRAS = 4 };

struct openai_stream {
	struct slice id, created, model, fingerprint, usage;
	struct slice extras[OPENAI_EXTRAS]; /* see openai_stream.h */
	struct openai_choice *first, *last, *recent;
	size_t count;
	uint64_t events;
};

enum dialect_event openai_stream_event(struct call *call, struct openai_stream *stream,
				       const struct message_part *part);
/* The object that the same answer would have been in one piece; SLICE_NONE when memory ran out. */
struct slice openai_stream_object(struct call *call, struct openai_stream *stream, bool is_chat);
/* The finish reasons that were really on the wire. */
void openai_stream_finish_reasons(struct call *call, const struct openai_stream *stream);
