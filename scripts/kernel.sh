#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns the kernels that the virtual machines boot and that modules are built
# against.  They live in a cache outside the tree; nothing is installed on the
# host and what the host boots does not change.
#
#   scripts/kernel.sh 6.1|6.12|debug|kcsan|uml ...
#                                           make sure they are in the cache
#   scripts/kernel.sh --path build|image|modules|release|source KERNEL
#                                           print where the thing is (fetches nothing)
#
# 6.1, 6.12: Debian's kernel packages, downloaded and unpacked (about a minute).
# debug:     Linux 6.12 from Debian's source package with scripts/kernel-debug.config,
#            compiled here (about 10 minutes on 2 cores), once: again only when
#            that file or the source in the cache changes.
# kcsan:     the same with scripts/kernel-kcsan.config, to find data races.
# uml:       the same source with scripts/kernel-uml.config as a program of this
#            machine, for the benchmarks: native speed (about 4 minutes).
# To get newer packages, delete the kernel's directory in the cache.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

# Lines that a full build logs, for the percentage.
declare -A BUILD_LINES=([debug]=2780 [kcsan]=2160 [uml]=1350)
declare -A ABOUT=(
	[debug]="KASAN, lockdep, KUnit: about 10 minutes"
	[kcsan]="KCSAN: about 10 minutes"
	[uml]="User-Mode Linux: about 4 minutes")

usage() { sed -n '5,22s/^# \{0,1\}//p' "$0"; exit "${1:-2}"; }

# newest_dir GLOB...: the one directory that matches
newest_dir() {
	local d found=
	for d in "$@"; do
		[ -d "$d" ] && found=$d
	done
	[ -n "$found" ] && printf '%s\n' "$found"
}

release_of() { cat "$UDPTRACK_CACHE/$1/release" 2>/dev/null; }

# path_of WHAT KERNEL: print a path (or the release) inside the cache
path_of() {
	local dir=$UDPTRACK_CACHE/$2 rel
	check_kernel_name "$2"
	is_ready "$2" || die "kernel $2 is not in $UDPTRACK_CACHE; run: scripts/kernel.sh $2"
	rel=$(release_of "$2")
	case $1 in
	release) printf '%s\n' "$rel" ;;
	image)
		if [ "$2" = uml ]; then
			printf '%s\n' "$dir/build/linux"
		else
			printf '%s\n' "$dir/boot/vmlinuz-$rel"
		fi ;;
	modules) printf '%s\n' "$dir/lib/modules/$rel" ;;
	build)
		case $2 in
		debug|kcsan|uml) printf '%s\n' "$dir/build" ;;
		*) printf '%s\n' "$dir/usr/src/linux-headers-$rel" ;;
		esac ;;
	source)
		is_ready source || die "no kernel source in $UDPTRACK_CACHE; run: scripts/kernel.sh source"
		printf '%s\n' "$UDPTRACK_CACHE/source/tree" ;;
	*) usage ;;
	esac
}

# fragment KERNEL: the file that says what a kernel compiled here is to have
fragment() { printf '%s\n' "$UDPTRACK_TOP/scripts/kernel-$1.config"; }

# compiled_stamp KERNEL: what it was made from
compiled_stamp() {
	{ cat "$UDPTRACK_CACHE/source/version"; cat "$(fragment "$1")"; } | sha256sum | cut -d' ' -f1
}

is_ready() {
	local dir=$UDPTRACK_CACHE/$1
	case $1 in
	debug|kcsan|uml) [ -f "$dir/stamp" ] && [ "$(cat "$dir/stamp")" = "$(compiled_stamp "$1" 2>/dev/null)" ] ;;
	source) [ -f "$dir/version" ] ;;
	*) [ -f "$dir/release" ] ;;
	esac
}

# apt_lists PACKAGE: refresh apt's lists when they do not know PACKAGE
apt_lists() {
	apt-cache show "$1" >/dev/null 2>&1 && return
	[ "$(id -u)" = 0 ] ||
		die "apt does not know the package $1; run: apt-get update (as root), then again"
	say "apt does not know $1: apt-get update (about 10 s)"
	apt-get -qq update >&2
	apt-cache show "$1" >/dev/null 2>&1 || die "there is no package $1 here (this needs Debian 12)"
}

# depends_matching PACKAGE REGEX: the real packages that PACKAGE depends on, by name
depends_matching() {
	apt-cache depends --important "$1" 2>/dev/null |
		sed -n 's/^ *|\{0,1\}Depends: //p' | grep -E -- "$2" | sort -u
}

# download DIR PACKAGE...: fetch packages and unpack them into DIR, installing nothing
download() {
	local dir=$1 debs
	shift
	debs=$(mktemp -d "$UDPTRACK_CACHE/debs.XXXXXX")
	if ! (cd "$debs" && apt-get -q -o APT::Sandbox::User=root download "$@" >&2); then
		[ "$(id -u)" = 0 ] || die "download failed; run: apt-get update (as root), then again"
		say "download failed, perhaps because apt's lists are old: apt-get update, once more"
		apt-get -qq update >&2
		(cd "$debs" && apt-get -q -o APT::Sandbox::User=root download "$@" >&2) ||
			die "could not download: $*"
	fi
	local deb
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -rf "$debs"
}

# fresh_tmp NAME: an empty directory beside the place where its content will be renamed to
fresh_tmp() {
	rm -rf "$UDPTRACK_CACHE/$1.part"
	mkdir -p "$UDPTRACK_CACHE/$1.part"
	printf '%s\n' "$UDPTRACK_CACHE/$1.part"
}

# get_stock KERNEL: Debian's image and headers into the cache
get_stock() {
	local k=$1 image_meta headers_meta image headers common kbuild rel tmp dir
	case $k in
	6.1) image_meta=linux-image-amd64 headers_meta=linux-headers-amd64 ;;
	*) image_meta=linux-image-$k-amd64 headers_meta=linux-headers-$k-amd64 ;;
	esac
	is_ready "$k" && return
	lock "kernel-$k"
	is_ready "$k" && return
	apt_lists "$image_meta"
	apt_lists "$headers_meta"
	image=$(depends_matching "$image_meta" "^linux-image-$k" | tail -n1)
	headers=$(depends_matching "$headers_meta" "^linux-headers-$k" | tail -n1)
	if [ -z "$image" ] || [ -z "$headers" ]; then
		die "$image_meta does not lead to a kernel $k here"
	fi
	common=$(depends_matching "$headers" '^linux-headers-.*-common$')
	kbuild=$(depends_matching "$headers" '^linux-kbuild-')
	rel=${image#linux-image-}
	[ "$rel" = "${headers#linux-headers-}" ] ||
		die "$image and $headers are of different versions; run: apt-get update"
	say "downloading Debian's kernel $rel into $UDPTRACK_CACHE, about a minute, once"
	tmp=$(fresh_tmp "$k")
	download "$tmp" "$image" "$headers" "$common" "$kbuild"
	dir=$UDPTRACK_CACHE/$k
	# The only absolute path in the headers: where the common part's Makefile is.
	sed -i "s|^include /usr/src/|include $dir/usr/src/|" "$tmp/usr/src/$headers/Makefile"
	rm -f "$tmp/lib/modules/$rel/build" "$tmp/lib/modules/$rel/source"
	depmod -b "$tmp" "$rel"
	printf '%s\n' "$rel" >"$tmp/release"
	rm -rf "$dir"
	mv "$tmp" "$dir"
	say "kernel $rel is ready"
	exec 9>&-
}

# get_source: the source of 6.12, for what is compiled here and for checkpatch and coccinelle
get_source() {
	local tmp tree
	is_ready source && return
	lock kernel-source
	is_ready source && return
	apt_lists linux-source-6.12
	say "downloading and unpacking the source of Linux 6.12 (150 MB), about a minute, once"
	tmp=$(fresh_tmp source)
	download "$tmp" linux-source-6.12
	apt-cache show --no-all-versions linux-source-6.12 | sed -n 's/^Version: //p' >"$tmp/version.new"
	tar -C "$tmp" -xf "$tmp/usr/src/linux-source-6.12.tar.xz"
	tree=$(newest_dir "$tmp"/linux-source-6.12*) || die "unexpected content of linux-source-6.12"
	mv "$tree" "$tmp/tree"
	rm -rf "${tmp:?}/usr"
	mv "$tmp/version.new" "$tmp/version"
	rm -rf "$UDPTRACK_CACHE/source"
	mv "$tmp" "$UDPTRACK_CACHE/source"
	exec 9>&-
}

# configure KERNEL BUILD: tinyconfig and the fragment; every y and m of it must be there after
configure() {
	local fragment build=$2 lost
	fragment=$(fragment "$1")
	make -s -C "$UDPTRACK_CACHE/source/tree" O="$build" "${make_args[@]}" tinyconfig >/dev/null
	cat "$fragment" >>"$build/.config"
	make -s -C "$build" "${make_args[@]}" olddefconfig >/dev/null 2>&1 || die "olddefconfig failed in $build"
	lost=$(grep -E '^CONFIG_[A-Z0-9_]+=[ym]$' "$fragment" | grep -vxFf "$build/.config" || true)
	[ -z "$lost" ] || die "these lines of $fragment did not take effect:"$'\n'"$lost"
	lost=$(sed -n 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$/\1=/p' "$fragment" |
		grep -Ff - "$build/.config" || true)
	[ -z "$lost" ] || die "$fragment wants these off, but they are on:"$'\n'"$lost"
}

# progress LOG PID LINES WHAT: until PID ends, how far LOG has come
progress() {
	local log=$1 pid=$2 lines=$3 what=$4 n last=-1 pct started=$SECONDS every=10
	[ -t 2 ] && every=2
	while kill -0 "$pid" 2>/dev/null; do
		n=$(grep -cE '^  [A-Z]' "$log" 2>/dev/null || true)
		pct=$((${n:-0} * 100 / lines))
		[ "$pct" -gt 99 ] && pct=99
		if [ -t 2 ]; then
			printf '\r%s: %d%% (%d s) ' "$what" "$pct" $((SECONDS - started)) >&2
		elif [ "$pct" != "$last" ]; then
			say "$what: $pct% ($((SECONDS - started)) s)"
		fi
		last=$pct
		sleep "$every"
	done
	[ -t 2 ] && printf '\n' >&2
	return 0
}

# get_compiled KERNEL: compile it
get_compiled() {
	local k=$1 dir=$UDPTRACK_CACHE/$1 build log pid rel status=0 targets=(bzImage modules) make_args=()
	get_source
	is_ready "$k" && return
	lock "kernel-$k"
	is_ready "$k" && return
	"$UDPTRACK_TOP/scripts/setup.sh" build
	if [ "$k" = uml ]; then
		targets=(linux modules)
		make_args=(ARCH=um)
	fi
	# Not built elsewhere and renamed: it is done when the stamp says so, and
	# an interrupted build goes on where it was.
	rm -f "$dir/stamp"
	build=$dir/build
	log=$dir/build.log
	mkdir -p "$build"
	say "building the $k kernel in $build (${ABOUT[$k]} on 2 cores, once)"
	say "log: $log"
	configure "$k" "$build"
	make -C "$build" "${make_args[@]}" -j"$(jobs_wanted)" "${targets[@]}" >"$log" 2>&1 9>&- &
	pid=$!
	trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
	progress "$log" "$pid" "${BUILD_LINES[$k]}" "building the $k kernel"
	wait "$pid" || status=$?
	trap - INT TERM
	if [ "$status" != 0 ]; then
		grep -n -m5 -B2 -A8 -E 'error:|Error [0-9]' "$log" >&2 || tail -n 20 "$log" >&2
		die "the $k kernel did not build; the whole log is in $log"
	fi
	rel=$(make -s -C "$build" "${make_args[@]}" kernelrelease)
	# User-Mode Linux is a program and has its modules built in.
	if [ "$k" != uml ]; then
		rm -rf "${dir:?}/lib"
		make -s -C "$build" INSTALL_MOD_PATH="$dir" modules_install >>"$log" 2>&1 ||
			die "modules_install failed; see $log"
		rm -f "$dir/lib/modules/$rel/build" "$dir/lib/modules/$rel/source"
		mkdir -p "$dir/boot"
		cp "$build/arch/x86/boot/bzImage" "$dir/boot/vmlinuz-$rel"
	fi
	printf '%s\n' "$rel" >"$dir/release"
	compiled_stamp "$k" >"$dir/stamp"
	say "the $k kernel $rel is ready"
	exec 9>&-
}

[ $# -gt 0 ] || usage
case $1 in
-h|--help) usage 0 ;;
--path) [ $# = 3 ] || usage; path_of "$2" "$3"; exit ;;
esac
for kernel in "$@"; do
	case $kernel in
	6.1|6.12) get_stock "$kernel" ;;
	debug|kcsan|uml) get_compiled "$kernel" ;;
	source) get_source ;;
	*) check_kernel_name "$kernel" ;;
	esac
done
