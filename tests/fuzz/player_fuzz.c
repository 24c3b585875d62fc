/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target of recorded files: the input is what follows a good head. Every frame lies in the file, and there is an end. */
#include "bpf/abi.h"
#include "digest.h"
#include "event/event.h"
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct head {
	char magic[8];
	uint32_t version, size;
	struct event_file_head ids;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct head head = { "spantap", ABI_VERSION, sizeof(head), { .host = "host" } };
	static char path[64];
	static int fd = -1;
	struct event_player *player;
	struct event_file_head told;
	enum event_frame kind;
	struct slice payload;
	size_t sum = 0;
	int r;

	if (fd < 0) {
		fd = memfd_create("recorded", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	MUST(ftruncate(fd, 0) == 0 && pwrite(fd, &head, sizeof(head), 0) == sizeof(head));
	MUST(pwrite(fd, data, size, sizeof(head)) == (ssize_t)size);
	MUST(event_player_new(path, &told, &player) == 0);
	while ((r = event_player_next(player, &kind, &payload)) == 1) {
		uint64_t digest = DIGEST_EMPTY;

		digest_bytes(&digest, payload);
		event_time_ns(payload);
		sum += 8 + payload.len;
		MUST(sum <= size && kind >= EVENT_FRAME_RECORD && kind <= EVENT_FRAME_LEDGER);
	}
	MUST(r <= 0);
	event_player_free(player);
	return 0;
}
