/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: options, environment, YAML file and defaults become one validated struct, and each value knows where it came
 * from. Order: option, environment, file, default. One table (config.c) drives parsing, --help, the file's keys and
 * `spantap config`.
 */
#pragma once
#include "base/cleanup.h"
#include "base/slice.h"

enum config_command {
	COMMAND_RUN,
	COMMAND_ATTACH,
	COMMAND_RECORD,
	COMMAND_REPLAY,
	COMMAND_DOCTOR,
	COMMAND_TARGETS,
	COMMAND_SPOOL,
	COMMAND_CONFIG,
	COMMAND_HELP,
	COMMAND_VERSION,
	_COMMAND_MAX,
};

enum { CONFIG_LIST_MAX = 64 };

struct config_list {
	char *items[CONFIG_LIST_MAX + 1]; /* NULL-terminated */
	size_t count;
};

struct config {
	enum config_command command;
	char **argv; /* what follows the options: CMD [ARG...], PID..., FILE, subcommand */
	size_t argc;
	char **cmd; /* behind "--": NULL-terminated, or NULL */

	struct config_list sinks;
	char *experiment, *experiment_id;
	struct config_list pid, comm, exe, uid, cgroup, container;
	struct config_list not_pid, not_comm, not_exe, not_uid, not_cgroup, not_container;
	char *state_dir;
	bool state_dir_is_default;
	char *config_file;
	const char *prices;  /* file, or NULL */
	uint64_t ring_bytes; /* power of two, at least 64 KiB */
	uint64_t max_memory; /* of the pipeline */
	uint64_t max_spool;
	unsigned drain_s;
	char *capture; /* "full", "none" */
	char *semconv; /* "v1.41", "next" */
	int ready_fd;  /* -1: none */
	char *summary;
	char *log_level, *log_format; /* the level has -q and -v in it already */
	int verbosity;                /* -q: -1, -v: 1, -vv: 2 */
	char *user;                   /* run: as whom CMD runs */
	bool json;                    /* doctor, targets, spool */

	char *mlflow_uri, *mlflow_user, *mlflow_password, *mlflow_token, *mlflow_workspace, *mlflow_ca,
		*mlflow_client_cert;
	bool mlflow_insecure;
	char *otlp_endpoint; /* OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, or _ENDPOINT + /v1/traces */
	char *otlp_headers;  /* OTEL_EXPORTER_OTLP_HEADERS as given */
};

/* 0; or the process's exit status + 1 when there is nothing more to do: the text was printed (help, wrong use). */
int config_load(int argc, char **argv, struct config **ret);
struct config *config_free(struct config *config);
DEFINE_CLEANUP(struct config *, config_free)
/* The effective configuration and the origin of each value; secrets masked. */
int config_print(const struct config *config);
