/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The members of a message come in any order, and a server may answer an unknown one: so only the names at the top are
 * looked at, once. An error's number is no word; where the specification names it, that name is what it is called.
 */
#include "dialect/jsonrpc.h"

static const struct {
	int64_t code;
	struct slice name;
} codes[] = {
	{ -32700, SLICE("parse_error") },      { -32600, SLICE("invalid_request") },
	{ -32601, SLICE("method_not_found") }, { -32602, SLICE("invalid_params") },
	{ -32603, SLICE("internal_error") },
};

struct rpc rpc_read(struct slice message, bool is_whole)
{
	const char *end = message.data + message.len;
	struct rpc rpc = { 0 };

	if (json_type(message) != JSON_OBJECT)
		return rpc;
	json_foreach_member(member, message) {
		if ((!is_whole && member.value.data + member.value.len == end) || json_type(member.value) == JSON_NULL)
			continue;
		if (slice_equal(member.name, SLICE("jsonrpc")))
			rpc.is_rpc = json_text_is(member.value, SLICE("2.0"));
		else if (slice_equal(member.name, SLICE("method")))
			rpc.method = json_raw_text(member.value);
		else if (slice_equal(member.name, SLICE("id")))
			rpc.id = member.value;
		else if (slice_equal(member.name, SLICE("params")))
			rpc.params = member.value;
		else if (slice_equal(member.name, SLICE("result")))
			rpc.result = member.value;
		else if (slice_equal(member.name, SLICE("error")))
			rpc.error = member.value;
	}
	return rpc;
}

static struct slice code_word(struct slice code)
{
	int64_t number;

	if (json_int(code, &number) < 0)
		return SLICE_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == number)
			return codes[i].name;
	return SLICE_NONE;
}

void rpc_error_read(struct call *call, struct slice error, bool in_band)
{
	struct slice code = json_get(error, SLICE("code"));

	call->has_error = true;
	call->error.in_band = in_band;
	call->error.raw = arena_dup(call->arena, error);
	call->error.code = call_copy(call, code);
	call->error.type = code_word(code);
	call->error.message = call_copy(call, json_get(error, SLICE("message")));
	call_lost(call, call->error.raw.data);
}

void rpc_error_put(struct call *call, struct slice error)
{
	call_put_text(call, "rpc.response.status_code", call_copy(call, json_get(error, SLICE("code"))));
}
