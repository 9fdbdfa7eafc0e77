#!/usr/bin/env bash
#
# What tests/bench/node runs in its test machines: node.sh STEP SHARED BIN_DIR BUILT.
#
#   render   the files of kinstall's, the images and the names of both, once
#   lay      what a machine has before the clock starts
#   run      from the start to the last of what is waited for; `name milliseconds` on stdout
#   use      what the control plane asks for and takes
set -euo pipefail

step=$1 shared=$2 bin=$3 built=$4
readonly tool=${5-} images=${6-} kubernetes=/etc/kubernetes/super-admin.conf
readonly render=$shared/render tars=$shared/images
export PATH=$built:$PATH KUBECONFIG=$kubernetes
cd /root

ctr() { command ctr --namespace k8s.io "$@" 2> >(grep -v DEPRECATION >&2); }
install_node() { "$(dirname -- "${BASH_SOURCE[0]}")/peak" "${1:-/dev/null}" kinstall node --service-cidr 10.3.0.0/24 --bin-dir "$bin" "${@:2}"; }

# An installation that nobody times: all images are made in it, and what was read once is in the kernel's memory.
step_render() {
  install_node /dev/null --render render >/dev/null
  install_node /dev/null >/dev/null
  mkdir -p out/images/{kinstall,kubeadm}
  cp -a render out/render
  local upstream name reference
  for reference in $(ctr images list --quiet | grep '^kinstall.internal/'); do
    name=${reference#*/} name=${name%:*}
    ctr images export "out/images/kinstall/$name.tar" "$reference" >&2
    [[ $name != flannel ]] || ctr images export out/images/kubeadm/flannel.tar "$reference" >&2
  done
  # The same content by the names that kubeadm asks for.
  for upstream in $(kubeadm config images list --kubernetes-version "$(version)"); do
    name=${upstream##*/} name=${name%:*}
    reference=$(ctr images list --quiet | grep "^kinstall.internal/$name:")
    ctr images tag "$reference" "$upstream" >&2
    ctr images export "out/images/kubeadm/$name.tar" "$upstream" >&2
    [[ $name != pause ]] || echo "$upstream" >out/pause
  done
}

version() { kubelet --version | cut -d' ' -f2; }

step_lay() {
  mkdir -p bench
  sed "s|^sandbox = .*|sandbox = \"$(if [[ $tool == kubeadm ]]; then cat "$shared/pause"; else sandbox; fi)\"|" \
    "$render/etc/containerd/config.toml" >bench/containerd.toml
  runtime
  import "$shared/web.tar"
  [[ $images == make ]] || import "$tars/$tool"/*.tar
  if [[ $tool == kubeadm ]]; then
    lay_kubeadm
  else
    # kinstall starts its own.
    kill "$runtime"
    wait "$runtime" || true
  fi
  sync -f .
}

sandbox() { sed -n 's/^sandbox = "\(.*\)"/\1/p' "$render/etc/containerd/config.toml"; }

runtime() {
  setsid containerd --config bench/containerd.toml >bench/containerd.log 2>&1 </dev/null &
  runtime=$!
  until ctr version >/dev/null 2>&1; do sleep 0.05; done
}

# All at once, as kinstall does.
import() {
  local tar waiting=()
  for tar; do
    ctr images import --local --label io.cri-containerd.pinned=pinned "$tar" >/dev/null &
    waiting+=("$!")
  done
  for tar in "${waiting[@]}"; do wait "$tar"; done
}

lay_kubeadm() {
  mkdir -p /opt/cni/bin /etc/cni/net.d
  ln -s "$bin"/{bridge,host-local,loopback,portmap} /opt/cni/bin/
  ln -s "$built/kinstall-flannel" /opt/cni/bin/flannel
  cp "$render"/etc/cni/net.d/* /etc/cni/net.d/
  cp "$render"/etc/sysctl.d/* /etc/sysctl.d/
  sysctl --quiet --system 2>/dev/null || true
  # Nobody's node is tainted here: the workload has to run.
  cat >bench/kubeadm.yaml <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: $(address), bindPort: 6443 }
nodeRegistration: { name: $(hostname), criSocket: "unix:///run/containerd/containerd.sock", taints: [], imagePullPolicy: IfNotPresent }
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $(version)
encryptionAlgorithm: ECDSA-P256
networking: { serviceSubnet: 10.3.0.0/24, podSubnet: 10.244.0.0/16, dnsDomain: cluster.local }
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failCgroupV1: false
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
conntrack: { maxPerCore: 0, min: 0 }
YAML
}

address() { ip -4 -o addr show eth0 | sed 's|.* inet \([0-9.]*\)/.*|\1|'; }

# As the unit that comes with kubeadm, but for its ten seconds between two starts.
keep_kubelet() {
  until [[ -e /var/lib/kubelet/kubeadm-flags.env ]]; do sleep 0.05; done
  # shellcheck source=/dev/null
  source /var/lib/kubelet/kubeadm-flags.env
  while :; do
    # shellcheck disable=SC2086
    kubelet --bootstrap-kubeconfig /etc/kubernetes/bootstrap-kubelet.conf --kubeconfig /etc/kubernetes/kubelet.conf \
      --config /var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS >>bench/kubelet.log 2>&1 || true
    sleep 0.2
  done
}

step_run() {
  began=${EPOCHREALTIME/./}
  echo "began $began"
  watch &
  local watching=$!
  if [[ $tool == kubeadm ]]; then
    keep_kubelet </dev/null >/dev/null &
    [[ $images != make ]] || import "$tars/kubeadm"/*.tar
    [[ $images != make ]] || said imported
    kubeadm init --config bench/kubeadm.yaml --ignore-preflight-errors all >bench/init.log 2>&1 ||
      { cat bench/init.log >&2; exit 1; }
  else
    install_node bench/peak >bench/init.log 2>&1 || { cat bench/init.log >&2; exit 1; }
    echo "peak-kib $(cat bench/peak)"
    grep '^  ' bench/init.log >&2
  fi
  said ended
  wait "$watching"
}

said() { echo "$1 $(((${EPOCHREALTIME/./} - began) / 1000))"; }

# Looks without ado: one stream from the API server, and one packet every 50 ms.
watch() {
  until [[ -s $kubernetes ]]; do sleep 0.05; done
  local field
  for field in certificate-authority client-certificate client-key; do
    until sed -n "s/^ *$field-data: *//p" "$kubernetes" | base64 -d >"bench/$field" && [[ -s bench/$field ]]; do sleep 0.05; done
  done
  until api --max-time 1 /readyz >/dev/null 2>&1; do sleep 0.05; done
  said api
  apply "$shared/web.yaml" &
  if [[ $tool == kubeadm ]]; then
    # The other cluster's CA is in it.
    awk 'FNR == NR { ca = ca "    " $0 "\n"; next } /-----BEGIN/ { printf "%s", ca; skip = 1 } !skip; /-----END/ { skip = 0 }' \
      /etc/kubernetes/pki/ca.crt "$render/etc/kubernetes/addons/flannel.yaml" >bench/flannel.yaml
    apply bench/flannel.yaml &
  fi
  ready &
  until resolves; do sleep 0.05; done
  said dns
  wait
}

api() {
  local path=${!#}
  curl --silent --fail --no-buffer --noproxy '*' --cacert bench/certificate-authority --cert bench/client-certificate \
    --key bench/client-key "${@:1:$#-1}" "https://$(address):6443$path"
}

apply() { until kubectl apply --server-side --validate=false --filename "$1" >/dev/null 2>>bench/apply.log; do sleep 0.1; done; }

ready() {
  local event
  while :; do
    while read -r event; do
      if [[ $event == *'"type":"Ready","status":"True"'* ]]; then
        said ready
        return
      fi
    done < <(api --max-time 300 '/api/v1/nodes?watch=true')
    sleep 0.05
  done
}

# A question for the address of kubernetes.default.svc.cluster.local; the answer has to be one.
resolves() {
  local answer
  answer=$({
    exec 3<>/dev/udp/10.3.0.10/53
    printf '\x2a\x2a\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01' >bench/question
    cat bench/question >&3
    timeout 0.2 dd bs=512 count=1 <&3 | od -An -tx1 -v -w512
  } 2>/dev/null) || return 1
  read -ra answer <<<"$answer"
  # No error, and one answer at least.
  [[ ${#answer[@]} -gt 12 && $((16#${answer[3]} & 15)) == 0 && $((16#${answer[7]})) -gt 0 ]]
}

step_use() {
  local process name requests utime stime
  # Half a minute after all that: what it takes when nothing happens.
  sleep 30
  kinstall status --json >bench/status.json
  local before=() after=()
  mapfile -t before < <(ticks)
  sleep 30
  mapfile -t after < <(ticks)
  requests=$(kubectl get pods --all-namespaces --output json | jq -c '[.items[] | select(.metadata.namespace == "kube-system")
    | {key: .spec.containers[0].name, value: (.spec.containers[0].resources.requests // {})}] | from_entries')
  paste -d' ' <(printf '%s\n' "${before[@]}") <(printf '%s\n' "${after[@]}") |
    jq -Rn --slurpfile status bench/status.json --argjson requests "$requests" --argjson hertz "$(getconf CLK_TCK)" '
      ([inputs | split(" ") | {key: .[0], value: [.[1], .[3]] | map(tonumber)}] | from_entries) as $ticks
      | [$status[0].components[] | select(.process != null) | {
          name, version,
          requests: $requests[(if .name == "flannel" then "kube-flannel" else .name end)],
          "resident-bytes": ."resident-bytes",
          "cpu-seconds-so-far": ($ticks[.name][0] / $hertz),
          "idle-millicores": (($ticks[.name][1] - $ticks[.name][0]) / $hertz / 30 * 1000 | round)}]'
}

# What each process has had of the processor, in ticks: fields 14 and 15, counted after the name, which may hold spaces.
ticks() {
  local name process stat
  while read -r name process; do
    stat=$(cat "/proc/$process/stat" 2>/dev/null) || continue
    read -ra stat <<<"${stat##*) }"
    echo "$name $((stat[11] + stat[12]))"
  done < <(jq -r '.components[] | select(.process != null) | "\(.name) \(.process)"' bench/status.json)
}

"step_$step"
