/* SPDX-License-Identifier: Apache-2.0 */
/* What the text in a file tells about the TLS library in it, when its symbols do not. */
#pragma once
#include "probe/elf.h"
#include "probe/site.h"

/* @family: NONE when no such library's text is there. @version: "OpenSSL 3.5.8", "BoringSSL", or "". Reads a bounded
 * part of what is mapped read-only. */
void site_strings_find(const struct elf *elf, enum site_family *ret_family, char *ret_version, size_t version_size);
