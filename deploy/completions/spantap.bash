# SPDX-License-Identifier: Apache-2.0
# Completion for bash. The options come from `spantap COMMAND --help`: they are those of the installed spantap.

_spantap_options()
{
	"$1" ${2:+"$2"} --help 2>/dev/null | grep -oE -- '^ +(-[a-zA-Z], )?--[a-z-]+' | grep -oE -- '--[a-z-]+'
}

# The value of an option: files, words, or nothing to offer.
_spantap_value()
{
	case $1 in
	--config | --summary | --prices) compopt -o filenames; COMPREPLY=($(compgen -f -- "$2")) ;;
	--state-dir) compopt -o filenames; COMPREPLY=($(compgen -d -- "$2")) ;;
	--capture) COMPREPLY=($(compgen -W "full none" -- "$2")) ;;
	--semconv) COMPREPLY=($(compgen -W "v1.41 next" -- "$2")) ;;
	--log-level) COMPREPLY=($(compgen -W "error warn info debug" -- "$2")) ;;
	--log-format) COMPREPLY=($(compgen -W "text json" -- "$2")) ;;
	--sink) compopt -o nospace; COMPREPLY=($(compgen -W "mlflow otlp otlp-file: console none" -- "$2")) ;;
	--user | --uid | --exclude-uid) COMPREPLY=($(compgen -u -- "$2")) ;;
	--pid | --exclude-pid) COMPREPLY=($(compgen -W "$(cd /proc && echo [0-9]*)" -- "$2")) ;;
	--experiment | --experiment-id | --ring-bytes | --max-memory | --max-spool | --drain | --ready-fd) ;;
	--comm | --exe | --cgroup | --container) ;;
	--exclude-comm | --exclude-exe | --exclude-cgroup | --exclude-container) ;;
	*) return 1 ;;
	esac
}

_spantap_word()
{
	case $1 in
	attach | doctor) COMPREPLY=($(compgen -W "$(cd /proc && echo [0-9]*)" -- "$2")) ;;
	record | replay) compopt -o filenames; COMPREPLY=($(compgen -f -- "$2")) ;;
	spool) COMPREPLY=($(compgen -W "status dead retry" -- "$2")) ;;
	esac
}

_spantap()
{
	local commands="run attach record replay doctor targets spool config"
	local command="" i word="${COMP_WORDS[COMP_CWORD]}"

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			declare -F _command_offset >/dev/null && _command_offset $((i + 1))
			return
		fi
		if [[ -z $command && " $commands " == *" ${COMP_WORDS[i]} "* ]]; then
			command=${COMP_WORDS[i]}
		fi
	done
	_spantap_value "${COMP_WORDS[COMP_CWORD - 1]}" "$word" && return
	if [[ $word == -* ]]; then
		COMPREPLY=($(compgen -W "$(_spantap_options "${COMP_WORDS[0]}" "$command")" -- "$word"))
	elif [[ -z $command ]]; then
		COMPREPLY=($(compgen -W "$commands" -- "$word"))
	else
		_spantap_word "$command" "$word"
	fi
}
complete -F _spantap spantap
