/* SPDX-License-Identifier: Apache-2.0 */
/* Where to put probes into a program that Go built, for its own crypto/tls. */
#pragma once
#include "probe/elf.h"
#include "probe/site.h"

/* Adds to @set what the file has. Where it has Go's TLS and cannot be probed, why is told there. */
void site_go_find(const struct elf *elf, struct site_set *set);
