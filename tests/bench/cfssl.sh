#!/usr/bin/env bash
# The certificates of one node with cfssl: cfssl.sh DIR ecdsa-p256|rsa-2048.
set -euo pipefail

dir=$1 here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
case $2 in
  ecdsa-p256) key='{"algo":"ecdsa","size":256}' ;;
  rsa-2048) key='{"algo":"rsa","size":2048}' ;;
esac
umask 077
mkdir -p "$dir"
cat >"$dir/config.json" <<'JSON'
{"signing": {"default": {"expiry": "8760h"}, "profiles": {
  "server": {"expiry": "8760h", "usages": ["digital signature", "server auth"]},
  "client": {"expiry": "8760h", "usages": ["digital signature", "client auth"]},
  "server,client": {"expiry": "8760h", "usages": ["digital signature", "server auth", "client auth"]}}}}
JSON

while IFS='|' read -r file issuer cn o usages sans; do
  [[ $file != '#'* ]] || continue
  names='[]' hosts='[]'
  [[ -z $o ]] || names="[{\"O\":\"$o\"}]"
  [[ -z $sans ]] || hosts="[\"${sans//,/\",\"}\"]"
  request="{\"CN\":\"$cn\",\"names\":$names,\"hosts\":$hosts,\"key\":$key"
  if [[ $issuer == self ]]; then
    cfssl genkey -loglevel=5 -initca - <<<"$request,\"ca\":{\"expiry\":\"87600h\"}}" | cfssljson -bare "$dir/$file"
  else
    cfssl gencert -loglevel=5 -ca "$dir/$issuer.pem" -ca-key "$dir/$issuer-key.pem" -config "$dir/config.json" \
      -profile "$usages" - <<<"$request}" | cfssljson -bare "$dir/$file"
  fi
done <"$here/certificates"
cfssl genkey -loglevel=5 - <<<"{\"CN\":\"sa\",\"key\":$key}" | cfssljson -bare "$dir/sa"
