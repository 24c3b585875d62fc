/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of event streams and NDJSON: the first byte picks the answer's type, or that it is joined late. In the rest,
 * 0x01 is a hole of one byte. Fed whole and byte by byte: the same events and lines.
 */
#include "body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const heads[] = { "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
					     "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n", "" };
	struct proto_opts opts = proto_opts_default;
	struct body_told whole, cut;
	struct slice head, body;

	if (size < 1)
		return 0;
	opts.event_bytes_max = 64;
	opts.head_bytes_max = 256;
	head = slice_of(heads[data[0] % ARRAY_SIZE(heads)]);
	body = (struct slice){ (const char *)data + 1, size - 1 };
	whole = body_run(opts, DIR_READ, head, body, 1, false);
	cut = body_run(opts, DIR_READ, head, body, 1, true);
	MUST(whole.digest == cut.digest && whole.len == cut.len);
	return 0;
}
