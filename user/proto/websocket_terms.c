/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_max_window_bits=12
 *
 * The window's size is of no interest: a decoder with the largest reads what any smaller one wrote.
 */
#include "proto/websocket.h"

void websocket_terms_read(struct websocket_terms *terms, struct slice value)
{
	while (value.len) {
		struct slice rest = slice_cut(&value, ',');

		if (!slice_equal_nocase(slice_trim(slice_cut(&rest, ';')), SLICE("permessage-deflate")))
			continue;
		terms->is_deflate = true;
		while (rest.len) {
			struct slice word = slice_trim(slice_cut(&rest, ';'));

			if (slice_equal_nocase(word, SLICE("client_no_context_takeover")))
				terms->no_takeover[MESSAGE_REQUEST] = true;
			else if (slice_equal_nocase(word, SLICE("server_no_context_takeover")))
				terms->no_takeover[MESSAGE_RESPONSE] = true;
		}
		return;
	}
}
