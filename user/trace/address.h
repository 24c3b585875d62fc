/* SPDX-License-Identifier: Apache-2.0 */
/* Internet addresses as text: dotted IPv4, IPv6 as RFC 5952 wants it (inet_ntop() is no part of a pure room). */
#pragma once
#include "model/conn.h"

enum { ADDRESS_TEXT_MAX = 48 };

/* @bytes in network order. Returns @text. */
const char *address_write(enum address_family family, const uint8_t bytes[16], char text[ADDRESS_TEXT_MAX]);
