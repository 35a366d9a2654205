#!/bin/bash
# A whole Ceph on one machine, for one test run: a monitor, a disk and an S3 gateway, on loopback, without systemd and
# without authentication between them. Debian: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common
#
# usage: radosgw.sh DIRECTORY S3-PORT MONITOR-PORT ACCESS-KEY SECRET-KEY
# Everything lives in DIRECTORY, the daemons' process ids in DIRECTORY/*.pid. It returns when the gateway answers.
set -euo pipefail
directory=$1 s3_port=$2 monitor_port=$3 access_key=$4 secret_key=$5
cluster=$(cat /proc/sys/kernel/random/uuid)
disk=$(cat /proc/sys/kernel/random/uuid)
monitor="v2:127.0.0.1:$monitor_port"
mkdir -p "$directory/mon" "$directory/osd"

# 'ms mon client mode': the gateway would ask for an encrypted channel, which needs the authentication switched off
# here, and then wait for ever.
cat > "$directory/ceph.conf" <<CONF
[global]
fsid = $cluster
mon host = [$monitor]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms mon client mode = crc
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd memory target = 939524096
mon allow pool size one = true
mon max pg per osd = 1000
mon data = $directory/mon
osd data = $directory/osd
osd objectstore = bluestore
bluestore block create = true
bluestore block size = 4294967296
run dir = $directory
admin socket = $directory/\$name.\$pid.asok
pid file = $directory/\$name.pid
log file = $directory/\$name.log
setuser match path = /nonexistent
[client.rgw.test]
rgw frontends = beast endpoint=127.0.0.1:$s3_port
CONF
export CEPH_CONF="$directory/ceph.conf"

# until_true SECONDS COMMAND...
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      echo "gave up waiting for: $*" >&2
      exit 1
    fi
    sleep 0.2
  done
}
disk_is_up() { ceph osd stat | grep -q '1 up'; }

monmaptool --create --fsid "$cluster" --addv a "[$monitor]" "$directory/monmap"
ceph-mon --mkfs -i a --monmap "$directory/monmap"
ceph-mon -i a
until_true 30 timeout 5 ceph -s
ceph osd new "$disk" 0
ceph-osd -i 0 --mkfs --osd-uuid "$disk"
ceph-osd -i 0
ceph osd crush add osd.0 1.0 host=localhost root=default
until_true 60 disk_is_up
radosgw-admin -n client.rgw.test user create --uid=test --display-name=test \
  --access-key="$access_key" --secret-key="$secret_key" >/dev/null
radosgw -n client.rgw.test
until_true 60 curl -s -o /dev/null "http://127.0.0.1:$s3_port/"
