//! Words for object identifiers.

/// The usual name of a signature algorithm, or its number.
pub(super) fn signature_algorithm(oid: &str) -> &str {
    match oid {
        "1.2.840.10045.4.1" => "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "rsassaPss",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.3.101.112" => "Ed25519",
        other => other,
    }
}

/// The word for an extended key usage (RFC 5280 section 4.2.1.12), or its number.
pub(super) fn extended_key_usage(usage: &crate::x509::ExtendedKeyUsage) -> String {
    let text = usage.to_string();
    match text.as_str() {
        "2.5.29.37.0" => "any",
        "1.3.6.1.5.5.7.3.3" => "code-signing",
        "1.3.6.1.5.5.7.3.4" => "email-protection",
        "1.3.6.1.5.5.7.3.8" => "time-stamping",
        "1.3.6.1.5.5.7.3.9" => "ocsp-signing",
        other => other,
    }
    .to_owned()
}
