/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of JSON-RPC by lines, as tools' servers speak it (pieces.h), which nobody joins late: bit 0 of the first byte has
 * no meaning. Heads: members of messages.
 */
#include "pieces.h"
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t head_put(char to[PIECE_HEAD_MAX], uint8_t what, size_t len)
{
	static const struct {
		const char *before, *behind; /* a number */
	} heads[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":", "," }, { "\"method\":\"m", "\"" }, { "\"result\":", "" },
		{ "\"error\":{\"code\":", "}}\n" },      { "{\"id\":\"", "\"," },    { "\"params\":[", "]}\n" },
	};
	size_t at = what % ARRAY_SIZE(heads);
	int put = snprintf(to, PIECE_HEAD_MAX, "%s%u%s", heads[at].before, what / 16u, heads[at].behind);

	return (size_t)put;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pieces pieces = {
		.opening = SLICE("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\"}\n"),
		.head = head_put,
	};

	return pieces_fuzz(&pieces, data, size, 0xfe);
}
