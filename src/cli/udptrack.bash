# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion of the command udptrack.  The options are those of src/cli/options.c,
# which tests/e2e/97-cli.t compares.

# _udptrack_one WORD...: one of them
_udptrack_one() { mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur"); }
# _udptrack_some WORD...: one more of them, after those that are there
_udptrack_some() {
	local before=
	[[ $cur != *,* ]] || before=${cur%,*},
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$*" -- "${cur##*,}")
	compopt -o nospace
}

_udptrack() {
	local cur prev words cword
	_init_completion || return

	local commands='top doctor'
	local options='-L --dump --list -G --get -D --delete -F --flush -C --count -S --stats
		-E --event -h --help -V --version -s --src --orig-src -d --dst --orig-dst
		-r --reply-src -q --reply-dst --sport --orig-port-src --dport --orig-port-dst
		-f --family -p --proto --state -u --status --uid --comm --dns-forged
		--dns-unanswered -o --output -e --event-mask -b --buffer-size -n --max-events
		--interval'

	case $prev in
	-f|--family) _udptrack_one ipv4 ipv6; return ;;
	-p|--proto) _udptrack_one udp; return ;;
	--state) _udptrack_one NEW ESTABLISHED; return ;;
	-u|--status) _udptrack_some ASSURED SEEN_REPLY UNREPLIED EXPECTED; return ;;
	-o|--output) _udptrack_some extended timestamp id json; return ;;
	-e|--event-mask) _udptrack_some NEW UPDATES DESTROY DNS ALL; return ;;
	--uid) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
	# Anybody may call a process "$(...)": not to be run, neither here nor when typed.
	--comm) _pnames -s; compopt -o filenames; return ;;
	-d) [ "${words[1]}" != top ] || return ;;&
	-s|--src|--orig-src|-d|--dst|--orig-dst|-r|--reply-src|-q|--reply-dst)
		_ip_addresses -a; return ;;
	--sport|--orig-port-src|--dport|--orig-port-dst|-b|--buffer-size|-n|--max-events|--interval)
		return ;;
	esac
	if [ "$cword" = 1 ] && [[ $cur != -* ]]; then
		_udptrack_one "$commands"
	else
		_udptrack_one "$options"
	fi
}

complete -F _udptrack udptrack
