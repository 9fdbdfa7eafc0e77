//! `kpki inspect`.

use std::fmt::Write;
use std::path::Path;

use pki_core::cluster::{Kubeconfig, Material};
use pki_core::x509::Certificate;
use pki_core::x509::inspect::{CertificateReport, PublicKeyReport, Report};
use serde::Serialize;
use time::OffsetDateTime;

use crate::arguments::Inspect;
use crate::files;
use crate::output::errors::{Failure, printable};
use crate::output::{Outcome, json};

pub fn run(arguments: &Inspect) -> Result<Outcome, Failure> {
    let stdin = arguments.file == Path::new("-");
    let bytes = if stdin {
        files::read_stdin()?
    } else {
        files::read(&arguments.file)?
    };
    let name = if stdin {
        "standard input".into()
    } else {
        arguments.file.display().to_string()
    };
    let now = OffsetDateTime::now_utc();
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) if is_kubeconfig(text) => {
            let config = Kubeconfig::parse(text).map_err(|error| {
                Failure::new(format_args!("{name}: kubeconfig: {error}"))
                    .hint("kubectl config view shows what is in it as far as it can be read")
            })?;
            let report = KubeconfigReport::of(&config, now);
            if arguments.json {
                json::document(&report)
            } else {
                report.text()
            }
        }
        Ok(text) if text.contains("EncryptionConfiguration") => {
            return Err(Failure::new(format_args!(
                "{name}: an encryption configuration: it holds secret keys and nothing else to show"
            ))
            .hint("kpki plan tells whether it is as it should be"));
        }
        _ => {
            let report = Report::of(&bytes, now).map_err(|error| {
                Failure::new(format_args!("{name}: {error}")).hint(
                    "name a file of certificates, signing requests or keys (PEM or DER), or a kubeconfig",
                )
            })?;
            if arguments.json {
                json::document(&report)
            } else {
                report.to_string()
            }
        }
    };
    Ok(Outcome::fine(text))
}

/// A kubeconfig is told by its words; PEM has none of them.
fn is_kubeconfig(text: &str) -> bool {
    !text.contains("-----BEGIN ") && text.contains("current-context")
}

/// The current context of a kubeconfig.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct KubeconfigReport {
    encoding: &'static str,
    cluster: String,
    server: String,
    user: String,
    authorities: MaterialReport<Vec<CertificateReport>>,
    certificates: MaterialReport<Vec<CertificateReport>>,
    key: MaterialReport<KeyReport>,
}

/// Something that a kubeconfig holds, or refers to by a path, or lacks.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum MaterialReport<T> {
    Embedded(T),
    Path(String),
    Absent,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct KeyReport {
    public_key: PublicKeyReport,
    /// Whether it is the key of the first certificate; absent where that is not in the file.
    belongs_to_certificate: Option<bool>,
}

impl KubeconfigReport {
    fn of(config: &Kubeconfig, now: OffsetDateTime) -> Self {
        let chain = |material: &Material<Vec<Certificate>>| {
            report(material, |chain| {
                chain
                    .iter()
                    .map(|certificate| CertificateReport::new(certificate, now))
                    .collect()
            })
        };
        let first = config.chain.embedded().and_then(|chain| chain.first());
        Self {
            encoding: "kubeconfig",
            cluster: config.cluster.clone(),
            server: config.server.clone(),
            user: config.user.clone(),
            authorities: chain(&config.trusts),
            certificates: chain(&config.chain),
            key: report(&config.key, |key| KeyReport {
                public_key: PublicKeyReport::new(key.public_key()),
                belongs_to_certificate: first
                    .map(|certificate| certificate.public_key == *key.public_key()),
            }),
        }
    }

    fn text(&self) -> String {
        let mut text = String::from("kubeconfig\n");
        for (field, value) in [
            ("cluster", &self.cluster),
            ("server", &self.server),
            ("user", &self.user),
        ] {
            let _ = writeln!(text, "   {:<21}{}", format!("{field}:"), printable(value));
        }
        certificates(&mut text, "client certificate", &self.certificates);
        let _ = writeln!(text, "\nclient key");
        match &self.key {
            MaterialReport::Embedded(key) => {
                let _ = writeln!(text, "   key algorithm:       {}", key.public_key.algorithm);
                let _ = writeln!(text, "   public key SHA-256:  {}", key.public_key.sha256);
                if let Some(belongs) = key.belongs_to_certificate {
                    let word = if belongs { "yes" } else { "no" };
                    let _ = writeln!(text, "   the certificate's:   {word}");
                }
            }
            other => elsewhere(&mut text, other),
        }
        certificates(&mut text, "authority", &self.authorities);
        text
    }
}

fn report<T, R>(material: &Material<T>, embedded: impl FnOnce(&T) -> R) -> MaterialReport<R> {
    match material {
        Material::Embedded(value) => MaterialReport::Embedded(embedded(value)),
        Material::Path(path) => MaterialReport::Path(path.clone()),
        Material::Absent => MaterialReport::Absent,
    }
}

fn certificates(text: &mut String, title: &str, material: &MaterialReport<Vec<CertificateReport>>) {
    match material {
        MaterialReport::Embedded(reports) => {
            for report in reports {
                let _ = writeln!(text, "\n{title}");
                for line in report.to_string().lines() {
                    let _ = writeln!(text, "   {line}");
                }
            }
        }
        other => {
            let _ = writeln!(text, "\n{title}");
            elsewhere(text, other);
        }
    }
}

fn elsewhere<T>(text: &mut String, material: &MaterialReport<T>) {
    let _ = match material {
        MaterialReport::Path(path) => writeln!(text, "   in the file {}", printable(path)),
        _ => writeln!(text, "   none"),
    };
}
