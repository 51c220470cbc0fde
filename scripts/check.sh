#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Owns `make check`: what can be found by reading the sources, as machines do.
#
#   scripts/check.sh [CHECK...]
#
# The kernel's style (CHECK is checkpatch), the scripts (shellcheck), address
# spaces, endianness and locks (sparse), all warnings of W=1 on 6.1 and 6.12 (gcc,
# clang), the kernel's semantic patches (coccinelle).
#
# A warning about a file of this tree fails its check; one about a kernel header
# does not.  Ends with a table, and with status 0 if all is well.  What was said
# is in build/check/.

# The checks are called by name.
# shellcheck disable=SC2317
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$UDPTRACK_TOP" || exit 1
out=$UDPTRACK_TOP/build/check
mkdir -p "$out"

# Rules of checkpatch that do not hold outside of the kernel's tree: there is no
# MAINTAINERS file, and include/compat is about versions of the kernel.
IGNORE=FILE_PATH_CHANGES,LINUX_VERSION_CODE
# include/compat repeats the kernel's newer interfaces as they are there, typedefs
# and unused arguments included; what looks like a constant on the left of a
# comparison is the kernel's version.
IGNORE_COMPAT=$IGNORE,CONSTANT_COMPARISON,NEW_TYPEDEFS,MACRO_ARG_UNUSED,EXPORT_SYMBOL
# Programs have the C library's types, attributes, functions and signal handlers,
# not the kernel's; and what stands in for the kernel takes what it is given.
IGNORE_PROGRAMS=$IGNORE,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO
IGNORE_PROGRAMS+=,ARRAY_SIZE,EMBEDDED_FUNCTION_NAME,STRCPY,VOLATILE,MACRO_ARG_UNUSED

# The sources that are not the kernel's.
PROGRAMS='^src/cli/|^src/xt/lib|^tests/(e2e|fuzz)/|^tests/bench/[^/]*$'

c_files() { git ls-files --cached --others --exclude-standard -- 'src/*.[ch]' 'include/*.h' 'tests/*.[ch]'; }

# shell_files: by name, or by their first line
shell_files() {
	local file
	git ls-files --cached --others --exclude-standard | while read -r file; do
		[ -f "$file" ] || continue
		case $file in
		*.sh|*.bash|*.t) echo "$file" ;;
		*.*) [[ $file == .ci/* ]] && echo "$file" ;;
		*) head -n1 "$file" 2>/dev/null | grep -qaE '^#!.*[/ ](ba)?sh' && echo "$file" ;;
		esac
	done | sort -u
}

# checkpatch IGNORE FILE...
checkpatch() {
	local ignore=$1
	shift
	[ $# -gt 0 ] || return 0
	"$source/scripts/checkpatch.pl" --no-tree --strict --terse --show-types --no-summary \
		--ignore "$ignore" -f "$@"
}

check_checkpatch() {
	local kernel compat programs status=0
	mapfile -t compat < <(c_files | grep '^include/compat/')
	mapfile -t programs < <(c_files | grep -E "$PROGRAMS")
	mapfile -t kernel < <(c_files | grep -vE "^include/compat/|$PROGRAMS")
	checkpatch "$IGNORE" "${kernel[@]}" || status=1
	checkpatch "$IGNORE_COMPAT" "${compat[@]}" || status=1
	checkpatch "$IGNORE_PROGRAMS" "${programs[@]}" || status=1
	return "$status"
}

# compile OUT KERNEL ARGUMENT...: build from scratch; fail for words about our own files
compile() {
	local dir=$UDPTRACK_TOP/build/$1 status=0 said
	rm -rf "$dir"
	scripts/build.sh --out "$@" BENCH=1 >/dev/null 2>&1 || status=1
	said=$(grep -E "^($dir/)?(src|include|tests)?[^ ]*: *(warning|error|note):|^[^ ]*: (warning|error):|\*\*\*|modpost:" \
		"$dir.log" | grep -v 'note: in included file' | grep -E "^$dir/|^(src|include|tests)/|modpost|\*\*\*" | sort -u)
	[ -z "$said" ] || { printf '%s\n' "$said"; status=1; }
	return "$status"
}

check_sparse() { compile check/sparse-6.12 6.12 C=2 CF=-D__CHECK_ENDIAN__; }

check_gcc() {
	local status=0
	compile check/gcc-6.12 6.12 W=1 || status=1
	compile check/gcc-6.1 6.1 W=1 || status=1
	# Every checker on, so that other code is compiled, and the unit tests.
	compile check/gcc-debug debug W=1 || status=1
	return "$status"
}

# Debian's kernels were configured with gcc 12.  This clang leaves out the options
# of it that clang does not know; none of them is about warnings worth having.
# objtool is not run, because it looks for what those options do.
make_clang() {
	cat >"$out/clang" <<-'END'
	#!/bin/bash
	args=()
	for arg in "$@"; do
		case $arg in
		-mfunction-return=thunk-extern|-fconserve-stack|-mrecord-mcount) ;;
		-mharden-sls=all|-ftrivial-auto-var-init=zero) ;;
		-Wno-maybe-uninitialized|-Wno-alloc-size-larger-than) ;;
		-Wimplicit-fallthrough=5) args+=(-Wimplicit-fallthrough) ;;
		*) args+=("$arg") ;;
		esac
	done
	exec clang "${args[@]}"
	END
	chmod 755 "$out/clang"
}

check_clang() {
	local status=0 kernel
	make_clang
	for kernel in 6.12 6.1; do
		compile "check/clang-$kernel" "$kernel" W=1 CC="$out/clang" objtool=/bin/true || status=1
	done
	return "$status"
}

check_shellcheck() {
	local files
	mapfile -t files < <(shell_files)
	shellcheck -f gcc "${files[@]}"
}

check_coccinelle() {
	local said
	# A copy without build products, one directory that spatch may read.
	rm -rf "$out/cocci" "$out/cocci.failed"
	mkdir -p "$out/cocci"
	c_files | grep -vE "$PROGRAMS" | xargs cp --parents -t "$out/cocci"
	export out
	# Some patches need an OCaml compiler; they are left out.
	# shellcheck disable=SC2016 # for the inner shell
	said=$(find "$source/scripts/coccinelle" -name '*.cocci' -exec grep -LZ script:ocaml {} + |
		xargs -0 -P "$(jobs_wanted)" -I{} bash -c '
			timeout 600 spatch -D report --very-quiet --no-show-diff --no-includes \
				--include-headers --cocci-file "$1" --dir "$out/cocci" 2>/dev/null ||
				echo "${1##*/}" >>"$out/cocci.failed"' - {} |
		grep -F "$out/cocci/" | sed "s|^$out/cocci/||" | sort -u)
	[ -z "$said" ] || printf '%s\n' "$said"
	[ ! -s "$out/cocci.failed" ] || echo "these could not be used: $(tr '\n' ' ' <"$out/cocci.failed")"
	[ -z "$said" ] && [ ! -s "$out/cocci.failed" ]
}

checks=("$@")
[ "${#checks[@]}" -gt 0 ] || checks=(checkpatch shellcheck sparse gcc clang coccinelle)
for check in "${checks[@]}"; do
	declare -F "check_$check" >/dev/null || die "no check '$check'"
done

scripts/setup.sh build check || exit 1
scripts/kernel.sh source 6.12 6.1 || exit 1
[[ " ${checks[*]} " != *" gcc "* ]] || scripts/kernel.sh debug || exit 1
source=$(scripts/kernel.sh --path source 6.12)
table='' failed=0 number=0
for check in "${checks[@]}"; do
	number=$((number + 1))
	printf '[%d/%d] %s\n' "$number" "${#checks[@]}" "$check"
	begin=$SECONDS
	if "check_$check" >"$out/$check.log" 2>&1; then
		result=ok
	else
		result=FAILED
		failed=1
		sed 's/^/    /' "$out/$check.log" | head -n 60
	fi
	table+=$(printf '%-12s %-8s %5d s' "$check" "$result" $((SECONDS - begin)))$'\n'
done
printf '\n%s' "$table"
exit "$failed"
