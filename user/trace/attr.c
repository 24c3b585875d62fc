/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes are nodes of the span's arena. Names that are literals are never copied; values are, where the span is to
 * outlive its call. */
#include "trace/attr.h"

void *make_room(struct maker *maker, size_t len)
{
	void *room = arena_alloc(maker->arena, len);

	if (!room)
		maker->failed = true;
	return room;
}

struct slice make_keep(struct maker *maker, struct slice text)
{
	struct slice copy;

	if (!maker->keeps || !text.len)
		return text;
	copy = arena_dup(maker->arena, text);
	if (!copy.data)
		maker->failed = true;
	return copy;
}

struct slice make_from_buf(struct maker *maker, struct buf *buf)
{
	struct slice copy = buf->failed ? SLICE_NONE : arena_dup(maker->arena, buf_slice(buf));

	if (!copy.data)
		maker->failed = true;
	buf_free(buf);
	return copy;
}

static struct attribute *attribute_new(struct maker *maker, struct slice name, struct value value)
{
	struct attribute *attribute = make_room(maker, sizeof(*attribute));

	if (attribute)
		*attribute = (struct attribute){ .name = name, .value = value };
	return attribute;
}

void put_value(struct maker *maker, struct slice name, struct value value)
{
	struct attribute *attribute;

	semconv_turn(maker->semconv, maker->operation, &name, &value);
	attribute = attribute_new(maker, name, value);
	if (!attribute)
		return;
	*maker->span->attributes_tail = attribute;
	maker->span->attributes_tail = &attribute->next;
}

void put_text(struct maker *maker, const char *name, struct slice text)
{
	if (text.len)
		put_value(maker, slice_of(name), (struct value){ VALUE_TEXT, .text = make_keep(maker, text) });
}

void put_int(struct maker *maker, const char *name, int64_t value)
{
	put_value(maker, slice_of(name), (struct value){ VALUE_INT, .integer = value });
}

void put_told(struct maker *maker, const char *name, int64_t value)
{
	if (value >= 0)
		put_int(maker, name, value);
}

void put_double(struct maker *maker, const char *name, double value)
{
	put_value(maker, slice_of(name), (struct value){ VALUE_DOUBLE, .number = value });
}

void put_bool(struct maker *maker, const char *name, bool value)
{
	put_value(maker, slice_of(name), (struct value){ VALUE_BOOL, .truth = value });
}

static void texts_put(struct maker *maker, struct slice name, const struct slice *list, size_t count)
{
	struct slice *copy = count ? make_room(maker, count * sizeof(*copy)) : NULL;

	if (!copy)
		return;
	for (size_t i = 0; i < count; i++)
		copy[i] = make_keep(maker, list[i]);
	put_value(maker, name, (struct value){ VALUE_TEXTS, .texts = { copy, count } });
}

void put_texts(struct maker *maker, const char *name, const struct slice *list, size_t count)
{
	texts_put(maker, slice_of(name), list, count);
}

void put_attributes(struct maker *maker, const struct attribute *attributes)
{
	for (; attributes; attributes = attributes->next) {
		struct value value = attributes->value;

		if (value.type == VALUE_TEXTS) {
			texts_put(maker, attributes->name, value.texts.list, value.texts.count);
			continue;
		}
		if (value.type == VALUE_TEXT)
			value.text = make_keep(maker, value.text);
		put_value(maker, attributes->name, value);
	}
}

void put_event(struct maker *maker, struct slice name, uint64_t time_unix_ns, const struct name_value *attributes,
	       size_t count)
{
	struct span_event *event = make_room(maker, sizeof(*event));
	struct attribute **tail;

	if (!event)
		return;
	*event = (struct span_event){ .name = name, .time_unix_ns = time_unix_ns };
	tail = &event->attributes;
	for (size_t i = 0; i < count; i++) {
		struct value text = { VALUE_TEXT, .text = make_keep(maker, attributes[i].value) };

		*tail = attribute_new(maker, attributes[i].name, text);
		if (!*tail)
			return;
		tail = &(*tail)->next;
	}
	*maker->span->events_tail = event;
	maker->span->events_tail = &event->next;
}
