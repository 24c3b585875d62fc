/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child blocks in read() on a pipe before exec: no signal is needed to hold it, and if we die the end of the pipe would
 * let it go, so it looks whether the gate was opened on purpose.
 */
#include "daemon/command.h"
#include "base/cleanup.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

enum { STATUS_OWN_FAILURE = 125, STATUS_CANNOT_RUN = 126, STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128 };

struct identity {
	bool is_set;
	uid_t uid;
	gid_t gid;
	char name[64];
};

static int identity_find(const char *user, struct identity *ret, const char **ret_error)
{
	const char *name = user ? user : geteuid() == 0 ? getenv("SUDO_USER") : NULL;
	struct passwd *entry;

	*ret = (struct identity){ 0 };
	if (!name)
		return 0;
	entry = getpwnam(name);
	if (!entry) {
		*ret_error = "no such user: see --user";
		return -ENOENT;
	}
	*ret = (struct identity){ .is_set = entry->pw_uid != getuid(), .uid = entry->pw_uid, .gid = entry->pw_gid };
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return 0;
}

static _Noreturn void child(char **argv, const struct identity *identity, int gate)
{
	char word;
	int status;

	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	if (read(gate, &word, 1) != 1)
		_exit(STATUS_OWN_FAILURE);
	close(gate);
	if (identity->is_set &&
	    (initgroups(identity->name, identity->gid) < 0 || setgid(identity->gid) < 0 || setuid(identity->uid) < 0)) {
		log_error(-errno, "cannot become user '%s'", identity->name);
		_exit(STATUS_OWN_FAILURE);
	}
	execvp(argv[0], argv);
	status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_CANNOT_RUN;
	log_error(-errno, "cannot run '%s'", argv[0]);
	_exit(status);
}

int command_start(char **argv, const char *user, struct command *ret, const char **ret_error)
{
	struct identity identity;
	int gate[2], r = identity_find(user, &identity, ret_error);
	pid_t pid;

	if (r < 0)
		return r;
	*ret_error = "cannot start a process";
	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(gate[0]);
		close(gate[1]);
		return r;
	}
	if (pid == 0) {
		close(gate[1]);
		child(argv, &identity, gate[0]);
	}
	close(gate[0]);
	*ret = (struct command){ .pid = pid, .gate_fd = gate[1] };
	return 0;
}

void command_release(struct command *command)
{
	if (command->gate_fd < 0)
		return;
	if (write(command->gate_fd, "", 1) < 0)
		log_error(-errno, "the command is gone before it began");
	close(TAKE_FD(command->gate_fd));
}

int command_exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? STATUS_SIGNAL + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}
