#!/usr/bin/env bash
# The certificates of one node with step: step.sh DIR ecdsa-p256|rsa-2048.
set -euo pipefail

dir=$1 here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
case $2 in
  ecdsa-p256) key=(--kty EC --curve P-256) ;;
  rsa-2048) key=(--kty RSA --size 2048) ;;
esac
umask 077
mkdir -p "$dir"
export STEPPATH=$dir/step

# The user part of a template's data is called insecure because it comes from whoever asks: from us.
for usages in server client server,client; do
  list=${usages//server/\"serverAuth\"}
  cat >"$dir/$usages.tpl" <<JSON
{"subject": {"commonName": {{ toJson .Subject.CommonName }}{{ with .Insecure.User.organization }},
  "organization": {{ toJson . }}{{ end }}}, "sans": {{ toJson .SANs }},
 "keyUsage": ["digitalSignature"], "extKeyUsage": [${list//client/\"clientAuth\"}]}
JSON
done

common=(--no-password --insecure --force "${key[@]}")
while IFS='|' read -r file issuer cn o usages sans; do
  [[ $file != '#'* ]] || continue
  if [[ $issuer == self ]]; then
    step certificate create "$cn" "$dir/$file.crt" "$dir/$file.key" --profile root-ca --not-after 87600h "${common[@]}"
    continue
  fi
  options=()
  for name in ${sans//,/ }; do options+=(--san "$name"); done
  [[ -z $o ]] || options+=(--set "organization=$o")
  step certificate create "$cn" "$dir/$file.crt" "$dir/$file.key" --template "$dir/$usages.tpl" \
    --ca "$dir/$issuer.crt" --ca-key "$dir/$issuer.key" --not-after 8760h "${options[@]}" "${common[@]}"
done <"$here/certificates" 2>/dev/null
step crypto keypair "$dir/sa.pub" "$dir/sa.key" "${common[@]}" 2>/dev/null
