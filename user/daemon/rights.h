/* SPDX-License-Identifier: Apache-2.0 */
/* rights: what the unprivileged half gives up for good: every capability, the ability to gain one, being looked into. */
#pragma once

/* 0 or negative errno. Call before any other thread exists. */
int rights_drop(void);
