/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two things make one decoder serve all cases.
 *
 * The table is allowed to be as large as any peer may ask for, because what it holds is decided by the size updates that the
 * encoder sends, not by SETTINGS, which the two directions do not order against the header blocks.
 *
 * Joined late, the table is primed: made large and filled with markers of the least size. A reference counts from the newest
 * entry, so it means what it says as long as all entries inserted since we looked are there; and they are, because a table
 * larger than the true one evicts later, and markers, the smallest entries there can be, are evicted later than the entries
 * whose place they hold. So new entries are exact, old ones read as the marker and are dropped, and nothing is ever wrong: not
 * when the true table is emptied by an entry larger than itself (ours keeps what nobody can refer to), nor by size updates
 * (ours, of smaller entries, keeps no fewer). Only a reference beyond the last marker fails; then there are more of them next.
 */
#include "proto/hpack.h"
#include "proto/piece.h"
#include <errno.h>

#ifndef HPACK_MARKERS_FIRST
#define HPACK_MARKERS_FIRST 512 /* the usual table, 4 KiB, has at most 128 entries */
#endif

enum {
	TABLE_MAX = 64 << 10,
	MARKERS_FIRST = HPACK_MARKERS_FIRST,
	MARKERS_MAX = TABLE_MAX / 33,
};

static const struct slice marker = { "\x01", 1 };

struct hpack_mark {
	uint32_t name_len, value_len;
};

static void *mem_get(size_t len, void *alloc)
{
	return piece_get(alloc, len);
}

static void mem_put(void *pointer, void *alloc)
{
	piece_put(alloc, pointer);
}

static void *mem_get_array(size_t count, size_t len, void *alloc)
{
	return len && count > SIZE_MAX / len ? NULL : piece_get(alloc, count * len);
}

static void *mem_resize(void *pointer, size_t len, void *alloc)
{
	return piece_resize(alloc, pointer, len);
}

void hpack_init(struct hpack *hpack, const struct proto_opts *opts)
{
	*hpack = (struct hpack){ .alloc = opts->alloc, .fields_max = opts->fields_max, .markers = MARKERS_FIRST };
	hpack->mem = (nghttp2_mem){ opts->alloc, mem_get, mem_put, mem_get_array, mem_resize };
	hpack->text = BUF(opts->alloc, opts->head_bytes_max);
	hpack->marks = BUF(opts->alloc, opts->fields_max * sizeof(struct hpack_mark));
}

static void inflater_drop(struct hpack *hpack)
{
	if (hpack->inflater)
		nghttp2_hd_inflate_del(hpack->inflater);
	hpack->inflater = NULL;
}

void hpack_free(struct hpack *hpack)
{
	inflater_drop(hpack);
	buf_free(&hpack->text);
	buf_free(&hpack->marks);
}

void hpack_lose(struct hpack *hpack)
{
	inflater_drop(hpack);
	hpack->is_lost = true;
}

/* ---- decoding ---- */

static void field_keep(struct hpack *hpack, struct slice name, struct slice value)
{
	struct hpack_mark mark = { (uint32_t)name.len, (uint32_t)value.len };

	if (slice_equal(name, marker)) {
		hpack->has_unknown = true;
		return;
	}
	if (hpack->has_too_many || hpack->count == hpack->fields_max ||
	    hpack->text.len + name.len + value.len > hpack->text.max) {
		hpack->has_too_many = true;
		return;
	}
	buf_put(&hpack->marks, (struct slice){ (const char *)&mark, sizeof(mark) });
	if (!hpack->marks.failed)
		buf_put(&hpack->text, name);
	if (!hpack->marks.failed && !hpack->text.failed)
		buf_put(&hpack->text, value);
	hpack->has_too_many = hpack->marks.failed || hpack->text.failed;
	hpack->count += !hpack->has_too_many;
}

/* @keeper: NULL while priming. */
static int inflate_block(nghttp2_hd_inflater *inflater, struct slice in, bool is_final, struct hpack *keeper)
{
	for (;;) {
		nghttp2_nv nv;
		int flags = 0;
		ssize_t taken = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, (const uint8_t *)(in.len ? in.data : ""),
						       in.len, is_final);

		if (taken < 0)
			return taken == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EBADMSG;
		in = slice_from(in, (size_t)taken);
		if (flags & NGHTTP2_HD_INFLATE_EMIT && keeper)
			field_keep(keeper, (struct slice){ (const char *)nv.name, nv.namelen },
				   (struct slice){ (const char *)nv.value, nv.valuelen });
		if (flags & NGHTTP2_HD_INFLATE_FINAL)
			return nghttp2_hd_inflate_end_headers(inflater) ? -EBADMSG : 0;
		if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && !in.len)
			return 0;
	}
}

/* ---- beginning ---- */

/* One block: the table's size, then each marker as a literal that is indexed, its name the newest entry's. */
static int markers_put(struct hpack *hpack)
{
	static const char size_and_first[] = "\x3f\xe1\xff\x03\x40\x01\x01\x00", next[] = "\x7e\x00";
	int r = inflate_block(hpack->inflater, (struct slice){ size_and_first, sizeof(size_and_first) - 1 }, false,
			      NULL);

	for (size_t i = 1; i < hpack->markers && r == 0; i++)
		r = inflate_block(hpack->inflater, (struct slice){ next, sizeof(next) - 1 }, false, NULL);
	return r < 0 ? r : inflate_block(hpack->inflater, SLICE_NONE, true, NULL);
}

static int inflater_new(struct hpack *hpack)
{
	int r = nghttp2_hd_inflate_new2(&hpack->inflater, &hpack->mem) ? -ENOMEM : 0;

	if (r < 0) {
		hpack->inflater = NULL;
		return r;
	}
	r = nghttp2_hd_inflate_change_table_size(hpack->inflater, TABLE_MAX) ? -ENOMEM : 0;
	if (r == 0 && hpack->is_lost)
		r = markers_put(hpack);
	if (r < 0)
		inflater_drop(hpack);
	return r;
}

void hpack_begin(struct hpack *hpack)
{
	buf_reset(&hpack->text);
	buf_reset(&hpack->marks);
	hpack->count = 0;
	hpack->has_too_many = hpack->has_unknown = false;
	hpack->error = hpack->inflater ? 0 : inflater_new(hpack);
	if (hpack->error)
		hpack_lose(hpack);
}

static void block_feed(struct hpack *hpack, struct slice fragment, bool is_final)
{
	if (hpack->error)
		return;
	hpack->error = inflate_block(hpack->inflater, fragment, is_final, hpack);
	if (!hpack->error)
		return;
	if (hpack->is_lost && hpack->error == -EBADMSG)
		hpack->markers = MARKERS_MAX;
	hpack_lose(hpack);
}

void hpack_feed(struct hpack *hpack, struct slice fragment)
{
	if (fragment.len)
		block_feed(hpack, fragment, false);
}

int hpack_finish(struct hpack *hpack)
{
	block_feed(hpack, SLICE_NONE, true);
	return hpack->error;
}

size_t hpack_fields(const struct hpack *hpack, struct header *fields)
{
	struct slice text = buf_slice(&hpack->text);

	for (size_t i = 0; i < hpack->count; i++) {
		struct hpack_mark mark;

		memcpy(&mark, hpack->marks.data + i * sizeof(mark), sizeof(mark));
		fields[i].name = slice_head(text, mark.name_len);
		text = slice_from(text, mark.name_len);
		fields[i].value = slice_head(text, mark.value_len);
		text = slice_from(text, mark.value_len);
	}
	return hpack->count;
}
