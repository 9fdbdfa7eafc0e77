//! What has to be so before a machine can be a node: each check with its reason and its fix.
