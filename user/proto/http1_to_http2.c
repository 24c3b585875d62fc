/* SPDX-License-Identifier: Apache-2.0 */
/* The upgrade of RFC 7540, 3.2: the request stays HTTP/1, its answer is that of HTTP/2's first stream. */
#include "proto/http1.h"

void http1_to_http2(struct http1 *http1, struct flow *flow)
{
	const struct asked *asked = pairing_next(&http1->pairing);
	struct hand_on from = { .client = http1->client, .answer_bytes = flow->carry };

	if (asked) {
		from.exchange = asked->exchange;
		from.is_skipped = asked->is_skipped;
	}
	flow->carry = 0;
	proto_hand_on(http1->proto, &carrier_http2, &from);
}
