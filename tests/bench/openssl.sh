#!/usr/bin/env bash
# The certificates of one node with OpenSSL: openssl.sh DIR ecdsa-p256|rsa-2048. One process a certificate.
set -euo pipefail

dir=$1 here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
case $2 in
  ecdsa-p256) key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256) ;;
  rsa-2048) key=(-newkey rsa:2048) ;;
esac
umask 077
mkdir -p "$dir"

while IFS='|' read -r file issuer cn o usages sans; do
  [[ $file != '#'* ]] || continue
  extensions=() extended=() names=()
  subject=/CN=$cn
  [[ -z $o ]] || subject=/O=$o$subject
  if [[ $issuer == self ]]; then
    extensions=(-days 3650 -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign)
  else
    [[ $usages != *server* ]] || extended+=(serverAuth)
    [[ $usages != *client* ]] || extended+=(clientAuth)
    for name in ${sans//,/ }; do
      if [[ $name == *:* || $name =~ ^[0-9.]+$ ]]; then names+=("IP:$name"); else names+=("DNS:$name"); fi
    done
    extensions=(-days 365 -CA "$dir/$issuer.crt" -CAkey "$dir/$issuer.key" -addext basicConstraints=critical,CA:FALSE
      -addext keyUsage=critical,digitalSignature -addext "extendedKeyUsage=$(IFS=,; echo "${extended[*]}")")
    ((${#names[@]} == 0)) || extensions+=(-addext "subjectAltName=$(IFS=,; echo "${names[*]}")")
  fi
  openssl req -x509 -nodes "${key[@]}" -subj "$subject" "${extensions[@]}" \
    -keyout "$dir/$file.key" -out "$dir/$file.crt" 2>/dev/null
done <"$here/certificates"

case $2 in
  ecdsa-p256) openssl ecparam -genkey -name prime256v1 -noout -out "$dir/sa.key" ;;
  rsa-2048) openssl genrsa -out "$dir/sa.key" 2048 2>/dev/null ;;
esac
openssl pkey -in "$dir/sa.key" -pubout -out "$dir/sa.pub"
