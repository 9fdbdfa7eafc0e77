//! CAs that were there before kpki: a corporation's intermediate, and what kubeadm made.
#![allow(missing_docs)]

mod corporate;
mod kubeadm;
