/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages in OpenTelemetry's schema (gen_ai.input.messages …): [{"role", "parts":[…], "finish_reason"?}]. A dialect says
 * what its blocks are, this writes them; `raw` values are JSON as the wire had it, passed on to the letter.
 *
 * From these MLflow's own mlflow.chat.messages are made where its page cannot read the wire's shape. A dialect says so
 * by is_foreign when it meets such a block.
 */
#pragma once
#include "dialect/common.h"

struct parts {
	struct out out;
	struct arena *arena;
	bool is_foreign; /* holds something that MLflow's page cannot show from the wire's own shape */
};

/* @source: the JSON that will be turned over; its size is the guess. */
void parts_init(struct parts *parts, struct call *call, struct slice source);
/* The same for what was asked, which may be megabytes and wait for minutes: where the call defers its messages nothing is written,
 * only is_foreign is found out. */
void parts_init_asked(struct parts *parts, struct call *call, struct slice source);
/* Once: the dialect is to make them now, for chat_messages_from_parts(). */
bool parts_owed(struct call *call);
/* The array, or SLICE_NONE when it is empty or memory ran out. */
struct slice parts_finish(struct parts *parts);

void parts_message_open(struct parts *parts, struct slice role);
/* @reason: the provider's word; left out when @has_reason is false. */
void parts_message_close(struct parts *parts, bool has_reason, struct slice reason);

/* A message of one text. */
void parts_text_message(struct parts *parts, struct slice role, struct slice raw);

void parts_text(struct parts *parts, struct slice raw);
void parts_reasoning(struct parts *parts, struct slice raw);
/* @arguments: an object, or a string that holds one as text. */
void parts_tool_call(struct parts *parts, struct slice id, struct slice name, struct slice arguments);
/* {id, function: {name, arguments}} */
void parts_function_call(struct parts *parts, struct slice object);
void parts_tool_result(struct parts *parts, struct slice id, struct slice result);
/* An image, sound or document: data: URLs and base64 become blobs, other URLs uris, ids files. */
void parts_url(struct parts *parts, struct slice modality, struct slice url);
void parts_blob(struct parts *parts, struct slice modality, struct slice mime_type, struct slice content);
void parts_file(struct parts *parts, struct slice id);
/* A block that the schema has no word for: as it is, its own "type" in front. */
void parts_other(struct parts *parts, struct slice object);

/* stop, length, content_filter, tool_call or error for any provider's word. */
struct slice finish_reason_neutral(struct slice reason);

/* A list of one message of one text. */
struct slice text_message(struct call *call, struct slice role, struct slice raw);
/* A text that is not empty as system_instructions. */
void system_text_put(struct call *call, struct slice raw);

/* mlflow.chat.messages of system_instructions, input_messages and output_messages. */
struct slice chat_messages_from_parts(struct call *call);
/* The same into the call, where there is a message. */
void chat_messages_put(struct call *call);
