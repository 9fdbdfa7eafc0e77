//! What holds a pod's namespaces: waits to be told to end.

fn main() {}
