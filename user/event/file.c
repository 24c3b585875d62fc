/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording: a head, then the records as the kernel made them, framed. Written through stdio's buffer, because the one who
 * writes is the ring's reader; a short last frame (the writer was killed) is the end of the recording, not damage.
 */
#include "bpf/abi.h"
#include "event/event.h"
#include <errno.h>
#include <fcntl.h>

static const char magic[8] = "spantap";

struct file_head {
	char magic[8];
	uint32_t version;
	uint32_t size; /* of this head */
	struct event_file_head ids;
};

struct frame {
	uint32_t len;
	uint32_t kind;
};

enum { FRAME_MAX = 16 << 20, BUFFER_BYTES = 1 << 20 };

struct event_recorder {
	FILE *file;
	int error;
};

int event_recorder_new(const char *path, const struct event_file_head *head, struct event_recorder **ret)
{
	struct file_head file_head = { .version = ABI_VERSION, .size = sizeof(file_head), .ids = *head };
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct event_recorder *recorder;

	if (fd < 0)
		return -errno;
	recorder = calloc(1, sizeof(*recorder));
	if (!recorder)
		return -ENOMEM;
	recorder->file = fdopen(fd, "w");
	if (!recorder->file) {
		free(recorder);
		return -ENOMEM;
	}
	fd = -1;
	setvbuf(recorder->file, NULL, _IOFBF, BUFFER_BYTES);
	memcpy(file_head.magic, magic, sizeof(magic));
	if (fwrite(&file_head, sizeof(file_head), 1, recorder->file) != 1)
		recorder->error = -errno;
	*ret = recorder;
	return 0;
}

int event_recorder_put(struct event_recorder *recorder, enum event_frame kind, struct slice payload)
{
	static const char zeros[8];
	struct frame frame = { .len = (uint32_t)payload.len, .kind = kind };
	size_t pad = (8 - payload.len % 8) % 8;

	if (recorder->error)
		return recorder->error;
	if (payload.len > FRAME_MAX)
		return -E2BIG;
	if (fwrite(&frame, sizeof(frame), 1, recorder->file) != 1 ||
	    (payload.len && fwrite(payload.data, payload.len, 1, recorder->file) != 1) ||
	    (pad && fwrite(zeros, pad, 1, recorder->file) != 1))
		recorder->error = errno ? -errno : -EIO;
	return recorder->error;
}

int event_recorder_put_close(struct event_recorder *recorder, const struct event_close *close)
{
	const struct abi_close record = {
		.head = { .type = ABI_CLOSE, .size = sizeof(record), .conn = close->conn, .time_ns = close->time_ns },
		.end = { close->end[0], close->end[1] },
		.how = (uint8_t)close->how,
		.reason = (uint8_t)close->reason,
	};

	return event_recorder_put(recorder, EVENT_FRAME_RECORD,
				  (struct slice){ (const char *)&record, sizeof(record) });
}

int event_recorder_close(struct event_recorder *recorder)
{
	int error;

	if (!recorder)
		return 0;
	error = recorder->error;
	if ((fflush(recorder->file) != 0 || fdatasync(fileno(recorder->file)) != 0) && !error)
		error = -errno;
	fclose(recorder->file);
	free(recorder);
	return error;
}

struct event_player {
	FILE *file;
	char *payload;
	size_t size;
};

static int head_read(FILE *file, struct event_file_head *ret)
{
	struct file_head head;

	if (fread(&head, sizeof(head), 1, file) != 1 || memcmp(head.magic, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	if (head.version != ABI_VERSION || head.size != sizeof(head))
		return -EPROTONOSUPPORT;
	head.ids.host[sizeof(head.ids.host) - 1] = 0;
	*ret = head.ids;
	return 0;
}

int event_player_new(const char *path, struct event_file_head *ret_head, struct event_player **ret)
{
	CLEANUP(event_player_free) struct event_player *player = calloc(1, sizeof(*player));
	int r;

	if (!player)
		return -ENOMEM;
	player->file = fopen(path, "re");
	if (!player->file)
		return -errno;
	r = head_read(player->file, ret_head);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(player);
	return 0;
}

struct event_player *event_player_free(struct event_player *player)
{
	if (!player)
		return NULL;
	if (player->file)
		fclose(player->file);
	free(player->payload);
	free(player);
	return NULL;
}

int event_player_next(struct event_player *player, enum event_frame *ret_kind, struct slice *ret_payload)
{
	struct frame frame;
	size_t padded;

	if (fread(&frame, sizeof(frame), 1, player->file) != 1)
		return 0;
	if (frame.len > FRAME_MAX || frame.kind < EVENT_FRAME_RECORD || frame.kind > EVENT_FRAME_FILTERED)
		return -EBADMSG;
	padded = (frame.len + 7) & ~(size_t)7;
	if (padded > player->size) {
		char *payload = realloc(player->payload, padded);

		if (!payload)
			return -ENOMEM;
		player->payload = payload;
		player->size = padded;
	}
	if (padded && fread(player->payload, padded, 1, player->file) != 1)
		return 0;
	*ret_kind = (enum event_frame)frame.kind;
	*ret_payload = (struct slice){ player->payload, frame.len };
	return 1;
}
