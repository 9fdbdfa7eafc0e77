use std::io::{Read, Write};

use ring::rand::SystemRandom;

use super::*;
use pki_core::x509::Passphrase;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned().into()).unwrap()
}

fn key() -> FileKey {
    FileKey(Zeroizing::new([7; 16]))
}

fn sealed(plain: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &key(), &SystemRandom::new()).unwrap();
    writer.write_all(plain).unwrap();
    writer.finish().unwrap()
}

fn opened(sealed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    Reader::new(sealed, &key())?.read_to_end(&mut plain)?;
    Ok(plain)
}

#[test]
fn what_is_sealed_is_opened_whatever_its_length() {
    const CHUNK: usize = 64 << 10;
    for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK - 5] {
        let plain: Vec<u8> = (0..length).map(|at| at as u8).collect();
        let sealed = sealed(&plain);
        // A salt, and a code for each chunk; the last one is not empty but for an empty file.
        let chunks = length.div_ceil(CHUNK).max(1);
        assert_eq!(sealed.len(), 16 + length + 16 * chunks);
        assert!(opened(&sealed).unwrap() == plain, "{length}");
    }
}

#[test]
fn what_was_changed_moved_or_cut_off_is_not_opened() {
    const CHUNK: usize = (64 << 10) + 16;
    let sealed = sealed(&vec![1; 150_000]);
    for at in [0, 15, 16, 17, 16 + CHUNK, sealed.len() - 1] {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(opened(&changed).is_err(), "{at}");
    }
    for length in [0, 15, 16, 40, 16 + CHUNK, 16 + 2 * CHUNK, sealed.len() - 1] {
        assert!(opened(&sealed[..length]).is_err(), "{length}");
    }
    let mut moved = sealed.clone();
    moved[16..16 + 2 * CHUNK].rotate_left(CHUNK);
    assert!(opened(&moved).is_err());
    let mut longer = sealed;
    longer.push(0);
    assert!(opened(&longer).is_err());
}

#[test]
fn a_header_opens_with_its_passphrase_alone() {
    let (text, key) = Header::create(&passphrase("correct horse"), &SystemRandom::new());
    let with_more = [&text[..], b"payload"].concat();
    let mut rest = with_more.as_slice();
    let header = Header::read(&mut rest).unwrap().unwrap();
    assert_eq!(rest, b"payload");
    let same = header.unlock(&passphrase("correct horse")).unwrap();
    assert!(*same.0 == *key.0);
    let wrong = header.unlock(&passphrase("correct horsE")).err();
    assert_eq!(wrong, Some(HeaderError::WrongPassphrase));
}

#[test]
fn a_header_that_was_changed_gives_no_key() {
    let (text, _) = Header::create(&passphrase("x"), &SystemRandom::new());
    for at in 0..text.len() {
        let mut changed = text.clone();
        changed[at] ^= 1;
        match Header::read(&mut changed.as_slice()).unwrap() {
            // Deriving a key takes its time, and one of each kind shows it: cost, salt, wrapped key, code.
            Ok(header) if at % 20 == 0 => {
                assert!(header.unlock(&passphrase("x")).is_err(), "{at}");
            }
            _ => {}
        }
        let cut = Header::read(&mut &text[..at]).unwrap();
        assert!(cut.is_err(), "{at}");
    }
}

#[test]
fn only_a_passphrase_alone_is_read_and_none_that_takes_too_much_memory() {
    let body = "A".repeat(43);
    let said = |text: String| {
        let read = Header::read(&mut text.as_bytes()).unwrap();
        read.err().map(|error| error.to_string())
    };
    let version = "age-encryption.org/v1";
    let salt = "A".repeat(22);
    let fine = format!("{version}\n-> scrypt {salt} 18\n{body}\n--- {body}\n");
    assert_eq!(said(fine.clone()), None);
    let costly = fine.replace(" 18", " 30");
    assert!(said(costly).unwrap().contains("memory"));
    let key = fine.replace("scrypt", "X25519");
    assert!(said(key).unwrap().contains("key"));
    for wrong in [
        fine.replace("/v1", "/v2"),
        fine.replace(" 18", " 018"),
        fine.replace(" 18", " +18"),
        fine.replace(" 18", ""),
        fine.replace(
            &format!("{body}\n---"),
            &format!("{body}\n-> scrypt {salt} 18\n{body}\n---"),
        ),
        fine.replace(&salt, "AAAA"),
        // Bits beyond the last byte: another way to write the same.
        fine.replace(&format!("--- {body}"), &format!("--- {}B", &body[1..])),
    ] {
        assert!(said(wrong.clone()).is_some(), "{wrong}");
    }
}
