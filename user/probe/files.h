/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files: every file that was looked at, by device and inode, so that each is looked at once. What holds a TLS library gets
 * its probes here.
 */
#pragma once
#include "probe/kernel.h"

struct files;

struct file_id {
	uint64_t device; /* major << 32 | minor, as /proc/PID/maps and perf tell it */
	uint64_t inode;
};

int files_new(struct kernel *kernel, struct files **ret);
struct files *files_free(struct files *files);
DEFINE_CLEANUP(struct files *, files_free)

bool files_known(const struct files *files, struct file_id id);
/* Looks at the file behind @fd and attaches where it holds TLS. @path is for the user. 1: newly attached, 0: nothing to do
 * or known, negative errno: it could not be read (and may be tried again). */
int files_add(struct files *files, struct file_id id, int fd, const char *path, uint32_t pid);
/* True when the file is known to hold TLS. */
bool files_is_target(const struct files *files, struct file_id id);
/* A file may be written anew, and one that no probe holds may give its inode to another. What is known of it is dropped when
 * it is not as it was: by @mapping, an entry of /proc/PID/map_files, or once the process is gone by the name it was found by.
 */
void files_check(struct files *files, struct file_id id, const char *mapping);
void files_each(const struct files *files, void (*each)(void *user, const struct probe_target *target), void *user);
const struct probe_target *files_newest(const struct files *files);
struct file_id file_id_of(int fd);

/* Files with probes lose them as soon as they are written. Ready to read when there is news; -1: none will come. @written: who
 * wrote has closed the file, which is forgotten: it may be added again. */
int files_watch_fd(const struct files *files);
void files_dispatch(struct files *files, void (*written)(void *user, const char *path), void *user);

/* A probe holds its file's inode, so that of a deleted library neither its disk space nor its file system would ever be free
 * again. A collection: probed files whose names lead to them no longer are suspects; those that some process maps are seen; the
 * rest is forgotten, and its probes taken away by a thread of its own, for the kernel takes its time for that. What holds no
 * probe is looked at seldom, and dropped at once. */
size_t files_suspect(struct files *files, uint64_t now_ns);
void files_seen(struct files *files, struct file_id id);
void files_forget(struct files *files);
