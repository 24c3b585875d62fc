/* SPDX-License-Identifier: Apache-2.0 */
/* A question to a model and its answer, each whole in one piece, for tests that are not about what is said. */
#pragma once
#include "base/slice.h"

static const struct slice ask =
	SLICE("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
	      "content-length: 56\r\n\r\n"
	      "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}");
static const struct slice answer = SLICE(
	"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 86\r\n\r\n"
	"{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"ok\"}}],\"a\":1}");
