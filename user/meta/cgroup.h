/* SPDX-License-Identifier: Apache-2.0 */
/* What a process's control group tells: its path, and the container that it stands for. */
#pragma once
#include "base/slice.h"

/* The path that says most in the text of /proc/PID/cgroup; a part of it. */
struct slice cgroup_path(struct slice text);
/* The 64 hex digits of the innermost container in a path, or SLICE_NONE. */
struct slice cgroup_container_id(struct slice path);
