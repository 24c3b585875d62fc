/* SPDX-License-Identifier: Apache-2.0 */
/* A program file without names: texts in one segment, code in another, and the tables for unwinding. */
#pragma once
#include "base/cleanup.h"
#include "base/slice.h"
#include <elf.h>
#include <sys/mman.h>

enum {
	BARE_TEXT = 0x1000,    /* offset and address of the texts */
	BARE_FRAMES = 0x30000, /* of the tables for unwinding */
	BARE_CODE = 0x40000,
	BARE_SIZE = 0xc0000,
	BARE_CALLER = 0x7f000, /* in the code: a function that calls all others */
	BARE_LIBRARY = 16,     /* what the reports name: SSL */
};

struct bare_image {
	uint8_t bytes[BARE_SIZE];
	size_t at;          /* of the code, where the next instruction goes */
	size_t caller;      /* of the code of the caller */
	uint32_t functions; /* in the tables */
	bool is_fixed;      /* it knows its addresses */
	bool has_frames, has_calls;
	size_t shift; /* how far behind a multiple of 16 functions begin */
	bool makes_frame;
};

static inline void bare_bytes(struct bare_image *image, size_t len, const char *bytes)
{
	memcpy(image->bytes + BARE_CODE + image->at, bytes, len);
	image->at += len;
}

#define BARE_BYTES(image, bytes) bare_bytes(image, sizeof(bytes) - 1, bytes)

static inline void bare_number(struct bare_image *image, uint32_t number)
{
	bare_bytes(image, sizeof(number), (const char *)&number);
}

static inline uint64_t bare_here(const struct bare_image *image)
{
	return BARE_CODE + image->at;
}

/* A text; returns its address. The "%" in it is left out: so the words are not in the test's own program. */
static inline uint64_t bare_text(struct bare_image *image, size_t at, const char *text)
{
	char *to = (char *)image->bytes + BARE_TEXT + at;
	size_t len = 0;

	for (; *text; text++)
		if (*text != '%')
			to[len++] = *text;
	to[len] = 0;
	return BARE_TEXT + at;
}

/* A file in memory; the caller closes it. */
static inline int bare_open(struct bare_image *image, uint16_t machine)
{
	Elf64_Ehdr header = { .e_type = image->is_fixed ? ET_EXEC : ET_DYN, .e_machine = machine };
	const Elf64_Phdr segments[] = {
		{ PT_LOAD, PF_R, 0, 0, 0, BARE_CODE, BARE_CODE, 0 },
		{ PT_LOAD, PF_R | PF_X, BARE_CODE, BARE_CODE, 0, BARE_SIZE - BARE_CODE, BARE_SIZE - BARE_CODE, 0 },
		{ PT_GNU_EH_FRAME, PF_R, BARE_FRAMES, BARE_FRAMES, 0, 0x4000, 0x4000, 0 },
	};
	int fd = memfd_create("bare", MFD_CLOEXEC);

	memcpy(header.e_ident, "\177ELF\2\1\1", 7);
	header.e_phoff = sizeof(header);
	header.e_phentsize = sizeof(Elf64_Phdr);
	header.e_phnum = image->has_frames ? 3 : 2;
	memcpy(image->bytes, &header, sizeof(header));
	memcpy(image->bytes + sizeof(header), segments, sizeof(segments));
	if (write(fd, image->bytes, sizeof(image->bytes)) != sizeof(image->bytes))
		abort();
	return fd;
}
