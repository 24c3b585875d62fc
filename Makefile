# SPDX-License-Identifier: Apache-2.0
# One makefile for everything. Rooms are found by wildcard; everything built lands in build/.
#
#	make            build/spantap
#	make help       all that can be done

VERSION := 0.1.0
BUILD   := build
CC      := gcc
CLANG   := clang
BPFTOOL := $(shell command -v bpftool 2>/dev/null || echo /usr/sbin/bpftool)
Q       := $(if $(V),,@)
msg     = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2);)

ROOMS      := base model net probe meta event stream proto call dialect cost trace policy spool sink config daemon
PURE_ROOMS := stream proto call dialect cost trace policy
ARCH       := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')

WARN := -Wall -Wextra -Wshadow -Wvla -Wundef -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough=5 -Wduplicated-cond \
	-Wlogical-op -Wno-unused-parameter -Wno-sign-compare $(if $(DEV)$(CI),-Werror)
HARDEN := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Iuser -I. -I$(BUILD)/gen $(WARN) $(CFLAGS) -fno-common \
	-DSPANTAP_VERSION='"$(VERSION)"' -MMD -MP
LIBS := -lbpf -lelf -lcurl -lsqlite3 -lprotobuf-c -luv -lcyaml -lcjson -lz -lbrotlidec -lzstd -lnghttp2 -lxxhash \
	-lcrypto -lcap-ng -lseccomp -lpthread -lm
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# ROOMS can be narrowed on the command line to build and test some rooms alone: make check ROOMS="base model proto"
GEN     := $(BUILD)/gen/model/otlp.pb-c.h $(if $(filter probe,$(ROOMS)),$(BUILD)/gen/probe/spantap.skel.h)
SRC     := $(foreach r,$(ROOMS),$(sort $(wildcard user/$(r)/*.c)))
OBJ     := $(SRC:user/%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/model/otlp.pb-c.o
ASAN    := -fsanitize=address,undefined -fno-sanitize-recover=undefined -O1 -g
ASAN_OBJ := $(OBJ:$(BUILD)/obj/%=$(BUILD)/asan/%)
UNIT    := $(foreach r,$(ROOMS),$(sort $(wildcard tests/unit/$(r)/*_test.c)))
UNIT_BIN := $(UNIT:tests/unit/%.c=$(BUILD)/unit/%)

.PHONY: all
.DELETE_ON_ERROR:
.SECONDARY:
all: $(BUILD)/spantap ## build/spantap (the default)

# ---- the program ----
$(BUILD)/spantap: $(OBJ)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/obj/%.o: user/%.c | $(GEN)
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(HARDEN) -c -o $@ $<

$(BUILD)/obj/model/otlp.pb-c.o: $(BUILD)/gen/model/otlp.pb-c.c
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu17 -O2 -g -fPIE -I$(BUILD)/gen -c -o $@ $<

$(BUILD)/gen/model/otlp.pb-c.h $(BUILD)/gen/model/otlp.pb-c.c &: user/model/otlp.proto
	$(call msg,PROTOC,$<)
	$(Q)mkdir -p $(@D) && protoc-c --c_out=$(BUILD)/gen --proto_path=user model/otlp.proto

# The price file is part of the program.
$(BUILD)/obj/cost/builtin.o $(BUILD)/asan/cost/builtin.o: deploy/prices/prices.json

# ---- the kernel side ----
BPF_SRC := $(sort $(wildcard bpf/*.bpf.c))
BPF_OBJ := $(BPF_SRC:bpf/%.c=$(BUILD)/bpf/%.o)
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h vmlinux/*.h)
	$(call msg,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Werror -D__TARGET_ARCH_$(ARCH) -Ivmlinux -Ibpf -c -o $@ $<

$(BUILD)/gen/probe/spantap.skel.h: $(BPF_OBJ)
	$(call msg,SKEL,$@)
	$(Q)mkdir -p $(@D) && $(BPFTOOL) gen object $(BUILD)/bpf/spantap.o $^ && \
		$(BPFTOOL) gen skeleton $(BUILD)/bpf/spantap.o name spantap_bpf > $@

# ---- unit tests: every room again, with sanitizers ----
$(BUILD)/asan/%.o: user/%.c | $(GEN)
	$(call msg,ASAN,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(ASAN) -c -o $@ $<

$(BUILD)/asan/model/otlp.pb-c.o: $(BUILD)/gen/model/otlp.pb-c.c
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu17 $(ASAN) -I$(BUILD)/gen -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(filter-out %/daemon/main.o,$(ASAN_OBJ))
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Itests $(ASAN) -Wno-missing-prototypes -o $@ $< \
		$(filter %.o,$^) -lcmocka $(LIBS)

# Drives the delivery by hand for the end-to-end tests of the sinks.
DRIVE := $(BUILD)/unit/daemon/drive
.PHONY: unit
unit: $(UNIT_BIN) ## unit tests of the rooms, with sanitizers
	$(Q)tests/run $(UNIT_BIN)

# ---- what can be done ----
TESTS_E2E := $(sort $(wildcard tests/parity/*_test.py tests/gold/*_test.py tests/recordings/*_test.py tests/e2e/*_test.py tests/matrix/*_test.py))
FUZZ      := $(sort $(wildcard tests/fuzz/*_fuzz.c))
FUZZ_RUN  := $(FUZZ:tests/fuzz/%.c=$(BUILD)/fuzz-replay/%)
FUZZ_LIVE := $(FUZZ:tests/fuzz/%.c=$(BUILD)/fuzz/%)
PREFIX    ?= /usr/local
SECONDS_EACH ?= 60
# Long inputs cost what they are long; two bodies, and a file, need more. Weighing the corpus by rarity costs more than it
# finds. The sanitizer's own heap is nearly unused (heap.h).
FUZZ_FLAGS ?= -max_len=$$(case $$n in (dialect|elf) echo 2048;; (*) echo 512;; esac) -entropic=0 -timeout=10 -print_final_stats=1
FUZZ_ENV   := ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=4:clear_shadow_mmap_threshold=1073741824

.PHONY: check lint test test-e2e test-sdks test-agents bench fuzz fuzz-merge fuzz-replay run install clean setup help
check: $(UNIT_BIN) $(FUZZ_RUN) $(BUILD)/spantap ## every test that needs neither root nor network
	$(Q)tests/run $(UNIT_BIN) $(FUZZ_RUN) "tests/lint/run --objects $(BUILD)/obj" tests/lint/selftest.py "tests/tables/update --check" \
		tests/harness/compare_test.py tests/fake/provider_test.py

lint: $(OBJ) ## the lints alone
	$(Q)tests/lint/run --objects $(BUILD)/obj

setup: ## installs what building and testing need (root)
	$(Q)tests/setup/system.sh

test: ## everything, and installs what it needs (root)
	$(Q)tests/setup/system.sh
	$(Q)$(MAKE) --no-print-directory -j2 all $(UNIT_BIN) $(FUZZ_RUN) $(DRIVE)
	$(Q)tests/setup/mlflow.sh && tests/setup/clients.sh
	$(Q)tests/run $(UNIT_BIN) $(FUZZ_RUN) "tests/lint/run --objects $(BUILD)/obj" tests/lint/selftest.py \
		"tests/tables/update --check" tests/harness/compare_test.py tests/fake/provider_test.py $(TESTS_E2E)

test-e2e: $(BUILD)/spantap $(DRIVE) ## the end-to-end tests alone (root)
	$(Q)tests/setup/mlflow.sh && tests/setup/clients.sh
	$(Q)tests/run $(TESTS_E2E)

test-sdks: $(BUILD)/spantap ## every client of the matrix, those too that take minutes to set up (root)
	$(Q)tests/setup/clients.sh front sdks-python sdks-vertex sdks-node sdks-node26 sdks-go sdks-java sdks-rust deno rustls
	$(Q)tests/run "tests/matrix/matrix_test.py --all" tests/e2e/rustls_test.py

test-agents: $(BUILD)/spantap ## coding agents as they are published, call by call; 1.1 GB of packages (root)
	$(Q)tests/setup/clients.sh python sdks-python agents
	$(Q)tests/run tests/agents/agents_test.py

bench: $(BUILD)/spantap ## measurements as ratios inside one run (root)
	$(Q)tests/bench/run

fuzz-replay: $(FUZZ_RUN) ## the fuzz corpora alone, as a test
	$(Q)tests/run $(FUZZ_RUN)

fuzz: $(FUZZ_LIVE) ## each fuzz target for SECONDS_EACH (60) seconds, or for RUNS_EACH executions; one alone: FUZZ=tests/fuzz/NAME_fuzz.c
	$(Q)mkdir -p $(BUILD)/corpus; for f in $^; do n=$$(basename $$f _fuzz); log=$(BUILD)/corpus/$$n.log; mkdir -p $(BUILD)/corpus/$$n; \
		echo "== $$n"; $(FUZZ_ENV) $$f $(if $(RUNS_EACH),-runs=$(RUNS_EACH),-max_total_time=$(SECONDS_EACH)) $(FUZZ_FLAGS) \
		-artifact_prefix=$(BUILD)/corpus/$$n- $(BUILD)/corpus/$$n tests/fuzz/corpus/$$n >$$log 2>&1 || \
		{ tail -n 40 $$log; exit 1; }; grep ^stat $$log; done

fuzz-merge: $(FUZZ_LIVE) ## what the fuzzers found of new code, the smallest inputs of it, goes to tests/fuzz/corpus
	$(Q)for f in $^; do n=$$(basename $$f _fuzz); mkdir -p $(BUILD)/corpus/$$n tests/fuzz/corpus/$$n; \
		$(FUZZ_ENV) $$f -merge=1 -use_counters=0 $(FUZZ_FLAGS) tests/fuzz/corpus/$$n $(BUILD)/corpus/$$n >/dev/null 2>&1 || exit 1; done

run: ## installs, builds, starts MLflow and spantap on the whole host, shows a sample trace (root)
	$(Q)deploy/run/run.sh

install: $(BUILD)/spantap ## PREFIX (/usr/local), DESTDIR
	install -D -m 755 $(BUILD)/spantap $(DESTDIR)$(PREFIX)/bin/spantap
	install -D -m 644 deploy/man/spantap.1 $(DESTDIR)$(PREFIX)/share/man/man1/spantap.1
	install -D -m 644 deploy/completions/spantap.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/spantap
	install -D -m 644 deploy/systemd/spantap.service $(DESTDIR)$(PREFIX)/lib/systemd/system/spantap.service
	install -D -m 644 deploy/config/spantap.yaml $(DESTDIR)$(PREFIX)/share/doc/spantap/spantap.yaml

clean: ## removes build/
	rm -rf $(BUILD)

help: ## this list
	@awk -F':.*## ' '/^[a-z][a-z0-9-]*:.*## /{ printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A fuzz target is built twice: for libFuzzer, and with a main that replays the corpus as a test.
$(BUILD)/fuzz-replay/%: tests/fuzz/%.c tests/fuzz/replay.c $(wildcard tests/fuzz/*.h) $(filter-out %/daemon/main.o,$(ASAN_OBJ))
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Itests $(ASAN) -Wno-missing-prototypes -o $@ $< tests/fuzz/replay.c \
		$(filter %.o,$^) $(LIBS)

# What a target does not name is not linked, so the fuzzer has no counters of it to look through after each execution; the
# dialects name themselves. Comparisons and indirect calls are not traced: that costs more than all else, and finds no more in the same time. Markers
# are as many as one byte can refer to, files as short as tells them from text.
FUZZ_SRC := $(foreach r,base model probe event stream proto call dialect trace policy,$(wildcard user/$(r)/*.c)) user/daemon/link.c
FUZZ_OBJ := $(FUZZ_SRC:user/%.c=$(BUILD)/fuzz-obj/%.o)
FUZZ_CC   = $(CLANG) -std=gnu17 -D_GNU_SOURCE -DFUZZ_LIVE -DHPACK_MARKERS_FIRST=72 -DMEDIA_RUN_BYTES=256 -DASIDE_TEXT_MIN_BYTES=64 -Iuser -I. -Itests -I$(BUILD)/gen -O2 -g -w -MMD -MP \
	-DSPANTAP_VERSION='"fuzz"' -fsanitize=address,undefined -fno-sanitize=pointer-overflow -fno-sanitize-recover=undefined
$(BUILD)/fuzz-obj/%.o: user/%.c | $(GEN)
	$(call msg,FUZZ,$<)
	$(Q)mkdir -p $(@D) && $(FUZZ_CC) -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp,indirect-calls -c -o $@ $<

$(BUILD)/fuzz-obj/all.a: $(FUZZ_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/fuzz/dialect_fuzz: FUZZ_WHOLE := $(filter $(BUILD)/fuzz-obj/dialect/%,$(FUZZ_OBJ))
$(BUILD)/fuzz/%: tests/fuzz/%.c $(BUILD)/fuzz-obj/all.a $(wildcard tests/fuzz/*.h)
	$(call msg,FUZZ,$@)
	$(Q)mkdir -p $(@D) && $(FUZZ_CC) -fsanitize=fuzzer -fno-sanitize-coverage=trace-cmp,indirect-calls -o $@ $< $(FUZZ_WHOLE) $(BUILD)/fuzz-obj/all.a \
		-lz -lbrotlidec -lzstd -lnghttp2 -lxxhash -lelf -lm

-include $(OBJ:.o=.d) $(ASAN_OBJ:.o=.d) $(UNIT_BIN:=.d) $(FUZZ_OBJ:.o=.d)
