/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that makes a record stands inside one checksummed zstd frame, so no damage to a page of the database can give a
 * body the identity of another.
 *
 *	zstd | magic 4 | spans 4 | sequence 8 | created 8 | trace id 16 | body |  checksum
 */
#include "spool/db.h"
#include <errno.h>

enum { FRAME_MAX = 256 << 20, LEVEL = 3 };

struct frame_head {
	uint32_t magic;
	uint32_t span_count;
	uint64_t sequence;
	uint64_t created_unix_ns;
	uint8_t trace_id[16];
};
static const uint32_t FRAME_MAGIC = 0x31525053; /* "SPR1"; also tells a foreign byte order */

int frame_pack(ZSTD_CCtx *compressor, const struct record *record, void **ret_frame, size_t *ret_len)
{
	struct frame_head head = {
		.magic = FRAME_MAGIC,
		.span_count = record->span_count,
		.sequence = record->sequence,
		.created_unix_ns = record->created_unix_ns,
	};
	size_t len = sizeof(head) + record->body.len, bound = ZSTD_compressBound(len), packed;
	CLEANUP_FREE char *plain = malloc(len);
	CLEANUP_FREE void *frame = malloc(bound);

	if (!plain || !frame)
		return -ENOMEM;
	memcpy(head.trace_id, record->trace_id, sizeof(head.trace_id));
	memcpy(plain, &head, sizeof(head));
	if (record->body.len)
		memcpy(plain + sizeof(head), record->body.data, record->body.len);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_checksumFlag, 1);
	packed = ZSTD_compress2(compressor, frame, bound, plain, len);
	if (ZSTD_isError(packed))
		return -ENOMEM;
	*ret_frame = TAKE_PTR(frame);
	*ret_len = packed;
	return 0;
}

size_t frame_unpacked_len(struct slice frame)
{
	unsigned long long len = ZSTD_getFrameContentSize(frame.data, frame.len);

	return len < sizeof(struct frame_head) || len > FRAME_MAX ? 0 : (size_t)len;
}

int frame_unpack(ZSTD_DCtx *decompressor, struct slice frame, struct arena *arena, struct record *ret)
{
	size_t len = frame_unpacked_len(frame);
	struct frame_head head;
	char *plain;

	if (!len)
		return -EBADMSG;
	plain = arena_alloc(arena, len);
	if (!plain)
		return -ENOMEM;
	if (ZSTD_decompressDCtx(decompressor, plain, len, frame.data, frame.len) != len)
		return -EBADMSG;
	memcpy(&head, plain, sizeof(head));
	if (head.magic != FRAME_MAGIC)
		return -EBADMSG;
	*ret = (struct record){
		.sequence = head.sequence,
		.created_unix_ns = head.created_unix_ns,
		.span_count = head.span_count,
		.body = { plain + sizeof(head), len - sizeof(head) },
	};
	memcpy(ret->trace_id, head.trace_id, sizeof(ret->trace_id));
	return 0;
}
