/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.search: FT.SEARCH with a vector in its query, and VSIM of vector sets. A reply is nested values without names in RESP 2
 * and maps in RESP 3; both are first written as JSON, then read like any other answer. Bytes that are no text are told by
 * their length: vectors are such.
 */
#include "base/utf8.h"
#include "dialect/retrieval.h"

static const struct retrieval shape = {
	.vendor = "redis",
	.system = "redis",
	.scores = { SLICE("__vector_score"), SLICE("vector_score"), SLICE("score"), SLICE("vector_distance"),
		    SLICE("distance"), SLICE("dist") },
	.metadata = SLICE("extra_attributes"),
};

enum { DEPTH_MAX = 32, ARGUMENTS_MAX = 64 };

static unsigned recognise(const struct dialect_hint *hint)
{
	return slice_equal(hint->protocol, SLICE("redis")) ? SCORE_SURE : 0;
}

/* ---- values as JSON ---- */

static bool is_text(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if ((unsigned char)bytes.data[i] < 0x20 && (!bytes.data[i] || !strchr("\t\n\r", bytes.data[i])))
			return false;
	for (size_t i = 0, len; i < bytes.len; i += len) {
		len = utf8_length(slice_from(bytes, i));
		if (!len)
			return false;
	}
	return true;
}

static void bulk_put(struct buf *out, struct slice bytes)
{
	if (is_text(bytes))
		return json_put_text(out, bytes);
	json_open(out, '{');
	json_member_int(out, SLICE("bytes"), (int64_t)bytes.len);
	json_close(out, '}');
}

static struct slice line_cut(struct slice *rest)
{
	struct slice line = slice_cut(rest, '\n');

	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

/* A bulk behind its line: $5 CR LF hello CR LF. */
static struct slice bulk_cut(struct slice *rest, int64_t len)
{
	struct slice bytes = slice_head(*rest, len < 0 ? 0 : (size_t)len);

	*rest = slice_from(*rest, len < 0 ? 0 : (size_t)len + 2);
	return bytes;
}

static void scalar_put(struct buf *out, struct slice line, struct slice *rest)
{
	struct slice text = slice_from(line, 1);
	int64_t len = -1;

	switch (line.len ? line.data[0] : 0) {
	case '$':
	case '=':
	case '!':
		if (json_int(text, &len) != 0 || len < 0)
			return json_put_null(out);
		return bulk_put(out, bulk_cut(rest, len));
	case ':':
	case ',':
	case '(':
		return json_check(text, 1) == 0 && json_type(text) == JSON_NUMBER ? json_put_raw(out, text)
										  : json_put_text(out, text);
	case '#':
		return json_put_bool(out, slice_starts(text, SLICE("t")));
	case '_':
		return json_put_null(out);
	default:
		return json_put_text(out, text);
	}
}

/* Everything is a list; maps are lists of name and value in turns, as in RESP 2. */
static void value_put(struct buf *out, struct slice *rest, unsigned depth)
{
	struct slice line = line_cut(rest);
	char letter = line.len ? line.data[0] : 0;
	int64_t count = 0;

	if (!letter || !strchr("*%~>", letter))
		return scalar_put(out, line, rest);
	if (json_int(slice_from(line, 1), &count) != 0 || count < 0 || depth >= DEPTH_MAX)
		return json_put_null(out);
	json_open(out, '[');
	for (int64_t i = 0; i < (letter == '%' ? 2 * count : count) && rest->len; i++)
		value_put(out, rest, depth + 1);
	json_close(out, ']');
}

/* ---- request ---- */

struct command {
	struct slice arguments[ARGUMENTS_MAX];
	size_t count;
};

static void command_read(struct slice rest, struct command *ret)
{
	int64_t count = 0, len;

	json_int(slice_from(line_cut(&rest), 1), &count);
	while (count-- > 0 && rest.len && ret->count < ARGUMENTS_MAX) {
		if (json_int(slice_from(line_cut(&rest), 1), &len) != 0)
			return;
		ret->arguments[ret->count++] = bulk_cut(&rest, len);
	}
}

/* The argument @beyond places behind @word. */
static struct slice argument_behind(const struct command *command, struct slice word, size_t beyond)
{
	for (size_t i = 2; i + beyond < command->count; i++)
		if (slice_equal_nocase(command->arguments[i], word))
			return command->arguments[i + beyond];
	return SLICE_NONE;
}

static bool is_vsim(const struct command *command)
{
	return command->count && slice_equal_nocase(command->arguments[0], SLICE("VSIM"));
}

/* "*=>[KNN 5 @v $blob]" or "[KNN $K @v $blob]". */
static int64_t nearest_of(const struct command *command)
{
	struct slice query = command->count > 2 ? command->arguments[2] : SLICE_NONE, number;
	ptrdiff_t at = slice_find(query, SLICE("KNN "));
	int64_t count = -1;

	if (is_vsim(command))
		number = argument_behind(command, SLICE("COUNT"), 1);
	else if (at < 0)
		number = argument_behind(command, SLICE("LIMIT"), 2);
	else {
		query = slice_from(query, (size_t)at + 4);
		number = slice_cut(&query, ' ');
		if (slice_starts(number, SLICE("$")))
			number = argument_behind(command, slice_from(number, 1), 1);
	}
	json_int(number, &count);
	return count;
}

/* Of floats in four bytes each, the common form; the parameter's name does not say. */
static int64_t dimensions_of(const struct command *command)
{
	int64_t count = -1;

	if (is_vsim(command) && json_int(argument_behind(command, SLICE("VALUES"), 1), &count) == 0)
		return count;
	for (size_t i = 2; i < command->count; i++)
		if (!is_text(command->arguments[i]) && command->arguments[i].len % 4 == 0)
			return (int64_t)command->arguments[i].len / 4;
	return -1;
}

/* The words beside the vector: "(@title:cats)=>[KNN …". */
static struct slice words_of(const struct command *command)
{
	struct slice query = command->count > 2 ? command->arguments[2] : SLICE_NONE;
	ptrdiff_t at = slice_find(query, SLICE("=>["));
	struct slice words = slice_trim(slice_head(query, at < 0 ? 0 : (size_t)at));

	if (is_vsim(command))
		return argument_behind(command, SLICE("ELE"), 1);
	return slice_equal(words, SLICE("*")) || slice_equal(words, SLICE("(*)")) ? SLICE_NONE : words;
}

static void inputs_show(struct call *call, const struct command *command)
{
	bool is_values = is_vsim(command);
	struct out out;

	out_init(&out, call->arena, 512);
	json_open(&out.buf, '{');
	json_put_name(&out.buf, SLICE("command"));
	bulk_put(&out.buf, command->count ? command->arguments[0] : SLICE_NONE);
	json_put_name(&out.buf, SLICE("arguments"));
	json_open(&out.buf, '[');
	for (size_t i = 1; i < command->count; i++) {
		int64_t skip = 0;

		bulk_put(&out.buf, command->arguments[i]);
		/* A vector written out, number by number. */
		if (is_values && i + 1 < command->count && slice_equal_nocase(command->arguments[i], SLICE("VALUES")) &&
		    json_int(command->arguments[i + 1], &skip) == 0 && skip > 0) {
			bulk_put(&out.buf, command->arguments[i + 1]);
			i = (uint64_t)skip < command->count ? i + 1 + (size_t)skip : command->count;
		}
	}
	json_close(&out.buf, ']');
	json_close(&out.buf, '}');
	call->inputs = out_slice(&out);
	call_lost(call, call->inputs.data);
}

static void request(struct call *call, void *state)
{
	struct command command = { 0 };
	struct slice source;

	call->operation = OPERATION_RETRIEVAL;
	call->vendor = slice_of(shape.vendor);
	command_read(slice_from(call->request_body, 4), &command);
	source = command.count > 1 && is_text(command.arguments[1]) ? command.arguments[1] : SLICE_NONE;
	inputs_show(call, &command);
	call_put_text(call, "db.system.name", slice_of(shape.system));
	call_put_text(call, "gen_ai.data_source.id", source);
	call_put_text(call, "db.collection.name", source);
	call_put_text(call, "gen_ai.retrieval.query.text",
		      is_text(words_of(&command)) ? words_of(&command) : SLICE_NONE);
	call_put_count(call, "gen_ai.retrieval.top_k", nearest_of(&command));
	call_put_count(call, "spantap.retrieval.vector_dimensions", dimensions_of(&command));
}

/* ---- reply ---- */

/* A score comes as text. */
static void member_put(struct buf *out, struct slice name, struct slice value)
{
	struct slice number = json_raw_text(value);
	bool is_number = number.len && json_check(number, 1) == 0 && json_type(number) == JSON_NUMBER;

	json_put_raw(out, name);
	buf_put_char(out, ':');
	if (is_number && (slice_contains(name, SLICE("score")) || slice_contains(name, SLICE("dist"))))
		buf_put(out, number);
	else
		buf_put(out, value);
}

/* Names and values in turns, as members; @id first when there is one. */
static struct slice object_of(struct call *call, struct slice id, struct slice pairs)
{
	struct json_iter pair = json_iter(pairs);
	struct out out;

	out_init(&out, call->arena, pairs.len + id.len + 16);
	json_open(&out.buf, '{');
	json_member_raw(&out.buf, SLICE("id"), id);
	while (json_next(&pair)) {
		struct slice name = pair.value;

		if (json_type(name) != JSON_STRING || !json_next(&pair))
			break;
		member_put(&out.buf, name, pair.value);
	}
	json_close(&out.buf, '}');
	call_lost(call, !out.buf.failed);
	return out_slice(&out);
}

static struct slice pair_get(struct slice pairs, struct slice wanted)
{
	struct json_iter pair = json_iter(pairs);

	while (json_next(&pair)) {
		bool is_it = json_text_is(pair.value, wanted);

		if (json_next(&pair) && is_it)
			return pair.value;
	}
	return SLICE_NONE;
}

/* RESP 2: count, then id and fields in turns. RESP 3: a map with results. */
static void search_read(struct documents *documents, struct call *call, struct slice reply)
{
	struct slice results = pair_get(reply, SLICE("results"));
	struct json_iter one = json_iter(results.data ? results : reply);

	if (!results.data && !json_next(&one))
		return;
	while (json_next(&one)) {
		struct slice id = one.value, fields = SLICE_NONE;
		struct json_iter ahead = one;

		if (results.data) {
			id = pair_get(one.value, SLICE("id"));
			fields = pair_get(one.value, SLICE("extra_attributes"));
		} else if (json_next(&ahead) && json_type(ahead.value) == JSON_ARRAY) {
			fields = ahead.value;
			one = ahead;
		}
		documents_read(documents, object_of(call, id, fields));
	}
}

/* Elements, with their scores in turns where these were asked for. */
static void elements_read(struct documents *documents, struct slice reply, bool has_scores)
{
	struct json_iter one = json_iter(reply);

	while (json_next(&one)) {
		struct document document = { .id = one.value, .text = one.value };
		struct slice score = SLICE_NONE;

		if (has_scores && json_next(&one))
			score = json_type(one.value) == JSON_STRING ? json_raw_text(one.value) : one.value;
		if (json_check(score, 1) == 0 && json_type(score) == JSON_NUMBER)
			document.score = score;
		documents_add(documents, &document);
	}
}

static enum dialect_event event(struct call *call, void *state, const struct message_part *part)
{
	struct slice rest = part->data, reply;
	struct command command = { 0 };
	struct documents documents;
	struct out out;

	if (slice_starts(rest, SLICE("-")) || slice_starts(rest, SLICE("!"))) {
		bool is_bulk = rest.data[0] == '!';
		struct slice line = line_cut(&rest), text = is_bulk ? line_cut(&rest) : slice_from(line, 1);

		call->has_error = true;
		call->error.message = arena_dup(call->arena, text);
		call->error.type = slice_head(call->error.message, slice_cut(&text, ' ').len);
		return DIALECT_EVENT_QUIET;
	}
	out_init(&out, call->arena, rest.len + 64);
	value_put(&out.buf, &rest, 0);
	reply = out_slice(&out);
	call_lost(call, reply.data && json_check(reply, JSON_DEPTH_MAX) == 0);
	if (call->is_undecodable)
		return DIALECT_EVENT_QUIET;
	command_read(slice_from(call->request_body, 4), &command);
	documents_open(&documents, call, &shape, reply.len);
	if (is_vsim(&command))
		elements_read(&documents, reply, argument_behind(&command, SLICE("WITHSCORES"), 0).data);
	else
		search_read(&documents, call, reply);
	documents_close(&documents);
	return DIALECT_EVENT_CONTENT;
}

static void finish(struct call *call, void *state)
{
	call->operation = OPERATION_RETRIEVAL;
	call->is_stream = false;
}

DIALECT(redis_search, {
			      .name = "redis.search",
			      .order = 94,
			      .recognise = recognise,
			      .request = request,
			      .event = event,
			      .response = no_step,
			      .finish = finish,
			      .span_name = retrieval_span_name,
		      });
