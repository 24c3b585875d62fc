/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names first, then symbols. The string table is read once from front to back and the places where a wanted name ends
 * are noted; then the symbols are read once and each is asked whether its name is one of those places. Two passes in
 * order and no memory, where looking up each symbol's name would jump through tables of 100 MB.
 */
#include "base/cleanup.h"
#include "probe/elf.h"
#include <errno.h>

enum {
	WINDOW = 32 << 10,
	SYMBOLS_MAX = 8 << 20, /* a browser with all its symbols has 2 million */
	NAMES_MAX = 512 << 20,
	RELOCATIONS_MAX = 4 << 20,
	DYNAMIC_MAX = 512,
	SECTIONS_MAX = 4096,
	BUCKETS_MAX = 4 << 20,
	NAME_LEN_MAX = 64,
	HITS_MAX = 128,
};

/* ---- where the tables are ---- */

/* Entries of PT_DYNAMIC that are asked for here, by tag; absent: 0. */
struct dynamic {
	uint64_t symtab, strtab, strsz, hash, gnu_hash, rela, relasz, jmprel, pltrelsz;
};

static int dynamic_read(const struct elf *elf, struct dynamic *ret)
{
	const struct {
		int64_t tag;
		uint64_t *value;
	} wanted[] = {
		{ DT_SYMTAB, &ret->symtab }, { DT_STRTAB, &ret->strtab },     { DT_STRSZ, &ret->strsz },
		{ DT_HASH, &ret->hash },     { DT_GNU_HASH, &ret->gnu_hash }, { DT_RELA, &ret->rela },
		{ DT_RELASZ, &ret->relasz }, { DT_JMPREL, &ret->jmprel },     { DT_PLTRELSZ, &ret->pltrelsz },
	};
	const Elf64_Phdr *segment = NULL;
	Elf64_Dyn entry;

	*ret = (struct dynamic){ 0 };
	for (size_t i = 0; i < elf->segment_count && !segment; i++)
		if (elf->segments[i].p_type == PT_DYNAMIC)
			segment = &elf->segments[i];
	if (!segment)
		return -ENOENT;
	for (size_t i = 0; i < MIN(segment->p_filesz / sizeof(entry), DYNAMIC_MAX); i++) {
		if (elf_read(elf, segment->p_offset + i * sizeof(entry), &entry, sizeof(entry)) < 0 ||
		    entry.d_tag == DT_NULL)
			break;
		for (size_t w = 0; w < ARRAY_SIZE(wanted); w++)
			if (wanted[w].tag == entry.d_tag)
				*wanted[w].value = entry.d_un.d_val;
	}
	return ret->symtab && ret->strtab ? 0 : -ENOENT;
}

/* The hash knows the first symbol of each bucket; the table ends where the chain of the highest one ends. */
static uint64_t gnu_hash_count(const struct elf *elf, uint64_t at)
{
	struct {
		uint32_t buckets, first, bloom_words, shift;
	} head;
	uint32_t entries[1024], highest = 0;
	uint64_t buckets, chain;
	size_t got;

	if (elf_read(elf, at, &head, sizeof(head)) < 0 || head.buckets > BUCKETS_MAX)
		return 0;
	buckets = at + sizeof(head) + (uint64_t)head.bloom_words * 8;
	for (uint32_t i = 0; i < head.buckets; i += ARRAY_SIZE(entries)) {
		size_t want = MIN(head.buckets - i, ARRAY_SIZE(entries)) * sizeof(*entries);

		if (elf_read(elf, buckets + (uint64_t)i * sizeof(*entries), entries, want) < 0)
			return 0;
		for (size_t k = 0; k < want / sizeof(*entries); k++)
			highest = MAX(highest, entries[k]);
	}
	if (highest < head.first)
		return head.first;
	chain = buckets + ((uint64_t)head.buckets + highest - head.first) * sizeof(*entries);
	for (uint64_t count = highest; count < SYMBOLS_MAX; chain += got) {
		got = elf_read_some(elf, chain, entries, sizeof(entries)) & ~(sizeof(*entries) - 1);
		if (!got)
			break;
		for (size_t k = 0; k < got / sizeof(*entries); k++, count++)
			if (entries[k] & 1)
				return count + 1;
	}
	return 0;
}

static uint64_t dynsym_count(const struct elf *elf, const struct dynamic *dynamic)
{
	struct {
		uint32_t buckets, chains;
	} head;
	uint64_t at, count = 0;

	if (dynamic->hash && elf_offset_of(elf, dynamic->hash, &at) == 0 && elf_read(elf, at, &head, sizeof(head)) == 0)
		count = head.chains;
	if (!count && dynamic->gnu_hash && elf_offset_of(elf, dynamic->gnu_hash, &at) == 0)
		count = gnu_hash_count(elf, at);
	/* Linkers put the names right behind the symbols. */
	if (!count && dynamic->strtab > dynamic->symtab)
		count = (dynamic->strtab - dynamic->symtab) / sizeof(Elf64_Sym);
	return count;
}

/* Cuts a table to what the file holds and to what is read at most. */
static int table_fit(const struct elf *elf, struct elf_symbols *table)
{
	if (table->offset >= elf->size || table->names_offset >= elf->size)
		return -ENOENT;
	table->count = MIN(MIN(table->count, (elf->size - table->offset) / sizeof(Elf64_Sym)), SYMBOLS_MAX);
	table->names_len = MIN(MIN(table->names_len, elf->size - table->names_offset), NAMES_MAX);
	return table->count && table->names_len ? 0 : -ENOENT;
}

int elf_dynsym(const struct elf *elf, struct elf_symbols *ret)
{
	struct dynamic dynamic;

	if (dynamic_read(elf, &dynamic) < 0 || elf_offset_of(elf, dynamic.symtab, &ret->offset) < 0 ||
	    elf_offset_of(elf, dynamic.strtab, &ret->names_offset) < 0)
		return -ENOENT;
	ret->count = dynsym_count(elf, &dynamic);
	ret->names_len = dynamic.strsz;
	return table_fit(elf, ret);
}

int elf_symtab(const struct elf *elf, struct elf_symbols *ret)
{
	const Elf64_Ehdr *header = &elf->header;
	Elf64_Shdr symbols, names;

	if (!header->e_shoff || header->e_shentsize != sizeof(symbols) || header->e_shoff >= elf->size)
		return -ENOENT;
	for (size_t i = 0; i < MIN(header->e_shnum, SECTIONS_MAX); i++) {
		if (elf_read(elf, header->e_shoff + i * sizeof(symbols), &symbols, sizeof(symbols)) < 0)
			return -ENOENT;
		if (symbols.sh_type != SHT_SYMTAB)
			continue;
		if (symbols.sh_link >= header->e_shnum ||
		    elf_read(elf, header->e_shoff + symbols.sh_link * sizeof(names), &names, sizeof(names)) < 0)
			return -ENOENT;
		*ret = (struct elf_symbols){ symbols.sh_offset, symbols.sh_size / sizeof(Elf64_Sym), names.sh_offset,
					     names.sh_size };
		return table_fit(elf, ret);
	}
	return -ENOENT;
}

/* ---- what is in them ---- */

/* A name may be the tail of a longer one ("SSL_free" inside "MY_SSL_free"), so a name can be in several places. */
struct hits {
	struct {
		uint32_t name_at;
		uint32_t which;
	} list[HITS_MAX];
	size_t count;
};

static void hits_in_window(struct hits *hits, struct slice window, uint64_t window_at, struct slice prefix,
			   const char *const names[], size_t name_count)
{
	for (ptrdiff_t at; (at = slice_find(window, prefix)) >= 0;) {
		struct slice text = slice_from(window, (size_t)at);

		window_at += (uint64_t)at;
		for (uint32_t i = 0; i < name_count && hits->count < HITS_MAX; i++) {
			size_t len = strlen(names[i]) + 1;

			if (slice_starts(text, (struct slice){ names[i], len })) {
				hits->list[hits->count].name_at = (uint32_t)window_at;
				hits->list[hits->count++].which = i;
			}
		}
		window = slice_from(text, 1);
		window_at++;
	}
}

/* Windows overlap by less than a wanted name can be long; one that lies whole in both is noted twice, harmlessly. */
static void hits_find(const struct elf *elf, const struct elf_symbols *table, struct slice prefix,
		      const char *const names[], size_t name_count, struct hits *ret)
{
	char window[WINDOW];

	ret->count = 0;
	for (uint64_t at = 0; at < table->names_len; at += WINDOW - NAME_LEN_MAX) {
		size_t len = elf_read_some(elf, table->names_offset + at, window, MIN(WINDOW, table->names_len - at));

		if (!len)
			return;
		hits_in_window(ret, (struct slice){ window, len }, at, prefix, names, name_count);
	}
}

static bool symbol_has_body(const Elf64_Sym *symbol)
{
	return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF && symbol->st_value;
}

size_t elf_symbols_find(const struct elf *elf, const struct elf_symbols *table, struct slice prefix,
			const char *const names[], size_t name_count, Elf64_Sym ret[])
{
	Elf64_Sym window[1024];
	struct hits hits;
	size_t found = 0, got;

	memset(ret, 0, name_count * sizeof(*ret));
	hits_find(elf, table, prefix, names, name_count, &hits);
	for (uint64_t i = 0; hits.count && i < table->count; i += got) {
		size_t want = MIN(table->count - i, ARRAY_SIZE(window)) * sizeof(*window);

		got = elf_read_some(elf, table->offset + i * sizeof(*window), window, want) / sizeof(*window);
		if (!got)
			break;
		for (size_t k = 0; k < got; k++) {
			if (!symbol_has_body(&window[k]))
				continue;
			for (size_t h = 0; h < hits.count; h++) {
				Elf64_Sym *slot = &ret[hits.list[h].which];

				if (hits.list[h].name_at == window[k].st_name && !slot->st_value) {
					*slot = window[k];
					found++;
				}
			}
		}
	}
	return found;
}

/* ---- pointers that the linker fills ---- */

static int relocation_find(const struct elf *elf, uint64_t address, uint64_t len, uint64_t slot, Elf64_Rela *ret)
{
	Elf64_Rela window[512];
	uint64_t offset, count = MIN(len / sizeof(*window), RELOCATIONS_MAX);
	size_t got;

	if (!address || elf_offset_of(elf, address, &offset) < 0)
		return -ENOENT;
	for (uint64_t i = 0; i < count; i += got) {
		size_t want = MIN(count - i, ARRAY_SIZE(window)) * sizeof(*window);

		got = elf_read_some(elf, offset + i * sizeof(*window), window, want) / sizeof(*window);
		if (!got)
			break;
		for (size_t k = 0; k < got; k++)
			if (window[k].r_offset == slot) {
				*ret = window[k];
				return 0;
			}
	}
	return -ENOENT;
}

int elf_slot_value(const struct elf *elf, uint64_t slot, uint64_t *ret)
{
	struct elf_symbols table;
	struct dynamic dynamic;
	Elf64_Rela relocation;
	Elf64_Sym symbol;
	uint64_t index;

	if (dynamic_read(elf, &dynamic) < 0 || elf_dynsym(elf, &table) < 0)
		return -ENOENT;
	if (relocation_find(elf, dynamic.jmprel, dynamic.pltrelsz, slot, &relocation) < 0 &&
	    relocation_find(elf, dynamic.rela, dynamic.relasz, slot, &relocation) < 0)
		return -ENOENT;
	index = ELF64_R_SYM(relocation.r_info);
	if (index >= table.count || elf_read(elf, table.offset + index * sizeof(symbol), &symbol, sizeof(symbol)) < 0 ||
	    !symbol_has_body(&symbol))
		return -ENOENT;
	*ret = symbol.st_value;
	return 0;
}

void elf_relatives_each(const struct elf *elf, bool (*each)(void *user, uint64_t slot, uint64_t value), void *user)
{
	const uint32_t relative = elf->header.e_machine == EM_AARCH64 ? R_AARCH64_RELATIVE : R_X86_64_RELATIVE;
	Elf64_Rela window[512];
	struct dynamic dynamic;
	uint64_t offset, count;
	size_t got;

	if (dynamic_read(elf, &dynamic) < 0 || !dynamic.rela || elf_offset_of(elf, dynamic.rela, &offset) < 0)
		return;
	count = MIN(dynamic.relasz / sizeof(*window), RELOCATIONS_MAX);
	for (uint64_t i = 0; i < count; i += got) {
		size_t want = MIN(count - i, ARRAY_SIZE(window)) * sizeof(*window);

		got = elf_read_some(elf, offset + i * sizeof(*window), window, want) / sizeof(*window);
		if (!got)
			return;
		for (size_t k = 0; k < got; k++)
			if (ELF64_R_TYPE(window[k].r_info) == relative &&
			    each(user, window[k].r_offset, (uint64_t)window[k].r_addend))
				return;
	}
}
