/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table begins with a magic number, and offsets to its parts:
 *
 *	header ─▶ names     NUL-terminated, each once
 *	       └▶ functions { entry, offset } in order of address, then what the offsets lead to: { entry, name, … }
 *
 * Since Go 1.18 an entry counts from the start of the text, which runtime.moduledata tells: it is known by its first word, the
 * table's address. (Up to Go 1.25 the header has it as well.) A table that nothing of the kind points to is not this program's: a
 * program may carry another one as data, and probes where that one's functions are would kill it.
 *
 * The wanted names are looked for once in the names, then the functions are gone through once in order: no memory, and each
 * part is read from front to back.
 */
#include "probe/gopclntab.h"
#include "base/cleanup.h"
#include <ctype.h>
#include <errno.h>

enum {
	WINDOW = 32 << 10,
	NAME_LEN_MAX = 128,
	NAMES_MAX = 8,
	FUNCTIONS_MAX = 4 << 20,
	TABLES_MAX = 32, /* places in a segment that look like one */
	USED_MAX = 8,    /* of those in which the names were looked for */
	MODULES_MAX = 4,
	FILE_BUDGET = 1 << 20,
	FILE_LEN_MAX = 512 << 20, /* beyond that much the budget does not grow: a file may be all holes */
	INFO_BUDGET_SURE = 512 << 20,
	INFO_BUDGET = 16 << 20,
};

/* ---- words ---- */

/* The file, and how much of it may still be read: tables and segments of one made to harm may all lead to the same bytes. */
struct source {
	const struct elf *elf;
	uint64_t budget;
};

static size_t source_read(struct source *source, uint64_t at, void *to, uint64_t len)
{
	size_t got = elf_read_some(source->elf, at, to, MIN(len, source->budget));

	source->budget -= got;
	return got;
}

/* The first place from @from on, and before @end, where the eight bytes are @value but for the bits of @ignored; @end: none.
 * Looked for at multiples of eight from @from. */
static uint64_t word_find(struct source *source, uint64_t from, uint64_t end, uint64_t value, uint64_t ignored)
{
	uint64_t words[WINDOW / 8];

	value |= ignored;
	while (from < end) {
		size_t len = source_read(source, from, words, MIN(sizeof(words), end - from)) / 8;

		for (size_t i = 0; i < len; i++)
			if ((words[i] | ignored) == value)
				return from + 8 * i;
		if (!len)
			break;
		from += 8 * len;
	}
	return end;
}

static uint64_t word_at(const struct elf *elf, uint64_t offset)
{
	uint64_t word;

	return elf_read(elf, offset, &word, sizeof(word)) < 0 ? 0 : word;
}

/* The first place in the segment that is aligned in memory. */
static uint64_t segment_begin(const Elf64_Phdr *segment)
{
	return segment->p_offset + (-segment->p_vaddr & 7);
}

static uint64_t segment_end(const Elf64_Phdr *segment)
{
	return segment->p_offset + segment->p_filesz;
}

/* ---- what the build left ---- */

static const char info_magic[] = "\xff Go buildinf:";
enum { INFO_MAGIC_LEN = 14, INFO_HEAD = 32, INFO_FLAGS_AT = 15, INFO_INLINE = 2 };

/* Go's linker notes its build in a note of its own kind. */
static bool has_go_note(const struct elf *elf)
{
	struct {
		Elf64_Nhdr header;
		char name[4];
	} note;

	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *segment = &elf->segments[i];
		uint64_t at = segment->p_offset, end = segment_end(segment);

		for (int n = 0; segment->p_type == PT_NOTE && n < 16 && at < end; n++) {
			if (elf_read(elf, at, &note, sizeof(note)) < 0)
				break;
			if (note.header.n_type == 4 && memcmp(note.name, "Go\0", 4) == 0)
				return true;
			at += sizeof(note.header) + ((note.header.n_namesz + 3ULL) & ~3ULL) +
			      ((note.header.n_descsz + 3ULL) & ~3ULL);
		}
	}
	return false;
}

/* Since Go 1.18 the version stands behind the head, a byte with its length before it; else the head points to a string. */
static void version_read(const struct elf *elf, uint64_t info, char *ret, size_t size)
{
	uint8_t head[INFO_HEAD + 1] = { 0 };
	uint64_t text = info + sizeof(head), len, string;

	ret[0] = '\0';
	if (elf_read(elf, info, head, sizeof(head)) < 0)
		return;
	len = head[INFO_HEAD];
	if (!(head[INFO_FLAGS_AT] & INFO_INLINE)) {
		if (elf_offset_of(elf, word_at(elf, info + 16), &string) < 0 ||
		    elf_offset_of(elf, word_at(elf, string), &text) < 0)
			return;
		len = word_at(elf, string + 8);
	}
	len = MIN(len, size - 1);
	if (elf_read(elf, text, ret, len) < 0)
		len = 0;
	ret[len] = '\0';
	/* It is shown: nothing in it may speak to a terminal. */
	for (len = 0; isgraph((unsigned char)ret[len]); len++)
		;
	ret[len] = '\0';
}

static bool info_in(struct source *source, const Elf64_Phdr *segment, uint64_t *ret)
{
	uint64_t at = segment_begin(segment), end = segment_end(segment), first;
	char found[INFO_MAGIC_LEN];

	memcpy(&first, info_magic, sizeof(first));
	for (int tries = 0; tries < TABLES_MAX; tries++, at += 8) {
		at = word_find(source, at, end, first, 0);
		if (at >= end)
			return false;
		if (elf_read(source->elf, at, found, sizeof(found)) == 0 &&
		    memcmp(found, info_magic, sizeof(found)) == 0) {
			*ret = at;
			return true;
		}
	}
	return false;
}

bool gopclntab_version(const struct elf *elf, char *ret, size_t size)
{
	bool is_sure = has_go_note(elf);
	struct source source = { elf, is_sure ? INFO_BUDGET_SURE : INFO_BUDGET };
	uint64_t info;

	ret[0] = '\0';
	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *segment = &elf->segments[i];

		if (segment->p_type == PT_LOAD && segment->p_flags & PF_W && info_in(&source, segment, &info)) {
			version_read(elf, info, ret, size);
			return true;
		}
	}
	return is_sure;
}

/* ---- the table ---- */

static const struct layout {
	uint8_t magic; /* its last byte; those before are 0xff */
	bool is_wide;  /* entries of two words with whole addresses, and no start of the text in the header */
} layouts[] = { { 0xf1, false }, { 0xf0, false }, { 0xfa, true } };

/* Magic, two zeros, size of an instruction's unit on x86-64 and on arm64, size of a pointer. */
static const uint64_t magics[] = { 0x08010000ffffff00, 0x08040000ffffff00 };

struct table { /* places in the file */
	struct source *source;
	const struct layout *layout;
	uint64_t address;
	uint64_t text;
	uint64_t count;
	uint64_t names, names_end;
	uint64_t functions, end;
};

static bool table_read(struct source *source, const Elf64_Phdr *segment, uint64_t at, struct table *ret)
{
	uint64_t head[9], room = segment_end(segment) - at, entry;
	const uint64_t *parts = head + 4;

	if (elf_read(source->elf, at, head, sizeof(head)) < 0)
		return false;
	*ret = (struct table){ .source = source,
			       .address = segment->p_vaddr + (at - segment->p_offset),
			       .count = head[1] };
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].magic == (head[0] & 0xff))
			ret->layout = &layouts[i];
	if (!ret->layout)
		return false;
	ret->text = ret->layout->is_wide ? 0 : head[3];
	parts -= ret->layout->is_wide;
	entry = ret->layout->is_wide ? 16 : 8;
	if (!ret->count || ret->count > FUNCTIONS_MAX || parts[0] > parts[1] || parts[1] > room || parts[4] > room ||
	    (ret->count + 1) * entry > room - parts[4])
		return false;
	ret->names = at + parts[0];
	ret->names_end = at + parts[1];
	ret->functions = at + parts[4];
	ret->end = segment_end(segment);
	return true;
}

/* ---- the start of the text ---- */

enum { MODULE_FUNCTIONS = 136, MODULE_TEXT = 176 }; /* since Go 1.16 */

struct module_search {
	const struct table *table;
	uint64_t slots[MODULES_MAX]; /* addresses of what may be runtime.moduledata */
	size_t count;
	uint64_t text;
};

static bool module_fits(const struct module_search *search, uint64_t slot)
{
	uint64_t offset;

	return elf_offset_of(search->table->source->elf, slot + MODULE_FUNCTIONS, &offset) == 0 &&
	       word_at(search->table->source->elf, offset) == search->table->count + 1;
}

static void module_note(struct module_search *search, uint64_t slot)
{
	if (search->count < MODULES_MAX && module_fits(search, slot))
		search->slots[search->count++] = slot;
}

static bool slot_take(void *user, uint64_t slot, uint64_t value)
{
	struct module_search *search = user;

	if (value == search->table->address)
		module_note(search, slot);
	return search->count == MODULES_MAX;
}

static bool text_take(void *user, uint64_t slot, uint64_t value)
{
	struct module_search *search = user;

	for (size_t i = 0; i < search->count; i++)
		if (slot == search->slots[i] + MODULE_TEXT)
			search->text = value;
	return search->text;
}

/* The pointers stand in the file, or the loader fills them in. */
static uint64_t module_text(const struct table *table)
{
	const struct elf *elf = table->source->elf;
	struct module_search search = { .table = table };
	uint64_t offset;

	for (size_t i = 0; i < elf->segment_count; i++) {
		const Elf64_Phdr *segment = &elf->segments[i];
		uint64_t at = segment_begin(segment), end = segment_end(segment);

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_W))
			continue;
		for (int tries = 0; tries < TABLES_MAX && at < end; tries++, at += 8) {
			at = word_find(table->source, at, end, table->address, 0);
			if (at < end)
				module_note(&search, segment->p_vaddr + (at - segment->p_offset));
		}
	}
	for (size_t i = 0; i < search.count && !search.text; i++)
		if (elf_offset_of(elf, search.slots[i] + MODULE_TEXT, &offset) == 0)
			search.text = word_at(elf, offset);
	if (search.text)
		return search.text;
	search.count = 0;
	elf_relatives_each(elf, slot_take, &search);
	if (search.count)
		elf_relatives_each(elf, text_take, &search);
	return search.text;
}

/* ---- names and functions ---- */

struct wanted {
	const char *const *names;
	size_t count;
	struct slice prefix;
	uint32_t at[NAMES_MAX]; /* where each stands among the names; 0: nowhere */
	struct go_function *functions;
	size_t left;
	unsigned used;
};

static void names_in_window(struct wanted *wanted, struct slice window, uint64_t window_at)
{
	for (ptrdiff_t at; (at = slice_find(window, wanted->prefix)) >= 0;) {
		struct slice text = slice_from(window, (size_t)at);
		bool is_whole = at > 0 && text.data[-1] == '\0';

		for (size_t i = 0; is_whole && i < wanted->count; i++)
			if (slice_starts(text, (struct slice){ wanted->names[i], strlen(wanted->names[i]) + 1 }))
				wanted->at[i] = (uint32_t)(window_at + (uint64_t)(text.data - window.data));
		window_at += (uint64_t)at + 1;
		window = slice_from(text, 1);
	}
}

static size_t names_find(const struct table *table, struct wanted *wanted)
{
	char window[WINDOW];
	size_t found = 0;

	for (uint64_t at = table->names; at < table->names_end; at += WINDOW - NAME_LEN_MAX) {
		size_t len = source_read(table->source, at, window, MIN(WINDOW, table->names_end - at));

		if (!len)
			break;
		names_in_window(wanted, (struct slice){ window, len }, at - table->names);
	}
	for (size_t i = 0; i < wanted->count; i++)
		found += wanted->at[i] != 0;
	return found;
}

/* A view of the file that moves forward. */
struct view {
	struct source *source;
	uint64_t at;
	size_t len;
	char bytes[WINDOW];
};

static const void *view_get(struct view *view, uint64_t at, size_t len)
{
	if (at < view->at || at + len > view->at + view->len) {
		view->at = at;
		view->len = source_read(view->source, at, view->bytes, sizeof(view->bytes));
	}
	return len <= view->len ? view->bytes + (at - view->at) : NULL;
}

struct entry {
	uint64_t address, next, name_at;
};

static bool entry_read(const struct table *table, struct view *functions, uint64_t i, struct entry *ret)
{
	uint64_t size = table->layout->is_wide ? 8 : 4, words[3] = { 0 };
	const char *from = view_get(functions, table->functions + 2 * size * i, 3 * size);

	for (size_t k = 0; from && k < 3; k++)
		memcpy(&words[k], from + k * size, size);
	ret->address = table->text + words[0];
	ret->next = table->text + words[2];
	ret->name_at = table->functions + words[1] + size;
	return from && words[1] < table->end - table->functions;
}

static bool functions_find(const struct table *table, struct wanted *wanted)
{
	struct view functions = { .source = table->source }, details = functions;

	for (uint64_t i = 0; i < table->count && wanted->left; i++) {
		struct entry entry;
		const void *from;
		uint32_t name;

		if (!entry_read(table, &functions, i, &entry))
			return false;
		from = view_get(&details, entry.name_at, sizeof(name));
		if (!from)
			return false;
		memcpy(&name, from, sizeof(name));
		for (size_t k = 0; name && k < wanted->count; k++)
			if (name == wanted->at[k] && entry.next > entry.address) {
				wanted->functions[k] =
					(struct go_function){ entry.address, entry.next - entry.address };
				wanted->left--;
			}
	}
	return true;
}

static bool table_use(struct table *table, struct wanted *wanted)
{
	uint64_t text, offset;
	size_t left;

	if (wanted->used++ >= USED_MAX)
		return false;
	memset(wanted->at, 0, sizeof(wanted->at));
	memset(wanted->functions, 0, wanted->count * sizeof(*wanted->functions));
	wanted->left = names_find(table, wanted);
	if (!wanted->left)
		return false;
	text = module_text(table);
	if (!text || elf_code_offset_of(table->source->elf, text, &offset) < 0 || (table->text && table->text != text))
		return false;
	table->text = table->layout->is_wide ? 0 : text;
	left = wanted->left;
	return functions_find(table, wanted) && wanted->left < left;
}

static bool segment_use(struct source *source, const Elf64_Phdr *segment, uint64_t magic, struct wanted *wanted,
			bool *ret_is_old)
{
	uint64_t at = segment_begin(segment), end = segment_end(segment);
	struct table table;

	for (int tries = 0; tries < TABLES_MAX && at < end; tries++, at += 8) {
		at = word_find(source, at, end, magic, 0xff);
		if (at >= end || !table_read(source, segment, at, &table) || !table_use(&table, wanted))
			continue;
		*ret_is_old = table.layout->is_wide;
		return true;
	}
	return false;
}

int gopclntab_find(const struct elf *elf, struct slice prefix, const char *const names[], size_t name_count,
		   struct go_function ret[], bool *ret_is_old)
{
	struct wanted wanted = { .names = names, .count = MIN(name_count, NAMES_MAX), .prefix = prefix };
	struct source source = { elf, FILE_BUDGET + 4 * MIN(elf->size, FILE_LEN_MAX) };
	uint64_t magic = magics[elf->header.e_machine == EM_AARCH64];

	wanted.functions = ret;
	for (int executable = 0; executable < 2; executable++)
		for (size_t i = 0; i < elf->segment_count; i++) {
			const Elf64_Phdr *segment = &elf->segments[i];

			if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_X) == !executable &&
			    segment_use(&source, segment, magic, &wanted, ret_is_old))
				return 0;
		}
	memset(ret, 0, name_count * sizeof(*ret));
	return -ENOENT;
}
