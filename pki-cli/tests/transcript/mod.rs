//! What differs from run to run, in every transcript.

use regex::Regex;
use snapbox::Redactions;

/// Moments, digests and the like, as `[TIME]`.
pub fn redactions() -> Redactions {
    let mut redactions = Redactions::new();
    let mut redact = |name: &'static str, pattern: &str| {
        redactions
            .insert(name, Regex::new(pattern).unwrap())
            .unwrap();
    };
    redact("[TIME]", r"(?<redacted>20\d\d-\d\d-\d\dT[\d:.]+Z)");
    redact("[DATE]", r"(?<redacted>2\d\d\d-\d\d-\d\d) \(");
    redact(
        "[MOMENT]",
        r#"(?m)(?:^|\\n|schedule: ")(?<redacted>\d{1,2} (?:\d{1,2}|\*)) \* \* [*1]"#,
    );
    redact("[UNIX]", r" (?<redacted>[12]\d{9})\b");
    redact(
        "[DAYS]",
        r"(?:\(|days-left.: )(?<redacted>-?\d+)(?: days|,)",
    );
    redact("[DIGEST]", r"\b(?<redacted>[0-9a-f]{64})\b");
    redact("[KEYID]", r"\b(?<redacted>[0-9a-f]{40})\b");
    redact("[SERIAL]", r"\b(?<redacted>[0-9a-f]{32})\b");
    redact(
        "[PEM]",
        r"-----BEGIN [A-Z ]+-----\\n(?<redacted>[A-Za-z0-9+/=\\]+?)\\n-----END",
    );
    redact("[VERSION]", r"kpki (?<redacted>\d+\.\d+\.\d+)");
    redactions
}
