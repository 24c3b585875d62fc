/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a function from its start along all branches, remembering of each register whether it holds an argument of
 * the caller, an address in the frame, or something else, and stops each path at its first call: behind it the argument
 * registers are anything. What differs between processors is one row of functions (struct insn_machine); the walk
 * knows none of it.
 */
#include "probe/insn.h"
#include "base/cleanup.h"
#include "probe/disasm.h"
#include <elf.h>
#include <errno.h>

enum {
	WALK_STEPS_MAX = 1024,
	WALK_PATHS_MAX = 64,
	ENTRY_LEN_MAX = 32,
	REGISTERS = 16,
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

enum flow { FLOW_NEXT, FLOW_BRANCH, FLOW_JUMP, FLOW_CALL, FLOW_END };

struct insn_machine {
	uint16_t elf;
	cs_arch arch;
	cs_mode mode;
	int args[INSN_ARGS_MAX]; /* numbers of the registers with the arguments, and of the stack pointer */
	int stack;
	int (*number_of)(unsigned reg); /* below REGISTERS, or -1; parts of a register have its number */
	bool (*is_emulated)(const uint8_t *bytes, size_t len);
	enum flow (*flow)(const cs_insn *insn);
	/* It only copies a whole register, or adds a constant to it (*ret_is_moved). */
	bool (*copy)(const cs_insn *insn, unsigned *ret_from, bool *ret_is_moved);
	/* Where a jump or call goes; false when only a register knows. */
	bool (*target)(const cs_insn *insn, struct insn_call *ret);
	size_t (*skip_marks)(const uint8_t *bytes, size_t len); /* landing marks that do nothing */
};

/* ---- x86-64 ---- */

static const uint8_t x86_registers[REGISTERS][5] = {
	{ X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH },
	{ X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH },
	{ X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH },
	{ X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH },
	{ X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL },
	{ X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL },
	{ X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL },
	{ X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL },
	{ X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B },
	{ X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B },
	{ X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B },
	{ X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B },
	{ X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B },
	{ X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B },
	{ X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B },
	{ X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B },
};

static int x86_number_of(unsigned reg)
{
	for (int number = 0; reg != X86_REG_INVALID && number < REGISTERS; number++)
		if (memchr(x86_registers[number], (int)reg, sizeof(x86_registers[number])))
			return number;
	return -1;
}

/* What kernels since 5.8 emulate: push of a register, one-byte nop, and jmp, jcc and call with a relative target.
 * Prefixes make some kernels step them after all, so only the plain forms are named. */
static const struct {
	uint8_t lead, first, last; /* lead 0: none */
} x86_emulated[] = {
	{ 0, 0x50, 0x57 },    /* push, rax to rdi */
	{ 0x41, 0x50, 0x57 }, /* push, r8 to r15 */
	{ 0, 0x70, 0x7f },    /* jcc, short */
	{ 0x0f, 0x80, 0x8f }, /* jcc */
	{ 0, 0x90, 0x90 },    /* nop */
	{ 0, 0xe8, 0xe9 },    /* call, jmp */
	{ 0, 0xeb, 0xeb },    /* jmp, short */
};

static bool x86_is_emulated(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(x86_emulated); i++) {
		size_t at = x86_emulated[i].lead ? 1 : 0;

		if (at < len && (!at || bytes[0] == x86_emulated[i].lead) && bytes[at] >= x86_emulated[i].first &&
		    bytes[at] <= x86_emulated[i].last)
			return true;
	}
	return false;
}

static enum flow x86_flow(const cs_insn *insn)
{
	switch (insn->id) {
	case X86_INS_CALL:
	case X86_INS_LCALL:
	case X86_INS_SYSCALL:
		return FLOW_CALL;
	case X86_INS_JMP:
	case X86_INS_LJMP:
		return FLOW_JUMP;
	case X86_INS_RET:
	case X86_INS_RETF:
	case X86_INS_RETFQ:
	case X86_INS_HLT:
	case X86_INS_INT3:
	case X86_INS_UD2:
		return FLOW_END;
	default:
		for (uint8_t i = 0; i < insn->detail->groups_count; i++)
			if (insn->detail->groups[i] == X86_GRP_JUMP)
				return FLOW_BRANCH;
		return FLOW_NEXT;
	}
}

static bool x86_copy(const cs_insn *insn, unsigned *ret_from, bool *ret_is_moved)
{
	const cs_x86 *x86 = &insn->detail->x86;
	const cs_x86_op *from = &x86->operands[1];

	if (x86->op_count != 2 || x86->operands[0].type != X86_OP_REG || x86->operands[0].size != 8)
		return false;
	*ret_is_moved = insn->id == X86_INS_LEA;
	if (insn->id == X86_INS_LEA && from->mem.index == X86_REG_INVALID && from->mem.segment == X86_REG_INVALID)
		*ret_from = from->mem.base;
	else if (insn->id == X86_INS_MOV && from->type == X86_OP_REG)
		*ret_from = from->reg;
	else
		return false;
	return true;
}

static bool x86_target(const cs_insn *insn, struct insn_call *ret)
{
	const cs_x86_op *op = &insn->detail->x86.operands[0];

	if (insn->detail->x86.op_count != 1)
		return false;
	ret->is_slot = op->type == X86_OP_MEM;
	if (op->type == X86_OP_IMM)
		ret->target = (uint64_t)op->imm;
	else if (op->type == X86_OP_MEM && op->mem.base == X86_REG_RIP && op->mem.index == X86_REG_INVALID)
		ret->target = insn->address + insn->size + (uint64_t)op->mem.disp;
	else
		return false;
	return true;
}

static size_t x86_skip_marks(const uint8_t *bytes, size_t len)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };

	return len >= sizeof(endbr64) && memcmp(bytes, endbr64, sizeof(endbr64)) == 0 ? sizeof(endbr64) : 0;
}

static const struct insn_machine machines[] = {
	{
		.elf = EM_X86_64,
		.arch = CS_ARCH_X86,
		.mode = CS_MODE_64,
		.args = { 5, 4, 3, 2, 8 },
		.stack = 7,
		.number_of = x86_number_of,
		.is_emulated = x86_is_emulated,
		.flow = x86_flow,
		.copy = x86_copy,
		.target = x86_target,
		.skip_marks = x86_skip_marks,
	},
};

const struct insn_machine *insn_machine_here(void)
{
#if defined(__x86_64__)
	return &machines[0];
#else
#error "one row of machines[] for this processor is missing"
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
	}
	if (!machine->target(walk->reader.insn, &call)) {
		calls->is_partial = true;
		return;
	}
	for (size_t i = 0; i < calls->count; i++)
		if (calls->list[i].target == call.target && calls->list[i].is_slot == call.is_slot) {
			calls->list[i].kept &= call.kept;
			calls->list[i].frame &= call.frame;
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
