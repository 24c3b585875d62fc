/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mark between two parts begins with CR and has no other CR in it, so a match that fails never hides another that began
 * inside it: bytes that matched are given back as data, and the search goes on with the byte at hand.
 */
#include "call/form.h"
#include "base/cleanup.h"
#include "base/json.h"

/* The value of @name in "type; a=b; c=\"d\"". */
static struct slice parameter(struct slice line, struct slice name)
{
	slice_cut(&line, ';');
	while (line.len) {
		struct slice value, key;

		line = slice_trim(line);
		key = slice_cut(&line, '=');
		if (slice_starts(line, SLICE("\""))) {
			line = slice_from(line, 1);
			value = slice_cut(&line, '"');
			slice_cut(&line, ';');
		} else {
			value = slice_trim(slice_cut(&line, ';'));
		}
		if (slice_equal_nocase(slice_trim(key), name))
			return value;
	}
	return SLICE_NONE;
}

bool form_type_is(struct slice content_type)
{
	return slice_equal_nocase(slice_trim(slice_cut(&content_type, ';')), SLICE("multipart/form-data"));
}

bool form_init(struct form *form, struct slice content_type, struct alloc *alloc, struct buf *out)
{
	struct slice boundary = parameter(content_type, SLICE("boundary"));

	if (!form_type_is(content_type) || !boundary.len || boundary.len + 4 > FORM_MARK_MAX)
		return false;
	*form = (struct form){ .out = out, .mark = "\r\n--", .text = BUF(alloc, FORM_TEXT_MAX) };
	memcpy(form->mark + 4, boundary.data, boundary.len);
	form->mark_len = boundary.len + 4;
	/* The first mark may stand at the very beginning. */
	form->matched = 2;
	return true;
}

void form_free(struct form *form)
{
	if (form->text.alloc)
		buf_free(&form->text);
}

/* ---- parts ---- */

static void part_begin(struct form *form)
{
	struct slice head = { form->head, form->head_len };

	form->name = form->filename = form->type = SLICE_NONE;
	while (head.len) {
		struct slice line = slice_trim(slice_cut(&head, '\n'));
		struct slice name = slice_cut(&line, ':');

		if (slice_equal_nocase(name, SLICE("content-disposition"))) {
			form->name = parameter(line, SLICE("name"));
			form->filename = parameter(line, SLICE("filename"));
		} else if (slice_equal_nocase(name, SLICE("content-type"))) {
			form->type = slice_trim(line);
		}
	}
	buf_reset(&form->text);
	form->blob = BLOB;
	form->state = FORM_PART;
}

static void part_data(struct form *form, struct slice bytes)
{
	if (form->state != FORM_PART)
		return;
	blob_put(&form->blob, bytes);
	if (!form->filename.data)
		buf_put(&form->text, bytes);
}

static void file_tell(struct form *form)
{
	struct slice type = form->type.len ? form->type : blob_type(&form->blob);
	char sha[SHA256_TEXT_SIZE];

	form->count++;
	form->bytes += blob_bytes(&form->blob);
	json_open(form->out, '{');
	json_member_text(form->out, SLICE("filename"), form->filename);
	json_member_text(form->out, SLICE("type"), type);
	json_member_int(form->out, SLICE("bytes"), (int64_t)blob_bytes(&form->blob));
	sha256_text(&form->blob.sha, sha);
	json_member_text(form->out, SLICE("sha256"), slice_of(sha));
	json_close(form->out, '}');
}

static bool name_is_there(const struct form *form)
{
	json_foreach_member(member, buf_slice(form->out))
		if (slice_equal(member.name, form->name))
			return true;
	return false;
}

static void part_end(struct form *form)
{
	if (form->state != FORM_PART || !form->name.len || ++form->parts > FORM_PARTS_MAX)
		return;
	form->has_twins |= form->out->len && name_is_there(form);
	if (!form->out->len)
		buf_put_char(form->out, '{');
	json_put_name(form->out, form->name);
	if (form->filename.data || form->text.failed)
		file_tell(form);
	else
		json_put_text(form->out, buf_slice(&form->text));
}

/* ---- marks and heads ---- */

static void mark_found(struct form *form)
{
	part_end(form);
	form->state = FORM_MARKED;
	form->is_last = false;
	form->head_len = form->matched = 0;
}

/* The rest of the mark's line: "--" says that it was the last. */
static void marked_char(struct form *form, char c)
{
	form->is_last |= c == '-';
	if (form->is_last)
		form->state = FORM_OVER;
	else if (c == '\n')
		form->state = FORM_HEAD;
}

static void head_char(struct form *form, char c)
{
	struct slice head;

	/* Of a head that is too long its end must still be seen: the newest bytes take the place of the last. */
	if (form->head_len == FORM_HEAD_MAX) {
		memmove(form->head + FORM_HEAD_MAX - 4, form->head + FORM_HEAD_MAX - 3, 3);
		form->head_len--;
	}
	form->head[form->head_len++] = c;
	head = (struct slice){ form->head, form->head_len };
	if (!slice_ends(head, SLICE("\r\n\r\n")) && !slice_equal(head, SLICE("\r\n")))
		return;
	part_begin(form);
	form->matched = 0;
}

/* Data of a part, or what stands before the first mark. */
static size_t data_feed(struct form *form, struct slice bytes)
{
	char c = bytes.data[0];
	const char *cr;

	if (form->matched && c == form->mark[form->matched]) {
		if (++form->matched == form->mark_len)
			mark_found(form);
		return 1;
	}
	part_data(form, (struct slice){ form->mark, form->matched });
	cr = memchr(bytes.data, '\r', bytes.len);
	part_data(form, slice_head(bytes, cr ? (size_t)(cr - bytes.data) : bytes.len));
	form->matched = cr ? 1 : 0;
	return cr ? (size_t)(cr - bytes.data) + 1 : bytes.len;
}

void form_feed(struct form *form, struct slice bytes)
{
	while (bytes.len && form->state != FORM_OVER) {
		size_t len = 1;

		if (form->state == FORM_MARKED)
			marked_char(form, bytes.data[0]);
		else if (form->state == FORM_HEAD)
			head_char(form, bytes.data[0]);
		else
			len = data_feed(form, bytes);
		bytes = slice_from(bytes, len);
	}
}

/* ---- the end ---- */

/* Members of equal names become one array where the first of them stood. */
static void twins_join(struct form *form)
{
	struct slice all = buf_slice(form->out);
	struct buf joined = BUF(form->text.alloc, form->out->max);

	json_open(&joined, '{');
	json_foreach_member(first, all) {
		size_t before = 0, count = 0;

		json_foreach_member(other, all) {
			bool is_twin = slice_equal(other.name, first.name);

			before += is_twin && other.value.data < first.value.data;
			count += is_twin;
		}
		if (before)
			continue;
		json_put_raw_name(&joined, first.name);
		if (count > 1)
			json_open(&joined, '[');
		json_foreach_member(twin, all)
			if (slice_equal(twin.name, first.name))
				json_put_raw(&joined, twin.value);
		if (count > 1)
			json_close(&joined, ']');
	}
	json_close(&joined, '}');
	if (!joined.failed) {
		buf_reset(form->out);
		buf_put(form->out, buf_slice(&joined));
	}
	buf_free(&joined);
}

void form_end(struct form *form)
{
	if (!form->out)
		return;
	part_end(form);
	form->state = FORM_OVER;
	if (form->out->len && !form->out->failed)
		json_close(form->out, '}');
	if (form->has_twins && !form->out->failed)
		twins_join(form);
	form->out = NULL;
}
