/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the protocol buffers of Google's generative language service. */
#pragma once
#include "base/pb.h"

extern const struct pb_message google_request, google_answer, google_embed_request, google_embed_answer,
	google_batch_request, google_batch_answer, google_count_request, google_count_answer;
