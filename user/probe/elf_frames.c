/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a function begins and ends, as the tables for unwinding tell it: they survive stripping, because exceptions need them. A
 * sorted list (.eh_frame_hdr) leads to a record for each stretch of code. A stretch that begins with a frame already made is no
 * function: compilers move the rare part of one elsewhere, and it is jumped into.
 */
#include "base/cleanup.h"
#include "probe/elf.h"
#include <errno.h>

enum {
	ENCODING_COUNT = 0x03, /* unsigned, four bytes */
	ENCODING_TABLE = 0x3b, /* signed, four bytes, from the list's own address */
	RECORD_MAX = 64,
	CFA_NOP = 0,
	CFA_ADVANCE = 1, /* in the two upper bits */
	CFA_ADVANCE_FIRST = 2,
	CFA_ADVANCE_LAST = 4,
};

struct row {
	int32_t code, record;
};

struct list {
	uint64_t address; /* what the rows count from */
	uint64_t offset;  /* of the rows */
	uint64_t count;
};

static int list_open(const struct elf *elf, struct list *ret)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *segment = &elf->segments[i];
		uint8_t head[12];
		uint32_t count;

		if (segment->p_type != PT_GNU_EH_FRAME || segment->p_filesz < sizeof(head) ||
		    elf_read(elf, segment->p_offset, head, sizeof(head)) < 0)
			continue;
		if (head[0] != 1 || head[2] != ENCODING_COUNT || head[3] != ENCODING_TABLE)
			return -ENOTSUP;
		memcpy(&count, head + 8, sizeof(count));
		ret->address = segment->p_vaddr;
		ret->offset = segment->p_offset + sizeof(head);
		ret->count = MIN((uint64_t)count, (segment->p_filesz - sizeof(head)) / sizeof(struct row));
		return 0;
	}
	return -ENOENT;
}

/* The last row that is not behind @address. */
static int row_find(const struct elf *elf, const struct list *list, uint64_t address, struct row *ret)
{
	uint64_t low = 0, high = list->count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct row row;

		if (elf_read(elf, list->offset + middle * sizeof(row), &row, sizeof(row)) < 0)
			return -ENODATA;
		if (list->address + (uint64_t)(int64_t)row.code > address) {
			high = middle;
			continue;
		}
		*ret = row;
		low = middle + 1;
	}
	return low ? 0 : -ENOENT;
}

/* A record: length, distance back to what it has in common with others, then of the code its place and its length. */
struct record {
	uint32_t len, common;
	int32_t code; /* from the address of this field */
	uint32_t code_len;
	uint8_t rest[RECORD_MAX];
};

static bool record_begins_bare(const struct elf *elf, const struct record *record, uint64_t address)
{
	struct {
		uint32_t len, id;
		uint8_t version;
		char augmentation[3];
	} common;
	size_t at = 0;
	uint64_t offset;

	if (elf_offset_of(elf, address + offsetof(struct record, common) - record->common, &offset) < 0 ||
	    elf_read(elf, offset, &common, sizeof(common)) < 0)
		return false;
	if (common.augmentation[0] == 'z') {
		if (record->rest[0] & 0x80)
			return false;
		at = 1u + record->rest[0];
	} else if (common.augmentation[0]) {
		return false;
	}
	if (at >= RECORD_MAX)
		return false;
	if (at + offsetof(struct record, rest) >= record->len + sizeof(record->len))
		return true;
	return record->rest[at] == CFA_NOP || record->rest[at] >> 6 == CFA_ADVANCE ||
	       (record->rest[at] >= CFA_ADVANCE_FIRST && record->rest[at] <= CFA_ADVANCE_LAST);
}

int elf_function_at(const struct elf *elf, uint64_t address, struct elf_function *ret)
{
	struct list list;
	struct row row;
	struct record record = { 0 };
	uint64_t at, offset, start;
	int r = list_open(elf, &list);

	if (r == 0)
		r = row_find(elf, &list, address, &row);
	if (r < 0)
		return r;
	at = list.address + (uint64_t)(int64_t)row.record;
	start = list.address + (uint64_t)(int64_t)row.code;
	if (elf_offset_of(elf, at, &offset) < 0 ||
	    elf_read_some(elf, offset, &record, sizeof(record)) < offsetof(struct record, rest))
		return -ENODATA;
	if (at + offsetof(struct record, code) + (uint64_t)(int64_t)record.code != start ||
	    address - start >= record.code_len)
		return -ENOENT;
	*ret = (struct elf_function){ start, start + record.code_len, !record_begins_bare(elf, &record, at) };
	return 0;
}
