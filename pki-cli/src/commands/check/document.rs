//! A check for programs.

use pki_core::cluster::consumer::{Consumer, Need};
use pki_core::converge::check::{
    CheckedCertificate, EndpointCheck, FilePart, Finding, FoundAt, OnDisk,
};
use pki_core::x509::Certificate;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Checked;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    now: String,
    level: &'static str,
    certificates: Vec<OnDiskDocument>,
    servers: Vec<ServerDocument>,
    unknown: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct OnDiskDocument {
    name: String,
    artifact: Option<String>,
    /// Whose successor it is.
    succeeds: Option<String>,
    #[serde(flatten)]
    certificate: CertificateDocument,
    used_by: Vec<ConsumerDocument>,
    places: Vec<PlaceDocument>,
    level: &'static str,
    findings: Vec<FindingDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct CertificateDocument {
    subject: String,
    issuer: String,
    serial: String,
    ca: bool,
    not_before: String,
    not_after: String,
    days_left: i64,
    fingerprint: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ConsumerDocument {
    component: &'static str,
    node: Option<String>,
    /// `nothing`, `restart`, or the signal.
    needs: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PlaceDocument {
    path: String,
    /// So many certificates stand before it in the file.
    position: Option<usize>,
    /// The user of a kubeconfig whose certificate it is.
    user: Option<String>,
    /// The cluster of a kubeconfig that it is trusted for.
    cluster: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct FindingDocument {
    code: &'static str,
    level: &'static str,
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ServerDocument {
    server: String,
    artifact: Option<String>,
    /// Why nothing is known of it.
    error: Option<String>,
    address: Option<String>,
    tls: Option<String>,
    asks_for_certificate: Option<bool>,
    refusal: Option<String>,
    chain: Vec<CertificateDocument>,
    /// The file of what it serves, or should.
    path: Option<String>,
    serves_path: Option<bool>,
    used_by: Vec<ConsumerDocument>,
    level: &'static str,
    findings: Vec<FindingDocument>,
}

impl Document {
    pub fn new(checked: &Checked) -> Self {
        let now = checked.now;
        let certificates = checked.files.certificates.iter();
        let servers = checked.endpoints.iter();
        Self {
            now: rfc3339(now),
            level: checked.level().as_str(),
            certificates: certificates.map(|one| on_disk(one, now)).collect(),
            servers: servers.map(|one| server(one, now)).collect(),
            unknown: checked.unknown().map(|failure| failure.facts()).collect(),
        }
    }
}

fn on_disk(one: &CheckedCertificate, now: OffsetDateTime) -> OnDiskDocument {
    OnDiskDocument {
        name: one.name(),
        artifact: one.artifact.as_ref().map(ToString::to_string),
        succeeds: one.succeeds.as_ref().map(ToString::to_string),
        certificate: certificate(&one.certificate, now),
        used_by: one.consumers.iter().map(consumer).collect(),
        places: one.places.iter().map(place).collect(),
        level: one.level().as_str(),
        findings: one.findings.iter().map(finding).collect(),
    }
}

fn server(one: &EndpointCheck, now: OffsetDateTime) -> ServerDocument {
    let served = one.served.as_ref().ok();
    let (path, same) = match &one.on_disk {
        OnDisk::Same(path) => (Some(path), Some(true)),
        OnDisk::Other(path) => (Some(path), Some(false)),
        OnDisk::Nothing => (None, None),
    };
    ServerDocument {
        server: one.target.address.to_string(),
        artifact: one.target.artifact.as_ref().map(ToString::to_string),
        error: one.served.as_ref().err().map(ToString::to_string),
        address: served.map(|served| served.address.to_string()),
        tls: served.and_then(|served| Some(served.version?.to_string())),
        asks_for_certificate: served.map(|served| served.asks_for_certificate),
        refusal: served.and_then(|served| served.refusal.clone()),
        chain: served
            .iter()
            .flat_map(|served| &served.chain)
            .map(|one| certificate(one, now))
            .collect(),
        path: path.map(|path| path.display().to_string()),
        serves_path: same,
        used_by: one.consumers.iter().map(consumer).collect(),
        level: one.level().as_str(),
        findings: one.findings.iter().map(finding).collect(),
    }
}

fn certificate(certificate: &Certificate, now: OffsetDateTime) -> CertificateDocument {
    CertificateDocument {
        subject: certificate.subject.to_string(),
        issuer: certificate.issuer.to_string(),
        serial: certificate.serial.to_string(),
        ca: certificate.is_ca,
        not_before: rfc3339(certificate.validity.not_before),
        not_after: rfc3339(certificate.validity.not_after),
        days_left: certificate.validity.left(now).whole_days(),
        fingerprint: certificate.fingerprint(),
    }
}

fn consumer(consumer: &Consumer) -> ConsumerDocument {
    ConsumerDocument {
        component: consumer.component.as_str(),
        node: consumer.node.as_ref().map(ToString::to_string),
        needs: match consumer.need {
            Need::Nothing => "nothing",
            Need::Signal(signal) => signal,
            Need::Restart => "restart",
        },
    }
}

fn place(at: &FoundAt) -> PlaceDocument {
    let (position, user, cluster) = match &at.part {
        FilePart::Position(position) | FilePart::Further(position) => (Some(*position), None, None),
        FilePart::Client(user) => (None, Some(user.clone()), None),
        FilePart::Authority(cluster) => (None, None, Some(cluster.clone())),
    };
    PlaceDocument {
        path: at.path.display().to_string(),
        position,
        user,
        cluster,
    }
}

fn finding(finding: &Finding) -> FindingDocument {
    FindingDocument {
        code: finding.code(),
        level: finding.level().as_str(),
        text: finding.to_string(),
    }
}

fn rfc3339(moment: OffsetDateTime) -> String {
    let whole = moment.replace_nanosecond(0).unwrap_or(moment);
    whole.format(&Rfc3339).unwrap_or_default()
}
