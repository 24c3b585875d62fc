/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order of a start: state directory, reader process (small, forked before anything is loaded), probes, descriptors to the
 * reader, what is mapped and installed, READY, then the command may run. Order of an end: the command's end or a signal,
 * DRAIN to the reader, its summary, exit.
 */
#include "daemon/attacher.h"
#include "base/log.h"
#include "daemon/command.h"
#include "daemon/link.h"
#include "daemon/notify.h"
#include "daemon/outlet.h"
#include "daemon/reader.h"
#include "daemon/state.h"
#include "meta/meta.h"
#include "probe/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>

static const uint64_t sweep_quiet_ns = 2000000000;
enum { WATCH_FDS_MAX = 1024, SWEEP_S = 2, STATUS_WRONG_USE = 2, STATUS_OWN_FAILURE = 125 };
enum { READ_TRIES_MAX = 4, TICK_NS = 10000000 };

struct attacher {
	const struct config *config;
	struct outlet outlet;
	struct state state;
	struct meta *meta;
	struct probe *probe;
	struct command command;
	pid_t reader_pid;
	int link_fd, signal_fd, timer_fd;
	bool has_command, selects, reader_listens, is_draining, is_done, reader_is_gone, is_wrong_use;
	int status, reader_wait_status;
	char message[LINK_BYTES_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- who processes are ---- */

static void origin_send(struct attacher *attacher, const struct origin *origin)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct buf packed = BUF(&heap.alloc, LINK_BYTES_MAX - 64);

	origin_pack(origin, &packed);
	if (!packed.failed)
		link_send(attacher->link_fd, LINK_ORIGIN, packed.data, packed.len, NULL);
	buf_free(&packed);
}

/* The facts are of the program that is counted before and after they were read. */
static int origin_read(struct attacher *attacher, uint32_t pid, const struct origin **ret)
{
	uint32_t program;
	int r, tries = 0;

	do {
		program = probe_program(attacher->probe, pid);
		r = meta_origin(attacher->meta, pid, program, ret);
	} while (r == 0 && probe_program(attacher->probe, pid) != program && ++tries < READ_TRIES_MAX);
	return r;
}

/* Who follows a command or was given by number is traced with all its descendants: there filters only choose among what was
 * captured. */
static void wish_tell(struct attacher *attacher, const struct origin *origin)
{
	uint32_t pid = origin->id.pid;

	if (attacher->selects || !meta_has_filters(attacher->meta) || pid == (uint32_t)getpid() ||
	    pid == (uint32_t)attacher->reader_pid)
		return;
	probe_process(attacher->probe, pid, origin->selected, false);
	if (probe_program(attacher->probe, pid) != origin->id.program)
		probe_process_forget(attacher->probe, pid);
}

static void origin_tell(struct attacher *attacher, uint32_t pid)
{
	const struct origin *origin;

	if (origin_read(attacher, pid, &origin) < 0)
		return;
	origin_send(attacher, origin);
	wish_tell(attacher, origin);
}

/* Start times are known in clock ticks here. */
static bool is_asked(const struct origin *origin, const struct process_id *asked)
{
	return origin->id.program == asked->program && origin->id.start_ns <= asked->start_ns + TICK_NS &&
	       asked->start_ns <= origin->id.start_ns + TICK_NS;
}

/* Where there are filters the reader waits for an answer: it gets one of who is gone too. */
static void who_answer(struct attacher *attacher, const struct link_who *who)
{
	const struct origin asked = {
		.id = who->process,
		.parent_pid = who->parent_pid,
		.uid = who->uid,
		.comm = { who->comm, strnlen(who->comm, sizeof(who->comm)) },
	};
	const struct origin *origin;

	/* What was executed since is seen first. */
	if (meta_has_filters(attacher->meta))
		probe_dispatch(attacher->probe);
	if (origin_read(attacher, who->process.pid, &origin) == 0 && is_asked(origin, &who->process)) {
		origin_send(attacher, origin);
		wish_tell(attacher, origin);
	} else if (meta_has_filters(attacher->meta) && meta_recall(attacher->meta, &asked, &origin) == 0) {
		origin_send(attacher, origin);
	}
}

static void on_mapped(void *user, uint32_t pid)
{
	struct attacher *attacher = user;

	if (attacher->reader_listens)
		origin_tell(attacher, pid);
}

static void on_executed(void *user, uint32_t pid, const char *comm)
{
	struct attacher *attacher = user;

	meta_on_exec(attacher->meta, pid);
	if (!attacher->reader_listens || !meta_has_filters(attacher->meta))
		return;
	meta_note_exec(attacher->meta, pid, comm, NULL);
	origin_tell(attacher, pid);
}

static void on_program(void *user, uint32_t pid, const char *path)
{
	struct attacher *attacher = user;

	if (meta_has_filters(attacher->meta))
		meta_note_exec(attacher->meta, pid, NULL, path);
}

static void on_attached(void *user, const struct probe_target *target)
{
	if (target->attached)
		log_debug("probes on %u functions of %s (%s %s)", target->attached, target->path,
			  target->sites->version, target->sites->method);
	else
		log_debug("no probes on %s: %s", target->path, target->why_not ? target->why_not : "");
}

static const struct probe_ops probe_ops = {
	.mapped = on_mapped, .executed = on_executed, .program = on_program, .attached = on_attached
};

/* ---- start ---- */

static int reader_start(struct attacher *attacher)
{
	int pair[2], r = link_pair(pair);

	if (r < 0)
		return r;
	attacher->reader_pid = fork();
	if (attacher->reader_pid < 0)
		return -errno;
	if (attacher->reader_pid == 0) {
		close(pair[0]);
		_exit(reader_run(attacher->config, meta_has_filters(attacher->meta), &attacher->outlet,
				 &attacher->state, pair[1]));
	}
	close(pair[1]);
	attacher->link_fd = pair[0];
	return 0;
}

static int probes_start(struct attacher *attacher, const char **ret_error)
{
	const struct config *config = attacher->config;
	char cache_path[PATH_MAX];
	const struct probe_opts opts = {
		.ring_bytes = config->ring_bytes,
		.default_wanted = !attacher->selects && !meta_has_filters(attacher->meta),
		.plain = true,
		.counts_programs = meta_has_filters(attacher->meta),
		.capture_off = strcmp(config->capture, "none") == 0,
		.cache_path = state_file(&attacher->state, "libraries", cache_path),
	};
	struct probe_fds fds;
	int r = probe_new(&opts, &probe_ops, attacher, &attacher->probe, ret_error);

	if (r < 0)
		return r;
	*ret_error = "the reader ended";
	fds = probe_fds(attacher->probe);
	r = link_send(attacher->link_fd, LINK_FDS, &(struct link_fds){ .ring_bytes = config->ring_bytes },
		      sizeof(struct link_fds), (int[]){ fds.ring, fds.control, fds.ledger, fds.verdicts });
	attacher->reader_listens = r == 0;
	/* We are not our own users. */
	probe_process(attacher->probe, (uint32_t)getpid(), false, false);
	probe_process(attacher->probe, (uint32_t)attacher->reader_pid, false, true);
	return r;
}

static int targets_start(struct attacher *attacher, const char **ret_error)
{
	const struct config *config = attacher->config;
	int r = 0;

	if (attacher->has_command)
		probe_process(attacher->probe, (uint32_t)attacher->command.pid, true, true);
	for (size_t i = 0; config->command == COMMAND_ATTACH && i < config->argc; i++) {
		uint32_t pid = (uint32_t)strtoul(config->argv[i], NULL, 10);

		*ret_error = "cannot look into that process: is it running?";
		r = probe_scan_pid(attacher->probe, pid);
		if (r < 0)
			return r;
		probe_process(attacher->probe, pid, true, true);
		origin_tell(attacher, pid);
	}
	probe_scan_installed(attacher->probe, attacher->has_command ? config->cmd[0] : NULL, NULL);
	if (!attacher->has_command && config->command != COMMAND_ATTACH)
		r = probe_scan_all(attacher->probe);
	/* Who runs already is decided now; whoever comes is looked at when it maps a library, and counted in until then. */
	if (!attacher->has_command && config->command != COMMAND_ATTACH)
		probe_want_unknown(attacher->probe, true);
	return r;
}

static int events_start(struct attacher *attacher)
{
	struct itimerspec every = { { SWEEP_S, 0 }, { SWEEP_S, 0 } };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	attacher->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	attacher->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (attacher->signal_fd < 0 || attacher->timer_fd < 0 ||
	    timerfd_settime(attacher->timer_fd, 0, &every, NULL) < 0)
		return -errno;
	return 0;
}

static void signals_block(bool block)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(block ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
}

static int filters_new(struct attacher *attacher)
{
	const struct config *c = attacher->config;
	const struct meta_filters filters = {
		.pids = (const char *const *)c->pid.items,
		.comms = (const char *const *)c->comm.items,
		.exes = (const char *const *)c->exe.items,
		.uids = (const char *const *)c->uid.items,
		.cgroups = (const char *const *)c->cgroup.items,
		.containers = (const char *const *)c->container.items,
		.not_pids = (const char *const *)c->not_pid.items,
		.not_comms = (const char *const *)c->not_comm.items,
		.not_exes = (const char *const *)c->not_exe.items,
		.not_uids = (const char *const *)c->not_uid.items,
		.not_cgroups = (const char *const *)c->not_cgroup.items,
		.not_containers = (const char *const *)c->not_container.items,
	};

	return meta_new(&filters, &attacher->meta);
}

/* Everything up to the moment where traffic may begin. */
static int start(struct attacher *attacher)
{
	const struct config *config = attacher->config;
	const char *error = "out of memory";
	int r = outlet_init(config, &attacher->outlet, &error);

	if (r == -EINVAL)
		attacher->is_wrong_use = true;
	r = r < 0 ? r : state_open(config->state_dir, config->cmd != NULL, &attacher->state, &error);
	r = r < 0 ? r : filters_new(attacher);
	r = r < 0 ? r : reader_start(attacher);
	if (r == 0 && attacher->has_command) {
		signals_block(false); /* the child must not inherit the block */
		r = command_start(config->cmd, config->user, &attacher->command, &error);
		signals_block(true);
	}
	r = r < 0 ? r : probes_start(attacher, &error);
	r = r < 0 ? r : events_start(attacher);
	r = r < 0 ? r : targets_start(attacher, &error);
	if (r == -EBUSY)
		return log_error(0, "another spantap uses '%s': stop it, or give --state-dir another directory",
				 config->state_dir),
		       r;
	return r < 0 ? log_error(r, "%s", error) : 0;
}

/* ---- events ---- */

static void ready(struct attacher *attacher)
{
	if (attacher->has_command) {
		origin_tell(attacher, (uint32_t)attacher->command.pid);
		/* What was learnt of it before exec is of another program. */
		meta_on_exec(attacher->meta, (uint32_t)attacher->command.pid);
	}
	notify_ready(attacher->config->ready_fd);
	log_debug("READY (%s, sockets %s)", probe_mode_names[probe_mode(attacher->probe)],
		  probe_sees_sockets(attacher->probe) ? "seen" : "not seen");
	if (attacher->has_command)
		command_release(&attacher->command);
	malloc_trim(0); /* what the first look through all files took is not needed so soon again */
}

static void on_swept(void *user, const struct probe_swept *conn)
{
	struct attacher *attacher = user;
	const struct link_swept swept = { conn->conn, { conn->end[0], conn->end[1] }, conn->how, conn->reason, { 0 } };

	link_send(attacher->link_fd, LINK_SWEPT, &swept, sizeof(swept), NULL);
}

/* The reader has read all that it moved: now it may learn where its connections ended. */
static void exited(struct attacher *attacher, struct process_id process)
{
	meta_on_exit(attacher->meta, process.pid, now_ns());
	probe_sweep(attacher->probe, &(struct probe_sweep){ .process = process }, on_swept, attacher);
	link_send(attacher->link_fd, LINK_EXITED, &process, sizeof(process), NULL);
}

static void drain(struct attacher *attacher)
{
	uint32_t ms = attacher->config->drain_s * 1000;

	if (attacher->is_draining)
		return;
	attacher->is_draining = true;
	notify_stopping();
	probe_sweep(attacher->probe, &(struct probe_sweep){ 0 }, on_swept, attacher);
	if (link_send(attacher->link_fd, LINK_DRAIN, &ms, sizeof(ms), NULL) < 0)
		attacher->reader_is_gone = true;
}

static void summary_write(struct attacher *attacher, struct slice text)
{
	CLEANUP(fclose) FILE *file = attacher->config->summary ? fopen(attacher->config->summary, "we") : NULL;

	if (attacher->config->summary && (!file || fwrite(text.data, 1, text.len, file) != text.len))
		log_error(-errno, "cannot write the summary to '%s'", attacher->config->summary);
}

static void message_take(struct attacher *attacher, enum link_type type, struct slice payload)
{
	struct process_id process;
	struct link_who who;

	if (type == LINK_READY) {
		ready(attacher);
	} else if (type == LINK_DONE) {
		summary_write(attacher, payload);
		attacher->is_done = true;
	} else if (type == LINK_WHO && payload.len == sizeof(who)) {
		memcpy(&who, payload.data, sizeof(who));
		who_answer(attacher, &who);
	} else if (type == LINK_EXITED && payload.len == sizeof(process)) {
		memcpy(&process, payload.data, sizeof(process));
		exited(attacher, process);
	}
}

static void link_take(struct attacher *attacher)
{
	int fds[LINK_FD_COUNT];
	enum link_type type;
	struct slice payload;
	int r;

	while ((r = link_receive(attacher->link_fd, attacher->message, &type, &payload, fds)) == 1)
		message_take(attacher, type, payload);
	if (r != -EAGAIN)
		attacher->reader_is_gone = true;
}

static void children_reap(struct attacher *attacher)
{
	int wait_status;
	pid_t pid;

	while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
		if (pid == attacher->reader_pid) {
			attacher->reader_pid = 0;
			link_take(attacher); /* its last words */
			attacher->reader_wait_status = wait_status;
			attacher->reader_is_gone = true;
		}
		if (!attacher->has_command || pid != attacher->command.pid)
			continue;
		attacher->status = command_exit_status(wait_status);
		drain(attacher);
	}
}

static void signals_take(struct attacher *attacher)
{
	struct signalfd_siginfo info;

	while (read(attacher->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			children_reap(attacher);
		else if (!attacher->has_command)
			drain(attacher);
		else if (info.ssi_signo == SIGTERM) /* Ctrl-C reaches the command by itself, through the terminal */
			kill(attacher->command.pid, SIGTERM);
	}
}

static void timer_take(struct attacher *attacher)
{
	uint64_t times;

	if (read(attacher->timer_fd, &times, sizeof(times)) != sizeof(times))
		return;
	probe_sweep(attacher->probe, &(struct probe_sweep){ .quiet_ns = sweep_quiet_ns }, on_swept, attacher);
	probe_collect(attacher->probe, now_ns());
	meta_tick(attacher->meta, now_ns());
}

static void serve(struct attacher *attacher)
{
	struct pollfd fds[3 + WATCH_FDS_MAX] = {
		{ .fd = attacher->link_fd, .events = POLLIN },
		{ .fd = attacher->signal_fd, .events = POLLIN },
		{ .fd = attacher->timer_fd, .events = POLLIN },
	};
	int watch[WATCH_FDS_MAX];
	size_t count = probe_watch_fds(attacher->probe, watch, WATCH_FDS_MAX);

	for (size_t i = 0; i < count; i++)
		fds[3 + i] = (struct pollfd){ .fd = watch[i], .events = POLLIN };
	while (!attacher->is_done && !attacher->reader_is_gone) {
		bool mapped = false;

		if (poll(fds, 3 + count, -1) < 0 && errno != EINTR)
			break;
		for (size_t i = 0; i < count; i++)
			mapped |= fds[3 + i].revents != 0;
		if (mapped)
			probe_dispatch(attacher->probe);
		if (fds[0].revents)
			link_take(attacher);
		if (fds[1].revents)
			signals_take(attacher);
		if (fds[2].revents)
			timer_take(attacher);
	}
}

/* Taking probes away costs the kernel tens of milliseconds a link. A child that holds copies of them pays for it, after we
 * have gone: our own close is then no more than a counter. */
static void probes_leave(struct attacher *attacher)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || fork() != 0) {
		if (null >= 0)
			close(null);
		return;
	}
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close(attacher->state.lock_fd);
	close(attacher->link_fd);
	_exit(0);
}

static void stop(struct attacher *attacher)
{
	if (attacher->probe) {
		probe_save_cache(attacher->probe);
		probes_leave(attacher);
	}
	probe_free(attacher->probe);
	meta_free(attacher->meta);
	if (attacher->link_fd >= 0)
		close(attacher->link_fd);
	if (attacher->reader_pid > 0)
		waitpid(attacher->reader_pid, NULL, 0);
	state_close(&attacher->state);
	outlet_clear(&attacher->outlet);
}

/* Its link may be closed before its end is told. */
static void reader_ended(struct attacher *attacher)
{
	if (attacher->reader_pid > 0)
		waitpid(attacher->reader_pid, &attacher->reader_wait_status, 0);
	attacher->reader_pid = 0;
	if (WIFSIGNALED(attacher->reader_wait_status) && WTERMSIG(attacher->reader_wait_status) == SIGSYS)
		log_error(
			0,
			"the reader asked the kernel for what it never needs and was ended for it: hostile traffic may have "
			"taken it over; the kernel's log names the system call");
	log_error(0, "the reader process ended unexpectedly; what it had put into the spool is kept");
	attacher->status = attacher->status ? attacher->status : 1;
}

int attacher_run(const struct config *config)
{
	struct attacher *attacher = calloc(1, sizeof(*attacher));
	int status;

	if (!attacher)
		return 1;
	*attacher = (struct attacher){ .config = config,
				       .link_fd = -1,
				       .signal_fd = -1,
				       .timer_fd = -1,
				       .has_command = config->cmd != NULL,
				       .selects = config->cmd || config->command == COMMAND_ATTACH,
				       .command.gate_fd = -1,
				       .state.lock_fd = -1 };
	signal(SIGPIPE, SIG_IGN);
	signals_block(true);
	if (start(attacher) < 0) {
		attacher->status = attacher->is_wrong_use  ? STATUS_WRONG_USE
				   : attacher->has_command ? STATUS_OWN_FAILURE
							   : 1;
	} else {
		serve(attacher);
		if (attacher->reader_is_gone && !attacher->is_done)
			reader_ended(attacher);
	}
	if (attacher->has_command && attacher->command.gate_fd >= 0)
		close(TAKE_FD(attacher->command.gate_fd));
	stop(attacher);
	status = attacher->status;
	free(attacher);
	return status;
}
