/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openai.embeddings. SDKs ask for base64 by themselves and decode it before anyone sees it, so the outputs show the
 * numbers: float32 as the double that it is. Where the list would not fit into the call's memory the answer stays as the
 * wire had it.
 */
#include "dialect/openai.h"

static const struct path_rule rules[] = {
	{ "/embeddings", .any = KEY_INPUT | KEY_INPUT_ITEMS, .none = KEY_MESSAGES },
	{ "/invocations", .any = KEY_INPUT, .all = KEY_INPUT, .none = KEY_MESSAGES | KEY_VERSION | KEY_PROMPT },
};

static bool is_answer(struct slice body)
{
	return json_text_is(json_get(body, SLICE("object")), SLICE("list")) &&
	       json_path(body, "data", "#0", "embedding", NULL).data;
}

static const struct signature signature = { rules, ARRAY_SIZE(rules), is_answer };

static unsigned recognise(const struct dialect_hint *hint)
{
	return signature_score(&signature, hint);
}

static void request(struct call *call, void *state)
{
	call->operation = OPERATION_EMBEDDINGS;
	request_open(call, "openai");
	if (!call->request_model.len)
		call->request_model = openai_path_model(call);
}

/* ---- numbers ---- */

static int sextet(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? memchr(digits, c, 64) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Most numbers of a vector lie between a millionth and ten, where 17 digits are one 128-bit multiplication away;
 * printf's exact way costs twenty times as much and a batch has a million of them. */
static void put_float(struct buf *out, float value)
{
	unsigned __int128 scaled;
	uint32_t bits, mantissa;
	int shift, places = 16;
	char text[40], *at = text + sizeof(text), *end;
	uint64_t digits, limit = 100000000000000000u; /* 17 digits and no more */

	memcpy(&bits, &value, sizeof(bits));
	mantissa = (bits & 0x7fffff) | 0x800000;
	shift = 150 - (int)(bits >> 23 & 0xff);
	if (shift < 21 || shift > 43 || value >= 8 || value <= -8) {
		json_put_double(out, (double)value);
		return;
	}
	scaled = (unsigned __int128)mantissa * 10000000000000000u;
	while ((scaled >> shift) < limit / 10 && places < 22) {
		scaled *= 10;
		places++;
	}
	digits = (uint64_t)((scaled + ((unsigned __int128)1 << (shift - 1))) >> shift);
	while (places > 1 && digits % 10 == 0) {
		digits /= 10;
		places--;
	}
	for (end = at; places > 0 || digits; places--) {
		*--at = (char)('0' + digits % 10);
		digits /= 10;
		if (places == 1) {
			*--at = '.';
			if (!digits)
				*--at = '0';
		}
	}
	if (bits >> 31)
		*--at = '-';
	json_put_raw(out, (struct slice){ at, (size_t)(end - at) });
}

/* The vector in @base64 as a list of numbers; false when it is no list of float32. */
static bool put_vector(struct buf *out, struct slice base64)
{
	uint32_t bits = 0, word = 0, have = 0, bytes = 0;

	while (base64.len && base64.data[base64.len - 1] == '=')
		base64.len--;
	if (base64.len * 6 / 8 % 4)
		return false;
	json_open(out, '[');
	for (size_t i = 0; i < base64.len; i++) {
		int six = sextet(base64.data[i]);
		float value;

		if (six < 0)
			return false;
		bits = bits << 6 | (uint32_t)six;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		word |= (bits >> have & 0xff) << (8 * bytes);
		if (++bytes < 4)
			continue;
		memcpy(&value, &word, sizeof(value));
		put_float(out, value);
		word = bytes = 0;
	}
	json_close(out, ']');
	return true;
}

/* ---- answer ---- */

/* One element of data with its vector decoded. */
static bool put_item(struct buf *out, struct slice item)
{
	json_open(out, '{');
	json_foreach_member(member, item) {
		bool is_vector = slice_equal(member.name, SLICE("embedding")) && json_type(member.value) == JSON_STRING;

		json_put_raw_name(out, member.name);
		if (!is_vector)
			json_put_raw(out, member.value);
		else if (!put_vector(out, json_raw_text(member.value)))
			return false;
	}
	json_close(out, '}');
	return true;
}

static bool put_data(struct buf *out, struct slice data)
{
	json_open(out, '[');
	json_foreach_element(item, data) {
		if (json_type(item.value) != JSON_OBJECT)
			json_put_raw(out, item.value);
		else if (!put_item(out, item.value))
			return false;
	}
	json_close(out, ']');
	return true;
}

/* The answer with its vectors decoded, or SLICE_NONE when nothing is to be done or it cannot be. */
static struct slice decoded(struct call *call, struct slice answer)
{
	struct slice data = json_get(answer, SLICE("data"));
	struct slice type = json_get(json_trim(call->request_body), SLICE("output_dtype"));
	struct out out;

	if (json_type(json_path(data, "#0", "embedding", NULL)) != JSON_STRING)
		return SLICE_NONE;
	if (type.data && !json_text_is(type, SLICE("float")))
		return SLICE_NONE; /* small integers, packed */
	out_init(&out, call->arena, answer.len * 4 + 64);
	json_open(&out.buf, '{');
	json_foreach_member(member, answer) {
		json_put_raw_name(&out.buf, member.name);
		if (!slice_equal(member.name, SLICE("data")) || json_type(member.value) != JSON_ARRAY)
			json_put_raw(&out.buf, member.value);
		else if (!put_data(&out.buf, member.value))
			return SLICE_NONE;
	}
	json_close(&out.buf, '}');
	return out_slice(&out);
}

static void response(struct call *call, void *state)
{
	struct slice answer, numbers;

	if (!answer_open(call, &answer))
		return;
	openai_answer_head(call, answer);
	openai_usage_read(call, json_get(answer, SLICE("usage")));
	if (call->usage.input < 0) /* Voyage and Jina tell one number */
		call->usage.input = call->usage.total;
	numbers = decoded(call, answer);
	if (numbers.data)
		call->outputs = numbers;
}

static void finish(struct call *call, void *state)
{
	if (call->operation == OPERATION_UNKNOWN)
		request(call, state);
}

static struct slice span_name(const struct call *call)
{
	return SPAN_NAME(call, "Embeddings");
}

DIALECT(openai_embeddings, {
				   .name = "openai.embeddings",
				   .order = 13,
				   .recognise = recognise,
				   .request = request,
				   .event = no_event,
				   .response = response,
				   .finish = finish,
				   .span_name = span_name,
			   });
