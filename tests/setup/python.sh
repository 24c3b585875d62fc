# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Sourced by the other scripts here: virtual environments below build/, made once for each list of requirements.

top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
BUILD=${BUILD:-build}
case "$BUILD" in /*) ;; *) BUILD=$top/$BUILD ;; esac

# A Python that can make environments: the distribution's own first, because version managers put shims in front of it.
python_find() {
	for python in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
		"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && {
			command -v "$python"
			return
		}
	done
	echo "no Python >= 3.10 with the module venv: apt-get install python3-venv" >&2
	return 1
}

# uv resolves and installs in seconds what pip needs minutes for. It lives in an environment of its own.
uv_find() {
	if ! [ -x "$BUILD/venv-uv/bin/uv" ]; then
		"$(python_find)" -m venv "$BUILD/venv-uv" >&2
		"$BUILD/venv-uv/bin/pip" install --quiet --disable-pip-version-check uv >&2
	fi
	echo "$BUILD/venv-uv/bin/uv"
}

# venv_make NAME REQUIREMENT...: build/venv-NAME holds exactly these; nothing is done when it already does.
venv_make() {
	name=$1
	shift
	dir=$BUILD/venv-$name
	[ "$(cat "$dir/.requirements" 2>/dev/null)" = "$*" ] && return
	mkdir -p "$BUILD"
	begun=$(date +%s)
	echo "setting up $dir: $*"
	python=$(python_find)
	uv=$(uv_find)
	rm -rf "$dir"
	"$python" -m venv --without-pip "$dir"
	# Hard links into uv's cache would share inodes between environments, and uprobes go by inode.
	"$uv" pip install --link-mode=copy --python "$dir/bin/python" "$@"
	echo "$*" > "$dir/.requirements"
	echo "$dir is ready after $(($(date +%s) - begun)) s"
}
