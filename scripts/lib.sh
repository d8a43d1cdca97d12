# Shared by run, check and .ci/run: words for the person, packages, the build, Python environments.
# shellcheck shell=bash disable=SC2034
# Sourced with $root (the checkout) set.

cache="${XDG_CACHE_HOME:-${HOME:-$root/build}/.cache}/meetlink"
export PATH="$PATH:/usr/sbin:/sbin:$cache/secantus/bin" LC_ALL=C.UTF-8
log=/dev/null

# What the program, its build and a run of it need on Debian 12. libetpan-dev wants the GnuTLS
# flavour of curl.
packages_run=(
	autoconf automake autoconf-archive ca-certificates curl gcc libc6-dev libcurl4-gnutls-dev
	libetpan-dev libfcgi-dev libical-dev libidn2-dev libinih-dev libjson-c-dev libjwt-dev
	libmongoc-dev libsodium-dev libssl-dev libtool make nginx pkgconf python3 tzdata
)
packages_check=(chromium chromium-driver khal libcunit1-dev openssl python3-venv radicale vdirsyncer)
# prometheus is here for its promtool alone.
packages_ci=(clang-format git prometheus shellcheck valgrind)

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

# patiently COMMAND…: waits for it. Fails as the command does. In the background, so that a signal to
# this script is heard at once; stop_step ends it then, also if the signal came as it began.
waiting='' before=''
patiently() {
	local status=0

	before=${!:-}
	waiting=yes
	"$@" </dev/null &
	wait "$!" || status=$?
	waiting=
	return "$status"
}

# quietly COMMAND…: what it prints goes to $log.
quietly() {
	patiently "$@" >>"$log" 2>&1
}

# Without `wait`: a child that ends in the moment of a signal may be lost to bash (5.2), which would
# then wait for it as long as it has others. Bounded, as every wait: dpkg ends in its own time.
stop_step() {
	local turn

	[ -n "$waiting" ] && [ "${!:-}" != "$before" ] || return 0
	# Again and again: what has just been forked may lose one.
	for ((turn = 0; turn < 60 * 20; turn++)); do
		kill "$!" 2>/dev/null || return 0
		sleep 0.05
	done
	say "what was under way did not stop within 60 s and is left behind"
}

# The end of $log, then die.
die_with_log() {
	tail -n 30 "$log" >&2
	die "$* (all of it: $log)"
}

need_packages() {
	local missing=() package installed

	command -v dpkg-query >/dev/null ||
		die "this script installs Debian packages, and dpkg is not here; see README.md for other systems"
	installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null || :)"
	for package; do
		case "$installed" in
		*" installed:$package "*) ;;
		*) missing+=("$package") ;;
		esac
	done
	[ "${#missing[@]}" -gt 0 ] || return 0

	if [ "$(id -u)" -eq 0 ]; then
		say "installing ${missing[*]}"
		quietly "$root/scripts/install-packages" "${missing[@]}"
	elif command -v sudo >/dev/null; then
		say "installing with sudo: ${missing[*]}"
		sudo -v || die "sudo refused; as root: $root/scripts/install-packages ${missing[*]}"
		quietly sudo "$root/scripts/install-packages" "${missing[@]}"
	else
		die "packages are missing, and there is neither root nor sudo to install them.
As root: $root/scripts/install-packages ${missing[*]}"
	fi || die_with_log "could not install ${missing[*]}: is the network there, and apt's sources?"
}

# build_program FOLDER [CONFIGURE OPTION…]: configures FOLDER unless it was with these options, and
# builds. One at a time for each folder.
build_program() {
	local folder=$1
	local want="${*:2}" had

	mkdir -p "$folder"
	exec 8>"$folder/.lock"
	flock 8
	had=$(cat "$folder/.options" 2>/dev/null || :)
	if [ ! -x "$root/configure" ]; then
		say "making configure"
		quietly env -C "$root" autoreconf -i || die_with_log "autoreconf failed"
	fi
	[ -f "$folder/config.status" ] || had=none
	if [ "$had" = none ] || { [ $# -gt 1 ] && [ "$had" != "$want" ]; }; then
		say "configuring ${folder##*/}/ $want"
		quietly env -C "$folder" "$root/configure" "${@:2}" || die_with_log "configure failed"
		printf '%s' "$want" >"$folder/.options"
	fi
	[ -x "$folder/meetlink" ] || say "building ${folder##*/}/"
	quietly make --no-print-directory -C "$folder" -j"$(nproc)" all || die_with_log "the build failed"
	exec 8>&-
}

# need_judges: calendar parsers of npm's and Maven's for the tests, in the cache; where there is no Node
# or no Java they say that they did without.
need_judges() {
	need_cached ical.js npm ical.js-2.2.1 npm install --silent --no-audit --no-fund ical.js@2.2.1 --prefix=
	need_cached ical4j mvn ical4j-4.2.3 mvn -B -q -f "$root/tests/properties/ical4j.xml" \
		dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=
}

# What the tests of pages look for faults with.
need_axe() {
	need_cached axe-core npm axe-core-4.14.1 npm install --silent --no-audit --no-fund axe-core@4.14.1 --prefix=
}

# need_cached NAME TOOL FOLDER COMMAND…: has COMMAND, whose last word lacks the path, install into that
# folder of the cache, which has the version in its name. Whole or not at all, whoever else installs it.
need_cached() {
	local made words=("${@:4}")

	command -v "$2" >/dev/null || { say "skipped: $1, for there is no $2"; return 0; }
	[ ! -e "$cache/$3" ] || return 0
	say "installing $1"
	mkdir -p "$cache"
	made=$(mktemp -d "$cache/$3.XXXXXX")
	words[-1]+=$made
	if quietly timeout 60 "${words[@]}"; then
		mv -T "$made" "$cache/$3" 2>/dev/null || rm -rf "$made"
	else
		rm -rf "$made"
		say "skipped: $1, which could not be installed; is the network there?"
	fi
}

# need_venv REQUIREMENTS…: sets $venv to an environment that has what these files pin; one for each
# version of them, shared by all checkouts.
need_venv() {
	local file options=()

	for file; do
		options+=(-r "$file")
	done
	venv="$cache/venv-$(cat "$@" | sha256sum | cut -c1-12)"
	mkdir -p "$cache"
	exec 8>"$venv.lock"
	flock 8
	if [ ! -e "$venv/complete" ]; then
		say "installing Python packages into $venv"
		rm -rf "$venv"
		quietly python3 -m venv "$venv" || die_with_log "python3 could not make a virtual environment"
		quietly "$venv/bin/pip" install --no-input --disable-pip-version-check "${options[@]}" ||
			die_with_log "could not install the Python packages that $* name: is the network there?"
		touch "$venv/complete"
	fi
	exec 8>&-
}
