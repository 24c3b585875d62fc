/* SPDX-License-Identifier: Apache-2.0 */
/* replay: the pipeline from a recorded file. Time is the file's, ids are the file's: the same input gives the same output. */
#pragma once
#include "config/config.h"

int replay_run(const struct config *config);
