//! Conditions that an installation waits for.
