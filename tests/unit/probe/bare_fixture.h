/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions without names, made to order, that report as a compiler would have them do. What they are called by, and what the tables
 * for unwinding say of them, can each be left out.
 */
#pragma once
#include "bare_image.h"

/* mov edx, reason; address of the text; mov r8d, line; call */
static inline void bare_report(struct bare_image *image, uint64_t text, uint32_t reason, uint32_t line)
{
	BARE_BYTES(image, "\x74\x21\xbf"); /* je behind it */
	bare_number(image, BARE_LIBRARY);
	BARE_BYTES(image, "\xba");
	bare_number(image, reason);
	if (image->is_fixed) {
		BARE_BYTES(image, "\x90\x90\xb9");
		bare_number(image, (uint32_t)text);
	} else {
		BARE_BYTES(image, "\x48\x8d\x0d");
		bare_number(image, (uint32_t)(text - bare_here(image) - 4));
	}
	BARE_BYTES(image, "\x31\xf6\x90\x41\xb8");
	bare_number(image, line);
	BARE_BYTES(image, "\xe8\0\0\0\0\x90\x90");
}

struct bare_row { /* of the list, and what it leads to */
	int32_t code, record;
};

/* The stretch of code from @start up to here. */
static inline void bare_frame(struct bare_image *image, uint64_t start, bool is_part)
{
	uint8_t *base = image->bytes + BARE_FRAMES;
	uint64_t common = BARE_FRAMES + 0x4000, record = common + 32 * (1ul + image->functions);
	int32_t code[] = { 20, (int32_t)(record + 4 - common), (int32_t)(start - record - 8),
			   (int32_t)(bare_here(image) - start) };
	struct bare_row row = { (int32_t)(start - BARE_FRAMES), (int32_t)(record - BARE_FRAMES) };

	memcpy(base, "\1\x1b\3\x3b", 4);
	memcpy(base + 12 + image->functions * sizeof(row), &row, sizeof(row));
	memcpy(image->bytes + common, "\x14\0\0\0\0\0\0\0\1zR\0", 12);
	memcpy(image->bytes + record, code, sizeof(code));
	image->bytes[record + 17] = is_part ? 0x0e : 0x41; /* the frame is so large already; or: an instruction on */
	image->functions++;
	memcpy(base + 8, &image->functions, sizeof(image->functions));
}

/* push rbp; mov rax, [rdi+0x30]; cmp [rdi+0x98], 0; nop: as functions begin that take an object. */
static inline uint64_t bare_begin(struct bare_image *image)
{
	uint64_t start;

	while (image->at % 16)
		BARE_BYTES(image, "\xcc");
	BARE_BYTES(image, "\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc");
	for (size_t i = 0; i < image->shift; i++)
		BARE_BYTES(image, "\xcc");
	start = bare_here(image);
	BARE_BYTES(image, "\x55");
	if (image->makes_frame)
		BARE_BYTES(image, "\x48\x89\xe5"); /* mov rbp, rsp */
	BARE_BYTES(image, "\x48\x8b\x47\x30\x48\x83\xbf\x98\0\0\0\0\x0f\x1f\x84\0\0\0\0\0\x0f\x1f\x84\0\0\0\0\0");
	return start;
}

static inline void bare_call(struct bare_image *image, uint64_t to)
{
	size_t at = image->at;

	image->at = BARE_CALLER + image->caller;
	BARE_BYTES(image, "\xe8");
	bare_number(image, (uint32_t)(to - bare_here(image) - 4));
	image->caller += 5;
	image->at = at;
}

enum bare_end { BARE_PLAIN, BARE_STORES, BARE_FOURTH_FOURTH, BARE_FIFTH_FOURTH, BARE_PART };

static inline void bare_end(struct bare_image *image, uint64_t start, enum bare_end how)
{
	if (how == BARE_STORES)
		BARE_BYTES(image, "\x48\x89\x88\x88\0\0\0"); /* mov [rax+0x88], rcx */
	if (how == BARE_FIFTH_FOURTH)
		BARE_BYTES(image, "\x4c\x89\xc1"); /* mov rcx, r8 */
	if (how == BARE_FOURTH_FOURTH || how == BARE_FIFTH_FOURTH)
		BARE_BYTES(image, "\xff\x50\x38"); /* call [rax+0x38] */
	BARE_BYTES(image, "\x5d\xc3");
	if (image->has_frames)
		bare_frame(image, start, how == BARE_PART);
	if (image->has_calls)
		bare_call(image, start);
	while (image->at % 16)
		BARE_BYTES(image, "\xcc");
}
