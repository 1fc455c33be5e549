#!/bin/bash
# Ceph RADOS Gateway on one machine, without systemd: ceph-mon + ceph-osd + radosgw, no mgr.
#
#   start-ceph.sh [start]    install if missing, start, print endpoint and credentials (idempotent)
#   start-ceph.sh stop       stop by pid file; the data stays, and a start goes on with it
#   start-ceph.sh wipe       stop and delete the data
#   start-ceph.sh status     exit 0 when it answers
#
# CEPH_SUITE    native (default: this Debian's own packages; bookworm = Ceph 16.2)
#               | trixie (Ceph 18.2) | forky (Ceph 20.2): unpacked into S3_DIR/ceph-SUITE (debroot.sh), the machine untouched
# CEPH_STORE    memstore (default, all in memory, lost on stop) | bluestore (a sparse file, survives a stop)
# S3_DIR        default ${TMPDIR:-/tmp}/s3-ceph
# S3_PORT       default 18080 (S3_PORT+1.. +99 are used too; keep it below 32768, where the ephemeral ports begin)
#
# As root. Of several starts at once one starts it and the others wait.
set -euo pipefail
SUITE=${CEPH_SUITE:-native}
STORE=${CEPH_STORE:-memstore}
BASE=${S3_DIR:-${TMPDIR:-/tmp}/s3-ceph}
PORT=${S3_PORT:-18080}
AK=${S3_ACCESS_KEY:-labaccess}; SK=${S3_SECRET_KEY:-labsecret}
MONP=$((PORT + 1)); OSDMIN=$((PORT + 10)); OSDMAX=$((PORT + 99))
. "$(dirname "${BASH_SOURCE[0]}")/debroot.sh"
ROOT=; IN=()
if [ "$SUITE" != native ]; then ROOT=$BASE/ceph-$SUITE; IN=(debroot_in "$ROOT"); fi
D=$BASE/run-$SUITE            # as seen from inside (the same path outside for native)
H=$ROOT$D                     # as seen from outside
C=(--conf "$D/ceph.conf")
[ "$(id -u)" = 0 ] || { echo "run as root" >&2; exit 1; }
mkdir -p "$BASE"
exec 9>"$BASE/lock"
flock 9

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
up() { curl -s -o /dev/null -m 3 "http://127.0.0.1:$PORT/"; }
say() {
  echo "S3_ENDPOINT=http://127.0.0.1:$PORT"; echo "S3_REGION=us-east-1"
  echo "S3_ACCESS_KEY_ID=$AK"; echo "S3_SECRET_ACCESS_KEY=$SK"; echo "S3_FORCE_PATH_STYLE=true"
}
stop() {
  local f p i sig=TERM
  [ "$STORE" = memstore ] && sig=KILL     # nothing to save
  for f in client.rgw.a osd.0 mon.a; do
    if alive "$H/$f.pid"; then
      p=$(cat "$H/$f.pid"); kill -s "$sig" "$p" 2>/dev/null || true
      for i in $(seq 100); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
      kill -9 "$p" 2>/dev/null || true
    fi
    rm -f "$H/$f.pid"
  done
}
install() {
  export DEBIAN_FRONTEND=noninteractive
  if [ "$SUITE" = native ]; then
    if ! command -v radosgw >/dev/null || ! command -v ceph-mon >/dev/null || ! command -v ceph-osd >/dev/null || ! command -v curl >/dev/null; then
      apt-get update -qq >&2
      apt-get install -y -qq --no-install-recommends ceph-mon ceph-osd radosgw curl >&2
    fi
  elif [ ! -e "$ROOT/.ready" ]; then
    rm -rf "$ROOT"; debroot_get "$SUITE" "$ROOT" ceph-mon ceph-osd radosgw; touch "$ROOT/.ready"
  fi
}

conf() {
  mkdir -p "$H/mon" "$H/osd" "$H/log"
  cat >"$H/ceph.conf" <<EOF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = [v2:127.0.0.1:$MONP,v1:127.0.0.1:$((MONP + 1))]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind port min = $OSDMIN
ms bind port max = $OSDMAX
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = $D/keyring
run dir = $D
admin socket = $D/\$name.asok
pid file = $D/\$name.pid
log file = $D/log/\$name.log
mon cluster log file = $D/log/cluster.log
crash dir = $D/log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
paxos propose interval = 0.05
paxos min wait = 0.01
[mon]
mon data = $D/mon
mon data avail warn = 2
mon data avail crit = 1
[osd]
osd data = $D/osd
osd objectstore = $STORE
memstore device bytes = 4294967296
bluestore block size = 10737418240
bluestore block create = true
osd memory target = 939524096
osd client op priority = 63
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:$PORT tcp_nodelay=1
rgw dns name = localhost
rgw thread pool size = 64
EOF
}
create() {
  conf
  local k=$D/keyring ou
  "${IN[@]}" ceph-authtool --create-keyring "$k" --gen-key -n mon. --cap mon 'allow *' >/dev/null
  "${IN[@]}" ceph-authtool "$k" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  "${IN[@]}" ceph-authtool "$k" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd'
  "${IN[@]}" ceph-authtool "$k" --gen-key -n client.rgw.a --cap mon 'allow rw' --cap osd 'allow rwx'
  "${IN[@]}" monmaptool --create --clobber --fsid "$(sed -n 's/^fsid = //p' "$H/ceph.conf")" --addv a "[v2:127.0.0.1:$MONP,v1:127.0.0.1:$((MONP + 1))]" "$D/monmap" >/dev/null
  "${IN[@]}" ceph-mon "${C[@]}" -i a --mkfs --monmap "$D/monmap" --keyring "$k" 2>>"$H/log/setup.log"
  "${IN[@]}" ceph-mon "${C[@]}" -i a 9>&- 2>>"$H/log/setup.log"
  ou=$(cat /proc/sys/kernel/random/uuid)
  "${IN[@]}" ceph "${C[@]}" osd new "$ou" >/dev/null 2>>"$H/log/setup.log"
  "${IN[@]}" ceph-osd "${C[@]}" -i 0 --mkfs --osd-uuid "$ou" >>"$H/log/setup.log" 2>&1
  "${IN[@]}" ceph "${C[@]}" osd crush add osd.0 1.0 root=default host=lab >/dev/null 2>>"$H/log/setup.log"
}
start() {
  # One that lives is in use, and slow to answer where it has much to do: to start it anew would take from its users all that they have stored.
  for _ in $(seq 60); do alive "$H/client.rgw.a.pid" || break; up && { say; return; }; sleep 0.1; done
  install
  stop
  [ "$STORE" = bluestore ] && [ -e "$H/created" ] || rm -rf "$H"
  mkdir -p "$H"
  if [ ! -e "$H/created" ]; then create; fi
  alive "$H/mon.a.pid" || "${IN[@]}" ceph-mon "${C[@]}" -i a 9>&- 2>>"$H/log/setup.log"
  "${IN[@]}" ceph-osd "${C[@]}" -i 0 9>&- 2>>"$H/log/setup.log"
  for _ in $(seq 300); do "${IN[@]}" ceph "${C[@]}" osd dump 2>/dev/null | grep -q '^osd.0 up' && break; sleep 0.1; done
  if [ ! -e "$H/created" ]; then
    "${IN[@]}" radosgw-admin "${C[@]}" user create --uid=lab --display-name=Lab --access-key="$AK" --secret-key="$SK" >"$H/log/user.json" 2>>"$H/log/setup.log"
    touch "$H/created"
  fi
  "${IN[@]}" radosgw "${C[@]}" -n client.rgw.a 9>&- 2>>"$H/log/setup.log"
  for _ in $(seq 600); do up && { say; return; }; alive "$H/client.rgw.a.pid" || { sleep 0.3; alive "$H/client.rgw.a.pid" || break; }; sleep 0.1; done
  echo "radosgw did not come up; see $H/log" >&2; tail -n 20 "$H/log/"*.log >&2; stop; exit 1
}
case "${1:-start}" in
  start) start ;;
  stop) stop ;;
  wipe) stop; rm -rf "$H" ;;
  status) up && alive "$H/client.rgw.a.pid" ;;
  *) sed -n '2,16p' "$0"; exit 2 ;;
esac
