/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Shapes that older kernels had; libbpf drops the "___" suffix when it looks the names up. */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* before 5.5 */
struct task_struct___v54 {
	u64 real_start_time;
};

#pragma clang attribute pop
