//! Finding programs.
