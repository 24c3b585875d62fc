/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader: the unprivileged half of live tracing. It has the ring and the shared memory as descriptors, gives up every right,
 * and runs the pipeline from the ring until it is told to end.
 */
#pragma once
#include "config/config.h"
#include "daemon/outlet.h"
#include "daemon/state.h"

/* Runs in a process of its own; returns its exit status. @link_fd: to the attacher. */
int reader_run(const struct config *config, bool has_filters, const struct outlet *outlet, const struct state *state,
	       int link_fd);
