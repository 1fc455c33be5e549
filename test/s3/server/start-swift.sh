#!/bin/bash
# OpenStack Swift with the s3api middleware on one machine, without systemd:
# memcached + account-, container-, object- and proxy-server, one replica, one directory as the disk, tempauth.
#
#   start-swift.sh [start]   install if missing, start, print endpoint and credentials (idempotent)
#   start-swift.sh stop      stop by pid file; the data stays, and a start goes on with it
#   start-swift.sh wipe      stop and delete the data
#   start-swift.sh status    exit 0 when it answers
#
# SWIFT_SUITE   native (default: this Debian's own packages; bookworm = Swift 2.30)
#               | trixie (2.35) | forky (2.38): unpacked into S3_DIR/swift-SUITE (debroot.sh), the machine untouched
# S3_DIR        default ${TMPDIR:-/tmp}/s3-swift; it must be on a filesystem with user xattrs (ext4, xfs, btrfs)
# S3_PORT       default 18580 (S3_PORT+2 .. +5 are used too)
set -euo pipefail
SUITE=${SWIFT_SUITE:-native}
BASE=${S3_DIR:-${TMPDIR:-/tmp}/s3-swift}
PORT=${S3_PORT:-18580}
AK=lab:lab; SK=${S3_SECRET_KEY:-labsecret}      # tempauth: the access key is account:user
. "$(dirname "${BASH_SOURCE[0]}")/debroot.sh"
ROOT=; IN=()
if [ "$SUITE" != native ]; then ROOT=$BASE/swift-$SUITE; IN=(debroot_in "$ROOT"); fi
D=$BASE/run-swift-$SUITE; H=$ROOT$D
[ "$(id -u)" = 0 ] || { echo "run as root" >&2; exit 1; }
SERVERS=(account container object proxy)

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
up() { curl -sf -o /dev/null -m 3 "http://127.0.0.1:$PORT/healthcheck"; }
say() {
  echo "S3_ENDPOINT=http://127.0.0.1:$PORT"; echo "S3_REGION=us-east-1"
  echo "S3_ACCESS_KEY_ID=$AK"; echo "S3_SECRET_ACCESS_KEY=$SK"; echo "S3_FORCE_PATH_STYLE=true"
}
stop() {
  local f p i
  for f in proxy object container account memcached; do
    if alive "$H/$f.pid"; then
      p=$(cat "$H/$f.pid"); kill "$p" 2>/dev/null || true
      for i in $(seq 50); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
      kill -9 "$p" 2>/dev/null || true
    fi
    rm -f "$H/$f.pid"
  done
}
PKGS="swift-proxy swift-account swift-container swift-object memcached"
install() {
  export DEBIAN_FRONTEND=noninteractive
  if [ "$SUITE" = native ]; then
    if ! command -v swift-proxy-server >/dev/null || ! command -v swift-object-server >/dev/null || ! command -v memcached >/dev/null || ! command -v curl >/dev/null; then
      apt-get update -qq >&2
      # shellcheck disable=SC2086
      apt-get install -y -qq --no-install-recommends $PKGS curl >&2
    fi
  elif [ ! -e "$ROOT/.ready" ]; then
    # shellcheck disable=SC2086
    rm -rf "$ROOT"; debroot_get "$SUITE" "$ROOT" $PKGS; touch "$ROOT/.ready"
  fi
}
conf() {
  mkdir -p "$H/etc" "$H/srv/d1" "$H/log" "$H/cache"
  cat >"$H/etc/swift.conf" <<EOF
[swift-hash]
swift_hash_path_suffix = lab
swift_hash_path_prefix = lab
[storage-policy:0]
name = Policy-0
default = yes
[swift-constraints]
max_meta_value_length = 2048
# an object of 90 names of metadata comes with more headers than a server takes by default, and is then answered by 503
extra_header_count = 200
EOF
  local t p
  for t in object container account; do
    case $t in object) p=$((PORT + 2)) ;; container) p=$((PORT + 3)) ;; account) p=$((PORT + 4)) ;; esac
    cat >"$H/etc/$t-server.conf" <<EOF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $p
workers = 0
user = root
devices = $D/srv
mount_check = false
disable_fallocate = true
log_name = $t
log_level = WARN
recon_cache_path = $D/cache
[pipeline:main]
pipeline = healthcheck $t-server
[app:$t-server]
use = egg:swift#$t
[filter:healthcheck]
use = egg:swift#healthcheck
EOF
    "${IN[@]}" bash -c "cd '$D/etc' && swift-ring-builder $t.builder create 6 1 0 && swift-ring-builder $t.builder add r1z1-127.0.0.1:$p/d1 1 && { swift-ring-builder $t.builder rebalance || [ \$? = 1 ]; }" >>"$H/log/setup.log" 2>&1
  done
  cat >"$H/etc/proxy-server.conf" <<EOF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $PORT
workers = 0
user = root
log_level = WARN
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
# there is one replica: to leave it out for a minute after ten errors is to be down
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$((PORT + 5))
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
storage_domain = localhost
max_upload_part_num = 10000
[filter:tempauth]
use = egg:swift#tempauth
user_lab_lab = $SK .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
EOF
}
start() {
  if up && alive "$H/proxy.pid"; then say; return; fi
  install
  stop
  [ -e "$H/etc/proxy-server.conf" ] || conf
  "${IN[@]}" memcached -u root -l 127.0.0.1 -p $((PORT + 5)) -m 64 -d -P "$D/memcached.pid"
  local t
  for t in "${SERVERS[@]}"; do
    # each server sees this cluster's own /etc/swift and a /proc and /dev, in a mount namespace of its own
    H=$H ROOT=$ROOT setsid unshare -m bash -c 'echo $$ >"$H/$1.pid"; mkdir -p "$ROOT/etc/swift"; mount --bind "$H/etc" "$ROOT/etc/swift"
      if [ -n "$ROOT" ]; then mount -t proc proc "$ROOT/proc"; mount --bind /dev "$ROOT/dev"; exec chroot "$ROOT" env -u PYTHONDONTWRITEBYTECODE LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin "swift-$1-server" "/etc/swift/$1-server.conf"; fi
      exec "swift-$1-server" "/etc/swift/$1-server.conf"' _ "$t" >"$H/log/$t.log" 2>&1 </dev/null &
  done
  for _ in $(seq 600); do up && { say; return; }; sleep 0.1; done
  echo "swift did not come up; see $H/log" >&2; tail -n 20 "$H/log/"*.log >&2; stop; exit 1
}
case "${1:-start}" in
  start) start ;;
  stop) stop ;;
  wipe) stop; rm -rf "$H" ;;
  status) up && alive "$H/proxy.pid" ;;
  *) sed -n '2,15p' "$0"; exit 2 ;;
esac
