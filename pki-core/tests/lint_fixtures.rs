//! The fixtures of the lint are exactly what `cargo run -p pki-core --example lint_fixtures` writes.

use std::collections::BTreeSet;
use std::path::Path;

#[path = "../examples/lint_fixtures/cluster.rs"]
mod cluster;
#[path = "../examples/lint_fixtures/forge.rs"]
mod forge;
#[path = "../examples/lint_fixtures/x509.rs"]
mod x509;

#[test]
fn fixtures_are_what_the_generator_writes() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut written = BTreeSet::new();
    for (path, text) in x509::files().into_iter().chain(cluster::files()) {
        let path = source.join(path);
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, text, "{}", path.display());
        written.insert(path);
    }
    for folder in ["x509/lint/fixtures", "cluster/lint/fixtures"] {
        for file in std::fs::read_dir(source.join(folder)).unwrap() {
            let path = file.unwrap().path();
            assert!(
                path.is_dir() || written.contains(&path),
                "{}: who writes it?",
                path.display()
            );
        }
    }
}
