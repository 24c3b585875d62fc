/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of Qdrant's protocol buffers: the two ways to ask, and values of payloads. */
#pragma once
#include "base/pb.h"

extern const struct pb_message qdrant_query, qdrant_search, qdrant_value;
