/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of JSON: whatever the text is, the readers end and stay inside it. What is accepted stays acceptable when it is
 * cleaned, and cleaning it again changes nothing; any text at all becomes a string that is read back as the text, cleaned.
 */
#include "base/json.h"
#include "digest.h"
#include "heap.h"
#include "trace/pyrepr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 20, WALK_DEPTH = 16 };

static void walk(struct arena *arena, struct slice value, unsigned depth)
{
	bool is_truth = json_is_true(value);
	int64_t number;
	double real;

	MUST(!is_truth || json_type(value) == JSON_TRUE);
	json_int(value, &number);
	json_double(value, &real);
	json_text(arena, value);
	json_path(value, "a", "#0", NULL);
	json_foreach_member(member, value) {
		MUST(member.value.data >= value.data && member.value.len <= value.len);
		if (depth < WALK_DEPTH)
			walk(arena, member.value, depth + 1);
	}
}

static void clean_check(struct alloc *alloc, struct slice text)
{
	struct buf once = BUF(alloc, OUT_MAX), twice = BUF(alloc, OUT_MAX), python = BUF(alloc, OUT_MAX);

	struct slice clean = json_clean(&once, text);

	MUST(!once.failed && json_check(clean, JSON_DEPTH_MAX) == 0);
	MUST(json_clean(&twice, clean).data == clean.data && !twice.len);
	pyrepr_put(&python, text);
	buf_free(&once);
	buf_free(&twice);
	buf_free(&python);
}

static void string_check(struct alloc *alloc, struct arena *arena, struct slice text)
{
	struct buf string = BUF(alloc, OUT_MAX), clean = BUF(alloc, OUT_MAX), cleaned = BUF(alloc, OUT_MAX);

	json_put_text(&string, text);
	MUST(!string.failed && json_check(buf_slice(&string), 1) == 0);
	MUST(slice_equal(text_clean(&clean, text), text_clean(&cleaned, json_text(arena, buf_slice(&string)))));
	buf_free(&string);
	buf_free(&clean);
	buf_free(&cleaned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct alloc_heap heap = heap_begin((size_t)16 << 20);
	struct arena *arena = arena_new(&heap.alloc, (size_t)8 << 20);
	struct slice text = { (const char *)data, size };
	int is = json_check(text, JSON_DEPTH_MAX);

	walk(arena, json_trim(text), 0);
	if (is == 0)
		clean_check(&heap.alloc, text);
	string_check(&heap.alloc, arena, text);
	arena_free(arena);
	MUST(heap.used == 0);
	return 0;
}
