/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allow-list. Names that a kernel or an architecture does not have are passed over, so the list may name old and new ones.
 * clone3() hides its flags in memory where no filter can look: it is said not to exist, and the C library goes back to clone().
 */
#include "daemon/confine.h"
#include "base/cleanup.h"
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* clang-format off */
static const char *const allowed[] = {
	/* files: the spool, certificates, resolver configuration, libraries of the name service, standard error */
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2", "pwritev2", "close", "close_range",
	"open", "openat", "stat", "lstat", "fstat", "newfstatat", "fstatat64", "statx", "lseek", "access", "faccessat", "faccessat2",
	"readlink", "readlinkat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "fchmod", "fchown",
	"getdents64", "getcwd", "statfs", "fstatfs", "flock", "fsync", "fdatasync", "ftruncate", "fallocate", "fcntl", "dup", "dup2",
	"dup3", "pipe2", "umask", "utimensat", "fadvise64",
	/* sockets: what is created is restricted below */
	"connect", "bind", "getsockname", "getpeername", "getsockopt", "setsockopt", "sendto", "recvfrom", "sendmsg", "recvmsg",
	"sendmmsg", "recvmmsg", "shutdown",
	/* waiting */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select",
	"pselect6", "eventfd2", "futex", "futex_waitv", "nanosleep", "clock_nanosleep", "restart_syscall", "sched_yield",
	/* memory and threads: mappings are restricted below */
	"munmap", "mremap", "madvise", "brk", "membarrier", "set_robust_list", "get_robust_list", "rseq", "set_tid_address",
	"sched_getaffinity", "sched_getparam", "sched_getscheduler", "prctl", "exit", "exit_group",
	/* itself and the time */
	"getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "uname", "sysinfo", "getrandom", "getrusage",
	"getrlimit", "clock_gettime", "clock_getres", "gettimeofday", "time", "times", "rt_sigaction", "rt_sigprocmask",
	"rt_sigreturn", "rt_sigtimedwait", "sigaltstack",
};

static const char *const intrusions[] = {
	"execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kill", "tkill",
	"bpf", "perf_event_open", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "mount",
	"umount2", "move_mount", "fsopen", "pivot_root", "chroot", "setns", "unshare", "keyctl", "add_key", "request_key",
	"userfaultfd", "setuid", "setgid", "setresuid", "setresgid", "capset", "iopl", "ioperm", "io_uring_setup", "reboot",
	"swapon", "personality", "open_by_handle_at",
};
/* clang-format on */

static const unsigned families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
static const unsigned long requests[] = { FIONBIO, FIONREAD, FIOCLEX, TCGETS, TIOCGWINSZ };

static int names_add(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);
		int r = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, number, 0);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Memory may be written or executed. */
static int memory_add(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp no_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp only_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC);
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec);

	r = r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, only_exec);
	return r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec);
}

/* Threads, no processes; a signal to itself, as abort() sends it; limits to be read. */
static int process_add(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	const struct scmp_arg_cmp itself = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
	const struct scmp_arg_cmp reads = SCMP_A2(SCMP_CMP_EQ, 0);
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, thread);

	r = r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	r = r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, itself);
	return r < 0 ? r : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, reads);
}

static int sockets_add(scmp_filter_ctx filter)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, families[i]));
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	for (size_t i = 0; i < ARRAY_SIZE(requests) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_EQ, requests[i]));
	return r;
}

int confine_reader(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r;

	if (!filter)
		return -ENOMEM;
	r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	r = r < 0 ? r : names_add(filter, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
	r = r < 0 ? r : names_add(filter, SCMP_ACT_KILL_PROCESS, intrusions, ARRAY_SIZE(intrusions));
	r = r < 0 ? r : memory_add(filter);
	r = r < 0 ? r : process_add(filter);
	r = r < 0 ? r : sockets_add(filter);
	r = r < 0 ? r : seccomp_load(filter);
	seccomp_release(filter);
	return r;
}
