/* SPDX-License-Identifier: Apache-2.0 */
/* The words that leave spantap for the enums of the model: one table each, in the enum's order. */
#include "base/cleanup.h"
#include "model/call.h"
#include "model/conn.h"

const char *const missing_reason_names[_MISSING_MAX] = {
	[MISSING_RING_FULL] = "ring_full",     [MISSING_FAULT] = "fault",
	[MISSING_BUDGET] = "budget",           [MISSING_JOINED_LATE] = "joined_late",
	[MISSING_UNDECODABLE] = "undecodable", [MISSING_POLICY] = "policy",
};

const char *const capture_kind_names[_CAPTURE_MAX] = {
	[CAPTURE_OPENSSL] = "openssl", [CAPTURE_BORINGSSL] = "boringssl", [CAPTURE_PLAIN] = "plain",
	[CAPTURE_PIPE] = "pipe",       [CAPTURE_RUSTLS] = "rustls",       [CAPTURE_GO] = "go",
	[CAPTURE_GNUTLS] = "gnutls",
};

const char *const peer_evidence_names[_PEER_MAX] = {
	[PEER_UNKNOWN] = "unknown",
	[PEER_HOST_HEADER] = "host_header",
	[PEER_NESTED] = "nested_syscall",
	[PEER_CIPHERTEXT] = "ciphertext",
	[PEER_BIO] = "bio",
	[PEER_SOCKET] = "socket",
};

const char *const call_end_names[_CALL_END_MAX] = {
	[CALL_END_UNKNOWN] = "unknown",
	[CALL_END_COMPLETE] = "complete",
	[CALL_END_CLIENT_CANCEL] = "client_cancel",
	[CALL_END_SERVER_CUT] = "server_cut",
	[CALL_END_TIMEOUT] = "timeout",
	[CALL_END_RESET] = "reset",
};
