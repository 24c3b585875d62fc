/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A field is a number with its wire type, then what the type says. Everything that does not fit into what is left ends
 * the walk for good: after a wrong length there is no next field. Format: the encoding of protocol buffers.
 */
#include "pb.h"

enum { VARINT_BYTES_MAX = 10, GROUP_DEPTH_MAX = 100, NUMBER_MAX = (1 << 29) - 1 };

static bool take_varint(struct slice *rest, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < rest->len && i < VARINT_BYTES_MAX; i++) {
		unsigned char c = (unsigned char)rest->data[i];

		if (i == VARINT_BYTES_MAX - 1 && c > 1)
			return false; /* more than 64 bits */
		value |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c & 0x80)
			continue;
		*rest = slice_from(*rest, i + 1);
		*ret = value;
		return true;
	}
	return false;
}

/* Low byte first. */
static bool take_fixed(struct slice *rest, size_t len, uint64_t *ret)
{
	uint64_t value = 0;

	if (rest->len < len)
		return false;
	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)(unsigned char)rest->data[i] << (8 * i);
	*rest = slice_from(*rest, len);
	*ret = value;
	return true;
}

static bool take_tag(struct slice *rest, uint32_t *number, enum pb_wire *wire)
{
	uint64_t tag;

	if (!take_varint(rest, &tag) || tag >> 3 == 0 || tag >> 3 > NUMBER_MAX || (tag & 7) > PB_WIRE_32)
		return false;
	*number = (uint32_t)(tag >> 3);
	*wire = (enum pb_wire)(tag & 7);
	return true;
}

/* All but groups. */
static bool take_plain(struct slice *rest, enum pb_wire wire, struct pb_item *ret)
{
	switch (wire) {
	case PB_WIRE_VARINT:
		return take_varint(rest, &ret->value);
	case PB_WIRE_64:
		return take_fixed(rest, 8, &ret->value);
	case PB_WIRE_32:
		return take_fixed(rest, 4, &ret->value);
	case PB_WIRE_BYTES:
		if (!take_varint(rest, &ret->value) || ret->value > rest->len)
			return false;
		ret->bytes = slice_head(*rest, ret->value);
		*rest = slice_from(*rest, ret->value);
		return true;
	default:
		return false;
	}
}

/* Groups lie in one another; each end must name the one that is open. */
static bool take_group(struct slice *rest, uint32_t number)
{
	uint32_t open[GROUP_DEPTH_MAX] = { number }, inner;
	struct pb_item passed;
	enum pb_wire wire;
	size_t depth = 1;

	while (depth) {
		if (!take_tag(rest, &inner, &wire))
			return false;
		if (wire == PB_WIRE_GROUP_END) {
			if (inner != open[--depth])
				return false;
		} else if (wire == PB_WIRE_GROUP) {
			if (depth == GROUP_DEPTH_MAX)
				return false;
			open[depth++] = inner;
		} else if (!take_plain(rest, wire, &passed)) {
			return false;
		}
	}
	return true;
}

bool pb_next(struct pb_reader *reader, struct pb_item *ret)
{
	struct slice rest = reader->rest, before;
	bool taken;

	if (!rest.len || reader->is_broken)
		return false;
	*ret = (struct pb_item){ 0 };
	taken = take_tag(&rest, &ret->number, &ret->wire);
	before = rest;
	if (taken && ret->wire == PB_WIRE_GROUP)
		taken = take_group(&rest, ret->number);
	else if (taken)
		taken = take_plain(&rest, ret->wire, ret);
	reader->is_broken = !taken;
	if (!taken)
		return false;
	if (ret->wire == PB_WIRE_GROUP)
		ret->bytes = slice_head(before, before.len - rest.len);
	reader->rest = rest;
	return true;
}

bool pb_next_packed(struct pb_reader *reader, enum pb_wire wire, uint64_t *ret)
{
	struct pb_item item = { 0 };

	if (!reader->rest.len || reader->is_broken)
		return false;
	reader->is_broken = wire == PB_WIRE_BYTES || !take_plain(&reader->rest, wire, &item);
	*ret = item.value;
	return !reader->is_broken;
}

struct slice pb_bytes(struct slice message, uint32_t number)
{
	struct pb_reader reader = { .rest = message };
	struct slice found = SLICE_NONE;
	struct pb_item item;

	while (pb_next(&reader, &item))
		if (item.number == number && item.wire == PB_WIRE_BYTES)
			found = item.bytes;
	return found;
}

uint64_t pb_varint(struct slice message, uint32_t number)
{
	struct pb_reader reader = { .rest = message };
	struct pb_item item;
	uint64_t found = 0;

	while (pb_next(&reader, &item))
		if (item.number == number && item.wire == PB_WIRE_VARINT)
			found = item.value;
	return found;
}
