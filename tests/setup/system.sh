#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing, and only those. Says nothing and costs nothing when none is.
#
#	tests/setup/system.sh build        what `make` and `make run` need
#	tests/setup/system.sh test         that, and what `make test` and `make lint` need
set -eu

BUILD_PACKAGES="gcc make libc6-dev clang llvm libbpf-dev bpftool libelf-dev zlib1g-dev libbrotli-dev libzstd-dev libnghttp2-dev
 libcjson-dev libcurl4-openssl-dev libsqlite3-dev libprotobuf-c-dev protobuf-c-compiler libuv1-dev libcyaml-dev
 libcap-ng-dev libseccomp-dev libxxhash-dev libssl-dev libcapstone-dev uthash-dev pkg-config
 ca-certificates curl openssl procps python3 python3-venv"
TEST_PACKAGES="libcmocka-dev libclang-rt-14-dev pmccabe clang-format git chromium e2fsprogs iproute2 util-linux wget"

have_package() { [ "$(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }

# A node that came another way (nvm, a vendor's package) serves as well as Debian's.
node_packages() {
	command -v node >/dev/null 2>&1 || echo nodejs
	command -v npm >/dev/null 2>&1 || echo npm
}

missing() {
	for package in $1; do
		have_package "$package" || printf '%s ' "$package"
	done
}

install_packages() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}

main() {
	case "${1:-test}" in
	build) wanted="$BUILD_PACKAGES" ;;
	test) wanted="$BUILD_PACKAGES $TEST_PACKAGES $(node_packages)" ;;
	*) sed -n '3,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
	needed=$(missing "$wanted")
	[ -n "$needed" ] || exit 0
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "system.sh: this system has no apt-get; install by hand: $needed" >&2
		exit 1
	fi
	if [ "$(id -u)" != 0 ]; then
		echo "system.sh: needs root to install: $needed" >&2
		exit 1
	fi
	echo "installing with apt-get: $needed"
	# Fresh images carry no package lists, old ones carry lists whose files are gone: both end well after an update.
	# shellcheck disable=SC2086
	if [ -z "$(ls /var/lib/apt/lists/*_Packages* 2>/dev/null)" ] || ! install_packages $needed; then
		apt-get update -q
		install_packages $needed
	fi
}

main "$@"
