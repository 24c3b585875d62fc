/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `spantap doctor`: one line for each thing that tracing needs: what is there, and the remedy where it is not. The checks are
 * a table; the real proof, loading the kernel side, is the last one.
 */
#include "base/json.h"
#include "base/log.h"
#include "daemon/tools.h"
#include "probe/probe.h"
#include <errno.h>
#include <sys/utsname.h>

enum verdict { GOOD, LIMITED, BAD };
static const char *const verdict_names[] = { "ok", "limited", "fails" };

struct finding {
	enum verdict verdict;
	char text[256];
	const char *remedy;
};

static void check_kernel(struct finding *ret)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	snprintf(ret->text, sizeof(ret->text), "Linux %.60s %.20s", name.release, name.machine);
	if (major < 5 || (major == 5 && minor < 8)) {
		ret->verdict = BAD;
		ret->remedy = "spantap needs Linux 5.8 or newer";
	}
}

static void check_btf(struct finding *ret)
{
	bool has = access("/sys/kernel/btf/vmlinux", R_OK) == 0;

	snprintf(ret->text, sizeof(ret->text), "type information (BTF) is %s", has ? "there" : "missing");
	ret->verdict = has ? GOOD : BAD;
	ret->remedy = has ? NULL : "the kernel must be built with CONFIG_DEBUG_INFO_BTF=y";
}

static void check_lockdown(struct finding *ret)
{
	CLEANUP(fclose) FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "";

	if (file && !fgets(line, sizeof(line), file))
		line[0] = 0;
	line[strcspn(line, "\n")] = 0;
	snprintf(ret->text, sizeof(ret->text), "lockdown: %s", line[0] ? line : "none");
	if (strstr(line, "[confidentiality]")) {
		ret->verdict = BAD;
		ret->remedy = "confidentiality lockdown forbids reading memory: boot without lockdown=confidentiality";
	}
}

static void check_user(struct finding *ret)
{
	bool is_root = geteuid() == 0;

	snprintf(ret->text, sizeof(ret->text), "running as %s", is_root ? "root" : "an ordinary user");
	ret->verdict = is_root ? GOOD : BAD;
	ret->remedy = is_root ? NULL : "tracing needs root: run it with sudo (replay does not)";
}

static void check_load(struct finding *ret)
{
	const struct probe_opts opts = { .ring_bytes = 1 << 16, .plain = true };
	static const struct probe_ops ops = { 0 };
	CLEANUP(probe_free) struct probe *probe = NULL;
	const char *error = "";

	if (probe_new(&opts, &ops, NULL, &probe, &error) < 0) {
		snprintf(ret->text, sizeof(ret->text), "the kernel side cannot be loaded");
		ret->verdict = BAD;
		ret->remedy = error;
		return;
	}
	snprintf(ret->text, sizeof(ret->text), "the kernel side loads (%s; plain sockets %s)",
		 probe_mode_names[probe_mode(probe)], probe_sees_sockets(probe) ? "seen" : "not seen");
	if (!probe_sees_sockets(probe)) {
		ret->verdict = LIMITED;
		ret->remedy = "plain (unencrypted) model servers are seen on Linux 6.3 and newer";
	}
}

static void check_mlflow(const struct config *config, struct finding *ret)
{
	snprintf(ret->text, sizeof(ret->text), "MLflow: %.200s",
		 config->mlflow_uri ? config->mlflow_uri : "not configured");
	if (!config->mlflow_uri) {
		ret->verdict = LIMITED;
		ret->remedy = "set MLFLOW_TRACKING_URI to see traces there; without it calls go to the console only";
	}
}

static const struct check {
	const char *name;
	void (*run)(struct finding *ret);
} checks[] = {
	{ "kernel", check_kernel },  { "btf", check_btf },   { "lockdown", check_lockdown },
	{ "privilege", check_user }, { "load", check_load },
};

static void finding_print(const char *name, const struct finding *finding, bool json, bool first)
{
	struct alloc_heap heap = ALLOC_HEAP(1 << 20);
	struct buf line = BUF(&heap.alloc, 16 << 10);

	if (!json) {
		printf("%-8s %-10s %s%s%s\n", verdict_names[finding->verdict], name, finding->text,
		       finding->remedy ? "\n                    " : "", finding->remedy ? finding->remedy : "");
		return;
	}
	json_open(&line, '{');
	json_member_text(&line, SLICE("check"), slice_of(name));
	json_member_text(&line, SLICE("verdict"), slice_of(verdict_names[finding->verdict]));
	json_member_text(&line, SLICE("text"), slice_of(finding->text));
	if (finding->remedy)
		json_member_text(&line, SLICE("remedy"), slice_of(finding->remedy));
	json_close(&line, '}');
	printf("%s%.*s", first ? "" : ",\n", SLICE_FMT(buf_slice(&line)));
	buf_free(&line);
}

struct found {
	unsigned attached, opaque;
	char first[200];
};

static void count_target(void *user, const struct probe_target *target)
{
	struct found *found = user;

	if (target->attached)
		found->attached++;
	else
		found->opaque++;
	if (!found->first[0])
		snprintf(found->first, sizeof(found->first), "%s", target->path);
}

/* What one process can give. */
static void check_process(uint32_t pid, struct finding *ret)
{
	const struct probe_opts opts = { .ring_bytes = 1 << 16 };
	static const struct probe_ops ops = { 0 };
	CLEANUP(probe_free) struct probe *probe = NULL;
	struct found found = { 0 };
	const char *error = "";

	if (probe_new(&opts, &ops, NULL, &probe, &error) < 0 || probe_scan_pid(probe, pid) < 0) {
		ret->verdict = BAD;
		ret->remedy = error[0] ? error : "is it running?";
		snprintf(ret->text, sizeof(ret->text), "cannot be looked into");
		return;
	}
	probe_each_target(probe, count_target, &found);
	snprintf(ret->text, sizeof(ret->text), "%u TLS libraries can be read, %u cannot (%.150s)", found.attached,
		 found.opaque, found.first[0] ? found.first : "none mapped");
	if (!found.attached) {
		ret->verdict = LIMITED;
		ret->remedy =
			"nothing to read yet: libraries are found when they are mapped; plain sockets are seen anyway";
	}
}

int tools_doctor(const struct config *config)
{
	bool fails = false;

	if (config->json)
		printf("[");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct finding finding = { 0 };

		checks[i].run(&finding);
		finding_print(checks[i].name, &finding, config->json, i == 0);
		fails |= finding.verdict == BAD;
	}
	for (size_t i = 0; i < config->argc; i++) {
		struct finding finding = { 0 };

		check_process((uint32_t)strtoul(config->argv[i], NULL, 10), &finding);
		finding_print(config->argv[i], &finding, config->json, false);
		fails |= finding.verdict == BAD;
	}
	struct finding mlflow = { 0 };

	check_mlflow(config, &mlflow);
	finding_print("mlflow", &mlflow, config->json, false);
	if (config->json)
		printf("]\n");
	return fails ? 1 : 0;
}
