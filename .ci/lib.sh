# What the stages share; each sources this first. The work directory is then
# the repository's top and $work a directory that goes with the script.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export LC_ALL=C CGO_ENABLED=0
export GOFLAGS="${GOFLAGS:-} -mod=readonly" # go.mod that drifts is an error, not a repair
module=$(go list -m)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A checkout may belong to another user than runs this, as in a container; git
# refuses those unless they are named, and go build with it.
if command -v git >/dev/null && ! git status --porcelain >/dev/null 2>&1; then
	git config --file "$work/gitconfig" --add safe.directory '*'
	[ ! -e ~/.gitconfig ] || git config --file "$work/gitconfig" --add include.path ~/.gitconfig
	export GIT_CONFIG_GLOBAL=$work/gitconfig
fi

say() { printf '%s\n' "$*"; }
fail() {
	printf '%s\n' "$*" >&2
	exit 1
}

# fetch COMMAND...: something that downloads, tried again when that fails.
fetch() {
	local pause
	for pause in 2 10 30; do
		"$@" && return
		say "failed, once more in $pause s: $*"
		sleep "$pause"
	done
	"$@"
}

# need FILE-OR-COMMAND PACKAGE...: installs Debian packages unless it is there.
need() {
	local wanted=$1
	shift
	if [ -e "$wanted" ] || command -v "$wanted" >/dev/null; then return; fi
	command -v apt-get >/dev/null || fail "$wanted is missing, and no apt-get to install $*"
	say "installing $*"
	apt_update
	fetch apt_get install -y --no-install-recommends "$@" >"$work/apt" 2>&1 ||
		{ cat "$work/apt" >&2; fail "apt-get install $* failed"; }
	[ -e "$wanted" ] || command -v "$wanted" >/dev/null || fail "$* installed, but still no $wanted"
}

apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q "$@"; }

# apt_update refreshes the package lists once in a script.
apt_update() {
	[ -z "${lists_fresh:-}" ] || return 0
	fetch apt_get update >"$work/apt" 2>&1 || { cat "$work/apt" >&2; fail "apt-get update failed"; }
	lists_fresh=1
}

need_libzmq() { need /usr/lib/python3/dist-packages/zmq python3 python3-zmq; }
need_cc() { need /usr/include/stdio.h gcc libc6-dev; need gcc gcc; }

# tool PACKAGE@VERSION: builds a Go program outside our go.mod; its path is in $tool.
tool() {
	local bin="${CI_BIN:-$work/bin}" name
	name=$(basename "${1%@*}")
	tool="$bin/$name"
	[ -x "$tool" ] || fetch env GOBIN="$bin" GOFLAGS=-buildvcs=false go install "$1"
}

# run_tests [-no-skips] -- GO-TEST-ARGUMENTS...: go test, shown by testlog.
run_tests() {
	local flags=()
	while [ "$1" != -- ]; do
		flags+=("$1")
		shift
	done
	shift
	GOARCH='' go build -o "$work/testlog" ./.ci/testlog
	go test -json -p 2 -timeout 10m "$@" | "$work/testlog" "${flags[@]}"
}

# hide_libzmq makes the tests that follow skip libzmq's peers, as where there is only Go.
hide_libzmq() {
	unset CI
	export ZMQTEST_PYTHON=/nonexistent
}
