/* SPDX-License-Identifier: Apache-2.0 */
/* Files that hold, or will probably hold, TLS: where systems, language runtimes and earlier runs keep them. */
#pragma once

/* @exe: a program that is about to run (name or path, looked up in @search_path), or NULL; its interpreter and the places
 * around it are listed too. @cache_path: one path a line, or NULL. The same file may be told more than once. */
void installed_each(const char *exe, const char *search_path, const char *cache_path,
		    void (*each)(void *user, const char *path), void *user);
