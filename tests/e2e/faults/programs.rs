//! Programs that are not there, or are not what they should be.

use crate::place::Place;

const CIDR: [&str; 2] = ["--service-cidr", "10.3.0.0/24"];

pub fn all_missing(place: &Place<'_>) {
    place.refuses_with(
        &CIDR,
        &[
            "kube-apiserver, ",
            "kubelet, ",
            "etcd, ",
            "portmap are in none of ",
            "--bin-dir",
        ],
    );
}

pub fn one_missing(place: &Place<'_>) {
    place.components_without("/opt/without", "etcd");
    let arguments = [&CIDR[..], &["--bin-dir", "/opt/without"]].concat();
    place.refuses_with(
        &arguments,
        &[
            "etcd is in none of /opt/without",
            "name the directory that has etcd with --bin-dir",
        ],
    );
    place.is_mended();
}

pub fn of_another_release(place: &Place<'_>) {
    place.put("kubelet", b"#!/bin/sh\necho Kubernetes v1.30.0\n");
    let fact = "kubelet is 1.30.0 and kube-apiserver is ";
    place.refuses(&[fact, "--bin-dir"]);
    place.take_back("kubelet");
    place.put("kube-apiserver", b"#!/bin/sh\necho Kubernetes v1.30.0\n");
    let fact = "kube-apiserver is 1.30.0, and has to be 1.34.0 or newer";
    place.refuses(&[fact, "--bin-dir"]);
    place.take_back("kube-apiserver");
    place.is_mended();
}

pub fn that_is_none(place: &Place<'_>) {
    place.put("kubelet", b"a note to myself\n");
    place.refuses(&["/opt/first/kubelet does not run", "--bin-dir"]);
    place.take_back("kubelet");
    place.put("etcd", b"#!/bin/sh\necho etcd Version: 3.7.3 >&2\nexit 3\n");
    place.refuses(&["/opt/first/etcd does not run", "--bin-dir"]);
    place.take_back("etcd");
    place.is_mended();
}
