/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the protocol buffers of Google's generative language service, and of Vertex AI's, which numbers alike fields otherwise. */
#pragma once
#include "base/pb.h"

extern const struct pb_message google_request, google_answer, google_embed_request, google_embed_answer,
	google_batch_request, google_batch_answer, google_count_request, google_count_answer;
extern const struct pb_message vertex_request, vertex_answer, vertex_count_request, vertex_count_answer;
