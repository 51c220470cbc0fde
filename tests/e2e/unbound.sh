# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A real resolver for tests: unbound, in a namespace, as no more than a program of
# the test. To be sourced after lib.sh.

# unbound_conf FILE LINE...: write a configuration: these lines for the server, and
# what makes it a program like any other, in front, that keeps its rights and asks
# nobody for what it was told.
unbound_conf() {
	local file=$1 directory=${1%/*}
	shift
	cat >"$file" <<-END
		server:
		  do-daemonize: no
		  use-syslog: no
		  logfile: ""
		  verbosity: 0
		  username: ""
		  chroot: ""
		  directory: "$directory"
		  pidfile: ""
		  module-config: "iterator"
		$(printf '  %s\n' "$@")
		remote-control:
		  control-enable: no
	END
}

# listens NETNS PORT [SOCKETS]: that many sockets (at least one) have the UDP port?
listens() {
	[ "$(in_ns "$1" ss -Hlun "sport = $2" | grep -c .)" -ge "${3:-1}" ]
}
