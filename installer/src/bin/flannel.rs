//! The CNI plugin `flannel`.

fn main() {}
