/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that look and do not trace: doctor, targets, spool. Each returns the exit status. */
#pragma once
#include "config/config.h"

int tools_doctor(const struct config *config);
int tools_targets(const struct config *config);
int tools_spool(const struct config *config);
