/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of xAI's protocol buffers: what is asked, one answer, one piece of a streamed answer. */
#pragma once
#include "base/pb.h"

extern const struct pb_message xai_request, xai_answer, xai_chunk;
