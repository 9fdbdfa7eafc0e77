//! What the addon manager keeps in the cluster.
