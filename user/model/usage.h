/* SPDX-License-Identifier: Apache-2.0 */
/* What a call consumed, in the convention's terms; what the provider wrote stands beside it in the call (usage_raw). */
#pragma once
#include <stdint.h>

/* Tokens with the meaning of OpenTelemetry: input includes cached, output includes reasoning. -1: not told. */
struct usage {
	int64_t input, output, total;
	int64_t cache_read, cache_write, cache_write_1h;
	int64_t reasoning;
	int64_t input_audio, output_audio, input_image, output_image; /* inside input and output */
	int64_t searches;                                             /* of the web, billed by piece */
};
#define USAGE_NONE                                                                                                     \
	((struct usage){ .input = -1,                                                                                  \
			 .output = -1,                                                                                 \
			 .total = -1,                                                                                  \
			 .cache_read = -1,                                                                             \
			 .cache_write = -1,                                                                            \
			 .cache_write_1h = -1,                                                                         \
			 .reasoning = -1,                                                                              \
			 .input_audio = -1,                                                                            \
			 .output_audio = -1,                                                                           \
			 .input_image = -1,                                                                            \
			 .output_image = -1,                                                                           \
			 .searches = -1 })
