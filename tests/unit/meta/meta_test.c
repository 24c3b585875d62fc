/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven, on real processes: facts are those of the process that has the number now, survive its end for as
 * long as promised and no longer, and change with the program; memory is bounded. On tables: container ids and filters.
 */
#include "base/cleanup.h"
#include "meta/cgroup.h"
#include "meta/filter.h"
#include "meta/meta.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define assert_slice(slice, text)                                                                                      \
	do {                                                                                                           \
		assert_int_equal((slice).len, strlen(text));                                                           \
		assert_memory_equal((slice).data, text, (slice).len);                                                  \
	} while (0)

static const struct origin *origin_of(struct meta *meta, pid_t pid)
{
	const struct origin *origin = NULL;

	assert_int_equal(meta_origin(meta, (uint32_t)pid, 0, &origin), 0);
	return origin;
}

/* A child that waits until it is told to go on. */
struct child {
	pid_t pid;
	int go;
};

static struct child child_start(const char *const *program)
{
	int ends[2];
	struct child child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		char byte;

		dup2(ends[0], 0);
		if (read(0, &byte, 1) == 1 && program)
			execv(program[0], (char *const *)program);
		_exit(0);
	}
	child.go = ends[1];
	close(ends[0]);
	return child;
}

static void child_end(struct child *child)
{
	close(child->go);
	kill(child->pid, SIGKILL);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

static void a_process_is_told_as_it_is(void **state)
{
	struct meta *meta CLEANUP(meta_free) = NULL;
	char exe[4096] = "", cmdline[8192] = "";
	const struct origin *origin;
	int fd CLEANUP_FD = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	struct timespec now;

	assert_int_equal(meta_new(NULL, &meta), 0);
	assert_false(meta_has_filters(meta));
	origin = origin_of(meta, getpid());
	assert_int_equal(origin->id.pid, getpid());
	assert_int_equal(origin->id.program, 0);
	assert_int_equal(origin->id.start_ns, meta_start_ticks((uint32_t)getpid()));
	assert_int_equal(origin->parent_pid, getppid());
	assert_int_equal(origin->uid, getuid());
	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	assert_slice(origin->exe, exe);
	assert_true(read(fd, cmdline, sizeof(cmdline)) > 0);
	assert_true(origin->arg_count >= 1);
	assert_slice(origin->args[0], cmdline);
	assert_true(origin->comm.len > 0 && origin->owner.len > 0 && origin->selected);
	clock_gettime(CLOCK_REALTIME, &now);
	assert_in_range(origin->start_unix_ns / 1000000000, now.tv_sec - 600, now.tv_sec);
}

static void a_process_that_never_was_is_not_invented(void **state)
{
	struct meta *meta CLEANUP(meta_free) = NULL;
	const struct origin *origin;

	assert_int_equal(meta_new(NULL, &meta), 0);
	assert_int_equal(meta_origin(meta, 0, 0, &origin), -ESRCH);
	assert_int_equal(meta_origin(meta, 0x7fffffff, 0, &origin), -ESRCH);
	assert_int_equal(meta_start_ticks(0x7fffffff), 0);
	meta_on_exec(meta, 0x7fffffff);
	meta_on_exit(meta, 0x7fffffff, 1);
	meta_tick(meta, ~0ULL);
}

static void facts_outlive_the_process_for_as_long_as_promised(void **state)
{
	struct meta *meta CLEANUP(meta_free) = NULL;
	struct child child = child_start(NULL);
	const struct origin *origin;
	uint64_t start;

	assert_int_equal(meta_new(NULL, &meta), 0);
	start = origin_of(meta, child.pid)->id.start_ns;
	child_end(&child);
	assert_int_equal(meta_start_ticks((uint32_t)child.pid), 0);
	assert_int_equal(origin_of(meta, child.pid)->id.start_ns, start);
	meta_on_exit(meta, (uint32_t)child.pid, 1000);
	meta_on_exit(meta, (uint32_t)child.pid, 2000); /* told twice: the first counts */
	meta_tick(meta, 999 + META_KEEP_NS);
	origin = origin_of(meta, child.pid);
	assert_int_equal(origin->parent_pid, getpid());
	assert_true(origin->exe.len > 0);
	meta_tick(meta, 1000 + META_KEEP_NS);
	assert_int_equal(meta_origin(meta, (uint32_t)child.pid, 0, &origin), -ESRCH);
}

static bool file_starts(pid_t pid, const char *name, const char *wanted)
{
	char path[64], text[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC);
	len = read(fd, text, sizeof(text));
	return len > 0 && slice_starts((struct slice){ text, (size_t)len }, slice_of(wanted));
}

/* The name comes before the arguments: in between a process has none. */
static bool child_runs(const struct child *child, const char *comm, const char *program)
{
	for (int i = 0; i < 20000; i++) {
		if (file_starts(child->pid, "comm", comm) && file_starts(child->pid, "cmdline", program))
			return true;
		usleep(1000);
	}
	return false;
}

static void another_program_is_another_origin(void **state)
{
	static const char *const program[] = { "/bin/sh", "-c", "read line", "", "x y", NULL };
	static const char *const wanted[] = { "s?", NULL };
	const struct meta_filters filters = { .comms = wanted };
	struct meta *meta CLEANUP(meta_free) = NULL;
	struct child child = child_start(program);
	const struct origin *origin;
	uint64_t start;

	assert_int_equal(meta_new(&filters, &meta), 0);
	assert_true(meta_has_filters(meta));
	origin = origin_of(meta, child.pid);
	assert_false(origin->selected);
	start = origin->id.start_ns;
	assert_int_equal(write(child.go, "x", 1), 1);
	assert_true(child_runs(&child, "sh\n", "/bin/sh"));
	assert_false(origin_of(meta, child.pid)->selected); /* not told yet: what was read stays */
	meta_on_exec(meta, (uint32_t)child.pid);
	origin = origin_of(meta, child.pid);
	assert_slice(origin->comm, "sh");
	assert_int_equal(origin->arg_count, 5);
	assert_slice(origin->args[2], "read line");
	assert_slice(origin->args[3], "");
	assert_slice(origin->args[4], "x y");
	assert_true(origin->selected);
	assert_int_equal(origin->id.start_ns, start);
	meta_on_exec(meta, (uint32_t)child.pid);
	child_end(&child);
	assert_slice(origin_of(meta, child.pid)->comm, "sh");
}

/* Gives the next process the number @pid; false where that is not allowed. */
static bool next_pid_set(pid_t pid)
{
	int fd CLEANUP_FD = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", pid - 1);

	return fd >= 0 && write(fd, text, (size_t)len) == len;
}

static void a_number_that_is_used_again_is_another_process(void **state)
{
	struct meta *meta CLEANUP(meta_free) = NULL;
	struct child first = child_start(NULL), second = { .pid = -1 };
	uint64_t start;

	assert_int_equal(meta_new(NULL, &meta), 0);
	start = origin_of(meta, first.pid)->id.start_ns;
	child_end(&first);
	usleep(30000); /* start times are told in hundredths of a second */
	for (int i = 0; i < 50 && second.pid != first.pid; i++) {
		if (second.pid > 0)
			child_end(&second);
		if (!next_pid_set(first.pid))
			skip();
		second = child_start(NULL);
	}
	if (second.pid == first.pid)
		assert_true(origin_of(meta, second.pid)->id.start_ns > start);
	child_end(&second);
}

static void *thread_ask(void *meta)
{
	const struct origin *origin;
	uint32_t id = (uint32_t)gettid();

	assert_int_equal(meta_origin(meta, id, 0, &origin), 0);
	return (void *)(uintptr_t)id;
}

/* Threads have numbers and folders in procfs, too, and cost less to make. */
static void the_unused_make_room(void **state)
{
	struct meta *meta CLEANUP(meta_free) = NULL;
	const struct origin *origin;
	uint32_t ids[4200];

	assert_int_equal(meta_new(NULL, &meta), 0);
	origin_of(meta, getpid());
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		pthread_t thread;
		void *id;

		assert_int_equal(pthread_create(&thread, NULL, thread_ask, meta), 0);
		assert_int_equal(pthread_join(thread, &id), 0);
		ids[i] = (uint32_t)(uintptr_t)id;
		if (i % 1000 == 0)
			origin_of(meta, getpid()); /* in use: stays */
	}
	usleep(10000);
	assert_int_equal(meta_origin(meta, ids[0], 0, &origin), -ESRCH);
	assert_int_equal(meta_origin(meta, ids[ARRAY_SIZE(ids) - 1], 0, &origin), 0);
	assert_int_equal(meta_origin(meta, (uint32_t)getpid(), 0, &origin), 0);
}

/* ---- tables ---- */

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NO "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void container_ids_are_found_in_every_layout(void **state)
{
	static const struct {
		const char *path, *id;
	} table[] = {
		{ "/docker/" ID, ID },
		{ "/system.slice/docker-" ID ".scope", ID },
		{ "/kubepods/besteffort/pod0f1c2d3e-0000-1111-2222-333344445555/" ID, ID },
		{ "/kubepods/burstable/pod0f1c2d3e-0000-1111-2222-333344445555/crio-" ID, ID },
		{ "/kubepods.slice/kubepods-pod0f1c.slice/cri-containerd-" ID ".scope", ID },
		{ "/kubepods.slice/kubepods-pod0f1c.slice/crio-" ID ".scope", ID },
		{ "/system.slice/containerd.service/kubepods-pod0f1c.slice:cri-containerd:" ID, ID },
		{ "/docker/" NO "/kubelet.slice/kubepods/pod0f1c/" ID, ID },
		{ "/../../docker/" ID, ID },
		{ "/machine.slice/libpod-" ID ".scope", ID },
		{ "/machine.slice/libpod-" ID ".scope/container", ID },
		{ "/libpod_parent/libpod-" ID, ID },
		{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/init", ID },
		{ "/machine.slice/libpod-conmon-" ID ".scope", "" },
		{ "/kubepods.slice/crio-conmon-" ID ".scope", "" },
		{ "/system.slice/ssh.service", "" },
		{ "/user.slice/user-0.slice/session-1.scope", "" },
		{ "/docker/" ID "0", "" },
		{ "/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", "" },
		{ "/k8s.io/t1", "" },
		{ "/", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct slice id = cgroup_container_id(slice_of(table[i].path));

		if (!slice_equal(id, slice_of(table[i].id)))
			fail_msg("%s: '%.*s'", table[i].path, SLICE_FMT(id));
	}
}

static void the_path_that_says_most_is_taken(void **state)
{
	static const struct {
		const char *text, *path;
	} table[] = {
		{ "0::/system.slice/a.service\n", "/system.slice/a.service" },
		{ "0::/\n", "/" },
		{ "0::/a (deleted)\n", "/a" },
		{ "9:name=systemd:/s\n4:memory:/docker/x\n0::/\n", "/docker/x" },
		{ "9:name=systemd:/s\n4:memory:/\n0::/\n", "/s" },
		{ "4:memory:/m\n0::/u\n", "/u" },
		{ "3:cpu,cpuacct:/c\n1:name=systemd:/", "/c" },
		{ "2:freezer:/:memory:/x\n", "" },
		{ "", "" },
		{ "nonsense", "" },
		{ "0::", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct slice path = cgroup_path(slice_of(table[i].text));

		if (!slice_equal(path, slice_of(table[i].path)))
			fail_msg("%s: '%.*s'", table[i].text, SLICE_FMT(path));
	}
}

/* clang-format off */
#define LIST(...) (const char *const[]){ __VA_ARGS__, NULL }
/* clang-format on */

static void filters_are_or_within_and_between_and_exclusions_win(void **state)
{
	const struct origin origin = {
		.id = { .pid = 42 },
		.uid = 1000,
		.comm = SLICE("python3.11"),
		.exe = SLICE("/opt/venv/bin/python3.11"),
		.owner = SLICE("ann"),
		.cgroup = SLICE("/docker/" ID),
		.container_id = SLICE(ID),
	};
	const struct origin bare = { .id = { .pid = 43 }, .uid = 0, .comm = SLICE("sh"), .owner = SLICE("root") };
	const struct {
		const char *name;
		struct meta_filters filters;
		bool origin, bare;
	} table[] = {
		{ "none", { 0 }, true, true },
		{ "an empty list", { .comms = (const char *const[]){ NULL } }, true, true },
		{ "pid", { .pids = LIST("41", "42") }, true, false },
		{ "pid is no text", { .pids = LIST("4*", "") }, false, false },
		{ "comm", { .comms = LIST("python*") }, true, false },
		{ "one of two", { .comms = LIST("node", "s?") }, false, true },
		{ "exe by path", { .exes = LIST("/opt/*") }, true, false },
		{ "exe by name", { .exes = LIST("python3*") }, true, false },
		{ "exe by wrong folder", { .exes = LIST("/usr/*") }, false, false },
		{ "uid", { .uids = LIST("1000") }, true, false },
		{ "uid by name", { .uids = LIST("an*") }, true, false },
		{ "uid 0", { .uids = LIST("0") }, false, true },
		{ "cgroup", { .cgroups = LIST("/docker/*") }, true, false },
		{ "container by first digits", { .containers = LIST("0123456789ab") }, true, false },
		{ "container by glob", { .containers = LIST("*") }, true, false },
		{ "container by other digits", { .containers = LIST("1", "") }, false, false },
		{ "two kinds, both", { .comms = LIST("python*"), .uids = LIST("ann") }, true, false },
		{ "two kinds, one", { .comms = LIST("python*"), .uids = LIST("bob") }, false, false },
		{ "not", { .not_comms = LIST("sh") }, true, false },
		{ "not wins", { .comms = LIST("*"), .not_uids = LIST("bob", "ann") }, false, true },
		{ "not in a container", { .not_containers = LIST("*") }, false, true },
		{ "not pid, not exe", { .not_pids = LIST("43"), .not_exes = LIST("python*") }, false, false },
		{ "not cgroup", { .not_cgroups = LIST("/dock*") }, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (filter_selects(&table[i].filters, &origin) != table[i].origin ||
		    filter_selects(&table[i].filters, &bare) != table[i].bare)
			fail_msg("%s", table[i].name);
}

/* Nobody looked in time: it never was, as far as procfs knows. */
static void who_is_gone_is_what_it_was_seen_to_be(void **state)
{
	static const char *const comms[] = { "agent", NULL }, *const exes[] = { "/opt/agent", NULL };
	const struct origin asked = {
		.id = { .pid = 0x7fffffff, .program = 2, .start_ns = 5 },
		.parent_pid = (uint32_t)getpid(),
		.uid = 4242,
		.comm = SLICE("a thread"),
	};
	struct meta *meta CLEANUP(meta_free) = NULL;
	const struct origin *origin;

	assert_int_equal(meta_new(&(struct meta_filters){ .comms = comms, .exes = exes }, &meta), 0);
	assert_int_equal(meta_recall(meta, &asked, &origin), 0);
	assert_false(origin->selected);
	assert_slice(origin->comm, "a thread");
	assert_int_equal(origin->exe.len, 0); /* its parent's program is not its own any more */
	meta_note_exec(meta, asked.id.pid, "env", NULL);
	meta_note_exec(meta, asked.id.pid, NULL, "/usr/bin/env");
	meta_note_exec(meta, asked.id.pid, NULL, "/lib/libc.so");
	assert_int_equal(meta_recall(meta, &asked, &origin), 0);
	assert_slice(origin->exe, "/usr/bin/env");
	meta_note_exec(meta, asked.id.pid, "agent", NULL);
	meta_note_exec(meta, asked.id.pid, NULL, "/opt/agent");
	assert_int_equal(meta_recall(meta, &asked, &origin), 0);
	assert_slice(origin->comm, "agent");
	assert_slice(origin->exe, "/opt/agent");
	assert_slice(origin->owner, "4242");
	assert_int_equal(origin->parent_pid, getpid());
	assert_memory_equal(&origin->id, &asked.id, sizeof(asked.id));
	assert_true(origin->selected);
}

static void a_child_that_executed_nothing_is_in_its_parents_place(void **state)
{
	struct origin asked = { .id = { .pid = 0x7fffffff, .start_ns = 5 },
				.parent_pid = (uint32_t)getpid(),
				.comm = SLICE("worker") };
	struct meta *meta CLEANUP(meta_free) = NULL;
	const struct origin *origin;
	char exe[4096], cgroup[4096];

	assert_int_equal(meta_new(NULL, &meta), 0);
	meta_note_exec(meta, asked.id.pid, "old", "/of/another"); /* of who had its number before */
	origin = origin_of(meta, getpid());
	snprintf(exe, sizeof(exe), "%.*s", SLICE_FMT(origin->exe));
	snprintf(cgroup, sizeof(cgroup), "%.*s", SLICE_FMT(origin->cgroup));
	assert_int_equal(meta_recall(meta, &asked, &origin), 0);
	assert_slice(origin->comm, "worker");
	assert_slice(origin->exe, exe);
	assert_slice(origin->cgroup, cgroup);
	asked.parent_pid = 0x7ffffffe;
	assert_int_equal(meta_recall(meta, &asked, &origin), 0);
	assert_int_equal(origin->exe.len + origin->cgroup.len, 0);
}

/* It has executed, and nobody has told it yet. */
static void the_number_of_the_program_makes_old_facts_old(void **state)
{
	static const char *const program[] = { "/bin/sh", "-c", "read line", NULL };
	struct meta *meta CLEANUP(meta_free) = NULL;
	struct child child = child_start(program);
	const struct origin *origin;

	assert_int_equal(meta_new(NULL, &meta), 0);
	origin_of(meta, child.pid);
	assert_int_equal(write(child.go, "x", 1), 1);
	assert_true(child_runs(&child, "sh\n", "/bin/sh"));
	assert_int_equal(meta_origin(meta, (uint32_t)child.pid, 1, &origin), 0);
	assert_slice(origin->comm, "sh");
	assert_int_equal(origin->id.program, 1);
	child_end(&child);
	assert_int_equal(meta_origin(meta, (uint32_t)child.pid, 2, &origin), 0);
	assert_int_equal(origin->id.program, 1);
}

static void an_exclusion_is_a_filter_too(void **state)
{
	static const char *const names[] = { "x", NULL };
	struct meta *meta CLEANUP(meta_free) = NULL;

	assert_int_equal(meta_new(&(struct meta_filters){ .not_comms = names }, &meta), 0);
	assert_true(meta_has_filters(meta));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_is_told_as_it_is),
		cmocka_unit_test(a_process_that_never_was_is_not_invented),
		cmocka_unit_test(facts_outlive_the_process_for_as_long_as_promised),
		cmocka_unit_test(another_program_is_another_origin),
		cmocka_unit_test(a_number_that_is_used_again_is_another_process),
		cmocka_unit_test(who_is_gone_is_what_it_was_seen_to_be),
		cmocka_unit_test(a_child_that_executed_nothing_is_in_its_parents_place),
		cmocka_unit_test(the_number_of_the_program_makes_old_facts_old),
		cmocka_unit_test(an_exclusion_is_a_filter_too),
		cmocka_unit_test(the_unused_make_room),
		cmocka_unit_test(container_ids_are_found_in_every_layout),
		cmocka_unit_test(the_path_that_says_most_is_taken),
		cmocka_unit_test(filters_are_or_within_and_between_and_exclusions_win),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
