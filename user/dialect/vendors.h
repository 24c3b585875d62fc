/* SPDX-License-Identifier: Apache-2.0 */
/* Who answers: by host and path (dialect_vendor_find), else by what a gateway or server says of itself. */
#pragma once
#include "model/call.h"

/* @otherwise: the dialect's own vendor. */
struct slice vendor_of(const struct call *call, const char *otherwise);
/* @host, with or without a port, ends in @pattern at a label's border; one '*' stands for any characters of one label. */
bool vendor_host_is(struct slice host, const char *pattern);
/* Where no row names the host: what the answer (a JSON object) and its headers tell replaces the dialect's own vendor. */
void vendor_refine(struct call *call, struct slice answer);
