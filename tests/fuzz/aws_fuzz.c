/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of AWS's event streams. The first byte says whether the answer is joined late and whether the checksums of the
 * messages found by following the lengths are mended before (a fuzzer does not guess them). In a stream that is not
 * mended, 0xfe is a hole of one byte. Fed whole and byte by byte: the same messages.
 */
#include "body.h"
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t number_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void crc_put(uint8_t *data, size_t len)
{
	uint32_t crc = (uint32_t)crc32(0, data, (unsigned)len);

	for (size_t i = 0; i < 4; i++)
		data[len + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void mend(uint8_t *data, size_t size)
{
	while (size >= 16) {
		uint32_t total = number_at(data);

		if (total < 16 || total > size)
			return;
		crc_put(data, 8);
		crc_put(data, total - 4);
		data += total;
		size -= total;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head_text[] = "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n\r\n";
	struct proto_opts opts = proto_opts_default;
	struct body_told whole, cut;
	struct slice head, body;
	uint8_t *copy;
	bool is_mended;

	if (size < 1)
		return 0;
	opts.event_bytes_max = 256;
	opts.head_bytes_max = 256;
	is_mended = data[0] & 2;
	copy = malloc(size);
	memcpy(copy, data, size);
	if (is_mended)
		mend(copy + 1, size - 1);
	head = data[0] & 1 ? SLICE_NONE : slice_of(head_text);
	body = (struct slice){ (const char *)copy + 1, size - 1 };
	whole = body_run(opts, DIR_READ, head, body, is_mended ? -1 : 0xfe, false);
	cut = body_run(opts, DIR_READ, head, body, is_mended ? -1 : 0xfe, true);
	MUST(whole.digest == cut.digest && whole.len == cut.len);
	free(copy);
	return 0;
}
