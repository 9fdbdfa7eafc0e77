//! What a command line asks a new cluster to be.

use std::path::{Path, PathBuf};

use pki_core::cluster::spec::{
    ClusterSpec, Difference, IpFamily, NodeDocument, ProfileReference, SpecBuilder, Written,
};
use pki_core::converge::cluster_directory::{SPEC, read_text};
use pki_core::converge::host;
use pki_core::converge::problem::Problem;

use super::SourceError;

/// What a command line asks a new cluster to be, as it was typed: the spec checks it, and names the flag of each mistake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MakeOptions {
    /// `--service-cidr`: one, or one of each family.
    pub service_cidrs: Vec<String>,
    /// `--cluster-dns`.
    pub cluster_dns: Vec<String>,
    /// `--pod-cidr`.
    pub pod_cidrs: Vec<String>,
    /// `--domain`.
    pub domain: Option<String>,
    /// `--name`.
    pub name: Option<String>,
    /// `--endpoint`.
    pub endpoint: Option<String>,
    /// `--node`: this machine's name in the cluster, else its host name.
    pub node: Option<String>,
    /// `--address`: this machine's addresses, the preferred first; else those that others can dial.
    pub addresses: Vec<String>,
    /// `--san`.
    pub sans: Vec<String>,
    /// `--user`, as `NAME[:GROUP,...]`.
    pub users: Vec<String>,
    /// `--profile`: a shipped one's name, or a file.
    pub profile: Option<String>,
    /// `--key-algorithm`.
    pub key_algorithm: Option<String>,
    /// `--validity`.
    pub validity: Option<String>,
    /// `--ca-validity`.
    pub ca_validity: Option<String>,
}

impl MakeOptions {
    /// This machine's name in the cluster.
    pub(super) fn node_name(&self) -> Result<String, SourceError> {
        match &self.node {
            Some(name) => Ok(name.clone()),
            None => Ok(host::name()?.to_string()),
        }
    }

    /// The spec of a new cluster, for the cluster.toml of `dir`.
    pub(super) fn spec(
        &self,
        dir: &Path,
        ca_dir: Option<&Path>,
    ) -> Result<ClusterSpec, SourceError> {
        let file = dir.join(SPEC);
        if self.service_cidrs.is_empty() {
            return Err(SourceError::NothingGiven(file));
        }
        let mut builder = self.over(ClusterSpec::builder())?;
        if let Some(ca_dir) = ca_dir {
            builder = builder.ca_dir(Written::flag("--ca-dir", absolute(ca_dir)?));
        }
        let mut node = NodeDocument::new(Written::flag("--node", self.node_name()?));
        node = if self.addresses.is_empty() {
            let family = match self.service_cidrs[0].contains(':') {
                true => IpFamily::V6,
                false => IpFamily::V4,
            };
            let addresses = host::addresses(family)?;
            if addresses.is_empty() {
                return Err(host::HostError::NoAddress.into());
            }
            node.addresses(addresses)
        } else {
            node.addresses(flags("--address", &self.addresses))
        };
        if self.profile.as_deref() == Some("external-etcd") {
            node = node.roles(["control-plane", "worker"]);
        }
        let spec = builder.node(node).build();
        spec.map_err(|source| SourceError::Options { file, source })
    }

    /// Refuses what the cluster.toml of `dir` does not say: it is changed there, not by flags.
    pub(super) fn agree(&self, dir: &Path, has: &ClusterSpec) -> Result<(), SourceError> {
        let (file, text) = read_text(dir)?;
        let mut builder = SpecBuilder::from_toml(&text);
        // The address of the cluster DNS was chosen in the range of the file; another range has its own.
        if !self.service_cidrs.is_empty()
            && !builder.given_service_cidrs().eq(self.service_cidrs.iter())
        {
            builder = builder.cluster_dns(Vec::<Written>::new());
        }
        let asked = self.over(builder)?.build().map_err(|source| {
            let file = file.clone();
            SourceError::Options { file, source }
        })?;
        let follows = self.cluster_dns.is_empty() && has.service_cidrs() != asked.service_cidrs();
        let mut problems: Vec<_> = has
            .differences(&asked)
            .into_iter()
            .filter(|one| !(follows && one.field == "cluster-dns"))
            .map(|one| disagreement(&file, one))
            .collect();
        if let Some(node) = self.node.as_deref().and_then(|name| has.node(name))
            && !self.addresses.is_empty()
        {
            let addresses: Vec<_> = node.addresses().iter().map(ToString::to_string).collect();
            if addresses != self.addresses {
                problems.push(disagreement(
                    &file,
                    Difference {
                        field: "addresses",
                        has: addresses.join(", "),
                        other: self.addresses.join(", "),
                    },
                ));
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(SourceError::Disagree(problems))
        }
    }

    /// Each flag replaces what the spec says. The machine itself is not among them.
    fn over(&self, mut builder: SpecBuilder) -> Result<SpecBuilder, SourceError> {
        type Many = fn(SpecBuilder, Vec<Written>) -> SpecBuilder;
        let many: [(&'static str, &[String], Many); 4] = [
            (
                "--service-cidr",
                &self.service_cidrs,
                SpecBuilder::service_cidrs,
            ),
            ("--cluster-dns", &self.cluster_dns, SpecBuilder::cluster_dns),
            ("--pod-cidr", &self.pod_cidrs, SpecBuilder::pod_cidrs),
            ("--san", &self.sans, SpecBuilder::sans),
        ];
        for (flag, values, set) in many {
            if !values.is_empty() {
                builder = set(builder, flags(flag, values));
            }
        }
        let profile = self.profile.as_deref().map(absolute_profile).transpose()?;
        type One = fn(SpecBuilder, Written) -> SpecBuilder;
        let single: [(&str, Option<&String>, One); 7] = [
            ("--name", self.name.as_ref(), SpecBuilder::name),
            ("--domain", self.domain.as_ref(), SpecBuilder::domain),
            ("--endpoint", self.endpoint.as_ref(), SpecBuilder::endpoint),
            ("--profile", profile.as_ref(), SpecBuilder::profile),
            (
                "--key-algorithm",
                self.key_algorithm.as_ref(),
                SpecBuilder::key_algorithm,
            ),
            ("--validity", self.validity.as_ref(), SpecBuilder::validity),
            (
                "--ca-validity",
                self.ca_validity.as_ref(),
                SpecBuilder::ca_validity,
            ),
        ];
        for (flag, value, set) in single {
            if let Some(value) = value {
                builder = set(builder, Written::flag(flag, value));
            }
        }
        if !self.users.is_empty() {
            builder = builder.users([]);
            for user in &self.users {
                builder = builder.user_flag(user);
            }
        }
        Ok(builder)
    }
}

fn flags(flag: &str, values: &[String]) -> Vec<Written> {
    let values = values.iter();
    values.map(|value| Written::flag(flag, value)).collect()
}

fn disagreement(file: &Path, difference: Difference) -> Problem {
    let Difference { field, has, other } = difference;
    let or_none = |text: String| {
        if text.is_empty() {
            "nothing".into()
        } else {
            text
        }
    };
    Problem::new(
        format!(
            "{} says {field} {}, not {}",
            file.display(),
            or_none(has),
            or_none(other)
        ),
        "take the flag away; to change the cluster, change cluster.toml and run kinstall node again",
    )
}

/// A shipped profile by its name; a file from where the user stands.
fn absolute_profile(text: &str) -> Result<String, SourceError> {
    match text.parse() {
        Ok(ProfileReference::File(path)) => absolute(&path),
        _ => Ok(text.to_owned()),
    }
}

fn absolute(path: &Path) -> Result<String, SourceError> {
    let absolute = std::path::absolute(path).map_err(|source| SourceError::Io {
        path: path.to_owned(),
        source,
    })?;
    absolute
        .into_os_string()
        .into_string()
        .map_err(|path| SourceError::Path {
            path: PathBuf::from(path),
            reason: "not UTF-8, as cluster.toml is".into(),
        })
}
