/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of MLflow's trace table for servers before 3.11, which do not make them from spans that came first: the text of
 * the last user message and of the last assistant message; what is no conversation is shown as the JSON it is, cut.
 */
#include "base/json.h"
#include "sink/mlflow.h"

enum { PREVIEW_MAX = 1000 };

/* Text of a message's content: a string, or the last text part of a list. */
static struct slice content_text(struct arena *arena, struct slice content)
{
	struct slice text = json_text(arena, content);

	json_foreach_element(part, content) {
		struct slice found = json_text(arena, json_get(part.value, SLICE("text")));

		if (found.len)
			text = found;
	}
	return text;
}

static struct slice last_of_role(struct arena *arena, struct slice list, struct slice role)
{
	struct slice text = SLICE_NONE;

	json_foreach_element(message, list) {
		struct slice found = json_text_is(json_get(message.value, SLICE("role")), role)
					     ? content_text(arena, json_get(message.value, SLICE("content")))
					     : SLICE_NONE;

		if (found.len)
			text = found;
	}
	return text;
}

static struct slice first_that_speaks(struct slice a, struct slice b)
{
	return a.len ? a : b;
}

static void preview_put(struct buf *out, struct slice name, struct slice text, struct slice raw, struct arena *arena)
{
	struct slice shown = first_that_speaks(text, raw);

	if (shown.len > PREVIEW_MAX) {
		size_t len = PREVIEW_MAX - 3;

		while (len && ((unsigned char)shown.data[len] & 0xc0) == 0x80)
			len--;
		shown = arena_printf(arena, "%.*s...", (int)len, shown.data);
	}
	if (shown.len)
		json_member_text(out, name, shown);
}

void mlflow_preview_put(const Otlp__Span *root, struct arena *arena, struct buf *out)
{
	struct slice inputs = slice_of(attribute_text(root->attributes, root->n_attributes, "mlflow.spanInputs"));
	struct slice outputs = slice_of(attribute_text(root->attributes, root->n_attributes, "mlflow.spanOutputs"));
	struct slice asked = SLICE_NONE, answered = SLICE_NONE;

	if (json_check(inputs, JSON_DEPTH_MAX) == 0)
		asked = first_that_speaks(last_of_role(arena, json_get(inputs, SLICE("messages")), SLICE("user")),
					  last_of_role(arena, json_get(inputs, SLICE("input")), SLICE("user")));
	if (json_check(outputs, JSON_DEPTH_MAX) == 0)
		answered = first_that_speaks(
			content_text(arena, json_path(outputs, "choices", "#0", "message", "content", NULL)),
			last_of_role(arena, json_get(outputs, SLICE("output")), SLICE("assistant")));
	preview_put(out, SLICE("request_preview"), asked, inputs, arena);
	preview_put(out, SLICE("response_preview"), answered, outputs, arena);
}
