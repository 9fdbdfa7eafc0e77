//! The words of Makecerts for usages, kinds of key, truth and time.

use crate::x509::{ExtendedKeyUsage, KeyAlgorithm, KeyUsage, Lifetime, LifetimeError, Usage};

/// The words for key usages, in the order of RFC 5280.
pub const KEY_USAGES: [(&str, KeyUsage); 9] = [
    ("digitalsignature", KeyUsage::DIGITAL_SIGNATURE),
    ("contentcommitment", KeyUsage::NON_REPUDIATION),
    ("keyencipherment", KeyUsage::KEY_ENCIPHERMENT),
    ("dataencipherment", KeyUsage::DATA_ENCIPHERMENT),
    ("keyagreement", KeyUsage::KEY_AGREEMENT),
    ("certsign", KeyUsage::KEY_CERT_SIGN),
    ("crlsign", KeyUsage::CRL_SIGN),
    ("encipheronly", KeyUsage::ENCIPHER_ONLY),
    ("decipheronly", KeyUsage::DECIPHER_ONLY),
];

/// The words for extended key usages, with their object identifiers: RFC 5280 section 4.2.1.12, RFC 4945 section
/// 5.1.3.12 for IPsec, and Microsoft's and Netscape's own.
pub const EXTENDED_KEY_USAGES: [(&str, &str); 14] = [
    ("any", "2.5.29.37.0"),
    ("serverauth", "1.3.6.1.5.5.7.3.1"),
    ("clientauth", "1.3.6.1.5.5.7.3.2"),
    ("codesigning", "1.3.6.1.5.5.7.3.3"),
    ("emailprotection", "1.3.6.1.5.5.7.3.4"),
    ("ipsecendsystem", "1.3.6.1.5.5.7.3.5"),
    ("ipsectunnel", "1.3.6.1.5.5.7.3.6"),
    ("ipsecuser", "1.3.6.1.5.5.7.3.7"),
    ("timestamping", "1.3.6.1.5.5.7.3.8"),
    ("ocspsigning", "1.3.6.1.5.5.7.3.9"),
    ("microsoftservergatedcrypto", "1.3.6.1.4.1.311.10.3.3"),
    ("netscapeservergatedcrypto", "2.16.840.1.113730.4.1"),
    ("microsoftcommercialcodesigning", "1.3.6.1.4.1.311.2.1.22"),
    ("microsoftkernelcodesigning", "1.3.6.1.4.1.311.61.1.1"),
];

/// The words for kinds of key. `rsa3076` is Makecerts' own word for 3072 bits.
const KEY_TYPES: [(&str, KeyAlgorithm); 6] = [
    ("rsa2048", KeyAlgorithm::Rsa2048),
    ("rsa3072", KeyAlgorithm::Rsa3072),
    ("rsa3076", KeyAlgorithm::Rsa3072),
    ("rsa4096", KeyAlgorithm::Rsa4096),
    ("ecp256", KeyAlgorithm::EcdsaP256),
    ("ecp384", KeyAlgorithm::EcdsaP384),
];

/// A key usage by its word, in whatever case.
///
/// # Errors
/// What is wrong, with the words there are.
pub fn key_usage(word: &str) -> Result<KeyUsage, String> {
    let found = KEY_USAGES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word));
    found.map(|(_, usage)| *usage).ok_or_else(|| {
        let words = KEY_USAGES.map(|(name, _)| name).join(", ");
        format!("{word:?} is no key usage; there are {words}")
    })
}

/// A purpose by its word, in whatever case, or by its object identifier in dotted numbers.
///
/// # Errors
/// What is wrong, with the words there are.
pub fn extended_key_usage(word: &str) -> Result<ExtendedKeyUsage, String> {
    let found = EXTENDED_KEY_USAGES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word));
    ExtendedKeyUsage::from_oid(found.map_or(word, |(_, oid)| oid)).map_err(|_| {
        let words = EXTENDED_KEY_USAGES.map(|(name, _)| name).join(", ");
        format!("{word:?} is no extended key usage; there are {words}, and object identifiers such as 1.3.6.1.5.5.7.3.17")
    })
}

/// The default: what a TLS server needs.
pub(super) const SERVER: ExtendedKeyUsage = ExtendedKeyUsage::Known(Usage::Server);

/// A kind of key, by Makecerts' word or by ours.
///
/// # Errors
/// What is wrong, with the words there are.
pub fn key_type(word: &str) -> Result<KeyAlgorithm, String> {
    if let Some((_, algorithm)) = KEY_TYPES.iter().find(|(name, _)| *name == word) {
        return Ok(*algorithm);
    }
    if word == "ecp521" {
        return Err(
            "keys on P-521 are not made: neither ring nor rustls nor browsers take them; \
                    ecp384 is the strongest curve there is"
                .into(),
        );
    }
    word.parse().map_err(|_| {
        let words = KEY_TYPES.map(|(name, _)| name).join(", ");
        format!("{word:?} is no kind of key; there are {words}, ed25519")
    })
}

/// Truth as Go reads it (strconv.ParseBool).
///
/// # Errors
/// What is wrong.
pub fn truth(word: &str) -> Result<bool, String> {
    match word {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        other => Err(format!("{other:?} is neither true nor false")),
    }
}

/// A time as Go writes it (time.ParseDuration: `9552h`, `1h30m`), or as kpki does (`90d`, `1y`).
///
/// # Errors
/// What is wrong.
pub fn lifetime(text: &str) -> Result<Lifetime, String> {
    let told = |error: LifetimeError| format!("{text:?}: {error}");
    if let Ok(lifetime) = text.parse::<Lifetime>() {
        return Ok(lifetime);
    }
    let (mut rest, mut seconds) = (text, 0.0_f64);
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits]
            .parse()
            .map_err(|_| told(LifetimeError::Form))?;
        let units = rest[digits..]
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len() - digits);
        seconds += number
            * match &rest[digits..digits + units] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                _ => {
                    return Err(told(
                        text.parse::<Lifetime>()
                            .err()
                            .unwrap_or(LifetimeError::Form),
                    ));
                }
            };
        rest = &rest[digits + units..];
    }
    let whole = seconds as i64;
    let error = if whole > 0 {
        LifetimeError::TooLong
    } else {
        LifetimeError::Zero
    };
    Lifetime::seconds(whole).ok_or_else(|| told(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read() {
        for (word, usage) in KEY_USAGES {
            assert_eq!(key_usage(word), Ok(usage));
        }
        for (word, oid) in EXTENDED_KEY_USAGES {
            assert_eq!(extended_key_usage(word).unwrap().oid(), oid);
        }
        assert_eq!(extended_key_usage("1.2.3.4").unwrap().oid(), "1.2.3.4");
        assert_eq!(extended_key_usage("ServerAuth"), Ok(SERVER));
        assert!(extended_key_usage("server").is_err() && key_usage("sign").is_err());
        assert_eq!(key_type("rsa3076"), Ok(KeyAlgorithm::Rsa3072));
        assert_eq!(key_type("ed25519"), Ok(KeyAlgorithm::Ed25519));
        assert!(key_type("ecp521").unwrap_err().contains("ecp384"));
        assert!(key_type("dsa").is_err());
        assert_eq!((truth("1"), truth("False")), (Ok(true), Ok(false)));
        assert!(truth("yes").is_err());
    }

    #[test]
    fn times_are_read_as_go_and_as_we_write_them() {
        for (text, ours) in [
            ("9552h", "398d"),
            ("175199h", "175199h"),
            ("1h30m", "90m"),
            ("1.5h", "90m"),
            ("90d", "90d"),
            ("1h0m0s", "1h"),
        ] {
            assert_eq!(lifetime(text).unwrap().to_string(), ours, "{text}");
        }
        for text in [
            "", "h", "1x", "-1h", "0s", "5", "1h-1m", "2000000h", "1..5h", "1µs", "é",
        ] {
            assert!(lifetime(text).is_err(), "{text}");
        }
    }
}
