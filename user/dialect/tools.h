/* SPDX-License-Identifier: Apache-2.0 */
/* Tool definitions of a request in the shape MLflow knows: {"type":"function","function":{name, description?, parameters?}}. */
#pragma once
#include "dialect/common.h"

/* For dialects whose tools differ: the list, which is SLICE_NONE when no tool was put, ... */
void tools_open(struct out *out, struct call *call, struct slice tools);
struct slice tools_close(struct out *out);
/* ... one tool in it, up to its description (raw JSON, like the name): its parameters are written between the two; ... */
void tool_open(struct buf *out, struct slice name, struct slice description);
void tool_close(struct buf *out);
/* ... and a schema: @own writes or drops a member that it returns true for, the others go as they are. */
typedef bool schema_own(struct buf *out, const struct json_iter *member);
void schema_put(struct buf *out, struct slice schema, schema_own *own);
/* The member that holds the properties, each a schema; false when @member is another. */
bool schema_properties_put(struct buf *out, const struct json_iter *member, schema_own *own);

/* Chat completions and Ollama: as they are; custom tools by name. @functions: the old member of that name, or empty. */
struct slice tools_from_chat(struct call *call, struct slice tools, struct slice functions);
/* Responses: flat functions; of the tools that the provider runs itself those that autolog names too; namespaces are opened.
 * @input: its items may bring tools of their own (additional_tools). */
struct slice tools_from_responses(struct call *call, struct slice tools, struct slice input);
/* Messages: input_schema is what others call parameters; tools that the provider runs are known by name only. */
struct slice tools_from_messages(struct call *call, struct slice tools);
