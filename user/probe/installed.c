/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guess that costs little and is never needed for correctness: a library found here has its probes before its first user
 * starts, so even a process of 200 ms is seen from its first byte. All others are found when they are mapped.
 */
#include "probe/installed.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include <glob.h>
#include <limits.h>

/* Below each library folder. */
static const char *const library_globs[] = { "libssl*.so*",
					     "*-linux-gnu*/libssl*.so*",
					     "libgnutls.so*",
					     "*-linux-gnu*/libgnutls.so*",
					     "python3*/site-packages/*.libs/libssl*",
					     "python3*/lib-dynload/_ssl*.so" };
static const char *const library_folders[] = { "/lib",
					       "/usr/lib",
					       "/lib64",
					       "/usr/lib64",
					       "/usr/local/lib",
					       "/opt/*/lib",
					       "/opt/conda/envs/*/lib",
					       "/home/*/.pyenv/versions/*/lib" };
static const char *const program_globs[] = { "/usr/bin/node", "/usr/local/bin/node", "/opt/*/bin/node" };

struct walk {
	void (*each)(void *user, const char *path);
	void *user;
};

static void each_match(const struct walk *walk, const char *pattern)
{
	glob_t found = { 0 };

	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			walk->each(walk->user, found.gl_pathv[i]);
	globfree(&found);
}

static void each_in_folder(const struct walk *walk, const char *folder)
{
	char pattern[PATH_MAX + 128];

	for (size_t i = 0; i < ARRAY_SIZE(library_globs); i++) {
		snprintf(pattern, sizeof(pattern), "%s/%s", folder, library_globs[i]);
		each_match(walk, pattern);
	}
}

/* Absolute path of a program as the shell would find it. */
static bool program_path(const char *name, const char *search_path, char ret[PATH_MAX])
{
	struct slice rest = slice_of(search_path ? search_path : getenv("PATH"));
	char candidate[PATH_MAX];

	if (strchr(name, '/'))
		return realpath(name, ret) != NULL;
	while (rest.len) {
		struct slice folder = slice_cut(&rest, ':');

		snprintf(candidate, sizeof(candidate), "%.*s/%s", SLICE_FMT(folder), name);
		if (access(candidate, X_OK) == 0 && realpath(candidate, ret))
			return true;
	}
	return false;
}

/* The program named behind "#!" ("env NAME" included), or false. */
static bool interpreter_of(const char *path, const char *search_path, char ret[PATH_MAX])
{
	CLEANUP(fclose) FILE *file = fopen(path, "re");
	char line[512], first[256] = "", second[256] = "";

	if (!file || !fgets(line, sizeof(line), file) || sscanf(line, "#! %255s %255s", first, second) < 1)
		return false;
	if (slice_ends(slice_of(first), SLICE("/env")) && second[0])
		return program_path(second, search_path, ret);
	return program_path(first, search_path, ret);
}

static void around_program(const struct walk *walk, const char *exe, const char *search_path)
{
	char path[PATH_MAX], folder[PATH_MAX + 16], *slash;

	if (!program_path(exe, search_path, path))
		return;
	for (int hops = 0; hops < 3; hops++) {
		walk->each(walk->user, path);
		snprintf(folder, sizeof(folder), "%s", path);
		slash = strrchr(folder, '/');
		if (slash) {
			*slash = 0;
			each_in_folder(walk, folder);
			memcpy(slash, "/../lib", sizeof("/../lib"));
			each_in_folder(walk, folder);
		}
		if (!interpreter_of(path, search_path, path))
			break;
	}
}

static void each_cached(const struct walk *walk, const char *cache_path)
{
	CLEANUP(fclose) FILE *cache = cache_path ? fopen(cache_path, "re") : NULL;
	char line[PATH_MAX];

	while (cache && fgets(line, sizeof(line), cache)) {
		line[strcspn(line, "\n")] = 0;
		walk->each(walk->user, line);
	}
}

void installed_each(const char *exe, const char *search_path, const char *cache_path,
		    void (*each)(void *user, const char *path), void *user)
{
	const struct walk walk = { each, user };
	struct slice extra = slice_of(getenv("LD_LIBRARY_PATH"));
	char folder[PATH_MAX];

	each_cached(&walk, cache_path);
	if (exe)
		around_program(&walk, exe, search_path);
	while (extra.len) {
		snprintf(folder, sizeof(folder), "%.*s", SLICE_FMT(slice_cut(&extra, ':')));
		each_in_folder(&walk, folder);
	}
	for (size_t i = 0; i < ARRAY_SIZE(library_folders); i++)
		each_in_folder(&walk, library_folders[i]);
	for (size_t i = 0; i < ARRAY_SIZE(program_globs); i++)
		each_match(&walk, program_globs[i]);
}
