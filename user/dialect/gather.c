/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing here knows a provider: what a member or an item means is its dialect's. */
#include "dialect/gather.h"

bool text_gather(struct call *call, struct pieces *text, struct slice string)
{
	struct slice raw = json_raw_text(string);

	call_lost(call, pieces_add(call->arena, text, raw));
	return raw.len;
}

void elements_gather(struct call *call, struct pieces *list, struct slice elements)
{
	if (list->len)
		call_lost(call, pieces_add(call->arena, list, SLICE(",")));
	call_lost(call, pieces_add(call->arena, list, elements));
}

void member_gather(struct call *call, struct members *members, struct slice name, struct slice value)
{
	struct name_value *items = members->items;
	size_t i = 0;

	while (i < members->count && !slice_equal(items[i].name, name))
		i++;
	if (i < members->count && json_type(value) == JSON_NULL)
		return;
	if (i == members->count && i < MEMBERS_MAX) {
		items[i] = (struct name_value){ arena_dup(call->arena, name), SLICE_NONE };
		members->count += items[i].name.data != NULL;
	}
	call_lost(call, i < members->count && slice_hold(call->arena, &items[i].value, value));
}

void members_gather(struct call *call, struct members *members, struct slice object)
{
	if (json_type(object) == JSON_OBJECT)
		json_foreach_member(member, object)
			member_gather(call, members, member.name, member.value);
}

void members_put(struct buf *out, const struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		if (!members->items[i].value.data)
			continue;
		json_put_raw_name(out, members->items[i].name);
		json_put_raw(out, members->items[i].value);
	}
}

size_t members_size(const struct members *members)
{
	size_t size = 0;

	for (size_t i = 0; i < members->count; i++)
		size += members->items[i].name.len + members->items[i].value.len + 4;
	return size;
}
