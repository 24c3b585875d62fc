/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of forms. By the first byte the boundary is "b", or is quoted and longer. Fed whole and byte by byte: the same
 * text, which is JSON where the form has any part.
 */
#include "base/json.h"
#include "call/form.h"
#include "digest.h"
#include "heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 256 << 10 };

static const char *const types[] = { "multipart/form-data; boundary=b",
				     "Multipart/Form-Data; charset=x; boundary=\"a long boundary with -- in it\"" };

static uint64_t run(const char *type, struct slice rest, bool is_single)
{
	struct alloc_heap heap = heap_begin((size_t)16 << 20);
	struct buf out = BUF(&heap.alloc, OUT_MAX);
	uint64_t digest = DIGEST_EMPTY;
	struct form form;

	MUST(form_init(&form, slice_of(type), &heap.alloc, &out));
	for (size_t i = 0; is_single && i < rest.len; i++)
		form_feed(&form, slice_head(slice_from(rest, i), 1));
	if (!is_single)
		form_feed(&form, rest);
	form_end(&form);
	if (!out.failed && out.len)
		MUST(json_check(buf_slice(&out), JSON_DEPTH_MAX) == 0);
	digest_bytes(&digest, buf_slice(&out));
	digest_number(&digest, form.count);
	digest_number(&digest, form.bytes);
	form_free(&form);
	buf_free(&out);
	MUST(heap.used == 0);
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { (const char *)data + 1, size - 1 };
	const char *type;

	if (size < 1)
		return 0;
	type = types[data[0] / 2 % 2];
	MUST(run(type, rest, false) == run(type, rest, true));
	return 0;
}
