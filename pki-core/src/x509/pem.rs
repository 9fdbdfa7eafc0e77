//! PEM, the text form of everything on disk (RFC 7468).

use pem::{EncodeConfig, LineEnding, Pem};
use zeroize::{Zeroize, Zeroizing};

/// One block of a PEM text: its label and its bytes, which are wiped when dropped since they may be
/// a private key.
pub struct PemBlock {
    /// Such as `CERTIFICATE`.
    pub label: String,
    /// The decoded bytes.
    pub der: Zeroizing<Vec<u8>>,
    /// Whether the bytes are encrypted with a passphrase, as `Proc-Type: 4,ENCRYPTED` says (RFC 1421
    /// section 4.6.1.1; OpenSSL writes its old key forms so).
    pub encrypted: bool,
}

/// The text is not PEM.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// A block that begins is damaged.
    #[error("damaged PEM: {0}")]
    Damaged(String),
    /// Nothing that looks like a block.
    #[error("no PEM block")]
    Empty,
}

/// Every block of `text`, in order.
///
/// # Errors
/// When there is none, or when one is damaged. The error never quotes the text.
pub fn parse_pem(text: &[u8]) -> Result<Vec<PemBlock>, PemError> {
    // A key cut short has its first line but not its last: the pem crate passes over such a piece.
    let begins = count(text, b"-----BEGIN ");
    let blocks = pem::parse_many(text).map_err(|error| {
        PemError::Damaged(match error {
            pem::PemError::MismatchedTags(..) => {
                "the END line does not match the BEGIN line".into()
            }
            pem::PemError::InvalidData(_) => "not base64".into(),
            _ => "malformed block".into(),
        })
    })?;
    if begins != blocks.len() {
        return Err(PemError::Damaged("a block without an END line".into()));
    }
    if blocks.is_empty() {
        return Err(PemError::Empty);
    }
    Ok(blocks
        .into_iter()
        .map(|block| PemBlock {
            label: block.tag().to_owned(),
            encrypted: block
                .headers()
                .get("Proc-Type")
                .is_some_and(|kind| kind.contains("ENCRYPTED")),
            der: Zeroizing::new(block.into_contents()),
        })
        .collect())
}

/// `der` as a block of 64-character lines that ends with a line feed.
pub fn to_pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    let mut block = Pem::new(label, der);
    let text = pem::encode_config(&block, config);
    // The crate's copy of a private key must not outlive this call.
    let mut contents = std::mem::replace(&mut block, Pem::new("", [])).into_contents();
    contents.zeroize();
    Zeroizing::new(text)
}

fn count(text: &[u8], what: &[u8]) -> usize {
    text.windows(what.len())
        .filter(|window| *window == what)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_among_other_text() {
        let text = format!(
            "subject=x\n{}\nand\n{}",
            *to_pem("A", &[1; 100]),
            *to_pem("B", &[2])
        );
        let blocks = parse_pem(text.as_bytes()).unwrap();
        assert_eq!(blocks.len(), 2);
        assert_eq!(
            (blocks[0].label.as_str(), &blocks[0].der[..]),
            ("A", &[1; 100][..])
        );
        assert!(text.lines().all(|line| line.len() <= 64));
    }

    #[test]
    fn damage_is_told_from_emptiness() {
        assert_eq!(parse_pem(b"hello").err(), Some(PemError::Empty));
        let whole = to_pem("A", &[1; 100]);
        let cut = &whole.as_bytes()[..whole.len() - 20];
        assert!(matches!(parse_pem(cut), Err(PemError::Damaged(_))));
        assert!(matches!(
            parse_pem(whole.replace("AQEB", "****").as_bytes()),
            Err(PemError::Damaged(_))
        ));
    }
}
