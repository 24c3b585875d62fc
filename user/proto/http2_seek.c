/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-in. */
#include "proto/carrier.h"
#include "proto/http2.h"

void http2_seek(struct http2 *http2, struct http2_flow *flow, struct slice in, uint64_t time_ns)
{
	http2->proto->stray_bytes += in.len;
}

void http2_seek_end(struct http2 *http2, struct http2_flow *flow)
{
	http2->proto->stray_bytes += flow->seek.len;
	buf_reset(&flow->seek);
}
