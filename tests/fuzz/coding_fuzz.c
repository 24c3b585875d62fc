/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the content codings: the first byte picks those of a request whose body is the rest. What decodes must decode
 * to the same in other cuts; nothing may grow beyond its limits.
 */
#include "body.h"
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const codings[] = { "gzip", "deflate", "br", "zstd", "gzip, zstd", "identity" };
	struct proto_opts opts = proto_opts_default;
	struct body_told whole, cut;
	struct slice body;
	char head[256];

	if (size < 1)
		return 0;
	opts.inflate_max = 1 << 20;
	body = (struct slice){ (const char *)data + 1, size - 1 };
	snprintf(
		head, sizeof(head),
		"POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Encoding: %s\r\nContent-Length: %zu\r\n\r\n",
		codings[data[0] % ARRAY_SIZE(codings)], body.len);
	whole = body_run(opts, DIR_WRITE, slice_of(head), body, -1, false);
	cut = body_run(opts, DIR_WRITE, slice_of(head), body, -1, true);
	MUST(whole.len <= opts.inflate_max && cut.len <= opts.inflate_max);
	if (!whole.is_damaged && !cut.is_damaged)
		MUST(whole.digest == cut.digest && whole.len == cut.len);
	return 0;
}
