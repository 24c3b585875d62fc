/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target of proto: a connection that may carry anything (pieces.h), HTTP/1 as the corpus has it. */
#include "pieces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pieces pieces = { 0 };

	return pieces_fuzz(&pieces, data, size, 0xff);
}
