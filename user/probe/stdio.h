/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that are spoken to on their standard input and output: who may be one, and the tracepoints while there is any. */
#pragma once
#include "probe/kernel.h"

struct stdio;

/* NULL: no memory. */
struct stdio *stdio_new(const struct kernel *kernel);
struct stdio *stdio_free(struct stdio *stdio);
/* A process runs a program: is it one? */
void stdio_consider(struct stdio *stdio, uint32_t pid);
/* Forgets who has gone or proved to be none; without any left the tracepoints are taken away. */
void stdio_tick(struct stdio *stdio);
