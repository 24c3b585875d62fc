/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program file made to order: functions of a few bytes each, one every 256 bytes, with names in the dynamic table or
 * in the section's. What a compiler may make of a library's functions is then a row of bytes, and needs no compiler.
 */
#pragma once
#include "base/cleanup.h"
#include "base/slice.h"
#include <elf.h>
#include <sys/mman.h>

enum { FIXTURE_FUNCTIONS_MAX = 16, FIXTURE_ADDRESS = 0x10000, FIXTURE_CODE = 0x2000, FIXTURE_STRIDE = 0x100 };

struct fixture_function {
	const char *name; /* NULL: it has none in the file; "?name": the name of a function in another file */
	/* Hex; the last four bytes of a call or jump are "->N", to function N, or "=>N", to the pointer that the linker
	 * fills with the address of function N. */
	const char *code;
};

struct fixture {
	bool has_sections; /* names in .symtab only */
	struct fixture_function functions[FIXTURE_FUNCTIONS_MAX];
};

struct fixture_image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint8_t id[20];
	} notes[2];
	Elf64_Dyn dynamic[7];
	struct {
		uint32_t buckets, chains, bucket, chain;
	} hash;
	Elf64_Sym symbols[FIXTURE_FUNCTIONS_MAX];
	char names[512];
	Elf64_Rela relocations[FIXTURE_FUNCTIONS_MAX];
	uint64_t slots[FIXTURE_FUNCTIONS_MAX];
	Elf64_Shdr sections[3];
	uint8_t code[FIXTURE_FUNCTIONS_MAX][FIXTURE_STRIDE] __attribute__((aligned(FIXTURE_CODE)));
};

static inline uint64_t fixture_offset(size_t function)
{
	return FIXTURE_CODE + function * FIXTURE_STRIDE;
}

static inline uint64_t fixture_slot(size_t function)
{
	return offsetof(struct fixture_image, slots) + function * sizeof(uint64_t);
}

/* Returns the length. */
static inline size_t fixture_assemble(uint8_t *code, size_t function, const char *text)
{
	size_t len = 0;

	for (; *text; text += *text == ' ') {
		char *end;

		if (text[1] == '>') {
			size_t to = strtoul(text + 2, &end, 10);
			uint64_t at = text[0] == '-' ? fixture_offset(to) : fixture_slot(to);
			int32_t distance = (int32_t)(at - (fixture_offset(function) + len + 4));

			memcpy(code + len, &distance, sizeof(distance));
			len += sizeof(distance);
		} else {
			code[len++] = (uint8_t)strtoul(text, &end, 16);
		}
		text = end;
	}
	return len;
}

static inline void fixture_tables(struct fixture_image *image, bool has_sections, uint32_t count, size_t names_len)
{
	uint64_t base = FIXTURE_ADDRESS;

	image->hash.buckets = 1;
	image->hash.chains = count;
	image->dynamic[0] = (Elf64_Dyn){ DT_SYMTAB, { base + offsetof(struct fixture_image, symbols) } };
	image->dynamic[1] = (Elf64_Dyn){ DT_STRTAB, { base + offsetof(struct fixture_image, names) } };
	image->dynamic[2] = (Elf64_Dyn){ DT_STRSZ, { names_len } };
	image->dynamic[3] = (Elf64_Dyn){ DT_HASH, { base + offsetof(struct fixture_image, hash) } };
	image->dynamic[4] = (Elf64_Dyn){ DT_JMPREL, { base + offsetof(struct fixture_image, relocations) } };
	image->dynamic[5] = (Elf64_Dyn){ DT_PLTRELSZ, { sizeof(image->relocations) } };
	if (!has_sections)
		return;
	image->header.e_phnum = 2; /* without PT_DYNAMIC */
	image->header.e_shoff = offsetof(struct fixture_image, sections);
	image->header.e_shentsize = sizeof(Elf64_Shdr);
	image->header.e_shnum = 3;
	image->sections[1] = (Elf64_Shdr){ .sh_type = SHT_SYMTAB, .sh_link = 2 };
	image->sections[1].sh_offset = offsetof(struct fixture_image, symbols);
	image->sections[1].sh_size = count * sizeof(Elf64_Sym);
	image->sections[2] = (Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_size = names_len };
	image->sections[2].sh_offset = offsetof(struct fixture_image, names);
}

/* A file in memory; the caller closes it. */
static inline int fixture_open(const struct fixture *fixture)
{
	struct fixture_image *image = aligned_alloc(FIXTURE_CODE, sizeof(*image));
	size_t names_len = 1;
	uint32_t count = 1;
	int fd = memfd_create("fixture", MFD_CLOEXEC);

	memset(image, 0, sizeof(*image));
	memcpy(image->header.e_ident, "\177ELF\2\1\1", 7);
	image->header.e_type = ET_DYN;
	image->header.e_machine = EM_X86_64;
	image->header.e_phoff = offsetof(struct fixture_image, segments);
	image->header.e_phentsize = sizeof(Elf64_Phdr);
	image->header.e_phnum = 3;
	image->segments[0] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, FIXTURE_ADDRESS, 0, sizeof(*image), 0, 0 };
	image->segments[1] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_filesz = sizeof(image->notes) };
	image->segments[1].p_offset = offsetof(struct fixture_image, notes);
	image->segments[2] = (Elf64_Phdr){ .p_type = PT_DYNAMIC, .p_filesz = sizeof(image->dynamic) };
	image->segments[2].p_offset = offsetof(struct fixture_image, dynamic);
	for (size_t i = 0; i < 2; i++) {
		image->notes[i].header = (Elf64_Nhdr){ 4, 20, i ? NT_GNU_BUILD_ID : NT_GNU_ABI_TAG };
		memcpy(image->notes[i].name, "GNU", 4);
		memset(image->notes[i].id, i ? 0xb1 : 0xab, 20);
	}
	for (size_t i = 0; i < FIXTURE_FUNCTIONS_MAX && fixture->functions[i].code; i++) {
		const struct fixture_function *function = &fixture->functions[i];
		size_t len = fixture_assemble(image->code[i], i, function->code);
		bool is_here;

		if (!function->name)
			continue;
		image->relocations[i].r_offset = FIXTURE_ADDRESS + fixture_slot(i);
		image->relocations[i].r_info = ELF64_R_INFO(count, R_X86_64_JUMP_SLOT);
		is_here = function->name[0] != '?';
		image->symbols[count++] = (Elf64_Sym){
			(uint32_t)names_len, STT_FUNC, 0, is_here, FIXTURE_ADDRESS + fixture_offset(i), len
		};
		memcpy(image->names + names_len, function->name + !is_here, strlen(function->name + !is_here) + 1);
		names_len += strlen(function->name) + 1;
	}
	fixture_tables(image, fixture->has_sections, count, names_len);
	if (write(fd, image, sizeof(*image)) != sizeof(*image))
		abort();
	free(image);
	return fd;
}
