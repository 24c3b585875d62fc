/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of a call that grow at their end: both are written by dialects and read by trace, in this order. */
#include "model/call.h"

static void put(struct call *call, const char *name, struct value value)
{
	struct attribute *attribute = arena_new_of(call->arena, struct attribute);

	if (!attribute)
		return;
	attribute->name = slice_of(name);
	attribute->value = value;
	if (!call->attributes)
		call->attributes_tail = &call->attributes;
	*call->attributes_tail = attribute;
	call->attributes_tail = &attribute->next;
}

void call_put_text(struct call *call, const char *name, struct slice text)
{
	if (text.len)
		put(call, name, (struct value){ VALUE_TEXT, .text = text });
}

void call_put_count(struct call *call, const char *name, int64_t value)
{
	if (value >= 0)
		put(call, name, (struct value){ VALUE_INT, .integer = value });
}

void call_put_double(struct call *call, const char *name, double value)
{
	put(call, name, (struct value){ VALUE_DOUBLE, .number = value });
}

void call_put_bool(struct call *call, const char *name, bool value)
{
	put(call, name, (struct value){ VALUE_BOOL, .truth = value });
}

void call_put_texts(struct call *call, const char *name, const struct slice *list, size_t count)
{
	if (count)
		put(call, name, (struct value){ VALUE_TEXTS, .texts = { list, count } });
}

struct call_step *call_add_step(struct call *call)
{
	struct call_step *step = arena_new_of(call->arena, struct call_step);

	if (!step)
		return NULL;
	step->operation = OPERATION_TOOL;
	if (!call->steps)
		call->steps_tail = &call->steps;
	*call->steps_tail = step;
	call->steps_tail = &step->next;
	return step;
}
