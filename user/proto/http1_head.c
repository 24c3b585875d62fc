/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lenient where clients are (bare LF, folds, lines without a colon are passed over), strict where two readers could disagree
 * about where the body ends: such a head is FRAMING_BAD, and the caller seeks the next message.
 */
#include "proto/http1_head.h"
#include "proto/frame_array.h"
#include <errno.h>

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.x" */
static bool is_version(struct slice s)
{
	return s.len == 8 && slice_starts(s, SLICE("HTTP/1.")) && is_digit(s.data[7]);
}

/* ---- start lines ---- */

static bool line_is_status(struct slice line)
{
	if (line.len < 12 || !is_version(slice_head(line, 8)) || line.data[8] != ' ')
		return false;
	for (size_t i = 9; i < 12; i++)
		if (!is_digit(line.data[i]))
			return false;
	return line.data[9] != '0' && (line.len == 12 || line.data[12] == ' ');
}

struct request_line {
	struct slice method, target, version;
};

static bool request_line_split(struct slice line, struct request_line *ret)
{
	struct slice rest = line;

	ret->method = slice_cut(&rest, ' ');
	if (!ret->method.len || ret->method.len > SNIFF_BYTES || rest.len < 10)
		return false;
	for (size_t i = 0; i < ret->method.len; i++)
		if (!is_token(ret->method.data[i]))
			return false;
	ret->version = slice_from(rest, rest.len - 8);
	ret->target = slice_head(rest, rest.len - 9);
	if (!is_version(ret->version) || rest.data[rest.len - 9] != ' ')
		return false;
	for (size_t i = 0; i < ret->target.len; i++)
		if ((unsigned char)ret->target.data[i] < ' ')
			return false;
	return true;
}

bool http1_line_is_start(struct slice line, enum message_kind *ret_kind)
{
	struct request_line request;

	if (line_is_status(line))
		*ret_kind = MESSAGE_RESPONSE;
	else if (request_line_split(line, &request))
		*ret_kind = MESSAGE_REQUEST;
	else
		return false;
	return true;
}

/* A target as requests to origins and proxies have it; CONNECT's is an authority. */
static bool target_is_possible(struct slice method, struct slice target)
{
	return target.data[0] == '/' || target.data[0] == '*' || (target.data[0] | 0x20) == 'h' ||
	       slice_equal(method, SLICE("CONNECT"));
}

enum sniff http1_sniff(struct slice first)
{
	static const struct slice status = { "HTTP/1.", 7 }, http2 = { "PRI * HTTP/2.0", 14 };
	struct slice method;

	while (first.len && (first.data[0] == '\r' || first.data[0] == '\n'))
		first = slice_from(first, 1);
	if (slice_starts(first, status))
		return SNIFF_YES;
	if (slice_starts(first, http2))
		return SNIFF_NO;
	if (slice_starts(status, first) || slice_starts(http2, first))
		return SNIFF_MAYBE;
	method = slice_cut(&first, ' ');
	for (size_t i = 0; i < method.len; i++)
		if (!is_token(method.data[i]))
			return SNIFF_NO;
	if (!first.len)
		return SNIFF_MAYBE;
	return target_is_possible(method, first) ? SNIFF_YES : SNIFF_NO;
}

/* A body may end without a line end, so the start line may have anything before it: known methods only. */
static ptrdiff_t find_request(struct slice line)
{
	static const char *const methods[] = { "POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT" };
	struct slice before, target;
	struct request_line request;
	size_t space;

	if (line.len < 9 || !is_version(slice_from(line, line.len - 8)) || line.data[line.len - 9] != ' ')
		return -1;
	before = slice_head(line, line.len - 9);
	for (space = before.len; space && before.data[space - 1] != ' '; space--)
		;
	target = slice_from(before, space);
	if (!space || !target.len)
		return -1;
	before = slice_head(before, space - 1);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		struct slice method = slice_of(methods[i]);

		if (slice_ends(before, method) && target_is_possible(method, target) &&
		    request_line_split(slice_from(line, before.len - method.len), &request))
			return (ptrdiff_t)(before.len - method.len);
	}
	return -1;
}

static ptrdiff_t find_status(struct slice line)
{
	size_t at = 0;

	for (;;) {
		ptrdiff_t next = slice_find(slice_from(line, at), SLICE("HTTP/1."));

		if (next < 0)
			return -1;
		at += (size_t)next;
		if (line_is_status(slice_from(line, at)))
			return (ptrdiff_t)at;
		at++;
	}
}

ptrdiff_t http1_line_find_start(struct slice line, enum message_kind *ret_kind)
{
	ptrdiff_t at = find_request(line);

	*ret_kind = at >= 0 ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
	return at >= 0 ? at : find_status(line);
}

bool http1_line_is_field(struct slice line)
{
	size_t name = 0;

	if (!line.len || line.data[0] == ' ' || line.data[0] == '\t')
		return true;
	while (name < line.len && is_token(line.data[name]))
		name++;
	return name && name < line.len && line.data[name] == ':';
}

static void start_line_parse(struct http1_head *http, enum message_kind kind, struct slice line)
{
	struct message_head *head = &http->head;
	struct request_line request;

	if (kind == MESSAGE_RESPONSE) {
		head->version = (struct slice){ line.data + 5, 3 };
		head->status = (line.data[9] - '0') * 100 + (line.data[10] - '0') * 10 + (line.data[11] - '0');
		return;
	}
	request_line_split(line, &request);
	head->version = slice_from(request.version, 5);
	head->method = request.method;
	head->target = request.target;
	if (slice_equal(request.method, SLICE("HEAD")))
		http->method = METHOD_HEAD;
	if (slice_equal(request.method, SLICE("CONNECT"))) {
		http->method = METHOD_CONNECT;
		head->authority = request.target;
	}
	/* The absolute form, as proxies get it, outranks the Host field. */
	for (size_t i = 0; i < 2; i++) {
		struct slice scheme = i ? SLICE("https://") : SLICE("http://");
		size_t len = 0;

		if (!slice_starts_nocase(head->target, scheme))
			continue;
		head->authority = slice_from(head->target, scheme.len);
		while (len < head->authority.len && !memchr("/?", head->authority.data[len], 2))
			len++;
		head->target = slice_from(head->authority, len);
		head->authority = slice_head(head->authority, len);
		if (!head->target.len)
			head->target = SLICE("/");
		break;
	}
}

/* ---- fields ---- */

static void field_length(struct http1_head *http, struct slice value)
{
	while (value.len) {
		struct slice item = slice_trim(slice_cut(&value, ','));
		uint64_t length = 0;

		for (size_t i = 0; i < item.len; i++) {
			if (!is_digit(item.data[i]) || length > (INT64_MAX - 9) / 10) {
				http->is_bad = true;
				return;
			}
			length = length * 10 + (uint64_t)(item.data[i] - '0');
		}
		if (!item.len || (http->has_length && length != http->length))
			http->is_bad = true;
		http->length = length;
		http->has_length = true;
	}
}

static void shape_add(struct body_shape *shape, struct slice name)
{
	int kind = coding_kind_from(name);

	if (kind == CODING_IDENTITY)
		return;
	if (kind < 0 || shape->coding_count == BODY_CODINGS_MAX)
		shape->is_unknown_coding = true;
	else
		shape->codings[shape->coding_count++] = (enum coding_kind)kind;
}

/* Transfer codings lie outside the content codings, whichever field comes first: they are added behind them in the end. */
static void field_codings(struct http1_head *http, struct slice value)
{
	while (value.len) {
		struct slice name = slice_trim(slice_cut(&value, ','));

		if (name.len)
			shape_add(&http->shape, name);
	}
}

static void field_transfer(struct http1_head *http, struct slice value)
{
	http->has_transfer = true;
	while (value.len) {
		struct slice name = slice_trim(slice_cut(&value, ','));

		if (!name.len)
			continue;
		/* Nothing can lie outside of chunked. */
		if (http->is_chunked)
			http->is_bad = true;
		if (slice_equal_nocase(name, SLICE("chunked")))
			http->is_chunked = true;
		else
			shape_add(&http->shape, name);
	}
}

static void field_upgrade(struct http1_head *http, struct slice value)
{
	http->is_websocket = slice_equal_nocase(value, SLICE("websocket"));
	http->is_h2c = http->head.status == 101 && slice_equal(value, SLICE("h2c"));
}

static void field_take(struct http1_head *http, struct slice name, struct slice value)
{
	if (slice_equal(name, SLICE("content-length")))
		field_length(http, value);
	else if (slice_equal(name, SLICE("host")) && !http->head.authority.len)
		http->head.authority = value;
	else if (slice_equal(name, SLICE("content-encoding")))
		field_codings(http, value);
	else if (slice_equal(name, SLICE("upgrade")))
		field_upgrade(http, value);
	else if (slice_equal(name, SLICE("sec-websocket-extensions")))
		websocket_terms_read(&http->terms, value);
}

/* Header fields into the list; the value has its folds as blanks by now. */
static void field_line(struct http1_head *http, char *line, size_t len, struct header *fields, size_t max)
{
	struct slice name, value = { line, len };
	struct message_head *head = &http->head;

	if (!memchr(line, ':', len))
		return;
	name = slice_trim(slice_cut(&value, ':'));
	value = slice_trim(value);
	if (!name.len)
		return;
	if (head->header_count == max) {
		http->has_too_many = true;
		return;
	}
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] >= 'A' && name.data[i] <= 'Z')
			line[name.data - line + (ptrdiff_t)i] |= 0x20;
	fields[head->header_count++] = (struct header){ name, value };
	field_take(http, name, value);
}

static void fields_parse(struct http1_head *http, char *text, size_t len, struct header *fields, size_t max)
{
	size_t start = 0;

	while (start < len) {
		size_t end = start;

		/* One field: up to the line end that no fold follows. */
		for (;;) {
			char *lf = memchr(text + end, '\n', len - end);

			end = lf ? (size_t)(lf - text) : len;
			if (end + 1 >= len || (text[end + 1] != ' ' && text[end + 1] != '\t'))
				break;
			text[end] = ' ';
			if (end > start && text[end - 1] == '\r')
				text[end - 1] = ' ';
		}
		if (end > start)
			field_line(http, text + start, end - start, fields, max);
		start = end + 1;
	}
	/* Transfer-Encoding last, for the order of the codings. */
	for (size_t i = 0; i < http->head.header_count; i++)
		if (slice_equal(fields[i].name, SLICE("transfer-encoding")))
			field_transfer(http, fields[i].value);
}

/* ---- the body ---- */

static bool type_has(const struct http1_head *http, const char *part)
{
	for (size_t i = 0; i < http->head.header_count; i++)
		if (slice_equal(http->head.headers[i].name, SLICE("content-type")) &&
		    slice_contains(http->head.headers[i].value, slice_of(part)))
			return true;
	return false;
}

static enum http1_framing response_framing(const struct http1_head *http, enum http1_method asked)
{
	int status = http->head.status;

	if (http->is_h2c)
		return FRAMING_INTERIM;
	if (status == 101 || (asked == METHOD_CONNECT && status / 100 == 2))
		return FRAMING_HANDS_ON;
	if (status < 200)
		return FRAMING_INTERIM;
	if (asked == METHOD_HEAD || status == 204 || status == 304)
		return FRAMING_NONE;
	if (http->is_bad)
		return FRAMING_BAD;
	if (http->is_chunked)
		return FRAMING_CHUNKED;
	return http->has_length && !http->has_transfer ? FRAMING_LENGTH : FRAMING_CLOSE;
}

static enum http1_framing request_framing(const struct http1_head *http)
{
	if (http->is_bad || (http->has_transfer && !http->is_chunked))
		return FRAMING_BAD;
	if (http->is_chunked)
		return FRAMING_CHUNKED;
	return http->has_length ? FRAMING_LENGTH : FRAMING_NONE;
}

/* Messages both ways, each compressed by itself when it says so. */
static void grpc_shape(struct http1_head *http)
{
	const struct header *fields = http->head.headers;

	for (size_t i = 0; i < http->head.header_count; i++) {
		int kind = coding_kind_from(fields[i].value);

		if (slice_equal(fields[i].name, SLICE("content-type")) && frame_type_is_grpc(fields[i].value))
			http->shape.frame = FRAME_GRPC;
		else if (slice_equal(fields[i].name, SLICE("grpc-encoding")))
			http->shape.message_coding = kind < 0 ? _CODING_MAX : (enum coding_kind)kind;
	}
}

static void shape_finish(struct http1_head *http, enum message_kind kind)
{
	for (size_t i = 0; i < http->head.header_count; i++)
		if (kind == MESSAGE_RESPONSE && slice_equal(http->head.headers[i].name, SLICE("content-type")))
			http->shape.frame = frame_kind_of(http->head.headers[i].value);
	grpc_shape(http);
	http->shape.is_sniffed = http->shape.frame != FRAME_GRPC && !http->shape.coding_count &&
				 !http->shape.is_unknown_coding &&
				 (type_has(http, "json") || http->shape.frame != FRAME_BYTES);
}

void http1_head_parse(struct http1_head *http, enum message_kind kind, char *text, size_t len, struct header *fields,
		      size_t max, enum http1_method asked)
{
	char *lf = memchr(text, '\n', len);
	size_t line = lf ? (size_t)(lf - text) : len;

	*http = (struct http1_head){ .head = { .kind = kind, .headers = fields } };
	start_line_parse(http, kind, slice_trim((struct slice){ text, line }));
	if (line < len)
		fields_parse(http, text + line + 1, len - line - 1, fields, max);
	http->framing = kind == MESSAGE_RESPONSE ? response_framing(http, asked) : request_framing(http);
	if (http->framing == FRAMING_LENGTH && !http->length)
		http->framing = FRAMING_NONE;
	shape_finish(http, kind);
}

void http1_shape_of(struct body_shape *ret, enum message_kind kind, const struct header *fields, size_t count)
{
	struct http1_head http = { .head = { .headers = fields, .header_count = count } };

	for (size_t i = 0; i < count; i++)
		if (slice_equal(fields[i].name, SLICE("content-encoding")))
			field_codings(&http, fields[i].value);
	shape_finish(&http, kind);
	*ret = http.shape;
}

enum frame_kind http1_frame_of(const struct header *fields, size_t count, enum frame_kind otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(fields[i].name, SLICE("content-type")))
			return frame_kind_of_answer(fields[i].value, true);
	return otherwise;
}
