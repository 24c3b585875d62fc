/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mongodb.vector_search: an aggregation that begins with $vectorSearch. Commands and answers are BSON, which is written as JSON
 * first and then read like any other store's; of the command only what is asked is shown, not the session around it.
 */
#include "dialect/retrieval.h"

static const struct retrieval shape = {
	.vendor = "mongodb",
	.system = "mongodb",
	.lists = { SLICE("cursor"), SLICE("firstBatch") },
	.ids = { SLICE("_id") },
	.scores = { SLICE("score"), SLICE("vectorSearchScore"), SLICE("similarity") },
};

enum { DEPTH_MAX = 32 };

static unsigned recognise(const struct dialect_hint *hint)
{
	return slice_equal(hint->protocol, SLICE("mongodb")) ? SCORE_SURE : 0;
}

/* ---- BSON as JSON ---- */

static uint64_t number_take(struct slice *rest, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count && i < rest->len; i++)
		value |= (uint64_t)(unsigned char)rest->data[i] << 8 * i;
	*rest = slice_from(*rest, count);
	return value;
}

static struct slice bytes_take(struct slice *rest, size_t len)
{
	struct slice bytes = slice_head(*rest, len);

	*rest = slice_from(*rest, len);
	return bytes;
}

static void double_put(struct buf *out, struct slice *rest)
{
	uint64_t bits = number_take(rest, 8);
	double value;

	memcpy(&value, &bits, sizeof(value));
	if (value - value != 0)
		json_put_null(out);
	else
		json_put_double(out, value);
}

static void text_put(struct buf *out, struct slice *rest)
{
	struct slice text = bytes_take(rest, (size_t)number_take(rest, 4));

	json_put_text(out, slice_head(text, text.len ? text.len - 1 : 0));
}

enum { BINARY_VECTOR = 9, VECTOR_FLOAT32 = 0x27 };

static void binary_put(struct buf *out, struct slice *rest)
{
	size_t len = (size_t)number_take(rest, 4);
	unsigned kind = (unsigned)number_take(rest, 1);
	struct slice bytes = bytes_take(rest, len);
	bool is_vector = kind == BINARY_VECTOR && bytes.len > 2;
	size_t each = is_vector && bytes.data[0] == VECTOR_FLOAT32 ? 4 : 1;

	json_open(out, '{');
	json_member_int(out, is_vector ? SLICE("dimensions") : SLICE("bytes"),
			(int64_t)(is_vector ? (bytes.len - 2) / each : bytes.len));
	json_close(out, '}');
}

static void id_put(struct buf *out, struct slice *rest)
{
	struct slice bytes = bytes_take(rest, 12);
	char text[24];

	for (size_t i = 0; i < bytes.len; i++) {
		text[2 * i] = "0123456789abcdef"[(unsigned char)bytes.data[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[bytes.data[i] & 15];
	}
	json_put_text(out, (struct slice){ text, 2 * bytes.len });
}

/* Types that are told by a number of bytes and not shown. */
static const struct {
	unsigned char type;
	size_t len;
} passed[] = { { 6, 0 }, { 10, 0 }, { 17, 8 }, { 19, 16 }, { 127, 0 }, { 255, 0 } };

/* false: a type that is not known, behind which nothing can be read. */
static bool scalar_put(struct buf *out, unsigned type, struct slice *rest)
{
	switch (type) {
	case 1:
		double_put(out, rest);
		return true;
	case 2:
	case 13:
	case 14:
		text_put(out, rest);
		return true;
	case 5:
		binary_put(out, rest);
		return true;
	case 7:
		id_put(out, rest);
		return true;
	case 8:
		json_put_bool(out, number_take(rest, 1) != 0);
		return true;
	case 9:
	case 18:
		json_put_int(out, (int64_t)number_take(rest, 8));
		return true;
	case 16:
		json_put_int(out, (int32_t)number_take(rest, 4));
		return true;
	default:
		break;
	}
	json_put_null(out);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		if (passed[i].type == type) {
			bytes_take(rest, passed[i].len);
			return true;
		}
	return false;
}

/* A document and its length; what is cut ends where it is cut. */
static void document_put(struct buf *out, struct slice *rest, bool is_list, unsigned depth)
{
	size_t len = (size_t)number_take(rest, 4);
	struct slice inside = bytes_take(rest, len < 4 ? 0 : len - 4);

	json_open(out, is_list ? '[' : '{');
	while (inside.len && depth < DEPTH_MAX) {
		unsigned type = (unsigned)number_take(&inside, 1);
		struct slice name;

		if (!type)
			break;
		name = slice_cut(&inside, 0);
		if (!is_list)
			json_put_name(out, name);
		if (type == 3 || type == 4)
			document_put(out, &inside, type == 4, depth + 1);
		else if (!scalar_put(out, type, &inside))
			break;
	}
	json_close(out, is_list ? ']' : '}');
}

/* The body of a message: flags, a kind, a document. */
static struct slice message_json(struct call *call, struct slice message)
{
	struct slice rest = slice_from(message, 5);
	struct out out;

	out_init(&out, call->arena, rest.len + 64);
	document_put(&out.buf, &rest, false, 0);
	call_lost(call, !out.buf.failed);
	return out_slice(&out);
}

/* ---- request ---- */

static void request(struct call *call, void *state)
{
	static const struct slice shown[] = { SLICE("aggregate"), SLICE("pipeline"), SLICE("$db") };
	struct slice command = message_json(call, slice_from(call->request_body, 4)), stage, source;
	int64_t top_k = -1, dimensions = -1;
	struct out out;

	call->operation = OPERATION_RETRIEVAL;
	call->vendor = slice_of(shape.vendor);
	stage = json_path(command, "pipeline", "#0", "$vectorSearch", NULL);
	source = call_text(call, json_get(command, SLICE("aggregate")));
	out_init(&out, call->arena, command.len + 64);
	json_open(&out.buf, '{');
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		json_member_raw(&out.buf, shown[i], json_get(command, shown[i]));
	json_close(&out.buf, '}');
	call->inputs = vectors_remove(call, out_slice(&out), &dimensions);
	if (dimensions < 0)
		json_int(json_path(stage, "queryVector", "dimensions", NULL), &dimensions);
	json_int(json_get(stage, SLICE("limit")), &top_k);
	call_put_text(call, "db.system.name", slice_of(shape.system));
	call_put_text(call, "db.namespace", call_text(call, json_get(command, SLICE("$db"))));
	call_put_text(call, "db.collection.name", source);
	call_put_text(call, "gen_ai.data_source.id", source);
	call_put_text(call, "gen_ai.retrieval.query.text", call_text(call, place_get(stage, "query/text")));
	call_put_count(call, "gen_ai.retrieval.top_k", top_k);
	call_put_count(call, "spantap.retrieval.vector_dimensions", dimensions);
}

/* ---- answer ---- */

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice answer = message_json(call, part->data);
	struct documents documents;
	double ok = 0;

	if (json_double(json_get(answer, SLICE("ok")), &ok) != 0 || ok == 0) {
		call->has_error = true;
		call->error.raw = answer;
		call->error.message = call_text(call, json_get(answer, SLICE("errmsg")));
		call->error.type = call_text(call, json_get(answer, SLICE("codeName")));
		call->error.code = call_copy(call, json_get(answer, SLICE("code")));
		return DIALECT_EVENT_QUIET;
	}
	documents_open(&documents, call, &shape, answer.len);
	documents_walk(&documents, answer);
	documents_close(&documents);
	return DIALECT_EVENT_CONTENT;
}

static void finish(struct call *call, void *state)
{
	call->operation = OPERATION_RETRIEVAL;
	call->is_stream = false;
}

DIALECT(mongodb_vector_search, {
				       .name = "mongodb.vector_search",
				       .order = 95,
				       .recognise = recognise,
				       .request = request,
				       .event = event,
				       .response = no_step,
				       .finish = finish,
				       .span_name = retrieval_span_name,
			       });
