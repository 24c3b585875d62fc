/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the ELF reader, which the privileged process points at files of anyone. The input is the file, its magic and
 * machine mended. Whatever it holds, reading ends, and what is found lies inside the file: tables, and the functions of a TLS library, with names
 * and without.
 */
#include "digest.h"
#include "probe/disasm.h"
#include "probe/elf.h"
#include "probe/site.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 64 << 10 };

static void symbols_check(const struct elf *elf, const struct elf_symbols *table)
{
	static const char *const names[] = { "SSL_read", "SSL_write" };
	Elf64_Sym found[ARRAY_SIZE(names)];
	size_t count;

	MUST(table->offset <= elf->size && table->names_offset <= elf->size);
	MUST(table->names_len <= elf->size && table->count <= elf->size / sizeof(Elf64_Sym));
	memset(found, 0, sizeof(found));
	count = elf_symbols_find(elf, table, SLICE("SSL_"), names, ARRAY_SIZE(names), found);
	MUST(count <= ARRAY_SIZE(names));
}

static void elf_check(const struct elf *elf)
{
	uint8_t id[ELF_BUILD_ID_MAX];
	struct elf_symbols table;
	uint64_t value;

	MUST(elf->segment_count <= ELF_SEGMENTS_MAX);
	MUST(elf_build_id(elf, id) <= ELF_BUILD_ID_MAX);
	if (elf_dynsym(elf, &table) == 0)
		symbols_check(elf, &table);
	if (elf_symtab(elf, &table) == 0)
		symbols_check(elf, &table);
	for (size_t i = 0; i < elf->segment_count; i++) {
		struct elf_function function;

		if (elf_function_at(elf, elf->segments[i].p_vaddr, &function) == 0)
			MUST(function.start <= elf->segments[i].p_vaddr && function.end > function.start);
		elf_slot_value(elf, elf->segments[i].p_vaddr, &value);
		if (elf_offset_of(elf, elf->segments[i].p_vaddr, &value) == 0)
			MUST(value <= elf->size);
		if (elf_code_offset_of(elf, elf->header.e_entry, &value) == 0)
			MUST(value <= elf->size);
	}
}

static void sites_check(int fd, size_t size)
{
	struct site_set set;

	if (site_find(fd, &set) < 0)
		return;
	MUST(set.count <= SITES_MAX);
	for (size_t i = 0; i < set.count; i++)
		MUST(set.sites[i].offset < size && set.sites[i].symbol);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t *file;
	static int fd = -1;
	Elf64_Ehdr head;
	struct elf elf;

	if (fd < 0) {
		fd = memfd_create("elf", MFD_CLOEXEC);
		MUST(fd >= 0 && ftruncate(fd, FILE_MAX) == 0);
		file = mmap(NULL, FILE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		MUST(file != MAP_FAILED);
		disasm_get(); /* once, and not for each file */
	}
	size = MIN(size, (size_t)FILE_MAX);
	memcpy(file, data, size);
	if (size >= sizeof(head)) {
		memcpy(&head, file, sizeof(head));
		memcpy(head.e_ident, ELFMAG, SELFMAG);
		head.e_ident[EI_CLASS] = ELFCLASS64;
		head.e_ident[EI_DATA] = ELFDATA2LSB;
		head.e_machine = EM_X86_64;
		memcpy(file, &head, sizeof(head));
	}
	MUST(ftruncate(fd, (off_t)size) == 0);
	if (elf_open(fd, EM_X86_64, &elf) == 0)
		elf_check(&elf);
	sites_check(fd, size);
	MUST(ftruncate(fd, FILE_MAX) == 0);
	return 0;
}
