/* SPDX-License-Identifier: Apache-2.0 */
/* Which connections are over, of those whose end nobody told. */
#pragma once
#include "bpf/abi_memory.h"
#include "probe/probe.h"

/* The process is no more. */
bool over_is_gone(uint32_t pid);
/* By what is known of it alone. */
bool over_is(const struct abi_conn_key *key, const struct abi_conn *conn, const struct probe_sweep *what,
	     uint64_t now_ns);
/* How it ended. */
uint8_t over_how(const struct abi_conn_key *key, const struct abi_conn *conn, const struct probe_sweep *what);

/* Plain, and quiet for some time: whether its process still holds the socket is to be asked. */
bool over_may_be(const struct abi_conn_key *key, const struct abi_conn *conn, uint64_t now_ns);
/* Asks: of @keys, those whose sockets are not held any more come first. Returns how many; the order is changed. */
size_t over_ask(struct abi_conn_key keys[], size_t count);
