/* SPDX-License-Identifier: Apache-2.0 */
/* What is proven: no record is believed beyond its bytes; what was recorded is played back, up to where a file was cut. */
#include "../support.h"
#include "bpf/abi.h"
#include "event/event.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
	unsigned opens, peers, chunks, closes, exits, joins;
	struct conn_join join;
	uint64_t bytes, holes;
	enum address_family family;
	uint8_t first_octet;
};

static void on_open(void *user, const struct conn_info *conn)
{
	((struct seen *)user)->opens++;
}

static void on_peer(void *user, uint64_t conn, const struct peer *peer)
{
	struct seen *seen = user;

	seen->peers++;
	seen->family = peer->family;
	seen->first_octet = peer->remote.address[0];
}

static void on_chunk(void *user, const struct event_chunk *chunk)
{
	struct seen *seen = user;

	seen->chunks++;
	seen->bytes += chunk->data.len;
	seen->holes += chunk->hole_len;
	for (size_t i = 0; i < chunk->data.len; i++) /* touch it all: the sanitizer watches */
		seen->bytes += chunk->data.data[i] == 0 ? 0 : 0;
}

static void on_close(void *user, const struct event_close *close)
{
	((struct seen *)user)->closes++;
}

static void on_exit_event(void *user, struct process_id process, uint64_t time_ns)
{
	((struct seen *)user)->exits++;
}

static void on_join(void *user, const struct conn_join *join)
{
	((struct seen *)user)->joins++;
	((struct seen *)user)->join = *join;
}

static const struct event_ops ops = {
	.open = on_open, .peer = on_peer, .chunk = on_chunk, .close = on_close, .exit = on_exit_event, .join = on_join
};

union record {
	struct abi_head head;
	struct abi_open open;
	struct abi_peer peer;
	struct abi_chunk chunk;
	struct abi_close close;
	struct abi_exit exit;
	struct abi_join join;
	char bytes[256];
};

static union record chunk_record(const char *text)
{
	union record r = { 0 };

	r.chunk.head = (struct abi_head){ ABI_CHUNK, 0, (uint32_t)(sizeof(struct abi_chunk) + strlen(text)), 7, 1000 };
	r.chunk.len = (uint32_t)strlen(text);
	r.chunk.dir = ABI_DIR_WRITE;
	memcpy(r.bytes + sizeof(struct abi_chunk), text, strlen(text));
	return r;
}

static int decode(const union record *r, struct seen *seen)
{
	return event_decode((struct slice){ r->bytes, r->head.size }, &ops, seen);
}

static void a_chunk_is_told_as_it_is(void **state)
{
	union record r = chunk_record("hello");
	struct seen seen = { 0 };

	assert_int_equal(decode(&r, &seen), 0);
	assert_int_equal(seen.chunks, 1);
	assert_int_equal(seen.bytes, 5);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct seen seen = { 0 };
	union record r = chunk_record("hello");

	r.chunk.len = 6;
	assert_int_equal(decode(&r, &seen), -EBADMSG);
	r = chunk_record("hello");
	r.chunk.dir = 2;
	assert_int_equal(decode(&r, &seen), -EBADMSG);
	r = chunk_record("hello");
	r.chunk.reason = _MISSING_MAX;
	assert_int_equal(decode(&r, &seen), -EBADMSG);
	r = chunk_record("hello");
	r.chunk.hole_len = 5;
	assert_int_equal(decode(&r, &seen), -EBADMSG);
	r = chunk_record("hello");
	r.chunk.offset = ~0ull;
	assert_int_equal(decode(&r, &seen), -EBADMSG);
	r.head.type = 99;
	assert_int_equal(decode(&r, &seen), -EBADMSG);
	assert_int_equal(seen.chunks, 0);
}

static void random_bytes_never_lead_outside(void **state)
{
	uint64_t random = 7;
	struct seen seen = { 0 };

	for (int round = 0; round < 200000; round++) {
		size_t len = random_next(&random) % sizeof(union record);
		char *copy = aligned_alloc(8, (len + 7) / 8 * 8 + 8);
		struct abi_head head = { (uint16_t)(random_next(&random) % 7), 0,
					 (uint32_t)(random_next(&random) % 300), 1, 1 };

		for (size_t i = 0; i < len; i++)
			copy[i] = (char)random_next(&random);
		memcpy(copy, &head, len < sizeof(head) ? len : sizeof(head));
		event_decode((struct slice){ copy, len }, &ops, &seen);
		free(copy);
	}
	assert_true(seen.chunks + seen.opens + seen.closes > 0);
}

static void a_mapped_ipv4_peer_is_an_ipv4_peer(void **state)
{
	union record r = { 0 };
	struct seen seen = { 0 };
	const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 };

	r.peer.head = (struct abi_head){ ABI_PEER, 0, sizeof(struct abi_peer), 7, 1000 };
	r.peer.family = 10;
	r.peer.evidence = ABI_PEER_SOCKET;
	memcpy(r.peer.local, mapped, 16);
	memcpy(r.peer.remote, mapped, 16);
	assert_int_equal(decode(&r, &seen), 0);
	assert_int_equal(seen.family, ADDRESS_INET);
	assert_int_equal(seen.first_octet, 127);
}

static void a_join_says_what_goes_on_with_what(void **state)
{
	union record r = { 0 };
	struct seen seen = { 0 };

	r.join = (struct abi_join){ .head = { ABI_JOIN, 0, sizeof(struct abi_join), 7, 1000 },
				    .into = 8,
				    .offset = 5000,
				    .dir = ABI_DIR_WRITE,
				    .reason = ABI_MISSING_FAULT,
				    .is_behind_loss = 1 };
	assert_int_equal(decode(&r, &seen), 0);
	assert_true(seen.join.conn == 7 && seen.join.into == 8 && seen.join.offset == 5000);
	assert_true(seen.join.dir == DIR_WRITE && seen.join.reason == MISSING_FAULT && seen.join.is_behind_loss);
	assert_int_equal(seen.join.time_ns, 1000);
	r.join.into = 7; /* with itself */
	assert_int_equal(decode(&r, &seen), -EBADMSG);
	r.join.into = 8;
	r.join.dir = 2;
	assert_int_equal(decode(&r, &seen), -EBADMSG);
	r.join.dir = ABI_DIR_READ;
	r.join.offset = 1ull << 62;
	assert_int_equal(decode(&r, &seen), -EBADMSG);
	assert_int_equal(seen.joins, 1);
}

static void record_file(const char *path, size_t frames)
{
	struct event_recorder *recorder;
	struct event_file_head head = { .node_key = { 1, 2 }, .boot = 3, .unix_offset_ns = 4, .host = "here" };

	unlink(path);
	assert_int_equal(event_recorder_new(path, &head, &recorder), 0);
	for (size_t i = 0; i < frames; i++) {
		union record r = chunk_record("some bytes" + i % 10);

		assert_int_equal(
			event_recorder_put(recorder, EVENT_FRAME_RECORD, (struct slice){ r.bytes, r.head.size }), 0);
	}
	assert_int_equal(event_recorder_close(recorder), 0);
}

static size_t play(const char *path, struct event_file_head *head, int *ret_end)
{
	struct event_player *player;
	enum event_frame kind;
	struct slice payload;
	struct seen seen = { 0 };

	assert_int_equal(event_player_new(path, head, &player), 0);
	while ((*ret_end = event_player_next(player, &kind, &payload)) == 1)
		if (kind == EVENT_FRAME_RECORD)
			event_decode(payload, &ops, &seen);
	event_player_free(player);
	return seen.chunks;
}

static void a_recording_plays_back_up_to_where_it_was_cut(void **state)
{
	char path[] = "/tmp/spantap-event-test-XXXXXX";
	struct event_file_head head;
	struct stat st;
	int end;

	close(mkstemp(path));
	record_file(path, 50);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(play(path, &head, &end), 50);
	assert_int_equal(end, 0);
	assert_true(head.boot == 3 && head.unix_offset_ns == 4 && strcmp(head.host, "here") == 0);
	for (off_t size = st.st_size - 1; size > st.st_size - 200; size--) {
		assert_int_equal(truncate(path, size), 0);
		assert_in_range(play(path, &head, &end), 40, 49);
		assert_int_equal(end, 0);
	}
	unlink(path);
}

static void another_file_is_no_recording(void **state)
{
	struct event_file_head head;
	struct event_player *player;

	assert_int_equal(event_player_new("/etc/passwd", &head, &player), -EBADMSG);
	assert_int_equal(event_player_new("/nonexistent", &head, &player), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chunk_is_told_as_it_is),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(random_bytes_never_lead_outside),
		cmocka_unit_test(a_mapped_ipv4_peer_is_an_ipv4_peer),
		cmocka_unit_test(a_join_says_what_goes_on_with_what),
		cmocka_unit_test(a_recording_plays_back_up_to_where_it_was_cut),
		cmocka_unit_test(another_file_is_no_recording),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
