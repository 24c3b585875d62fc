/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres.pgvector: a statement that orders rows by their distance to a vector. The columns are told once, then come rows;
 * each row is a document of which the columns are the members, so what the application called its columns tells which is the
 * text, the id and the score. Messages are as their carrier tells them: a letter and a payload.
 */
#include "dialect/retrieval.h"

static const struct retrieval shape = {
	.vendor = "postgresql",
	.system = "postgresql",
	.scores = { SLICE("score"), SLICE("similarity"), SLICE("distance"), SLICE("dist"), SLICE("?column?") },
	.metadata = SLICE("metadata"),
};

enum { COLUMNS_MAX = 128 };

struct column {
	struct slice name;
	uint32_t type;
	bool is_binary;
};

struct postgres {
	struct column columns[COLUMNS_MAX];
	size_t column_count;
	bool is_open;
	uint16_t formats[COLUMNS_MAX]; /* of the answer, as Bind asks for them */
	size_t format_count;
	struct documents documents;
};

static uint64_t number_take(struct slice *rest, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | (i < rest->len ? (unsigned char)rest->data[i] : 0);
	*rest = slice_from(*rest, count);
	return value;
}

/* The messages of a request: a length, and that many bytes. */
static struct slice message_take(struct slice *rest)
{
	size_t len = (size_t)number_take(rest, 4);
	struct slice message = slice_head(*rest, len);

	*rest = slice_from(*rest, len);
	return message;
}

static unsigned recognise(const struct dialect_hint *hint)
{
	return slice_equal(hint->protocol, SLICE("postgresql")) ? SCORE_SURE : 0;
}

/* ---- values ---- */

static bool is_vector_text(struct slice text)
{
	return slice_starts(text, SLICE("[")) && slice_ends(text, SLICE("]")) &&
	       strspn(text.data, "[0123456789.,+-eE ") == text.len - 1;
}

static int64_t dimensions_of(struct slice vector)
{
	int64_t count = 1;

	for (size_t i = 0; i < vector.len; i++)
		count += vector.data[i] == ',';
	return count;
}

static void vector_put(struct buf *out, int64_t dimensions)
{
	json_open(out, '{');
	json_member_int(out, SLICE("dimensions"), dimensions);
	json_close(out, '}');
}

enum {
	TYPE_BOOL = 16,
	TYPE_INT8 = 20,
	TYPE_INT2 = 21,
	TYPE_INT4 = 23,
	TYPE_JSON = 114,
	TYPE_FLOAT4 = 700,
	TYPE_FLOAT8 = 701,
	TYPE_NUMERIC = 1700,
	TYPE_UUID = 2950,
	TYPE_JSONB = 3802
};

static bool type_is_number(uint32_t type)
{
	return type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8 || type == TYPE_FLOAT4 ||
	       type == TYPE_FLOAT8 || type == TYPE_NUMERIC;
}

/* A value in its text form. */
static void text_put(struct buf *out, struct slice text, uint32_t type)
{
	bool is_json = (type == TYPE_JSON || type == TYPE_JSONB) && json_check(text, JSON_DEPTH_MAX) == 0;

	if (type == TYPE_BOOL && text.len == 1)
		return json_put_bool(out, text.data[0] == 't');
	if (text.len > 1 && is_vector_text(text))
		return vector_put(out, dimensions_of(text));
	/* NaN and Infinity are no numbers to JSON. */
	if (is_json || (type_is_number(type) && json_check(text, 1) == 0))
		return json_put_raw(out, json_trim(text));
	json_put_text(out, text);
}

static void uuid_put(struct buf *out, struct slice bytes)
{
	char text[40];
	size_t len = 0;

	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[len++] = '-';
		text[len++] = "0123456789abcdef"[(unsigned char)bytes.data[i] >> 4];
		text[len++] = "0123456789abcdef"[bytes.data[i] & 15];
	}
	json_put_text(out, (struct slice){ text, len });
}

static void float_put(struct buf *out, struct slice bytes)
{
	uint64_t bits = number_take(&bytes, bytes.len);
	double value;

	memcpy(&value, &bits, sizeof(value));
	if (value - value != 0)
		return json_put_null(out);
	json_put_double(out, value);
}

static void float4_put(struct buf *out, struct slice bytes)
{
	uint32_t bits = (uint32_t)number_take(&bytes, 4);
	float value;

	memcpy(&value, &bits, sizeof(value));
	if (value - value != 0)
		return json_put_null(out);
	json_put_double(out, (double)value);
}

static bool is_printable(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if ((unsigned char)bytes.data[i] < 0x20 && !strchr("\t\n\r", bytes.data[i]))
			return false;
	return true;
}

/* pgvector's own form: dimensions, nothing, floats. */
static bool is_vector_binary(struct slice bytes)
{
	struct slice rest = bytes;
	uint64_t dimensions = number_take(&rest, 2), nothing = number_take(&rest, 2);

	return bytes.len >= 8 && !nothing && (bytes.len == 4 + 4 * dimensions || bytes.len == 4 + 2 * dimensions);
}

/* A number in its binary form; false when @bytes are none of @type. */
static bool binary_number_put(struct buf *out, struct slice bytes, uint32_t type)
{
	bool is_int = type == TYPE_INT2 || type == TYPE_INT4 || type == TYPE_INT8;
	struct slice rest = bytes;

	if (is_int && bytes.len == 2)
		json_put_int(out, (int16_t)number_take(&rest, 2));
	else if (is_int && bytes.len == 4)
		json_put_int(out, (int32_t)number_take(&rest, 4));
	else if (is_int && bytes.len == 8)
		json_put_int(out, (int64_t)number_take(&rest, 8));
	else if (type == TYPE_FLOAT8 && bytes.len == 8)
		float_put(out, bytes);
	else if (type == TYPE_FLOAT4 && bytes.len == 4)
		float4_put(out, bytes);
	else
		return false;
	return true;
}

/* A value in its binary form. What cannot be read is told by its length. */
static void binary_put(struct buf *out, struct slice bytes, uint32_t type)
{
	struct slice rest = bytes;

	if (binary_number_put(out, bytes, type))
		return;
	if (type == TYPE_BOOL && bytes.len == 1)
		return json_put_bool(out, bytes.data[0]);
	if (type == TYPE_UUID && bytes.len == 16)
		return uuid_put(out, bytes);
	if (type == TYPE_JSONB && bytes.len > 1)
		return text_put(out, slice_from(bytes, 1), type);
	if (is_vector_binary(bytes))
		return vector_put(out, (int64_t)number_take(&rest, 2));
	if (is_printable(bytes))
		return text_put(out, bytes, type);
	json_open(out, '{');
	json_member_int(out, SLICE("bytes"), (int64_t)bytes.len);
	json_close(out, '}');
}

/* ---- request ---- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_.\"", c));
}

/* The word behind the last @keyword that stands alone, or empty. */
static struct slice word_behind(struct slice sql, struct slice keyword, bool is_last)
{
	struct slice found = SLICE_NONE;

	for (size_t at = 0; at + keyword.len < sql.len; at++) {
		struct slice rest = slice_from(sql, at);
		size_t len = 0;

		if (!slice_starts_nocase(rest, keyword) || (at && is_word(sql.data[at - 1])) ||
		    is_word(rest.data[keyword.len]))
			continue;
		rest = slice_trim(slice_from(rest, keyword.len));
		while (len < rest.len && (is_word(rest.data[len]) || rest.data[len] == '$'))
			len++;
		if (len)
			found = slice_head(rest, len);
		if (found.len && !is_last)
			break;
	}
	return found;
}

/* The statement with every vector in it as "[n numbers]". */
static struct slice statement_clean(struct call *call, struct slice sql, int64_t *dimensions)
{
	struct out out;

	out_init(&out, call->arena, MIN(sql.len, (size_t)4096) + 64);
	while (sql.len) {
		ptrdiff_t at = slice_find(sql, SLICE("["));
		struct slice head = slice_head(sql, at < 0 ? sql.len : (size_t)at), vector;
		ptrdiff_t end;

		buf_put(&out.buf, head);
		sql = slice_from(sql, head.len);
		end = slice_find(sql, SLICE("]"));
		if (end < 0) {
			buf_put(&out.buf, sql);
			break;
		}
		vector = slice_head(sql, (size_t)end + 1);
		sql = slice_from(sql, vector.len);
		if (vector.len < 3 || strspn(vector.data, "[0123456789.,+-eE \n") < vector.len - 1) {
			buf_put(&out.buf, vector);
			continue;
		}
		buf_printf(&out.buf, "[%lld numbers]", (long long)dimensions_of(vector));
		if (*dimensions < 0)
			*dimensions = dimensions_of(vector);
	}
	call_lost(call, !out.buf.failed);
	return out_slice(&out);
}

struct parameters {
	struct slice shown; /* JSON list */
	struct slice limit; /* value of the one that @limit_name names */
	int64_t dimensions;
};

static struct slice limit_take(struct slice value, bool is_binary, struct call *call)
{
	if (!is_binary)
		return value;
	return arena_printf(call->arena, "%lld", (long long)number_take(&value, value.len));
}

static size_t formats_take(struct slice *rest, uint16_t *formats)
{
	size_t count = (size_t)number_take(rest, 2);

	for (size_t i = 0; i < count && rest->len; i++) {
		uint16_t format = (uint16_t)number_take(rest, 2);

		if (i < COLUMNS_MAX)
			formats[i] = format;
	}
	return MIN(count, (size_t)COLUMNS_MAX);
}

static void parameter_read(struct buf *out, struct slice value, bool is_binary, struct parameters *ret)
{
	struct slice head = value;

	if (ret->dimensions < 0 && is_binary && is_vector_binary(value))
		ret->dimensions = (int64_t)number_take(&head, 2);
	else if (ret->dimensions < 0 && value.len > 2 && is_vector_text(value))
		ret->dimensions = dimensions_of(value);
	if (is_binary)
		binary_put(out, value, 0);
	else
		text_put(out, value, 0);
}

/* @limit_at: the number of the parameter that is the limit. */
static void parameters_read(struct call *call, struct postgres *pg, struct slice rest, int64_t limit_at,
			    struct parameters *ret)
{
	uint16_t formats[COLUMNS_MAX] = { 0 };
	size_t format_count, count;
	struct out out;

	slice_cut(&rest, 0);
	slice_cut(&rest, 0);
	format_count = formats_take(&rest, formats);
	count = (size_t)number_take(&rest, 2);
	out_init(&out, call->arena, 256);
	json_open(&out.buf, '[');
	for (size_t i = 0; i < count && rest.len >= 4; i++) {
		size_t len = (size_t)number_take(&rest, 4);
		bool is_binary = format_count && formats[format_count == 1 ? 0 : MIN(i, format_count - 1)] == 1;
		struct slice value = slice_head(rest, len);

		if (len == UINT32_MAX) {
			json_put_null(&out.buf);
			continue;
		}
		rest = slice_from(rest, len);
		if ((int64_t)i + 1 == limit_at && value.len && value.len <= 8)
			ret->limit = limit_take(value, is_binary, call);
		parameter_read(&out.buf, value, is_binary, ret);
	}
	json_close(&out.buf, ']');
	ret->shown = out_slice(&out);
	pg->format_count = formats_take(&rest, pg->formats);
}

static void request(struct call *call, void *state)
{
	struct slice rest = call->request_body, sql = message_take(&rest), bind = message_take(&rest), table, limit;
	struct parameters parameters = { .dimensions = -1 };
	int64_t top_k = -1, dimensions = -1, limit_at = -1;
	struct out out;

	call->operation = OPERATION_RETRIEVAL;
	call->vendor = slice_of(shape.vendor);
	call_put_text(call, "db.system.name", SLICE("postgresql"));
	sql = slice_from(sql, 1);
	if (sql.len && !sql.data[sql.len - 1])
		sql.len--;
	sql = statement_clean(call, sql, &dimensions);
	limit = word_behind(sql, SLICE("limit"), true);
	if (slice_starts(limit, SLICE("$")))
		json_int(slice_from(limit, 1), &limit_at);
	if (bind.len)
		parameters_read(call, state, slice_from(bind, 1), limit_at, &parameters);
	json_int(parameters.limit.len ? parameters.limit : limit, &top_k);
	table = word_behind(sql, SLICE("from"), false);
	out_init(&out, call->arena, sql.len + parameters.shown.len + 64);
	json_open(&out.buf, '{');
	json_member_text(&out.buf, SLICE("query"), sql);
	if (parameters.shown.len)
		json_member_raw(&out.buf, SLICE("parameters"), parameters.shown);
	json_close(&out.buf, '}');
	call->inputs = out_slice(&out);
	call_lost(call, call->inputs.data);
	call_put_text(call, "db.query.text", sql);
	call_put_text(call, "gen_ai.data_source.id", table);
	call_put_text(call, "db.collection.name", table);
	call_put_count(call, "gen_ai.retrieval.top_k", top_k);
	call_put_count(call, "spantap.retrieval.vector_dimensions",
		       dimensions >= 0 ? dimensions : parameters.dimensions);
}

/* ---- answer ---- */

static void columns_read(struct call *call, struct postgres *pg, struct slice rest)
{
	size_t count = (size_t)number_take(&rest, 2);

	pg->column_count = 0;
	while (count-- && rest.len && pg->column_count < COLUMNS_MAX) {
		struct column *column = &pg->columns[pg->column_count];
		size_t at = pg->format_count == 1 ? 0 : pg->column_count;

		column->name = arena_dup(call->arena, slice_cut(&rest, 0));
		number_take(&rest, 6);
		column->type = (uint32_t)number_take(&rest, 4);
		number_take(&rest, 6);
		column->is_binary = number_take(&rest, 2) == 1;
		if (at < pg->format_count)
			column->is_binary = pg->formats[at] == 1;
		pg->column_count++;
	}
}

static void documents_begin(struct call *call, struct postgres *pg)
{
	if (!pg->is_open)
		documents_open(&pg->documents, call, &shape, 1024);
	pg->is_open = true;
}

static void row_read(struct call *call, struct postgres *pg, struct slice rest)
{
	size_t count = (size_t)number_take(&rest, 2);
	struct slice object;
	struct out out;

	out_init(&out, call->arena, rest.len * 2 + 256);
	json_open(&out.buf, '{');
	for (size_t i = 0; i < count && rest.len >= 4; i++) {
		const struct column unknown = { .name = SLICE("?") };
		const struct column *column = i < pg->column_count ? &pg->columns[i] : &unknown;
		size_t len = (size_t)number_take(&rest, 4);
		struct slice value = slice_head(rest, len);

		json_put_name(&out.buf, column->name);
		if (len == UINT32_MAX) {
			json_put_null(&out.buf);
			continue;
		}
		rest = slice_from(rest, len);
		if (column->is_binary)
			binary_put(&out.buf, value, column->type);
		else
			text_put(&out.buf, value, column->type);
	}
	json_close(&out.buf, '}');
	object = out_slice(&out);
	call_lost(call, object.data);
	documents_read(&pg->documents, object);
}

/* Fields of an error: a letter and a text each. */
static void failure_read(struct call *call, struct slice rest)
{
	call->has_error = true;
	while (rest.len && rest.data[0]) {
		char letter = rest.data[0];
		struct slice text;

		rest = slice_from(rest, 1);
		text = slice_cut(&rest, 0);
		if (letter == 'C')
			call->error.type = call->error.code = arena_dup(call->arena, text);
		else if (letter == 'M')
			call->error.message = arena_dup(call->arena, text);
	}
	call_put_text(call, "db.response.status_code", call->error.code);
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct postgres *pg = state;
	struct slice rest = slice_from(part->data, 1);

	switch (part->data.len ? part->data.data[0] : 0) {
	case 'T':
		columns_read(call, pg, rest);
		documents_begin(call, pg);
		return DIALECT_EVENT_QUIET;
	case 'D':
		documents_begin(call, pg);
		row_read(call, pg, rest);
		return DIALECT_EVENT_CONTENT;
	case 'E':
		failure_read(call, rest);
		return DIALECT_EVENT_QUIET;
	case 'C':
		documents_begin(call, pg);
		return DIALECT_EVENT_QUIET;
	default:
		return DIALECT_EVENT_QUIET;
	}
}

static void finish(struct call *call, void *state)
{
	struct postgres *pg = state;

	call->operation = OPERATION_RETRIEVAL;
	call->is_stream = false; /* rows are no events */
	if (pg->is_open && !call->has_error)
		documents_close(&pg->documents);
}

DIALECT(postgres_pgvector, {
				   .name = "postgres.pgvector",
				   .order = 93,
				   .state_size = sizeof(struct postgres),
				   .recognise = recognise,
				   .request = request,
				   .event = event,
				   .response = no_step,
				   .finish = finish,
				   .span_name = retrieval_span_name,
			   });
