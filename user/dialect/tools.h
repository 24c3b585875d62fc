/* SPDX-License-Identifier: Apache-2.0 */
/* Tool definitions of a request in the shape MLflow knows: {"type":"function","function":{name, description?, parameters?}}. */
#pragma once
#include "dialect/common.h"

/* Chat completions and Ollama: as they are; custom tools by name. @functions: the old member of that name, or empty. */
struct slice tools_from_chat(struct call *call, struct slice tools, struct slice functions);
/* Responses: flat functions; of the tools that the provider runs itself those that autolog names too; namespaces are opened.
 * @input: its items may bring tools of their own (additional_tools). */
struct slice tools_from_responses(struct call *call, struct slice tools, struct slice input);
/* Messages: input_schema is what others call parameters; tools that the provider runs are known by name only. */
struct slice tools_from_messages(struct call *call, struct slice tools);
