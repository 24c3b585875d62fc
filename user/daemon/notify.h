/* SPDX-License-Identifier: Apache-2.0 */
/* Readiness, told to whoever asked: --ready-fd, the log, and systemd (NOTIFY_SOCKET, sd_notify(3)'s protocol). */
#pragma once

void notify_ready(int ready_fd); /* -1: none */
void notify_stopping(void);
