# The servers of ./run: database, meetlink, nginx. How each is started, watched and stopped.
# shellcheck shell=bash disable=SC2034,SC2154
# Sourced after lib.sh, with $root, $state and $PORT set.

# Ctrl-C reaches the whole process group of a terminal, so each server gets a session of its own
# and hears from this script alone; should this script die, each hears SIGTERM from the kernel.
# They hold the lock of the folder too: it is free when the last of them is gone.
declare -A pids=()
start() {
	new_log "$1"
	setsid setpriv --pdeathsig TERM "${@:2}" >"$state/log/$1.log" 2>&1 </dev/null &
	pids[$1]=$!
}

# One run's log and that of the run before are kept.
new_log() {
	[ ! -e "$state/log/$1.log" ] || mv -f "$state/log/$1.log" "$state/log/$1.log.old"
}

# Ends with words when a server did.
alive() {
	local name status

	for name in "${!pids[@]}"; do
		if ! kill -0 "${pids[$name]}" 2>/dev/null; then
			status=0
			wait "${pids[$name]}" || status=$?
			tail -n 20 "$state/log/$name.log" >&2
			die "$name ended by itself (status $status); its log is $state/log/$name.log"
		fi
	done
}

# stop NAME SIGNAL SECONDS: bounded, so that this script always ends. A server that is gone itself
# may have left processes of its session.
stop() {
	local pid=${pids[$1]:-} turn

	[ -n "$pid" ] || return 0
	kill -s "$2" "$pid" 2>/dev/null || kill -s "$2" -- "-$pid" 2>/dev/null || return 0
	for ((turn = 0; turn < $3 * 20; turn++)); do
		kill -0 -- "-$pid" 2>/dev/null || return 0
		sleep 0.05
	done
	say "$1 did not stop within $3 s and was killed"
	kill -s KILL -- "-$pid" 2>/dev/null || :
	unclean=1
}

# First the door, then the program, which finishes what it has, then what it writes to.
socket_folder=
unclean=0
stop_all() {
	local status=$?

	trap '' INT TERM HUP
	trap - EXIT
	stop_step
	stop nginx QUIT 15
	stop meetlink TERM "$(($(number "${MEETLINK_SERVER_DRAIN_S:-}" 30) + 5))"
	stop database TERM 20
	[ -z "$socket_folder" ] || rm -rf "$socket_folder"
	[ "$status" -ne 0 ] || status=$unclean
	exit "$status"
}

# number TEXT DEFAULT: the text if it is a number that can be reckoned with.
number() {
	if [[ "$1" =~ ^[1-9][0-9]{0,5}$ ]]; then echo "$1"; else echo "$2"; fi
}

# listens PORT: whether somebody accepts connections there.
listens() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# wait_for SECONDS COMMAND…: until the command succeeds, as long as every server lives.
wait_for() {
	local end=$((SECONDS + $1))

	until "${@:2}"; do
		alive
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# Sets $database and the packages it needs. Data stays with the kind of server that wrote it.
packages_database=()
choose_database() {
	local kind

	database=
	[ -z "${MEETLINK_MONGODB_URI:-}" ] || return 0
	for kind in mongod secantusd-rs secantusd-py; do
		if [ -d "$state/db-$kind" ]; then
			database=$kind
			break
		elif [ -z "$database" ] && command -v "$kind" >/dev/null; then
			database=$kind
		fi
	done
	: "${database:=secantusd-py}"
	if [ "$database" = secantusd-py ]; then
		packages_database=(python3-venv)
	elif ! command -v "$database" >/dev/null; then
		die "the data in $state/db-$database needs $database, which is not on PATH; STATE_DIR=… begins anew"
	fi
}

start_database() {
	local port folder="$state/db-$database"

	# Below the ports that the kernel hands out; the same one again as long as it is free.
	port=$((20000 + $(cksum <<<"$state" | cut -d ' ' -f 1) % 10000))
	while listens "$port"; do
		port=$((port + 1))
	done
	mkdir -p "$folder"
	case "$database" in
	mongod)
		start database mongod --bind_ip 127.0.0.1 --port "$port" --dbpath "$folder" --nounixsocket
		;;
	secantusd-rs)
		start database secantusd-rs --host 127.0.0.1 --port "$port" --storage-path "$folder" \
			--cache-size 256M
		;;
	secantusd-py)
		need_venv "$root/scripts/requirements.txt"
		start database "$venv/bin/secantusd-py" --host 127.0.0.1 --port "$port" \
			--storage-path "$folder" --cache-size 256M
		;;
	esac
	export MEETLINK_MONGODB_URI="mongodb://127.0.0.1:$port/?directConnection=true"
	wait_for 60 listens "$port" || die "the database does not answer; its log is $state/log/database.log"
}

# The socket lies in STATE_DIR unless its path is too long for one (107 bytes) or would need
# quoting in nginx's configuration.
choose_socket() {
	local path=${MEETLINK_SERVER_SOCKET:-$state/fastcgi.sock}
	local plain='^[A-Za-z0-9/._-]{1,107}$'

	if ! [[ "$path" =~ $plain ]]; then
		[ -z "${MEETLINK_SERVER_SOCKET:-}" ] ||
			die "MEETLINK_SERVER_SOCKET must be 107 bytes of A-Z a-z 0-9 / . _ - at most"
		socket_folder=$(mktemp -d /tmp/meetlink.XXXXXX)
		path="$socket_folder/fastcgi.sock"
	fi
	export MEETLINK_SERVER_SOCKET="$path"
}

start_nginx() {
	local text user='' limit_key=''

	# Without this, nginx started by root would serve as somebody who may not open the socket.
	[ "$(id -u)" -ne 0 ] || user='user root;'
	[ "${NGINX_LIMITS:-}" != on ] || limit_key="\$binary_remote_addr"

	text=$(<"$root/nginx/development.conf.in")
	text=${text//@USER@/"$user"}
	text=${text//@PORT@/"$PORT"}
	text=${text//@SOCKET@/"$MEETLINK_SERVER_SOCKET"}
	text=${text//@LIMIT_KEY@/"$limit_key"}
	text=${text//@SIGN_IN@/"${SIGN_IN:-}"}
	printf '%s\n' "$text" >"$state/nginx/nginx.conf"
	ln -sfn "$root/nginx/snippets" "$state/nginx/snippets"
	ln -sfn "$root/web" "$state/nginx/web"
	new_log access
	start nginx nginx -p "$state" -c nginx/nginx.conf -e stderr
}
