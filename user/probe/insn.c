/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a function from its start along all branches, remembering of each register whether it holds an argument of
 * the caller, an address in the frame, or something else, and stops each path at its first call: behind it the argument
 * registers are anything. What differs between processors is one row of functions (struct insn_machine); the walk
 * knows none of it.
 */
#include "base/cleanup.h"
#include "probe/insn_machine.h"
#include <errno.h>

enum {
	WALK_STEPS_MAX = 1024,
	WALK_PATHS_MAX = 64,
	BODY_STEPS_MAX = 8192,
	ENTRY_LEN_MAX = 32,
};

/* What a register holds. Four bits each, so that what is known of all of them is one number. */
enum value { VALUE_OTHER, VALUE_ARG, VALUE_FRAME = VALUE_ARG + INSN_ARGS_MAX };

static enum value value_of(uint64_t values, int reg)
{
	return (enum value)(values >> (4 * reg) & 15);
}

static uint64_t value_set(uint64_t values, int reg, enum value value)
{
	return (values & ~(15ULL << (4 * reg))) | (uint64_t)value << (4 * reg);
}

const struct insn_machine *insn_machine_here(void)
{
#if defined(__x86_64__)
	return &insn_x86;
#else
#error "one row of a machine for this processor is missing"
#endif
}

uint16_t insn_machine_elf(const struct insn_machine *machine)
{
	return machine->elf;
}

/* ---- one function, decoded on demand ---- */

struct reader {
	const struct insn_machine *machine;
	const struct insn_code *code;
	const struct disasm *disasm;
	csh capstone;
	cs_insn *insn;
};

static void reader_close_p(struct reader *reader)
{
	if (reader->insn)
		reader->disasm->insn_free(reader->insn, 1);
	if (reader->capstone)
		reader->disasm->close(&reader->capstone);
	disasm_put(reader->disasm);
}

static int reader_open(struct reader *reader)
{
	const struct disasm *disasm = reader->disasm = disasm_get();

	if (!disasm || disasm->open(reader->machine->arch, reader->machine->mode, &reader->capstone) != CS_ERR_OK)
		return -ENOTSUP;
	if (disasm->option(reader->capstone, CS_OPT_DETAIL, CS_OPT_ON) != CS_ERR_OK)
		return -ENOTSUP;
	reader->insn = disasm->insn_new(reader->capstone);
	return reader->insn ? 0 : -ENOMEM;
}

static bool reader_decode(struct reader *reader, size_t at)
{
	const uint8_t *bytes = reader->code->bytes + at;
	size_t left = reader->code->len - at;
	uint64_t address = reader->code->address + at;

	return at < reader->code->len &&
	       reader->disasm->decode(reader->capstone, &bytes, &left, &address, reader->insn);
}

/* Offset of an address in the function, or its length when the address is outside. */
static size_t reader_offset(const struct reader *reader, uint64_t address)
{
	uint64_t at = address - reader->code->address;

	return at < reader->code->len ? (size_t)at : reader->code->len;
}

/* What the registers hold behind the instruction. */
static uint64_t reader_change(const struct reader *reader, uint64_t values)
{
	const struct insn_machine *machine = reader->machine;
	enum value value = VALUE_OTHER;
	cs_regs read, written;
	uint8_t read_count, written_count;
	bool is_moved;
	unsigned from;
	uint64_t after = values;

	if (reader->disasm->registers(reader->capstone, reader->insn, read, &read_count, written, &written_count) !=
	    CS_ERR_OK)
		return 0;
	if (machine->copy(reader->insn, &from, &is_moved) && machine->number_of(from) >= 0) {
		value = value_of(values, machine->number_of(from));
		if (is_moved && value != VALUE_FRAME)
			value = VALUE_OTHER;
	}
	for (uint8_t i = 0; i < written_count; i++) {
		int number = machine->number_of(written[i]);

		/* The stack pointer is an address in the frame, wherever it moves. */
		if (number >= 0 && number != machine->stack)
			after = value_set(after, number, value);
	}
	return after;
}

static uint64_t values_at_start(const struct insn_machine *machine)
{
	uint64_t values = value_set(0, machine->stack, VALUE_FRAME);

	for (int arg = 0; arg < INSN_ARGS_MAX; arg++)
		values = value_set(values, machine->args[arg], (enum value)(VALUE_ARG + arg));
	return values;
}

static bool are_args_kept(const struct insn_machine *machine, uint64_t values)
{
	for (int arg = 0; arg < INSN_ARGS_MAX; arg++)
		if (value_of(values, machine->args[arg]) != VALUE_ARG + arg)
			return false;
	return true;
}

static bool reader_moves_stack(const struct reader *reader)
{
	cs_regs read, written;
	uint8_t read_count, written_count;

	if (reader->disasm->registers(reader->capstone, reader->insn, read, &read_count, written, &written_count) !=
	    CS_ERR_OK)
		return true;
	for (uint8_t i = 0; i < written_count; i++)
		if (reader->machine->number_of(written[i]) == reader->machine->stack)
			return true;
	return false;
}

/* ---- the walk ---- */

struct path {
	size_t at;
	uint64_t values;
};

struct walk {
	struct reader reader;
	struct path paths[WALK_PATHS_MAX];
	size_t path_count;
	uint64_t seen[INSN_CODE_MAX]; /* the values with which a path came by last; with others it is another visit */
	struct insn_calls *ret;
};

static void walk_push(struct walk *walk, struct path path)
{
	if (walk->path_count == WALK_PATHS_MAX)
		walk->ret->is_partial = true;
	else
		walk->paths[walk->path_count++] = path;
}

/* The path leaves the function here. Where nothing says so, it may reach anything. */
static void walk_leave(struct walk *walk, const struct path *path)
{
	const struct insn_machine *machine = walk->reader.machine;
	struct insn_calls *calls = walk->ret;
	struct insn_call call = { 0 };

	for (int arg = 0; arg < INSN_ARGS_MAX; arg++) {
		enum value value = value_of(path->values, machine->args[arg]);

		call.kept |= (unsigned)(value == VALUE_ARG + arg) << arg;
		call.frame |= (unsigned)(value == VALUE_FRAME) << arg;
		call.from[arg] = value < VALUE_FRAME ? (uint8_t)value : 0;
	}
	if (!machine->target(walk->reader.insn, &call)) {
		calls->is_partial = true;
		return;
	}
	for (size_t i = 0; i < calls->count; i++)
		if (calls->list[i].target == call.target && calls->list[i].is_slot == call.is_slot) {
			calls->list[i].kept &= call.kept;
			calls->list[i].frame &= call.frame;
			for (int arg = 0; arg < INSN_ARGS_MAX; arg++)
				if (calls->list[i].from[arg] != call.from[arg])
					calls->list[i].from[arg] = 0;
			return;
		}
	if (calls->count == INSN_CALLS_MAX)
		calls->is_partial = true;
	else
		calls->list[calls->count++] = call;
}

/* A branch or jump: within the function it is followed, out of it it is a call in the last place. */
static void walk_branch(struct walk *walk, const struct path *path)
{
	struct insn_call to = { 0 };
	size_t at = walk->reader.code->len;

	if (walk->reader.machine->target(walk->reader.insn, &to) && !to.is_slot)
		at = reader_offset(&walk->reader, to.target);
	if (at < walk->reader.code->len)
		walk_push(walk, (struct path){ at, path->values });
	else
		walk_leave(walk, path);
}

static void walk_path(struct walk *walk, struct path path, int *steps)
{
	const struct insn_machine *machine = walk->reader.machine;

	while (path.at < walk->reader.code->len) {
		if (walk->seen[path.at] == path.values)
			return;
		walk->seen[path.at] = path.values;
		if (--*steps < 0 || !reader_decode(&walk->reader, path.at)) {
			walk->ret->is_partial = true;
			return;
		}
		switch (machine->flow(walk->reader.insn)) {
		case FLOW_CALL:
			walk_leave(walk, &path);
			return;
		case FLOW_JUMP:
			walk_branch(walk, &path);
			return;
		case FLOW_END:
			return;
		case FLOW_BRANCH:
			walk_branch(walk, &path);
			break;
		case FLOW_NEXT:
			path.values = reader_change(&walk->reader, path.values);
			break;
		}
		path.at += walk->reader.insn->size;
	}
	walk->ret->is_partial = true;
}

int insn_calls_find(const struct insn_machine *machine, const struct insn_code *code, struct insn_calls *ret)
{
	struct insn_code head = { code->bytes, MIN(code->len, INSN_CODE_MAX), code->address };
	struct reader reader __attribute__((cleanup(reader_close_p))) = { .machine = machine, .code = &head };
	struct walk walk = { .ret = ret };
	int r, steps = WALK_STEPS_MAX;

	*ret = (struct insn_calls){ 0 };
	r = reader_open(&reader);
	if (r < 0)
		return r;
	walk.reader = reader;
	walk_push(&walk, (struct path){ 0, values_at_start(machine) });
	while (walk.path_count)
		walk_path(&walk, walk.paths[--walk.path_count], &steps);
	return 0;
}

/* ---- the whole body ---- */

struct body {
	struct reader reader;
	struct path paths[WALK_PATHS_MAX];
	size_t path_count;
	uint64_t seen[INSN_BODY_MAX];
	size_t reach; /* offset of the instruction asked for */
	struct insn_body *ret;
};

static void body_memory(struct body *body, uint64_t values)
{
	struct insn_memory memory;
	enum value value;

	if (!body->reader.machine->memory(body->reader.insn, &memory))
		return;
	value = value_of(values, memory.base);
	body->ret->stores |= memory.is_written && value != VALUE_FRAME;
	if (value != VALUE_ARG || !(memory.is_read || memory.is_written))
		return;
	body->ret->reads_first = true;
	if (memory.distance >= 0 && memory.distance % 8 == 0 && memory.distance < 64 * 8)
		body->ret->words |= 1ull << memory.distance / 8;
}

/* Behind a call only what it must keep is known: the frame's address, and what stands in no argument's register. */
static uint64_t body_call(struct body *body, uint64_t values)
{
	const struct insn_machine *machine = body->reader.machine;
	enum value fourth = value_of(values, machine->args[3]);
	struct insn_call to = { 0 };

	if ((!machine->target(body->reader.insn, &to) || to.is_slot) && fourth >= VALUE_ARG && fourth < VALUE_FRAME)
		body->ret->hands_on |= 1u << (fourth - VALUE_ARG);
	for (int arg = 0; arg < INSN_ARGS_MAX; arg++)
		values = value_set(values, machine->args[arg], VALUE_OTHER);
	return values;
}

static void body_branch(struct body *body, uint64_t values)
{
	struct insn_call to = { 0 };
	size_t at = body->reader.code->len;

	if (body->reader.machine->target(body->reader.insn, &to) && !to.is_slot)
		at = reader_offset(&body->reader, to.target);
	if (at < body->reader.code->len && body->path_count < WALK_PATHS_MAX)
		body->paths[body->path_count++] = (struct path){ at, values };
	else if (at == body->reader.code->len)
		body_call(body, values); /* in the last place */
}

static void body_path(struct body *body, struct path path, int *steps)
{
	struct reader *reader = &body->reader;

	for (; path.at < reader->code->len && body->seen[path.at] != path.values; path.at += reader->insn->size) {
		enum flow flow;

		body->seen[path.at] = path.values;
		if (--*steps < 0 || !reader_decode(reader, path.at))
			return;
		body->ret->is_reached |= path.at == body->reach;
		body_memory(body, path.values);
		flow = reader->machine->flow(reader->insn);
		if (flow == FLOW_BRANCH || flow == FLOW_JUMP)
			body_branch(body, path.values);
		if (flow == FLOW_JUMP || flow == FLOW_END)
			return;
		path.values = flow == FLOW_CALL ? body_call(body, path.values) : reader_change(reader, path.values);
	}
}

int insn_body_look(const struct insn_machine *machine, const struct insn_code *code, uint64_t at, struct insn_body *ret)
{
	struct insn_code head = { code->bytes, MIN(code->len, INSN_BODY_MAX), code->address };
	struct reader reader __attribute__((cleanup(reader_close_p))) = { .machine = machine, .code = &head };
	struct body *body CLEANUP_FREE = calloc(1, sizeof(*body));
	int r, steps = BODY_STEPS_MAX;

	*ret = (struct insn_body){ 0 };
	if (!body)
		return -ENOMEM;
	r = reader_open(&reader);
	if (r < 0)
		return r;
	body->reader = reader;
	body->reach = at - code->address;
	body->ret = ret;
	body->paths[body->path_count++] = (struct path){ 0, values_at_start(machine) };
	while (body->path_count)
		body_path(body, body->paths[--body->path_count], &steps);
	return 0;
}

/* ---- the cheap entry ---- */

/* A loop back to a place before @end would pass the probe again without a call. */
static bool is_looped_to(struct reader *reader, size_t end)
{
	struct insn_call to;

	for (size_t at = 0; reader_decode(reader, at); at += reader->insn->size) {
		enum flow flow = reader->machine->flow(reader->insn);

		if (flow != FLOW_BRANCH && flow != FLOW_JUMP)
			continue;
		to = (struct insn_call){ 0 };
		if (reader->machine->target(reader->insn, &to) && !to.is_slot && to.target > reader->code->address &&
		    to.target <= reader->code->address + end)
			return true;
	}
	return false;
}

int insn_cheap_entry(const struct insn_machine *machine, const struct insn_code *code, size_t *ret)
{
	struct insn_code head = { code->bytes, MIN(code->len, INSN_CODE_MAX), code->address };
	struct reader reader __attribute__((cleanup(reader_close_p))) = { .machine = machine, .code = &head };
	uint64_t values = values_at_start(machine);
	int r;

	*ret = 0;
	r = reader_open(&reader);
	if (r < 0)
		return r;
	for (size_t at = machine->skip_marks(head.bytes, head.len); at < ENTRY_LEN_MAX; at += reader.insn->size) {
		if (!reader_decode(&reader, at))
			return -ENOENT;
		if (machine->is_emulated(head.bytes + at, head.len - at)) {
			if (at && is_looped_to(&reader, at))
				return -ENOENT;
			*ret = at;
			return 0;
		}
		if (machine->flow(reader.insn) != FLOW_NEXT || reader_moves_stack(&reader) ||
		    !are_args_kept(machine, reader_change(&reader, values)))
			return -ENOENT;
	}
	return -ENOENT;
}

int insn_stub_slot(const struct insn_machine *machine, const struct insn_code *code, uint64_t *ret)
{
	struct insn_code head = { code->bytes, MIN(code->len, INSN_CODE_MAX), code->address };
	struct reader reader __attribute__((cleanup(reader_close_p))) = { .machine = machine, .code = &head };
	struct insn_call call = { 0 };
	int r = reader_open(&reader);

	if (r < 0)
		return r;
	if (!reader_decode(&reader, machine->skip_marks(head.bytes, head.len)))
		return -ENOENT;
	if (machine->flow(reader.insn) != FLOW_JUMP || !machine->target(reader.insn, &call) || !call.is_slot)
		return -ENOENT;
	*ret = call.target;
	return 0;
}
