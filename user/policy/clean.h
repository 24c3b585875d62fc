/* SPDX-License-Identifier: Apache-2.0 */
/* Texts as every back end takes them: valid, without the credential, not nested too deep, not too long. */
#pragma once
#include "base/buf.h"
#include "base/slice.h"

struct cleaner {
	struct buf first, second; /* scratch, used one after the other */
	struct slice secret;	  /* hidden wherever it occurs */
};

/* The clean text is in the cleaner until its next use. false when memory ran out. */
bool clean_text(struct cleaner *cleaner, struct slice text, struct slice *ret);
