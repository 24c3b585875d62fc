/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sweeps over the code. The first collects references; the tables for unwinding say which functions they are in. Programs
 * without those get the second: of all addresses that are called, the nearest before a reference where a function can begin.
 */
#include "probe/errsite.h"
#include "base/cleanup.h"
#include "probe/code.h"
#include <errno.h>

enum {
	REFERENCES_MAX = 1024,
	FUNCTION_LEN_MAX = 6000,
	PAGE_BITS = 12,
	FILTER_BITS = 4096,
	CALLERS_MAX = 4096,
	/* A made file is nothing but calls, and each leads to where all references are: a comparison is the unit. */
	WORK_MAX = 1 << 30,
	WORK_READ = 256,
};

struct reference {
	uint64_t at, start, end;
	bool is_told; /* start and end are the tables' */
	enum site_word word;
	size_t count;
	uint16_t numbers[CODE_NUMBERS_MAX];
};

struct search {
	const struct elf *elf;
	const struct code_machine *machine;
	const struct site_strings *strings;
	struct reference references[REFERENCES_MAX];
	size_t count;
	bool is_full;
	uint64_t filter[FILTER_BITS / 64]; /* pages near references */
	uint64_t work;
};

/* ---- references ---- */

static void reference_found(void *user, const struct code_window *window, size_t at, uint64_t address)
{
	struct search *search = user;

	for (size_t i = 0; i < search->strings->count && !search->is_full; i++) {
		const struct site_string *string = &search->strings->list[i];
		struct reference *reference = &search->references[search->count];

		if (address < string->first || address > string->last)
			continue;
		if (search->count == REFERENCES_MAX) {
			search->is_full = true;
			return;
		}
		*reference = (struct reference){ .at = window->address + at, .word = string->word };
		reference->count = search->machine->numbers(window, at, reference->numbers);
		search->count++;
	}
}

static int references_find(struct search *search)
{
	struct code_sweep sweep = { .low = UINT64_MAX, .found = reference_found, .user = search };
	int r;

	for (size_t i = 0; i < search->strings->count; i++) {
		sweep.low = MIN(sweep.low, search->strings->list[i].first);
		sweep.high = MAX(sweep.high, search->strings->list[i].last);
	}
	if (!search->strings->count)
		return 0;
	r = code_sweep(search->elf, search->machine->addresses, &sweep);
	return r < 0 ? r : search->is_full ? -E2BIG : 0;
}

/* ---- starts of functions ---- */

static bool can_begin(const struct search *search, uint64_t address)
{
	uint8_t bytes[24];
	uint64_t offset;

	return elf_code_offset_of(search->elf, address, &offset) == 0 && offset >= 16 &&
	       elf_read(search->elf, offset - 16, bytes, sizeof(bytes)) == 0 &&
	       search->machine->begins(address, bytes, bytes + 16);
}

static void called_found(void *user, const struct code_window *window, size_t at, uint64_t address)
{
	struct search *search = user;
	uint64_t page = (address >> PAGE_BITS) % FILTER_BITS;
	int begins = -1;

	if (!(search->filter[page / 64] >> page % 64 & 1) || search->work > WORK_MAX)
		return;
	search->work += search->count;
	for (size_t i = 0; i < search->count; i++) {
		struct reference *reference = &search->references[i];
		bool is_start = address <= reference->at && address > reference->start &&
				reference->at - address < FUNCTION_LEN_MAX;
		bool is_end = address > reference->at && address < reference->end;

		if (reference->is_told || (!is_start && !is_end))
			continue;
		if (begins < 0) {
			begins = can_begin(search, address);
			search->work += WORK_READ;
		}
		if (begins && is_start)
			reference->start = address;
		else if (begins)
			reference->end = address;
	}
}

static void filter_add(struct search *search, uint64_t from, uint64_t to)
{
	for (uint64_t page = from >> PAGE_BITS; page <= to >> PAGE_BITS; page++)
		search->filter[page % FILTER_BITS / 64] |= 1ull << page % 64;
}

static int starts_find_by_calls(struct search *search)
{
	struct code_sweep sweep = { .low = UINT64_MAX, .found = called_found, .user = search };
	int r;

	for (size_t i = 0; i < search->count; i++) {
		struct reference *reference = &search->references[i];
		uint64_t from = reference->at - MIN(reference->at, FUNCTION_LEN_MAX);

		if (reference->is_told)
			continue;
		reference->end = reference->at + FUNCTION_LEN_MAX;
		filter_add(search, from, reference->end);
		sweep.low = MIN(sweep.low, from);
		sweep.high = MAX(sweep.high, reference->end);
	}
	r = sweep.low > sweep.high ? 0 : code_sweep(search->elf, search->machine->calls, &sweep);
	return r < 0 ? r : search->work > WORK_MAX ? -E2BIG : 0;
}

static int starts_find(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		struct reference *reference = &search->references[i];
		struct elf_function function;

		if (elf_function_at(search->elf, reference->at, &function) < 0)
			continue;
		reference->is_told = true;
		reference->start = function.is_part ? 0 : function.start;
		reference->end = function.end;
	}
	return starts_find_by_calls(search);
}

/* ---- functions ---- */

bool errsite_has(const struct errsite_function *function, int number)
{
	for (size_t i = 0; i < function->count; i++)
		if (function->numbers[i] == number)
			return true;
	return false;
}

static struct errsite_function *function_of(struct errsites *sites, const struct reference *reference)
{
	for (size_t i = sites->count; i--;)
		if (sites->functions[i].start == reference->start)
			return &sites->functions[i];
	if (sites->count == ERRSITE_FUNCTIONS_MAX)
		return NULL;
	sites->functions[sites->count] =
		(struct errsite_function){ reference->start, reference->end, reference->at, 0, 0, { 0 } };
	return &sites->functions[sites->count++];
}

static int functions_gather(const struct search *search, struct errsites *ret)
{
	for (size_t i = 0; i < search->count; i++) {
		const struct reference *reference = &search->references[i];
		struct errsite_function *function;

		if (!reference->start)
			continue;
		function = function_of(ret, reference);
		if (!function)
			return -E2BIG;
		function->words |= 1u << reference->word;
		for (size_t n = 0; n < reference->count && function->count < ERRSITE_NUMBERS_MAX; n++)
			if (!errsite_has(function, reference->numbers[n]))
				function->numbers[function->count++] = reference->numbers[n];
	}
	return 0;
}

int errsite_find(const struct elf *elf, const struct site_strings *strings, struct errsites *ret)
{
	struct search *search CLEANUP_FREE = calloc(1, sizeof(*search));
	int r;

	ret->count = 0;
	if (!search)
		return -ENOMEM;
	search->elf = elf;
	search->strings = strings;
	search->machine = code_machine_of(elf);
	if (!search->machine)
		return -ENOTSUP;
	r = references_find(search);
	if (r == 0)
		r = starts_find(search);
	return r < 0 ? r : functions_gather(search, ret);
}

/* ---- callers ---- */

struct callers {
	const struct elf *elf;
	struct errsites *ret;
	size_t count;
	bool is_full;
};

static void caller_found(void *user, const struct code_window *window, size_t at, uint64_t address)
{
	struct callers *callers = user;
	struct reference call = { .at = window->address + at };
	struct elf_function function;

	if (callers->is_full)
		return;
	callers->is_full = ++callers->count > CALLERS_MAX;
	if (elf_function_at(callers->elf, call.at, &function) < 0 || function.is_part)
		return;
	call.start = function.start;
	call.end = function.end;
	callers->is_full |= !function_of(callers->ret, &call);
}

int errsite_callers(const struct elf *elf, uint64_t address, struct errsites *ret)
{
	struct callers callers = { elf, ret, 0, false };
	struct code_sweep sweep = { .low = address, .high = address, .found = caller_found, .user = &callers };
	const struct code_machine *machine = code_machine_of(elf);
	int r;

	ret->count = 0;
	r = machine ? code_sweep(elf, machine->calls, &sweep) : -ENOTSUP;
	return r < 0 ? r : callers.is_full ? -E2BIG : 0;
}
