/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command: the program of `run -- CMD`, as a child that keeps terminal, environment and user, and that waits at a gate until
 * its probes are in place.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

struct command {
	pid_t pid;
	int gate_fd; /* closing it lets the program start */
};

/* @user: as whom, or NULL: the caller of sudo, else as we are. 0 or negative errno with *ret_error. */
int command_start(char **argv, const char *user, struct command *ret, const char **ret_error);
void command_release(struct command *command);
/* What a shell would show for a wait status. */
int command_exit_status(int wait_status);
