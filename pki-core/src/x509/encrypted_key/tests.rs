use super::*;
use crate::x509::KeyAlgorithm;

const FOREIGN: &str = include_str!("fixtures/openssl-3.pem");

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned().into()).unwrap()
}

fn blocks() -> impl Iterator<Item = (&'static str, &'static str)> {
    FOREIGN.split("# ").skip(1).map(|part| {
        let (title, pem) = part.split_once('\n').unwrap();
        (title, pem)
    })
}

#[test]
fn every_kind_of_key_reads_back() {
    let rng = ring::rand::SystemRandom::new();
    let secret = passphrase("pass phrase with ümlaut");
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm, &rng).unwrap();
        let text = key.encrypted_pem(&secret, &rng).unwrap();
        assert_ne!(text, key.encrypted_pem(&secret, &rng).unwrap(), "its salt");
        let again = PrivateKey::from_encrypted_pem(text.as_bytes(), &secret).unwrap();
        assert_eq!(again.secret_pem(), key.secret_pem());
        assert_eq!(
            PrivateKey::from_pem(text.as_bytes()).err(),
            Some(PrivateKeyError::Encrypted)
        );
    }
}

#[test]
fn what_others_wrote_is_read() {
    let secret = passphrase("secret");
    let mut read = 0;
    for (title, pem) in blocks().filter(|(title, _)| title.starts_with("reads")) {
        let key = PrivateKey::from_encrypted_pem(pem.as_bytes(), &secret);
        assert_eq!(
            key.map(|key| key.algorithm()),
            Ok(KeyAlgorithm::EcdsaP256),
            "{title}"
        );
        read += 1;
    }
    assert_eq!(read, 4);
}

#[test]
fn another_passphrase_is_told() {
    for wrong in ["Secret", "secret ", "x"].map(passphrase) {
        for (title, pem) in blocks().filter(|(title, _)| title.starts_with("reads")) {
            let error = PrivateKey::from_encrypted_pem(pem.as_bytes(), &wrong).err();
            assert_eq!(error, Some(PrivateKeyError::WrongPassphrase), "{title}");
        }
    }
}

#[test]
fn encryption_that_is_not_supported_is_named() {
    let secret = passphrase("secret");
    for (title, pem) in blocks().filter(|(title, _)| title.starts_with("refused")) {
        let error = PrivateKey::from_encrypted_pem(pem.as_bytes(), &secret).err();
        let Some(PrivateKeyError::UnsupportedEncryption(what)) = error else {
            panic!("{title}: {error:?}");
        };
        let (_, words) = title.split_once(": ").unwrap();
        assert_eq!(what, words);
    }
}

#[test]
fn a_file_cannot_keep_us_busy() {
    let iterations = |count| Pbkdf2Params::hmac_sha256(count, &[0; 8]).unwrap().into();
    assert!(affordable(&iterations(MOST_ITERATIONS)).is_ok());
    assert!(affordable(&iterations(MOST_ITERATIONS + 1)).is_err());
    let scrypt = |cost, block_size, parallelization| {
        let params = pkcs5::scrypt::Params::new(14, 8, 1).unwrap();
        let mut scrypt = pkcs5::pbes2::ScryptParams::from_params_and_salt(params, &[0; 8]).unwrap();
        scrypt.cost_parameter = cost;
        scrypt.block_size = block_size;
        scrypt.parallelization = parallelization;
        affordable(&Kdf::Scrypt(scrypt)).is_ok()
    };
    assert!(scrypt(1 << 14, 8, 1) && scrypt(1 << 18, 8, 1));
    assert!(!scrypt(1 << 19, 8, 1), "half a gigabyte");
    assert!(!scrypt(1 << 14, u16::MAX, 1), "by its blocks");
    assert!(!scrypt(1 << 14, 8, 1000), "a thousand times");
    assert!(!scrypt(0, 8, 1) && !scrypt(1, 8, 1), "no cost at all");
}

#[test]
fn a_key_without_encryption_needs_no_passphrase() {
    let rng = ring::rand::SystemRandom::new();
    let key = PrivateKey::generate(KeyAlgorithm::Ed25519, &rng).unwrap();
    let again = PrivateKey::from_encrypted_pem(key.secret_pem().as_bytes(), &passphrase("x"));
    assert_eq!(again.unwrap().public_key(), key.public_key());
}

#[test]
fn a_passphrase_shows_nothing_and_is_not_empty() {
    assert_eq!(format!("{:?}", passphrase("hunter2")), "Passphrase(..)");
    assert_eq!(
        Passphrase::new(String::new().into()).err(),
        Some(EmptyPassphrase)
    );
}
