/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client and server on one host: two calls of one exchange, of which the client's is told. Whichever is over first
 * waits for the other; the client no longer than until its server's end has been seen at all, the server as long as
 * its client is at it. A client that was told is remembered for a while without its memory, so that a server that
 * comes late is still known.
 */
#include "call/tracker.h"

enum { ENDED_MAX = 1024, REMEMBER_WAITS = 10 };

/* A dual-stack socket shows an IPv4 peer as ::ffff:a.b.c.d. */
static struct endpoint endpoint_plain(const struct endpoint *endpoint, enum address_family family)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct endpoint plain = { .port = endpoint->port };

	if (family == ADDRESS_INET)
		memcpy(plain.address, endpoint->address, 4);
	else if (memcmp(endpoint->address, mapped, sizeof(mapped)) == 0)
		memcpy(plain.address, endpoint->address + 12, 4);
	else
		memcpy(plain.address, endpoint->address, sizeof(plain.address));
	return plain;
}

static bool endpoint_equal(struct endpoint a, struct endpoint b)
{
	return a.port == b.port && memcmp(a.address, b.address, sizeof(a.address)) == 0;
}

static bool peer_is_inet(const struct peer *peer)
{
	return peer->family == ADDRESS_INET || peer->family == ADDRESS_INET6;
}

static bool peers_are_ends(const struct peer *a, const struct peer *b)
{
	if (a->family == ADDRESS_UNIX && b->family == ADDRESS_UNIX)
		return (a->socket && a->socket == b->unix_peer) || (b->socket && b->socket == a->unix_peer);
	if (!peer_is_inet(a) || !peer_is_inet(b) || a->netns != b->netns || !a->local.port || !a->remote.port)
		return false;
	return endpoint_equal(endpoint_plain(&a->local, a->family), endpoint_plain(&b->remote, b->family)) &&
	       endpoint_equal(endpoint_plain(&a->remote, a->family), endpoint_plain(&b->local, b->family));
}

static bool address_is_loopback(struct endpoint endpoint)
{
	static const uint8_t zero[15];

	if (endpoint.address[0] == 127)
		return memcmp(endpoint.address + 4, zero, 12) == 0;
	return endpoint.address[15] == 1 && memcmp(endpoint.address, zero, sizeof(zero)) == 0;
}

enum twin_chance { TWIN_NEVER, TWIN_UNLIKELY, TWIN_LIKELY };

/* Could the other end be on this host, where we see it? */
static enum twin_chance twin_chance(const struct twin_key *key)
{
	const struct peer *peer = &key->conn.peer;
	struct endpoint local, remote;

	if (peer->family == ADDRESS_UNIX)
		return TWIN_LIKELY;
	if (!peer_is_inet(peer))
		return key->is_server || key->conn.kind == CAPTURE_PLAIN ? TWIN_LIKELY : TWIN_UNLIKELY;
	local = endpoint_plain(&peer->local, peer->family);
	remote = endpoint_plain(&peer->remote, peer->family);
	if (address_is_loopback(remote) || memcmp(local.address, remote.address, sizeof(local.address)) == 0)
		return TWIN_LIKELY;
	return TWIN_NEVER;
}

bool pair_waits_for_client(const struct twin_key *key)
{
	return key->is_server && twin_chance(key) == TWIN_LIKELY;
}

static bool keys_are_twins(const struct twin_key *a, const struct twin_key *b, uint64_t slack_ns)
{
	if (a->is_server == b->is_server || !peers_are_ends(&a->conn.peer, &b->conn.peer))
		return false;
	if (a->has_name && b->has_name && a->name != b->name)
		return false;
	if (a->body_bytes >= 0 && b->body_bytes >= 0 && a->body_bytes != b->body_bytes)
		return false;
	return a->start_ns <= b->end_ns + slack_ns && b->start_ns <= a->end_ns + slack_ns;
}

static void draft_tell(struct call_tracker *tracker, struct draft *draft)
{
	draft->call->conn = draft->key.conn;
	draft->call->conn.peer.is_accepted = draft->key.is_server;
	tracker->ops->done(tracker->user, draft->call);
	draft->call->aside = 0;
}

static void ended_put(struct call_tracker *tracker, struct draft *draft)
{
	draft->next = NULL;
	*tracker->ended_tail = draft;
	tracker->ended_tail = &draft->next;
	tracker->ended_count++;
}

/* Removes and returns the one at *@at. */
static struct draft *ended_take(struct call_tracker *tracker, struct draft **at)
{
	struct draft *draft = *at;

	*at = draft->next;
	if (tracker->ended_tail == &draft->next)
		tracker->ended_tail = at;
	tracker->ended_count--;
	return draft;
}

static struct draft *ended_take_twin(struct call_tracker *tracker, const struct twin_key *key)
{
	for (struct draft **at = &tracker->ended; *at; at = &(*at)->next)
		if (keys_are_twins(key, &(*at)->key, tracker->opts.pair_wait_ns))
			return ended_take(tracker, at);
	return NULL;
}

static bool ended_has_twin(const struct call_tracker *tracker, const struct twin_key *key)
{
	for (const struct draft *draft = tracker->ended; draft; draft = draft->next)
		if (keys_are_twins(key, &draft->key, tracker->opts.pair_wait_ns))
			return true;
	return false;
}

/* The exchange that is still open at the other end of the connection, or NULL. */
static struct exchange *open_twin(struct call_tracker *tracker, const struct twin_key *key, struct call_conn **ret_conn)
{
	for (struct call_conn *conn = tracker->conns; conn; conn = conn->next) {
		if (!conn->first || !peers_are_ends(&conn->info.peer, &key->conn.peer))
			continue;
		for (struct exchange *ex = conn->first; ex; ex = ex->next) {
			if (!ex->draft || ex->session)
				continue;
			draft_key_fill(ex->draft, &conn->info);
			*ret_conn = conn;
			if (keys_are_twins(key, &ex->draft->key, tracker->opts.pair_wait_ns))
				return ex;
		}
	}
	return NULL;
}

static bool has_twin(struct call_tracker *tracker, const struct twin_key *key)
{
	struct call_conn *conn;

	return ended_has_twin(tracker, key) || (!key->is_server && open_twin(tracker, key, &conn));
}

/* @client is told, or was; then neither is needed any more. */
static void twins_settle(struct call_tracker *tracker, struct draft *client, struct draft *server)
{
	if (client->call) {
		client->call->other = server->key.conn;
		draft_tell(tracker, client);
	}
	draft_free(client);
	draft_free(server);
}

static void draft_remember(struct call_tracker *tracker, struct draft *draft, uint64_t until_ns)
{
	draft_shed(draft);
	draft->until_ns = until_ns + tracker->opts.pair_wait_ns * REMEMBER_WAITS;
	ended_put(tracker, draft);
}

/* Until when an earlier call of the same process waits; 0: none does. A repetition must not be told before what it repeats. */
static uint64_t process_waits_until(const struct call_tracker *tracker, const struct draft *draft)
{
	const struct process_id *process = &draft->key.conn.process;
	uint64_t until_ns = 0;

	for (const struct draft *other = tracker->ended; other; other = other->next)
		if (other->call && !other->key.is_server &&
		    memcmp(&other->key.conn.process, process, sizeof(*process)) == 0)
			until_ns = MAX(until_ns, other->until_ns);
	return until_ns;
}

/* A draft whose twin is not over: told, or left waiting. */
static void single_settle(struct call_tracker *tracker, struct draft *draft, uint64_t until_ns, enum twin_chance chance)
{
	draft->until_ns = chance == TWIN_LIKELY ? until_ns : process_waits_until(tracker, draft);
	if (draft->until_ns)
		return ended_put(tracker, draft);
	draft_tell(tracker, draft);
	if (chance == TWIN_NEVER)
		draft_free(draft);
	else
		draft_remember(tracker, draft, until_ns);
}

static void ended_bound(struct call_tracker *tracker)
{
	struct draft *oldest;

	if (tracker->ended_count < ENDED_MAX)
		return;
	oldest = ended_take(tracker, &tracker->ended);
	if (oldest->call)
		draft_tell(tracker, oldest);
	draft_free(oldest);
}

void pair_settle(struct call_tracker *tracker, struct draft *draft, uint64_t until_ns)
{
	enum twin_chance chance = twin_chance(&draft->key);
	struct draft *twin = chance == TWIN_NEVER ? NULL : ended_take_twin(tracker, &draft->key);
	struct call_conn *conn;
	struct exchange *open;

	if (twin)
		return draft->key.is_server ? twins_settle(tracker, twin, draft) : twins_settle(tracker, draft, twin);
	open = draft->key.is_server || chance == TWIN_NEVER ? NULL : open_twin(tracker, &draft->key, &conn);
	if (open) {
		conn->is_wanted = true;
		return twins_settle(tracker, draft, TAKE_PTR(open->draft));
	}
	ended_bound(tracker);
	single_settle(tracker, draft, until_ns, chance);
}

/* Puts back what ended_take(@at) gave: calls are told in the order in which their waiting ends. */
static void ended_restore(struct call_tracker *tracker, struct draft **at, struct draft *draft)
{
	draft->next = *at;
	*at = draft;
	if (tracker->ended_tail == at)
		tracker->ended_tail = &draft->next;
	tracker->ended_count++;
}

/* More is known of the peer of the one at *@at. true: it waits on, in its place. */
static bool ended_look_again(struct call_tracker *tracker, struct draft **at, const struct conn_info *info)
{
	struct draft *draft = ended_take(tracker, at);

	draft->key.conn = *info;
	if (draft->call ? twin_chance(&draft->key) == TWIN_LIKELY && !has_twin(tracker, &draft->key)
			: !ended_has_twin(tracker, &draft->key)) {
		ended_restore(tracker, at, draft);
		return true;
	}
	if (draft->call)
		pair_settle(tracker, draft, draft->until_ns);
	else
		twins_settle(tracker, draft, ended_take_twin(tracker, &draft->key));
	return false;
}

void pair_peer(struct call_tracker *tracker, const struct conn_info *info)
{
	struct draft **at = &tracker->ended;

	/* What is settled may have been anywhere in the list: from the beginning, then. */
	while (*at)
		if ((*at)->key.conn.id != info->id || ended_look_again(tracker, at, info))
			at = &(*at)->next;
		else
			at = &tracker->ended;
}

/* Its time to wait is over. */
static void draft_expire(struct call_tracker *tracker, struct draft *draft, uint64_t now_ns)
{
	struct call_conn *conn;

	if (draft->call && draft->key.is_server && open_twin(tracker, &draft->key, &conn)) {
		draft->until_ns = now_ns + tracker->opts.pair_wait_ns;
		return ended_put(tracker, draft);
	}
	if (draft->call)
		draft_tell(tracker, draft);
	if (draft->call && !draft->key.is_server)
		draft_remember(tracker, draft, now_ns);
	else
		draft_free(draft);
}

void pair_tick(struct call_tracker *tracker, uint64_t now_ns)
{
	struct draft **at = &tracker->ended;

	/* What is put back goes to the tail, not yet due. */
	while (*at) {
		if ((*at)->until_ns <= now_ns)
			draft_expire(tracker, ended_take(tracker, at), now_ns);
		else
			at = &(*at)->next;
	}
}

void pair_flush(struct call_tracker *tracker)
{
	while (tracker->ended) {
		struct draft *draft = ended_take(tracker, &tracker->ended);

		if (draft->call)
			draft_tell(tracker, draft);
		draft_free(draft);
	}
}

void pair_clear(struct call_tracker *tracker)
{
	while (tracker->ended)
		draft_free(ended_take(tracker, &tracker->ended));
}
