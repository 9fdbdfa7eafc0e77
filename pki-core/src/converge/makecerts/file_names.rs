//! How Makecerts calls files: prefix, subject and suffix joined by dots, and an extension.

use std::path::PathBuf;

use super::options::AuthorityOptions;
use super::spec::Spec;

/// What is around the subject in the name of a file.
#[derive(Clone, Debug)]
pub struct FileNames {
    /// `--name-prefix`.
    pub prefix: String,
    /// `--name-suffix`.
    pub suffix: String,
    /// `--cert-file-ext`.
    pub cert_extension: String,
    /// `--key-file-ext`.
    pub key_extension: String,
    /// `--request-file-ext`.
    pub request_extension: String,
}

impl Default for FileNames {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            suffix: String::new(),
            cert_extension: "crt".into(),
            key_extension: "key".into(),
            request_extension: "req".into(),
        }
    }
}

/// The files of one spec, or of the authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub csr: PathBuf,
}

impl FileNames {
    pub(super) fn of(&self, spec: &Spec) -> Files {
        let first = spec.subjects.first().map_or("", String::as_str);
        let base = joined(&[&self.prefix, &in_a_file_name(first), &self.suffix]);
        self.files(&base, [&spec.cert, &spec.key, &spec.csr])
    }

    pub(super) fn of_authority(&self, authority: &AuthorityOptions) -> Files {
        let name = in_a_file_name(&authority.common_name);
        let base = joined(&[
            &authority.prefix,
            &self.prefix,
            &name,
            &self.suffix,
            &authority.suffix,
        ]);
        self.files(&base, [&authority.cert, &authority.key, &authority.csr])
    }

    fn files(&self, base: &str, [cert, key, csr]: [&Option<PathBuf>; 3]) -> Files {
        let path = |given: &Option<PathBuf>, extension: &str| {
            given
                .clone()
                .unwrap_or_else(|| format!("{base}.{extension}").into())
        };
        Files {
            cert: path(cert, &self.cert_extension),
            key: path(key, &self.key_extension),
            csr: path(csr, &self.request_extension),
        }
    }
}

fn joined(parts: &[&str]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(".")
}

/// As Makecerts writes them: dots as underscores, no blanks, `STAR` for a wildcard. A slash, as in a URI, is an
/// underscore too: Makecerts takes it for a directory, which is not there.
fn in_a_file_name(subject: &str) -> String {
    subject
        .replace(['.', '/'], "_")
        .replace(' ', "")
        .replace('*', "STAR")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cert(names: &FileNames, spec: &str) -> String {
        let files = names.of(&Spec::parse(spec).unwrap());
        files.cert.display().to_string()
    }

    #[test]
    fn files_are_called_as_makecerts_calls_them() {
        let plain = FileNames::default();
        for (spec, name) in [
            ("host1", "host1.crt"),
            ("host2.example.com,10.0.0.1", "host2_example_com.crt"),
            ("*.w.example", "STAR_w_example.crt"),
            ("ann@a.example", "ann@a_example.crt"),
            ("https://a/b", "https:__a_b.crt"),
            ("a?cert=x/y.pem", "x/y.pem"),
        ] {
            assert_eq!(cert(&plain, spec), name);
        }
        let dressed = FileNames {
            prefix: "pre".into(),
            suffix: "suf".into(),
            cert_extension: "pem".into(),
            ..plain
        };
        assert_eq!(cert(&dressed, "a.b"), "pre.a_b.suf.pem");
        let authority = AuthorityOptions {
            prefix: "caprefix".into(),
            ..AuthorityOptions::default()
        };
        let files = dressed.of_authority(&authority);
        assert_eq!(
            files.cert.to_str(),
            Some("caprefix.pre.localhost.suf.ca.pem")
        );
        assert_eq!(
            files.csr.to_str(),
            Some("caprefix.pre.localhost.suf.ca.req")
        );
        let plain = FileNames::default().of_authority(&AuthorityOptions::default());
        assert_eq!(plain.key.to_str(), Some("localhost.ca.key"));
    }
}
