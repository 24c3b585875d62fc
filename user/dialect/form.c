/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line of a form is its boundary, so nothing but the body is needed:
 *
 *	--X ␍␊ Content-Disposition: form-data; name="model" ␍␊ ␍␊ whisper-1 ␍␊ --X ␍␊ … ␍␊ --X-- ␍␊
 *
 * What is cut has no end: a field then is what was seen of it, a file has no length.
 */
#include "dialect/form.h"

enum { FIELDS_MAX = 64, HEAD_MAX = 4096 };

struct field {
	struct slice name, filename, type, value;
	bool is_whole;
};

struct form {
	struct field fields[FIELDS_MAX];
	size_t count;
};

bool form_is(struct slice body)
{
	return slice_starts(body, SLICE("--")) && slice_contains(slice_head(body, HEAD_MAX), SLICE("form-data"));
}

/* @parameter="value" of a header line; escapes stay. */
static struct slice quoted_after(struct slice head, struct slice parameter)
{
	ptrdiff_t at = slice_find(head, parameter);
	struct slice rest = slice_from(head, at < 0 ? head.len : (size_t)at + parameter.len);
	size_t len = 0;

	if (!slice_starts(rest, SLICE("\"")))
		return SLICE_NONE;
	rest = slice_from(rest, 1);
	while (len < rest.len && rest.data[len] != '"')
		len++;
	return slice_head(rest, len);
}

static void field_head(struct field *field, struct slice head)
{
	while (head.len) {
		struct slice line = slice_trim(slice_cut(&head, '\n'));

		if (slice_starts_nocase(line, SLICE("content-disposition:"))) {
			field->filename = quoted_after(line, SLICE("; filename="));
			field->name = quoted_after(line, SLICE("; name="));
		} else if (slice_starts_nocase(line, SLICE("content-type:"))) {
			field->type = slice_trim(slice_from(line, SLICE("content-type:").len));
		}
	}
}

/* The next field of *rest, which stands behind a boundary's line. false when there is none. */
static bool field_next(struct slice *rest, struct slice boundary, struct field *ret)
{
	ptrdiff_t blank = slice_find(slice_head(*rest, HEAD_MAX), SLICE("\r\n\r\n")), end;

	*ret = (struct field){ 0 };
	if (blank < 0)
		return false;
	field_head(ret, slice_head(*rest, (size_t)blank));
	ret->value = slice_from(*rest, (size_t)blank + 4);
	end = slice_find(ret->value, boundary);
	ret->is_whole = end >= 2 && ret->value.data[end - 2] == '\r';
	*rest = slice_from(ret->value, end < 0 ? ret->value.len : (size_t)end + boundary.len);
	ret->value = slice_head(ret->value, ret->is_whole ? (size_t)end - 2 : end < 0 ? ret->value.len : (size_t)end);
	if (slice_starts(*rest, SLICE("--")))
		*rest = SLICE_NONE; /* the last */
	return true;
}

static void form_read(struct form *form, struct slice body)
{
	struct slice boundary = slice_trim(slice_cut(&body, '\n'));

	if (boundary.len < 3)
		return;
	while (form->count < FIELDS_MAX && field_next(&body, boundary, &form->fields[form->count]))
		form->count += form->fields[form->count].name.len > 0;
}

static void field_put(struct buf *out, const struct field *field)
{
	if (!field->filename.data) {
		json_put_text(out, field->value);
		return;
	}
	json_open(out, '{');
	json_member_text(out, SLICE("filename"), field->filename);
	json_member_text(out, SLICE("type"), field->type);
	if (field->is_whole)
		json_member_int(out, SLICE("bytes"), (int64_t)field->value.len);
	json_close(out, '}');
}

static struct slice plain_name(struct slice name)
{
	return slice_ends(name, SLICE("[]")) ? slice_head(name, name.len - 2) : name;
}

/* The fields of the name that stands at @first, once. */
static void fields_put(struct buf *out, const struct form *form, size_t first)
{
	struct slice name = plain_name(form->fields[first].name);
	bool is_list = slice_ends(form->fields[first].name, SLICE("[]"));

	for (size_t i = 0; i < form->count; i++) {
		if (i == first || !slice_equal(plain_name(form->fields[i].name), name))
			continue;
		if (i < first)
			return; /* written before */
		is_list = true;
	}
	json_put_name(out, name);
	if (is_list)
		json_open(out, '[');
	for (size_t i = first; i < form->count; i++)
		if (slice_equal(plain_name(form->fields[i].name), name))
			field_put(out, &form->fields[i]);
	if (is_list)
		json_close(out, ']');
}

struct slice form_object(struct call *call, struct slice body)
{
	struct form *form = arena_new_of(call->arena, struct form);
	struct out out;

	if (!form)
		return SLICE_NONE;
	form_read(form, body);
	if (!form->count)
		return SLICE_NONE;
	out_init(&out, call->arena, 1024);
	json_open(&out.buf, '{');
	for (size_t i = 0; i < form->count; i++)
		fields_put(&out.buf, form, i);
	json_close(&out.buf, '}');
	return out_slice(&out);
}

bool form_request_open(struct call *call, const char *vendor)
{
	struct slice body = call->request_body;
	bool is_whole;

	if (!form_is(body))
		return request_open(call, vendor);
	call->request_body = form_object(call, body);
	call_lost(call, call->request_body.data);
	is_whole = request_open(call, vendor);
	call->request_body = body;
	return is_whole;
}
