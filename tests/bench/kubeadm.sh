#!/bin/sh
# What kubeadm makes for one node: kubeadm.sh DIR ecdsa-p256|rsa-2048. Three certificates fewer than the
# others: no kubelet serving pair, none for the cluster DNS, none for kube-proxy.
set -eu

case $2 in
  ecdsa-p256) algorithm=ECDSA-P256 ;;
  rsa-2048) algorithm=RSA-2048 ;;
esac
mkdir -p "$1"
cat >"$1/kubeadm.yaml" <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10, bindPort: 6443}
nodeRegistration: {name: n1, criSocket: unix:///run/containerd/containerd.sock}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.37.2
controlPlaneEndpoint: 192.0.2.10:6443
certificatesDir: $1/pki
encryptionAlgorithm: $algorithm
networking: {serviceSubnet: 10.3.0.0/24, podSubnet: 10.244.0.0/16, dnsDomain: cluster.local}
YAML
kubeadm init phase certs all --config "$1/kubeadm.yaml" >/dev/null
kubeadm init phase kubeconfig all --config "$1/kubeadm.yaml" --kubeconfig-dir "$1" >/dev/null
