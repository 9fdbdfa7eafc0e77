//! The spec that a command line asks for: a file, flags over it, and this host where no node is named.

use std::path::{Path, PathBuf};

use pki_core::cluster::spec::{
    AuthorityDocument, ClusterSpec, IpFamily, NodeDocument, ProfileReference, SpecBuilder, Written,
};
use pki_core::converge::host;

use crate::arguments::Init;
use crate::cluster::SPEC;
use crate::output::errors::Failure;

/// A checked spec, and the text that becomes cluster.toml.
pub struct Wanted {
    pub spec: ClusterSpec,
    pub text: String,
    /// Where it was read from: relative paths in it are relative to that file's directory.
    pub file: PathBuf,
}

/// The spec of `--spec`, or of nothing, with the flags over it.
pub fn read(arguments: &Init) -> Result<Wanted, Failure> {
    let target = arguments.dir.join(SPEC);
    let Some(file) = &arguments.spec else {
        if arguments.service_cidr.is_empty() {
            return Err(Failure::new("neither --service-cidr nor --spec is given")
                .hint("kpki init --service-cidr 10.3.0.0/24"));
        }
        return over("", &target, arguments, &target);
    };
    let text = std::fs::read_to_string(file).map_err(|error| Failure::io(file, &error))?;
    over(&text, file, arguments, &target)
}

/// The spec in `text`, which is that of `file`, with the flags over it, for the cluster.toml at `target`.
pub fn over(text: &str, file: &Path, arguments: &Init, target: &Path) -> Result<Wanted, Failure> {
    let mut changed = text.is_empty();
    let builder = with_flags(SpecBuilder::from_toml(text), arguments, &mut changed)?;
    let builder = at_home(builder, file, target, &mut changed)?;
    let builder = with_host(builder, arguments, &mut changed)?;
    let name = file.display().to_string();
    let spec = builder
        .build()
        .map_err(|error| Failure::spec(&error, &name))?;
    let text = if changed {
        spec.to_toml()
    } else {
        text.to_owned()
    };
    Ok(Wanted {
        spec,
        text,
        file: if changed {
            target.to_owned()
        } else {
            file.to_owned()
        },
    })
}

/// Each flag replaces what the file says.
fn with_flags(
    mut builder: SpecBuilder,
    arguments: &Init,
    changed: &mut bool,
) -> Result<SpecBuilder, Failure> {
    let many = |flag: &'static str, values: &[String]| -> Vec<Written> {
        values
            .iter()
            .map(|value| Written::flag(flag, value))
            .collect()
    };
    if !arguments.service_cidr.is_empty() {
        // The address of the cluster DNS was chosen in the range of the file; another range has its own.
        if !builder
            .given_service_cidrs()
            .eq(arguments.service_cidr.iter())
        {
            builder = builder.cluster_dns(Vec::<Written>::new());
        }
        builder = builder.service_cidrs(many("--service-cidr", &arguments.service_cidr));
        *changed = true;
    }
    if !arguments.cluster_dns.is_empty() {
        builder = builder.cluster_dns(many("--cluster-dns", &arguments.cluster_dns));
        *changed = true;
    }
    if !arguments.pod_cidr.is_empty() {
        builder = builder.pod_cidrs(many("--pod-cidr", &arguments.pod_cidr));
        *changed = true;
    }
    if !arguments.san.is_empty() {
        builder = builder.sans(many("--san", &arguments.san));
        *changed = true;
    }
    let profile = arguments
        .profile
        .as_deref()
        .map(absolute_profile)
        .transpose()?;
    let ca_dir = arguments.ca_dir.as_deref().map(absolute).transpose()?;
    type Setter = fn(SpecBuilder, Written) -> SpecBuilder;
    let single: [(&str, Option<&String>, Setter); 8] = [
        ("--name", arguments.name.as_ref(), SpecBuilder::name),
        ("--domain", arguments.domain.as_ref(), SpecBuilder::domain),
        (
            "--endpoint",
            arguments.endpoint.as_ref(),
            SpecBuilder::endpoint,
        ),
        ("--profile", profile.as_ref(), SpecBuilder::profile),
        (
            "--key-algorithm",
            arguments.key_algorithm.as_ref(),
            SpecBuilder::key_algorithm,
        ),
        (
            "--validity",
            arguments.validity.as_ref(),
            SpecBuilder::validity,
        ),
        (
            "--ca-validity",
            arguments.ca_validity.as_ref(),
            SpecBuilder::ca_validity,
        ),
        ("--ca-dir", ca_dir.as_ref(), SpecBuilder::ca_dir),
    ];
    for (flag, value, set) in single {
        if let Some(value) = value {
            builder = set(builder, Written::flag(flag, value));
            *changed = true;
        }
    }
    if !arguments.node.is_empty() {
        builder = builder.nodes([]);
        for node in &arguments.node {
            builder = builder.node_flag(node);
        }
        *changed = true;
    }
    if !arguments.user.is_empty() {
        builder = builder.users([]);
        for user in &arguments.user {
            builder = builder.user_flag(user);
        }
        *changed = true;
    }
    for authority in &arguments.authority {
        builder = builder.authority(&authority.id, AuthorityDocument::imported());
        *changed = true;
    }
    Ok(builder)
}

/// Paths in a spec are relative to its own directory, so those of a file from elsewhere become absolute.
fn at_home(
    mut builder: SpecBuilder,
    file: &Path,
    target: &Path,
    changed: &mut bool,
) -> Result<SpecBuilder, Failure> {
    if file.parent() == target.parent() {
        return Ok(builder);
    }
    let base = file.parent().unwrap_or(Path::new(""));
    let moved = |text: &str| {
        let path = Path::new(text);
        (path.is_relative() && !text.is_empty())
            .then(|| absolute(&base.join(path)))
            .transpose()
    };
    let own_profile = builder
        .given_profile()
        .filter(|text| matches!(text.parse(), Ok(ProfileReference::File(_))));
    if let Some(path) = own_profile.map(moved).transpose()?.flatten() {
        builder = builder.profile(path);
        *changed = true;
    }
    if let Some(path) = builder.given_ca_dir().map(moved).transpose()?.flatten() {
        builder = builder.ca_dir(path);
        *changed = true;
    }
    Ok(builder)
}

/// This host, where no node is named.
fn with_host(
    builder: SpecBuilder,
    arguments: &Init,
    changed: &mut bool,
) -> Result<SpecBuilder, Failure> {
    // A --node that could not be read is a node all the same: its mistake is told, not hidden by another.
    if builder.has_nodes() || !arguments.node.is_empty() {
        return Ok(builder);
    }
    let first = builder.given_service_cidrs().next();
    let family = match first.is_some_and(|cidr| cidr.contains(':')) {
        true => IpFamily::V6,
        false => IpFamily::V4,
    };
    let host = host::this(family).map_err(|error| {
        Failure::new(error).hint("name the machine yourself: --node NAME=ADDRESS")
    })?;
    let mut node = NodeDocument::new(host.name).addresses(host.addresses);
    if builder.given_profile() == Some("external-etcd") {
        node = node.roles(["control-plane", "worker"]);
    }
    *changed = true;
    Ok(builder.node(node))
}

/// A shipped profile by its name; a file from where the user stands.
fn absolute_profile(text: &str) -> Result<String, Failure> {
    match text.parse() {
        Ok(ProfileReference::File(path)) => absolute(&path),
        _ => Ok(text.to_owned()),
    }
}

fn absolute(path: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(path).map_err(|error| Failure::io(path, &error))?;
    absolute.into_os_string().into_string().map_err(|path| {
        Failure::new(format_args!(
            "{}: not UTF-8, as cluster.toml is",
            Path::new(&path).display()
        ))
        .hint("choose a path of ordinary characters")
    })
}
