/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target as an ordinary test: its corpus, every file cut at its half as well, and the empty input. The corpus is the folder
 * tests/fuzz/corpus/NAME, where NAME is this program's name without "_fuzz".
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

/* On memory of exactly its size, so that the sanitizer sees one byte too far. */
static void input_run(const char *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static int file_run(const char *path)
{
	static char bytes[INPUT_MAX];
	FILE *file = fopen(path, "re");
	size_t len = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

	if (file) {
		input_run(bytes, len);
		input_run(bytes, len / 2);
		fclose(file);
	}
	return file != NULL;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	int name_len = (int)(strlen(name) - strlen("_fuzz")), count = 0;
	char folder[512], path[1024];
	struct dirent *entry;
	DIR *corpus;

	snprintf(folder, sizeof(folder), "tests/fuzz/corpus/%.*s", name_len, name);
	input_run("", 0);
	corpus = opendir(folder);
	while (corpus && (entry = readdir(corpus))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		count += file_run(path);
	}
	if (corpus)
		closedir(corpus);
	printf("%sok 1 - %s: a corpus of %d inputs is survived\n", count ? "" : "not ", name, count);
	return count ? 0 : 1;
}
