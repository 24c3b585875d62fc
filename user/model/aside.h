/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large request is mostly text that nobody needs to look into. While its call goes on, such text lies aside: the pipeline
 * gives it to the delivery, cleaned as all that leaves (policy_clean_aside()), and keeps a mark in its place:
 *
 *	{"role":"user","content":"Its first words [spantap:text \"5f0c…\"] its last words"}
 *
 * The delivery puts the text back where marks stand in the record. What lies aside is the inside of a JSON string as it
 * travelled, escapes and all. A mark is itself text of a JSON string, so its own quotation marks say how it was treated on its way:
 *
 *	level  quotes    the text goes in
 *	0      "         without its escapes: the mark was taken out of its string
 *	1      \"        as it is
 *	2      \\\"      escaped once more, and so on: 2^level - 1 backslashes
 *
 * The digits are a keyed hash (HMAC-SHA-256, its first 16 bytes) of the text as it leaves: the same text has the same mark within
 * one start, so that a repeated request is still known by its body, and nobody outside can write a mark that means something.
 */
#pragma once
#include "base/slice.h"
#include <stdint.h>

#define ASIDE_HEAD SLICE("[spantap:text ")

enum { ASIDE_ID_LEN = 16, ASIDE_LEVEL_MAX = 4 };

struct aside_id {
	uint8_t bytes[ASIDE_ID_LEN];
};
