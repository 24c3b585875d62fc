/* SPDX-License-Identifier: Apache-2.0 */
/* A record that waits until its process was looked at may still need what lies aside for it: that is not ended then. */
#include "daemon/sealing.h"
#include "policy/policy.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { RECORD_BYTES_MAX = 256 << 20 };

static void keyed_hash(void *user, struct slice text, uint8_t ret_hash[32])
{
	const struct sealing *sealing = user;
	unsigned len = 32;

	if (!HMAC(EVP_sha256(), sealing->secret, SECRET_LEN, (const unsigned char *)text.data, text.len, ret_hash,
		  &len))
		memset(ret_hash, 0, 32);
}

int sealing_init(struct sealing *sealing, struct slice host)
{
	const struct policy_opts opts = { sealing->alloc, keyed_hash, sealing, host };

	return policy_new(&opts, &sealing->policy);
}

void sealing_clear(struct sealing *sealing)
{
	sealing->policy = policy_free(sealing->policy);
	explicit_bzero(sealing->secret, SECRET_LEN);
}

bool sealing_text(struct sealing *sealing, const struct conn_info *conn, const struct call *call, struct slice text,
		  struct aside_id *ret)
{
	const struct origin *origin = origins_find(sealing->wanted->origins, conn->process);
	struct slice clean;

	if (wanted_wish(sealing->wanted, origin) != WISH_YES)
		return false;
	if (policy_clean_aside(sealing->policy, call->credential, text, ret, &clean) < 0)
		return false;
	return sealing->ops->aside(sealing->user, call->aside, ret, clean) == 0;
}

void sealing_texts_end(struct sealing *sealing, uint64_t call)
{
	if (call && sealing->ops->aside_end)
		sealing->ops->aside_end(sealing->user, call);
}

void sealing_trace(struct sealing *sealing, const struct trace *trace, uint64_t sequence)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(sealing->alloc, RECORD_BYTES_MAX);
	enum wish wish = wanted_wish(sealing->wanted, trace->origin);
	struct record record;

	if (wish != WISH_NO && (!arena || policy_seal(sealing->policy, trace, sequence, arena, &record) < 0))
		sealing->stats->shed_records++;
	else if (wish != WISH_NO)
		wanted_record(sealing->wanted, trace->origin, &record);
	if (wish == WISH_UNKNOWN)
		return;
	for (const struct span *span = trace->spans; span; span = span->next)
		sealing_texts_end(sealing, span->aside);
}
