/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents as MLflow shows them: page_content, metadata, id. A store says score and distance in its own words; the word
 * stays in the metadata, and "score" is there too, as it came: whether more is better is the store's affair.
 * Vectors are told by a name that is theirs, or by being long lists of numbers under any name.
 */
#include "dialect/retrieval.h"

enum {
	VECTOR_SURE = 16,    /* numbers in a list of any name that make it a vector */
	COPY_DEPTH_MAX = 32, /* deeper values are left out: nobody nests metadata so */
};

static const struct slice vector_names[] = { SLICE("values"), SLICE("indices"), SLICE("float32"), SLICE("nearest") };
/* Words that mean something else in metadata. */
static const struct slice request_names[] = { SLICE("query"), SLICE("data"), SLICE("rank_by") };

static bool name_is_vector(struct slice name, bool is_request)
{
	char lower[64];
	struct slice text = { lower, MIN(name.len, sizeof(lower)) };

	for (size_t i = 0; i < text.len; i++)
		lower[i] = name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] | 0x20) : name.data[i];
	if (slice_contains(text, SLICE("vector")) || slice_contains(text, SLICE("embedding")))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(vector_names); i++)
		if (slice_equal(name, vector_names[i]))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(request_names) && is_request; i++)
		if (slice_equal(name, request_names[i]))
			return true;
	return false;
}

/* The numbers in a list of numbers only; else 0. */
static size_t numbers_in(struct slice value)
{
	size_t count = 0;

	if (json_type(value) != JSON_ARRAY)
		return 0;
	json_foreach_element(one, value) {
		if (json_type(one.value) != JSON_NUMBER)
			return 0;
		count++;
	}
	return count;
}

struct copy {
	struct buf *out;
	bool is_request;
	int64_t dimensions; /* of the first vector met; -1 */
};

static void copy_value(struct copy *copy, struct slice value, bool is_named, unsigned depth);

static void copy_member(struct copy *copy, const struct json_iter *member, unsigned depth)
{
	json_put_raw_name(copy->out, member->name);
	copy_value(copy, member->value, name_is_vector(member->name, copy->is_request), depth);
}

static void copy_container(struct copy *copy, struct slice value, bool is_named, unsigned depth)
{
	bool is_object = json_type(value) == JSON_OBJECT;

	json_open(copy->out, is_object ? '{' : '[');
	json_foreach_member(member, value) {
		if (is_object)
			json_put_raw_name(copy->out, member.name);
		copy_value(copy, member.value, is_object ? name_is_vector(member.name, copy->is_request) : is_named,
			   depth + 1);
	}
	json_close(copy->out, is_object ? '}' : ']');
}

static void copy_value(struct copy *copy, struct slice value, bool is_named, unsigned depth)
{
	size_t numbers = numbers_in(value);

	if (numbers && (is_named || numbers >= VECTOR_SURE)) {
		json_open(copy->out, '{');
		json_member_int(copy->out, SLICE("dimensions"), (int64_t)numbers);
		json_close(copy->out, '}');
		if (copy->dimensions < 0)
			copy->dimensions = (int64_t)numbers;
		return;
	}
	if (json_type(value) != JSON_OBJECT && json_type(value) != JSON_ARRAY)
		json_put_raw(copy->out, value);
	else if (depth >= COPY_DEPTH_MAX)
		json_put_null(copy->out);
	else
		copy_container(copy, value, is_named, depth);
}

struct slice vectors_remove(struct call *call, struct slice value, int64_t *ret_dimensions)
{
	struct copy copy = { .is_request = ret_dimensions != NULL, .dimensions = -1 };
	struct slice text;
	struct out out;

	out_init(&out, call->arena, MIN(value.len, (size_t)64 << 10) + 64);
	copy.out = &out.buf;
	copy_value(&copy, value, false, 0);
	text = out_slice(&out);
	call_lost(call, text.data);
	if (ret_dimensions && copy.dimensions >= 0)
		*ret_dimensions = copy.dimensions;
	return text;
}

/* ---- one document ---- */

/* Where texts are kept by the frameworks that fill these stores, the most telling first. */
static const struct slice common_texts[] = {
	SLICE("page_content"), SLICE("text"),          SLICE("content"), SLICE("document"),    SLICE("chunk_text"),
	SLICE("chunk"),        SLICE("_node_content"), SLICE("body"),    SLICE("description"),
};
static const struct slice common_ids[] = { SLICE("id"), SLICE("_id"), SLICE("key"), SLICE("doc_id"),
					   SLICE("chunk_id") };
static const struct slice common_scores[] = { SLICE("score"), SLICE("_score"), SLICE("distance") };

static struct slice name_find(struct slice object, const struct slice *own, const struct slice *common, size_t count)
{
	for (size_t i = 0; i < RETRIEVAL_NAMES && own[i].len; i++)
		if (json_get(object, own[i]).data)
			return own[i];
	for (size_t i = 0; i < count; i++)
		if (json_get(object, common[i]).data)
			return common[i];
	return SLICE_NONE;
}

static struct slice text_find(const struct retrieval *shape, struct slice object)
{
	struct slice name = SLICE_NONE;

	if (json_type(object) != JSON_OBJECT)
		return name;
	for (size_t i = 0; i < RETRIEVAL_NAMES && shape->texts[i].len; i++)
		if (json_get(object, shape->texts[i]).data)
			return shape->texts[i];
	for (size_t i = 0; i < ARRAY_SIZE(common_texts) && !name.len; i++)
		if (json_type(json_get(object, common_texts[i])) == JSON_STRING)
			name = common_texts[i];
	return name;
}

/* A score under that very name is there already. */
static bool is_left_out(const struct json_iter *member, const struct slice *without)
{
	bool is_out = json_type(member->value) == JSON_NULL || slice_equal(member->name, SLICE("score"));

	for (size_t i = 0; i < WITHOUT && !is_out; i++)
		is_out = without[i].len && slice_equal(member->name, without[i]);
	return is_out;
}

static void members_copy(struct buf *out, struct slice object, const struct slice *without)
{
	struct copy copy = { .out = out, .dimensions = -1 };

	if (json_type(object) != JSON_OBJECT)
		return;
	json_foreach_member(member, object)
		if (!is_left_out(&member, without))
			copy_member(&copy, &member, 0);
}

/* Texts come as strings, as blocks with a text each, or are any object, which is then shown whole. */
static void content_put(struct documents *documents, struct slice text)
{
	struct buf *out = &documents->shown.buf;
	struct slice clean;

	if (json_type(text) == JSON_STRING || !text.data) {
		json_member_raw(out, SLICE("page_content"), text.data ? text : SLICE("\"\""));
		return;
	}
	if (json_type(text) == JSON_ARRAY && json_type(json_path(text, "#0", "text", NULL)) == JSON_STRING) {
		size_t count = 0;

		json_put_name(out, SLICE("page_content"));
		buf_put_char(out, '"');
		json_foreach_element(block, text) {
			if (count++)
				buf_put(out, SLICE("\\n"));
			buf_put(out, json_raw_text(json_get(block.value, SLICE("text"))));
		}
		buf_put_char(out, '"');
		return;
	}
	clean = vectors_remove(documents->call, text, NULL);
	json_member_text(out, SLICE("page_content"), clean.data ? clean : SLICE("{}"));
}

static void id_member(struct buf *out, const struct document *document, size_t nth)
{
	if (json_type(document->id) == JSON_STRING) {
		json_member_raw(out, SLICE("id"), document->id);
	} else if (document->id.data) {
		json_member_text(out, SLICE("id"), document->id);
	} else {
		json_put_name(out, SLICE("id"));
		buf_printf(out, "\"%zu\"", nth);
	}
}

void documents_open(struct documents *documents, struct call *call, const struct retrieval *shape, size_t guess)
{
	*documents = (struct documents){ .call = call, .shape = shape };
	out_init(&documents->shown, call->arena, guess + 64);
	out_init(&documents->ids, call->arena, 256);
	json_open(&documents->shown.buf, '[');
	json_open(&documents->ids.buf, '[');
}

static void metadata_put(struct documents *documents, const struct document *document)
{
	struct buf *out = &documents->shown.buf;
	struct slice uri = documents->shape->uri.len ? json_get(document->whole, documents->shape->uri) : SLICE_NONE;

	json_put_name(out, SLICE("metadata"));
	json_open(out, '{');
	json_member_raw(out, SLICE("score"), document->score);
	json_member_raw(out, SLICE("doc_uri"), uri);
	members_copy(out, document->whole, document->without);
	members_copy(out, document->metadata, document->without);
	json_close(out, '}');
}

void documents_add(struct documents *documents, const struct document *document)
{
	struct buf *shown = &documents->shown.buf, *ids = &documents->ids.buf;

	json_open(shown, '{');
	content_put(documents, document->text);
	metadata_put(documents, document);
	if (document->id.data)
		id_member(shown, document, 0);
	json_close(shown, '}');
	json_open(ids, '{');
	id_member(ids, document, documents->count);
	json_member_raw(ids, SLICE("score"), document->score);
	json_close(ids, '}');
	documents->count++;
}

void documents_read(struct documents *documents, struct slice object)
{
	const struct retrieval *shape = documents->shape;
	struct slice id = name_find(object, shape->ids, common_ids, ARRAY_SIZE(common_ids));
	struct slice score = name_find(object, shape->scores, common_scores, ARRAY_SIZE(common_scores));
	struct slice meta = shape->metadata.len ? json_get(object, shape->metadata) : SLICE_NONE;
	struct slice text = text_find(shape, object), home = object;
	struct document document = { .id = json_get(object, id), .metadata = meta, .whole = object };

	if (json_type(json_get(object, score)) == JSON_NUMBER)
		document.score = json_get(object, score);
	if (!text.len && meta.data) {
		text = text_find(shape, meta);
		home = meta;
	}
	document.text = text.len ? json_get(home, text) : meta.data ? meta : object;
	document.without[0] = id;
	document.without[1] = text;
	document.without[2] = shape->metadata;
	documents_add(documents, &document);
}

void documents_close(struct documents *documents)
{
	struct call *call = documents->call;
	struct slice shown, ids;

	json_close(&documents->shown.buf, ']');
	json_close(&documents->ids.buf, ']');
	shown = out_slice(&documents->shown);
	ids = out_slice(&documents->ids);
	call_lost(call, shown.data && ids.data);
	call->outputs = shown;
	call_put_text(call, "gen_ai.retrieval.documents", ids);
	call_put_count(call, "db.response.returned_rows", documents->shape->system ? (int64_t)documents->count : -1);
}
