/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine: the reader parses hostile bytes. Whoever takes it over by them finds a process that can ask the kernel for little
 * more than what it does anyway: its files, its sockets, memory that is never both writable and executable.
 */
#pragma once

/* For this thread and all to come, for good; after no_new_privs. What is refused fails with EPERM; what only an intruder would
 * ask for (another program, another process's memory, a kernel's inside) ends the process with SIGSYS. */
int confine_reader(void);
