use std::os::unix::fs::PermissionsExt;

use ring::rand::SystemRandom;
use time::macros::datetime;

use super::*;
use crate::x509::{CaOptions, LeafRequest, RevocationReason};

const NOW: OffsetDateTime = datetime!(2026-12-01 0:00 UTC);

fn made(files: &CaFiles) -> Authority {
    let options = CaOptions::default();
    let (authority, key) = Authority::generate("ca", &options, NOW, &SystemRandom::new()).unwrap();
    let key = Zeroizing::new(key.secret_pem().as_bytes().to_vec());
    files
        .create(authority.certificate().pem().as_bytes(), key)
        .unwrap();
    authority
}

#[test]
fn a_ca_is_made_once_with_its_modes() {
    let scratch = tempfile::tempdir().unwrap();
    let files = CaFiles::at(&scratch.path().join("team")).unwrap();
    made(&files);
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(files.certificate()), 0o644);
    assert_eq!(mode(files.key()), 0o600);
    assert_eq!(mode(scratch.path().join("team")), 0o700);
    let before = std::fs::read(files.key()).unwrap();
    let again = files.create(b"x", Zeroizing::new(b"y".to_vec()));
    assert!(matches!(again, Err(CaFilesError::Exists(_))));
    assert_eq!(std::fs::read(files.key()).unwrap(), before);
    let names = std::fs::read_dir(scratch.path().join("team")).unwrap();
    assert_eq!(names.count(), 2, "nothing else is left");
}

#[test]
fn a_file_or_a_directory_names_it() {
    let at = |text: &str| CaFiles::at(Path::new(text)).unwrap();
    assert_eq!(at("team").certificate(), Path::new("team/ca.crt"));
    assert_eq!(at("team/corp.crt").key(), Path::new("team/corp.key"));
    assert_eq!(at("corp.pem").certificate(), Path::new("corp.pem"));
    assert_eq!(at("corp.pem").list(), Path::new("corp.crl"));
}

#[test]
fn numbers_rise_and_what_is_revoked_stays() {
    let scratch = tempfile::tempdir().unwrap();
    let files = CaFiles::at(scratch.path()).unwrap();
    let authority = made(&files);
    let rng = SystemRandom::new();
    let leaf = authority.issue(&LeafRequest::client("c"), NOW, &rng);
    let leaf = leaf.unwrap().certificate;
    let reason = RevocationReason::Superseded;
    for news in [true, false] {
        let changed = files.change_register(|register| {
            register.add_issued(&leaf);
            Ok::<_, CaFilesError>(register.revoke(&leaf.serial, None, reason, NOW))
        });
        assert_eq!(changed.unwrap(), news);
    }
    for number in 1..=3 {
        let list = files
            .write_list(&authority, Lifetime::days(7), NOW)
            .unwrap();
        assert_eq!(list.number, number);
        assert_eq!(list.revocation_of(&leaf).unwrap().reason, reason);
        let written = std::fs::read(files.list()).unwrap();
        assert_eq!(RevocationList::from_pem(&written), Ok(list));
    }
    let register = files.read_register().unwrap();
    assert_eq!(register.list_number, 3);
    assert_eq!(register.revoked[0].subject.as_deref(), Some("CN=c"));
}

#[test]
fn a_damaged_register_is_never_written_over() {
    let scratch = tempfile::tempdir().unwrap();
    let files = CaFiles::at(scratch.path()).unwrap();
    let authority = made(&files);
    for text in [
        "",
        "{}",
        r#"{"version":9,"list-number":0,"issued":[],"revoked":[]}"#,
    ] {
        std::fs::write(files.register(), text).unwrap();
        let error = files.write_list(&authority, Lifetime::days(7), NOW);
        assert!(matches!(error, Err(CaFilesError::Register { .. })));
        assert_eq!(std::fs::read_to_string(files.register()).unwrap(), text);
        assert!(!files.list().exists());
    }
}
