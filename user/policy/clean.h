/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as every back end takes them: valid, without the credential, not nested too deep, not too long. */
#pragma once
#include "base/buf.h"
#include "base/slice.h"

struct cleaner {
	struct buf plain, hidden, clean; /* scratch, a step after the other */
	struct slice secret;             /* hidden wherever it occurs */
};
#define CLEANER(alloc, max_bytes)                                                                                      \
	((struct cleaner){                                                                                             \
		.plain = BUF(alloc, max_bytes), .hidden = BUF(alloc, max_bytes), .clean = BUF(alloc, max_bytes) })

/* The clean text: @text itself where it was clean, else it is in the cleaner until its next use. false when memory ran out. */
bool clean_text(struct cleaner *cleaner, struct slice text, struct slice *ret);
/* The same of the inside of a string of JSON, or a part of it that was cut between characters. */
bool clean_string(struct cleaner *cleaner, struct slice text, struct slice *ret);
/* Gives back scratch larger than @kept; 0 gives back all. */
void cleaner_trim(struct cleaner *cleaner, size_t kept);
