/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a failed call looks to its application. Python's SDKs of OpenAI and Anthropic raise classes with texts of
 * their own, and autolog records those; for everyone else the provider's own words stand.
 */
#pragma once
#include "trace/attr.h"

struct fault {
	struct slice type;           /* exception.type */
	struct slice message;        /* exception.message */
	struct slice status_message; /* of the span; autolog leaves it empty for OpenAI */
	struct slice error_type;     /* error.type: few different values */
};

/* false: nobody failed. Texts are views of the call, literals, or in the span's arena. */
bool fault_of(struct maker *maker, const struct call *call, struct fault *ret);
