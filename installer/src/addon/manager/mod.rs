//! Keeps the objects of a folder in the cluster.
