/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attacher: the privileged half and the parent of all. Loads the probes, finds libraries and processes, starts the reader and,
 * for `run -- CMD`, the command; looks at no payload.
 */
#pragma once
#include "config/config.h"

/* run, attach, record. Returns the exit status. */
int attacher_run(const struct config *config);
