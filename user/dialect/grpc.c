/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gRPC call that failed has HTTP status 200: its own status is the last word. A message may be there only in part; JSON is
 * made of what is.
 */
#include "dialect/grpc.h"

static const char *const status_names[] = {
	"OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
	"NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
	"ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
	"DATA_LOSS", "UNAUTHENTICATED",
};

/* ---- recognition ---- */

/* "v1" or "v1beta" where the row has '*'. */
static bool path_matches(struct slice path, struct slice row)
{
	ptrdiff_t star = slice_find(row, SLICE("*"));
	struct slice head, tail, middle;

	if (star < 0)
		return slice_equal(path, row);
	head = slice_head(row, (size_t)star);
	tail = slice_from(row, (size_t)star + 1);
	if (path.len < head.len + tail.len || !slice_starts(path, head) || !slice_ends(path, tail))
		return false;
	middle = slice_head(slice_from(path, head.len), path.len - head.len - tail.len);
	return !memchr(middle.len ? middle.data : "", '.', middle.len) &&
	       !memchr(middle.len ? middle.data : "", '/', middle.len);
}

const struct grpc_method *grpc_method_find(const struct grpc_method *methods, size_t count, struct slice path)
{
	for (size_t i = 0; i < count; i++)
		if (path_matches(path, methods[i].path))
			return &methods[i];
	return NULL;
}

unsigned grpc_score(const struct grpc_method *methods, size_t count, const struct dialect_hint *hint)
{
	struct slice type = call_header(hint->headers, hint->header_count, SLICE("content-type"));

	if (!slice_starts_nocase(type, SLICE("application/grpc")))
		return 0;
	return grpc_method_find(methods, count, hint->path) ? SCORE_SURE : 0;
}

/* ---- messages ---- */

struct slice grpc_json(struct call *call, const struct pb_message *message, struct slice bytes)
{
	size_t unknown = 0;
	struct out out;

	out_init(&out, call->arena, bytes.len + bytes.len / 2 + 128);
	call_lost(call, pb_put_json(&out.buf, message, bytes, &unknown) == 0);
	call_lost(call, !out.buf.failed);
	return out_slice(&out);
}

/* The first message of a request's body, without its length; *ret_whole: all of it is there. */
static struct slice first_message(struct slice body, bool *ret_whole)
{
	const unsigned char *in = (const unsigned char *)body.data;
	struct slice rest = slice_from(body, 4);
	size_t len;

	*ret_whole = false;
	if (body.len < 4)
		return SLICE_NONE;
	len = (size_t)in[0] << 24 | (size_t)in[1] << 16 | (size_t)in[2] << 8 | in[3];
	*ret_whole = len <= rest.len;
	return slice_head(rest, len);
}

bool grpc_request_open(struct call *call, const struct pb_message *message, const char *vendor)
{
	bool is_whole, was_decodable = !call->is_undecodable;
	struct slice bytes = first_message(call->request_body, &is_whole);

	call->request_body = bytes.data ? grpc_json(call, message, bytes) : SLICE_NONE;
	if (!is_whole && was_decodable)
		call->is_undecodable = false; /* that it ends early is told by what is missing */
	return request_open(call, vendor);
}

/* ---- status ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The message travels percent-encoded, so that a header can hold it. */
static struct slice percent_decoded(struct call *call, struct slice text)
{
	struct slice copy = arena_dup(call->arena, text);
	char *out = (char *)copy.data;
	size_t len = 0;

	if (!copy.data)
		return SLICE_NONE;
	for (size_t i = 0; i < text.len; i++) {
		int high = text.data[i] == '%' && i + 2 < text.len ? hex_digit(text.data[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;

		out[len++] = low >= 0 ? (char)(high << 4 | low) : text.data[i];
		i += low >= 0 ? 2 : 0;
	}
	return (struct slice){ copy.data, len };
}

void grpc_status_read(struct call *call)
{
	struct slice status = call_header(call->response_headers, call->response_header_count, SLICE("grpc-status"));
	struct slice message = call_header(call->response_headers, call->response_header_count, SLICE("grpc-message"));
	unsigned code = 0;

	if (!status.len || status.len > 3)
		return;
	for (size_t i = 0; i < status.len; i++) {
		if (status.data[i] < '0' || status.data[i] > '9')
			return;
		code = code * 10 + (unsigned)(status.data[i] - '0');
	}
	call_put_count(call, "rpc.grpc.status_code", code);
	if (!code)
		return;
	call->has_error = true;
	call->error.type = code < ARRAY_SIZE(status_names) ? slice_of(status_names[code]) : SLICE("UNKNOWN");
	call->error.code = status;
	call->error.message = percent_decoded(call, message);
}
