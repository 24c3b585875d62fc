/* SPDX-License-Identifier: Apache-2.0 */
/* A short queue that knows what it could not hold: those beyond it are counted, so that the ones in it stay right. */
#include "proto/pairing.h"
#include <string.h>

static void drop(struct pairing *pairing, size_t i)
{
	pairing->count--;
	memmove(&pairing->asked[i], &pairing->asked[i + 1], (pairing->count - i) * sizeof(pairing->asked[0]));
}

void pairing_ask(struct pairing *pairing, const struct asked *asked)
{
	/* A guess that is not answered by now was wrong, or its answer was hidden too. */
	for (size_t i = pairing->count; i-- > 0;)
		if (pairing->asked[i].is_guess)
			drop(pairing, i);
	if (pairing->beyond || pairing->count == PAIRING_MAX)
		pairing->beyond++;
	else
		pairing->asked[pairing->count++] = *asked;
}

const struct asked *pairing_next(const struct pairing *pairing)
{
	return pairing->count ? &pairing->asked[0] : NULL;
}

void pairing_answer(struct pairing *pairing)
{
	if (pairing->count)
		drop(pairing, 0);
	else if (pairing->beyond)
		pairing->beyond--;
}

void pairing_doubt(struct pairing *pairing)
{
	pairing->is_doubtful = true;
}

bool pairing_take_hidden(struct pairing *pairing, uint64_t start_ns, struct asked *ret)
{
	if (!pairing->is_doubtful)
		return false;
	if (pairing->count < 2 || pairing->asked[1].is_pipelined || pairing->asked[1].start_ns > start_ns) {
		pairing->is_doubtful = false;
		return false;
	}
	*ret = pairing->asked[0];
	drop(pairing, 0);
	return true;
}

void pairing_skip(struct pairing *pairing, uint64_t exchange)
{
	for (size_t i = 0; i < pairing->count; i++)
		if (pairing->asked[i].exchange == exchange)
			pairing->asked[i].is_skipped = true;
}
