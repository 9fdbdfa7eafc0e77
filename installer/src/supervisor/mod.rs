//! Keeps services running where systemd is not process 1, and systemd units where it is.
