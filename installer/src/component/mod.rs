//! One file for each component: its flags, its manifest, what it needs. Pure.
