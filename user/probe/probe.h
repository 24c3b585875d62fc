/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe: the privileged half's work. Loads the kernel side, finds TLS libraries in processes as they appear (what is mapped
 * now, what is mapped executable from now on, what is likely to be mapped soon), and puts probes on them: per file, for all
 * processes; who is traced is decided in the kernel by the process map. Looks at no payload.
 */
#pragma once
#include "base/cleanup.h"
#include "base/slice.h"
#include "model/process.h"
#include "probe/site.h"

struct probe;

enum probe_mode {
	PROBE_SESSION, /* one multi link a function, entry and return in one program: kernel 6.13 */
	PROBE_MULTI,   /* multi links: 6.6 */
	PROBE_PERF,    /* perf events: 5.8 */
	_PROBE_MODE_MAX,
};

struct probe_opts {
	uint64_t ring_bytes;    /* power of two */
	bool default_wanted;    /* processes without an entry are traced */
	bool plain;             /* plain sockets too */
	bool counts_programs;   /* for probe_program() */
	bool capture_off;       /* probes only, nothing is copied */
	const char *cache_path; /* files that held TLS in earlier runs, or NULL */
};

struct probe_target { /* one file that holds (or may hold) a TLS library */
	const char *path;
	const struct site_set *sites;
	unsigned attached;   /* functions with a probe */
	const char *why_not; /* remedy, or NULL when attached */
	uint32_t seen_in_pid;
};

struct probe_ops {
	/* A process has mapped a file with a TLS library: a good moment to learn who it is. May come often. */
	void (*mapped)(void *user, uint32_t pid);
	/* A process executes another program, under this name; and the first file that it maps of it. It may be gone by now. */
	void (*executed)(void *user, uint32_t pid, const char *comm);
	void (*program)(void *user, uint32_t pid, const char *path);
	void (*attached)(void *user, const struct probe_target *target);
};

struct probe_fds { /* for the pipeline; owned by the probe */
	int ring, control, ledger, verdicts;
};

/* 0, or negative errno with *ret_error: cause and remedy in one line. */
int probe_new(const struct probe_opts *opts, const struct probe_ops *ops, void *user, struct probe **ret,
	      const char **ret_error);
struct probe *probe_free(struct probe *probe);
DEFINE_CLEANUP(struct probe *, probe_free)

struct probe_fds probe_fds(const struct probe *probe);
enum probe_mode probe_mode(const struct probe *probe);
extern const char *const probe_mode_names[_PROBE_MODE_MAX];
bool probe_sees_sockets(const struct probe *probe); /* the kernel has what plain sockets and nesting need */

/* Whether @pid is traced; with @inherit its children are what it is. */
int probe_process(struct probe *probe, uint32_t pid, bool wanted, bool inherit);
/* What holds for those without an entry holds for @pid again. */
void probe_process_forget(struct probe *probe, uint32_t pid);
/* How many programs @pid has executed, where they are counted; else 0. */
uint32_t probe_program(struct probe *probe, uint32_t pid);
/* What holds for processes without an entry, from now on. */
void probe_want_unknown(struct probe *probe, bool wanted);
/* Attaches to what running processes have mapped: all, or one. */
int probe_scan_all(struct probe *probe);
int probe_scan_pid(struct probe *probe, uint32_t pid);
/* Attaches to TLS libraries where they usually are installed, to those of earlier runs, and to what @exe (or NULL), found on
 * @path (or NULL: this process's), will probably load. */
void probe_scan_installed(struct probe *probe, const char *exe, const char *search_path);
/* One file. -ENOENT, -ENOEXEC ...; 0 when it holds no TLS as well. */
int probe_file(struct probe *probe, const char *path);

/* Descriptors to poll for reading; probe_dispatch() when one is ready. */
size_t probe_watch_fds(const struct probe *probe, int *ret, size_t size);
void probe_dispatch(struct probe *probe);

/* A connection whose process is gone or whose close found no room in the ring. */
struct probe_swept {
	uint64_t conn;
	uint64_t end[2];
	uint8_t how;    /* enum abi_how */
	uint8_t reason; /* enum abi_missing */
};
/* Which ones: all of them, or those of one process that ended; only those that are quiet for so long. */
struct probe_sweep {
	struct process_id process; /* pid 0: of whichever is gone, and what was closed without being told */
	uint64_t quiet_ns;
};
/* Forgets connections that are over; tells each. What they moved may still be in the ring. */
void probe_sweep(struct probe *probe, const struct probe_sweep *what,
		 void (*swept)(void *user, const struct probe_swept *conn), void *user);
/* Takes the probes from files that are deleted and that no process maps any more. Cheap where there are none. */
void probe_collect(struct probe *probe, uint64_t now_ns);
void probe_each_target(const struct probe *probe, void (*each)(void *user, const struct probe_target *target),
		       void *user);
/* Writes the list of files for the next run's probe_scan_installed(). */
void probe_save_cache(const struct probe *probe);
