//! What every server of a node speaks.

/// TLS 1.2 suites with forward secrecy and authenticated encryption (RFC 9325 section 4.2), by Go's names. TLS 1.3 has
/// suites of its own, all of that kind, and Go lets nobody choose among them. HTTP/2 needs one with AES-128-GCM
/// (RFC 9113 section 9.2.2).
pub(super) const SUITES: [&str; 6] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

/// As Kubernetes' components call TLS 1.2.
pub(super) const MIN_VERSION: &str = "VersionTLS12";
