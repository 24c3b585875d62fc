/* SPDX-License-Identifier: Apache-2.0 */
/* The longest run of zero groups, of two at least, becomes "::"; an IPv4 address inside of IPv6 stays readable. */
#include "trace/address.h"
#include <stdio.h>

enum { GROUPS = 8 };

/* First group of the longest run of zeros, and its length; 0 where none is worth it. */
static int zero_run(const uint16_t groups[GROUPS], int *ret_first)
{
	int longest = 1, run = 0;

	*ret_first = GROUPS;
	for (int i = 0; i < GROUPS; i++) {
		run = groups[i] ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			*ret_first = i - run + 1;
		}
	}
	return longest > 1 ? longest : 0;
}

static void write_v6(const uint8_t bytes[16], char text[ADDRESS_TEXT_MAX])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint16_t groups[GROUPS];
	size_t len = 0;
	int first, run;

	if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
		snprintf(text, ADDRESS_TEXT_MAX, "::ffff:%u.%u.%u.%u", bytes[12], bytes[13], bytes[14], bytes[15]);
		return;
	}
	for (int i = 0; i < GROUPS; i++)
		groups[i] = (uint16_t)(bytes[2 * i] << 8 | bytes[2 * i + 1]);
	run = zero_run(groups, &first);
	for (int i = 0; i < GROUPS; i++) {
		const char *colon = i == first ? "::" : i && i != first + run ? ":" : "";

		len += (size_t)snprintf(text + len, ADDRESS_TEXT_MAX - len, "%s", colon);
		if (i == first)
			i += run - 1;
		else
			len += (size_t)snprintf(text + len, ADDRESS_TEXT_MAX - len, "%x", groups[i]);
	}
}

const char *address_write(enum address_family family, const uint8_t bytes[16], char text[ADDRESS_TEXT_MAX])
{
	if (family == ADDRESS_INET6)
		write_v6(bytes, text);
	else
		snprintf(text, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
	return text;
}
