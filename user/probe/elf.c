/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is a set of ranges, and each is asked for when it is needed: header, segments, notes, then what those point
 * to. libelf is not used: it starts from section headers (which packed programs lack) and maps the file, so that one
 * which is cut while it is read kills the reader with SIGBUS. A read that comes back short is an ordinary answer here.
 */
#include "probe/elf.h"
#include "base/cleanup.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SEGMENTS_SEEN_MAX = 512,
	NOTES_MAX = 64,
};

size_t elf_read_some(const struct elf *elf, uint64_t offset, void *to, size_t len)
{
	size_t done = 0;

	if (offset >= elf->size)
		return 0;
	len = MIN(len, elf->size - offset);
	while (done < len) {
		ssize_t r = pread(elf->fd, (char *)to + done, len - done, (off_t)(offset + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		done += (size_t)r;
	}
	return done;
}

int elf_read(const struct elf *elf, uint64_t offset, void *to, size_t len)
{
	return elf_read_some(elf, offset, to, len) == len ? 0 : -ENODATA;
}

/* The table of program headers may lie anywhere and unaligned (post-link tools put it at the end): it is copied out. */
static int segments_read(struct elf *elf)
{
	size_t count = MIN(elf->header.e_phnum, SEGMENTS_SEEN_MAX);

	if (elf->header.e_phentsize != sizeof(Elf64_Phdr))
		return -ENOEXEC;
	for (size_t i = 0; i < count && elf->segment_count < ELF_SEGMENTS_MAX; i++) {
		Elf64_Phdr *segment = &elf->segments[elf->segment_count];
		uint64_t at;

		if (__builtin_add_overflow(elf->header.e_phoff, i * sizeof(*segment), &at) ||
		    elf_read(elf, at, segment, sizeof(*segment)) < 0)
			return -ENOEXEC;
		if (segment->p_offset > elf->size)
			continue;
		segment->p_filesz = MIN(segment->p_filesz, elf->size - segment->p_offset);
		if (segment->p_type == PT_LOAD || segment->p_type == PT_DYNAMIC || segment->p_type == PT_NOTE ||
		    segment->p_type == PT_GNU_EH_FRAME)
			elf->segment_count++;
	}
	return 0;
}

int elf_open(int fd, uint16_t machine, struct elf *ret)
{
	struct stat st;
	Elf64_Ehdr *header = &ret->header;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	*ret = (struct elf){ .fd = fd, .size = (uint64_t)st.st_size };
	if (elf_read(ret, 0, header, sizeof(*header)) < 0 || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != machine || (header->e_type != ET_DYN && header->e_type != ET_EXEC))
		return -ENOEXEC;
	return segments_read(ret);
}

static int offset_in(const struct elf *elf, uint64_t address, uint32_t flags, uint64_t *ret)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *segment = &elf->segments[i];

		if (segment->p_type == PT_LOAD && (segment->p_flags & flags) == flags && address >= segment->p_vaddr &&
		    address - segment->p_vaddr < segment->p_filesz) {
			*ret = address - segment->p_vaddr + segment->p_offset;
			return 0;
		}
	}
	return -ENOENT;
}

int elf_offset_of(const struct elf *elf, uint64_t address, uint64_t *ret)
{
	return offset_in(elf, address, 0, ret);
}

int elf_code_offset_of(const struct elf *elf, uint64_t address, uint64_t *ret)
{
	return offset_in(elf, address, PF_X, ret);
}

/* Notes are read by their headers alone: a note segment of 88 MB exists (a program that carries its script in one). */
static uint8_t build_id_in(const struct elf *elf, const Elf64_Phdr *segment, uint8_t ret[static ELF_BUILD_ID_MAX])
{
	uint64_t align = segment->p_align == 8 ? 8 : 4, at = 0;

	for (int n = 0; n < NOTES_MAX && at < segment->p_filesz; n++) {
		struct {
			Elf64_Nhdr header;
			char name[4];
		} note;
		uint64_t start = segment->p_offset + at, value;

		if (elf_read(elf, start, &note, sizeof(note)) < 0)
			break;
		value = (sizeof(note.header) + note.header.n_namesz + align - 1) & ~(align - 1);
		if (note.header.n_type == NT_GNU_BUILD_ID && note.header.n_namesz == 4 &&
		    memcmp(note.name, "GNU", 4) == 0) {
			uint8_t len = (uint8_t)MIN(note.header.n_descsz, ELF_BUILD_ID_MAX);

			return elf_read(elf, start + value, ret, len) < 0 ? 0 : len;
		}
		at += (value + note.header.n_descsz + align - 1) & ~(align - 1);
	}
	return 0;
}

uint8_t elf_build_id(const struct elf *elf, uint8_t ret[static ELF_BUILD_ID_MAX])
{
	memset(ret, 0, ELF_BUILD_ID_MAX);
	for (size_t i = 0; i < elf->segment_count; i++) {
		uint8_t len = elf->segments[i].p_type == PT_NOTE ? build_id_in(elf, &elf->segments[i], ret) : 0;

		if (len)
			return len;
	}
	return 0;
}
