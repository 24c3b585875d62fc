/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON wants a list in one place, the wire may scatter it: so the message is walked once to see what is there, and once
 * more for each field of the table that is. Of a single field that comes twice the last counts.
 */
#include "cleanup.h"
#include "json.h"
#include "pb.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct writer {
	struct buf *out;
	size_t *unknown;
	unsigned depth;
	int error; /* the first */
};

static void message_put(struct writer *writer, const struct pb_message *message, struct slice bytes);

static void fail(struct writer *writer, int error)
{
	if (!writer->error)
		writer->error = error;
}

/* ---- values ---- */

static enum pb_wire wire_of(enum pb_kind kind)
{
	switch (kind) {
	case PB_STRING:
	case PB_BYTES:
	case PB_MESSAGE:
	case PB_TIMESTAMP:
	case PB_DURATION:
		return PB_WIRE_BYTES;
	case PB_FIXED32:
	case PB_SFIXED32:
	case PB_FLOAT:
		return PB_WIRE_32;
	case PB_FIXED64:
	case PB_SFIXED64:
	case PB_DOUBLE:
		return PB_WIRE_64;
	default:
		return PB_WIRE_VARINT;
	}
}

static void base64_put(struct buf *out, struct slice bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = (const unsigned char *)bytes.data;

	json_put_raw(out, SLICE("\""));
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t three =
			(uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
		char four[4] = { digits[three >> 18], digits[three >> 12 & 63], digits[three >> 6 & 63],
				 digits[three & 63] };

		if (left < 3)
			memcpy(four + left + 1, "==", 3 - left);
		buf_put(out, (struct slice){ four, 4 });
	}
	buf_put_char(out, '"');
}

static void number_text_put(struct buf *out, bool is_signed, uint64_t value)
{
	json_put_raw(out, SLICE("\""));
	if (is_signed)
		buf_printf(out, "%lld", (long long)value);
	else
		buf_printf(out, "%llu", (unsigned long long)value);
	buf_put_char(out, '"');
}

static int64_t zigzag(uint64_t value)
{
	return (int64_t)(value >> 1 ^ -(value & 1));
}

/* The shortest text that reads back as the same number of that width. */
static void real_put(struct buf *out, double value, bool is_float)
{
	char text[40];

	if (!isfinite(value)) {
		json_put_text(out, isnan(value) ? SLICE("NaN") : value > 0 ? SLICE("Infinity") : SLICE("-Infinity"));
		return;
	}
	if (!is_float) {
		json_put_double(out, value);
		return;
	}
	for (int digits = 6; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtof(text, NULL) == (float)value)
			break;
	}
	json_put_raw(out, slice_of(text));
	if (!strpbrk(text, ".e"))
		buf_put(out, SLICE(".0"));
}

static void enum_put(struct buf *out, const struct pb_enum *names, int32_t value)
{
	for (size_t i = 0; names && i < names->count; i++)
		if (names->names[i].value == value)
			return json_put_text(out, slice_of(names->names[i].name));
	json_put_int(out, value);
}

static void real_bits_put(struct buf *out, enum pb_kind kind, uint64_t bits)
{
	uint32_t low = (uint32_t)bits;
	double wide;
	float narrow;

	memcpy(&narrow, &low, sizeof(narrow));
	memcpy(&wide, &bits, sizeof(wide));
	real_put(out, kind == PB_FLOAT ? (double)narrow : wide, kind == PB_FLOAT);
}

static void scalar_put(struct writer *writer, const struct pb_field *field, enum pb_kind kind, uint64_t value)
{
	struct buf *out = writer->out;

	switch (kind) {
	case PB_BOOL:
		return json_put_bool(out, value != 0);
	case PB_INT32:
	case PB_SFIXED32:
		return json_put_int(out, (int32_t)value);
	case PB_UINT32:
	case PB_FIXED32:
		return json_put_int(out, (uint32_t)value);
	case PB_SINT32:
		return json_put_int(out, (int32_t)zigzag(value & UINT32_MAX));
	case PB_NUMBER64:
		return json_put_int(out, (int64_t)value);
	case PB_INT64:
	case PB_SFIXED64:
		return number_text_put(out, true, value);
	case PB_UINT64:
	case PB_FIXED64:
		return number_text_put(out, false, value);
	case PB_SINT64:
		return number_text_put(out, true, (uint64_t)zigzag(value));
	case PB_FLOAT:
	case PB_DOUBLE:
		return real_bits_put(out, kind, value);
	default:
		return enum_put(out, field->names, (int32_t)value);
	}
}

/* ---- time ---- */

/* Days since 1970 as a date of the Gregorian calendar, by counting from March, so that the leap day comes last. */
static void date_of(int64_t days, int *year, int *month, int *day)
{
	int64_t from_march = days + 719468, era = (from_march >= 0 ? from_march : from_march - 146096) / 146097;
	int64_t of_era = from_march - era * 146097;
	int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
	int64_t shifted = (5 * of_year + 2) / 153;

	*day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
	*month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	*year = (int)(years + era * 400 + (*month <= 2));
}

/* Nothing, or 3, 6 or 9 digits. */
static void fraction_put(struct buf *out, uint32_t nanos)
{
	if (!nanos)
		return;
	if (nanos % 1000000 == 0)
		buf_printf(out, ".%03u", nanos / 1000000);
	else if (nanos % 1000 == 0)
		buf_printf(out, ".%06u", nanos / 1000);
	else
		buf_printf(out, ".%09u", nanos);
}

static void timestamp_put(struct buf *out, int64_t seconds, int32_t nanos)
{
	int64_t days = seconds / 86400, rest = seconds % 86400;
	int year, month, day;

	if (rest < 0) {
		rest += 86400;
		days--;
	}
	date_of(days, &year, &month, &day);
	json_put_raw(out, SLICE("\""));
	buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, (int)(rest / 3600), (int)(rest / 60 % 60),
		   (int)(rest % 60));
	fraction_put(out, (uint32_t)nanos);
	buf_put(out, SLICE("Z\""));
}

static void duration_put(struct buf *out, int64_t seconds, int32_t nanos)
{
	bool is_negative = seconds < 0 || nanos < 0;

	json_put_raw(out, is_negative ? SLICE("\"-") : SLICE("\""));
	buf_printf(out, "%lld", (long long)(seconds < 0 ? -seconds : seconds));
	fraction_put(out, (uint32_t)(nanos < 0 ? -nanos : nanos));
	buf_put(out, SLICE("s\""));
}

/* Both are {1 seconds, 2 nanoseconds}. Years have four digits; what is beyond is damaged. */
static void time_put(struct writer *writer, enum pb_kind kind, struct slice bytes)
{
	static const int64_t first = -62135596800, last = 253402300799, duration_max = 315576000000;
	int64_t seconds = (int64_t)pb_varint(bytes, 1);
	int32_t nanos = (int32_t)pb_varint(bytes, 2);
	int64_t low = kind == PB_TIMESTAMP ? first : -duration_max, high = kind == PB_TIMESTAMP ? last : duration_max;

	if (seconds < low || seconds > high || nanos > 999999999 || nanos < (kind == PB_TIMESTAMP ? 0 : -999999999)) {
		fail(writer, -EBADMSG);
		json_put_null(writer->out);
	} else if (kind == PB_TIMESTAMP) {
		timestamp_put(writer->out, seconds, nanos);
	} else {
		duration_put(writer->out, seconds, nanos);
	}
}

/* ---- fields ---- */

static void value_put(struct writer *writer, const struct pb_field *field, const struct pb_item *item)
{
	switch (field->kind) {
	case PB_STRING:
		return json_put_text(writer->out, item->bytes);
	case PB_BYTES:
		return base64_put(writer->out, item->bytes);
	case PB_MESSAGE:
		return message_put(writer, field->message, item->bytes);
	case PB_TIMESTAMP:
	case PB_DURATION:
		return time_put(writer, field->kind, item->bytes);
	default:
		return scalar_put(writer, field, field->kind, item->value);
	}
}

/* Lists of numbers may come as one piece of bytes. */
static bool is_packed(const struct pb_field *field, const struct pb_item *item)
{
	return field->is_repeated && item->wire == PB_WIRE_BYTES && wire_of(field->kind) != PB_WIRE_BYTES;
}

static bool item_is_of(const struct pb_field *field, const struct pb_item *item)
{
	if (item->number != field->number)
		return false;
	if (field->kind == PB_HIDDEN)
		return true;
	if (field->is_map)
		return item->wire == PB_WIRE_BYTES;
	return item->wire == wire_of(field->kind) || is_packed(field, item);
}

static void packed_put(struct writer *writer, const struct pb_field *field, struct slice bytes)
{
	struct pb_reader reader = { .rest = bytes };
	uint64_t value;

	while (pb_next_packed(&reader, wire_of(field->kind), &value))
		scalar_put(writer, field, field->kind, value);
	if (reader.is_broken)
		fail(writer, -EBADMSG);
}

static void key_put(struct writer *writer, const struct pb_field *field, struct slice entry)
{
	bool is_text = !field->key || field->key == PB_STRING;
	struct buf *out = writer->out;
	uint64_t key = is_text ? 0 : pb_varint(entry, 1);

	if (is_text)
		json_put_text(out, pb_bytes(entry, 1));
	else if (field->key == PB_BOOL)
		json_put_text(out, key ? SLICE("true") : SLICE("false"));
	else
		number_text_put(out, true,
				field->key == PB_SINT32 || field->key == PB_SINT64 ? (uint64_t)zigzag(key) : key);
	buf_put_char(out, ':');
}

/* A value that is the default of its kind is not on the wire. */
static void entry_put(struct writer *writer, const struct pb_field *field, struct slice entry)
{
	struct pb_field value = { .number = 2, .kind = field->kind, .message = field->message, .names = field->names };
	struct pb_item item, found = { 0 };
	struct pb_reader reader = { .rest = entry };

	while (pb_next(&reader, &item))
		if (item_is_of(&value, &item))
			found = item;
	if (reader.is_broken)
		fail(writer, -EBADMSG);
	key_put(writer, field, entry);
	value_put(writer, &value, &found);
}

static void repeated_put(struct writer *writer, const struct pb_field *field, struct slice bytes)
{
	struct pb_reader reader = { .rest = bytes };
	struct pb_item item;

	json_open(writer->out, field->is_map ? '{' : '[');
	while (pb_next(&reader, &item)) {
		if (!item_is_of(field, &item))
			continue;
		if (field->is_map)
			entry_put(writer, field, item.bytes);
		else if (is_packed(field, &item))
			packed_put(writer, field, item.bytes);
		else
			value_put(writer, field, &item);
	}
	json_close(writer->out, field->is_map ? '}' : ']');
}

static void field_put(struct writer *writer, const struct pb_field *field, struct slice bytes)
{
	struct pb_reader reader = { .rest = bytes };
	struct pb_item item, last = { 0 };

	if (field->is_repeated || field->is_map)
		return repeated_put(writer, field, bytes);
	while (pb_next(&reader, &item))
		if (item_is_of(field, &item))
			last = item;
	value_put(writer, field, &last);
}

/* ---- messages ---- */

/* Which fields of the table are there: a bit for each. */
static uint64_t fields_there(struct writer *writer, const struct pb_message *message, struct slice bytes)
{
	struct pb_reader reader = { .rest = bytes };
	size_t count = MIN(message->count, (size_t)PB_FIELDS_MAX), i;
	struct pb_item item;
	uint64_t there = 0;

	while (pb_next(&reader, &item)) {
		for (i = 0; i < count && !item_is_of(&message->fields[i], &item); i++)
			;
		if (i == count)
			++*writer->unknown;
		else if (message->fields[i].kind != PB_HIDDEN)
			there |= (uint64_t)1 << i;
	}
	if (reader.is_broken)
		fail(writer, -EBADMSG);
	return there;
}

static void object_put(struct writer *writer, const struct pb_message *message, struct slice bytes, uint64_t there)
{
	json_open(writer->out, '{');
	for (size_t i = 0; there; i++, there >>= 1) {
		if (!(there & 1))
			continue;
		json_put_name(writer->out, slice_of(message->fields[i].name));
		field_put(writer, &message->fields[i], bytes);
	}
	json_close(writer->out, '}');
}

static void bare_put(struct writer *writer, const struct pb_message *message, struct slice bytes, uint64_t there)
{
	if (there)
		field_put(writer, &message->fields[__builtin_ctzll(there)], bytes);
	else
		json_put_raw(writer->out, slice_of(message->bare));
}

static void message_put(struct writer *writer, const struct pb_message *message, struct slice bytes)
{
	uint64_t there;

	if (writer->depth == PB_DEPTH_MAX) {
		fail(writer, -E2BIG);
		json_put_null(writer->out);
		return;
	}
	writer->depth++;
	there = fields_there(writer, message, bytes);
	if (message->bare)
		bare_put(writer, message, bytes, there);
	else
		object_put(writer, message, bytes, there);
	writer->depth--;
}

int pb_put_json(struct buf *out, const struct pb_message *message, struct slice bytes, size_t *unknown)
{
	struct writer writer = { .out = out, .unknown = unknown };

	message_put(&writer, message, bytes);
	return writer.error;
}

/* ---- natural JSON ---- */

static const struct pb_field struct_fields[] = { PB_MAP(1, NULL, PB_MESSAGE, .message = &pb_value) };
static const struct pb_field list_fields[] = {
	PB_LIST(1, NULL, PB_MESSAGE, .message = &pb_value),
};
static const struct pb_field value_fields[] = {
	PB_FIELD(2, NULL, PB_DOUBLE),
	PB_FIELD(3, NULL, PB_STRING),
	PB_FIELD(4, NULL, PB_BOOL),
	PB_FIELD(5, NULL, PB_MESSAGE, .message = &pb_struct),
	PB_FIELD(6, NULL, PB_MESSAGE, .message = &pb_list),
	PB_FIELD(1, NULL, PB_HIDDEN), /* null: what stands where nothing is */
};
const struct pb_message pb_struct = PB_BARE(struct_fields, "{}");
const struct pb_message pb_list = PB_BARE(list_fields, "[]");
const struct pb_message pb_value = PB_BARE(value_fields, "null");
