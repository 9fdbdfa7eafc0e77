//! `kpki init` where a cluster.toml is already: nothing is changed, but what was never made is made.

use pki_core::cluster::Root;
use pki_core::cluster::spec::ClusterSpec;
use pki_core::converge::plan::Plan;
use pki_core::converge::store::Store;
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use super::{authority, report, wanted};
use crate::arguments::Init;
use crate::cluster::{Cluster, SPEC, read_spec};
use crate::commands::apply::{key_search, tell_of_recovery};
use crate::output::Outcome;
use crate::output::errors::Failure;
use crate::output::words::list;

pub fn run(arguments: &Init, now: OffsetDateTime) -> Result<Outcome, Failure> {
    let (file, text) = read_spec(&arguments.dir)?;
    let name = file.display().to_string();
    let spec = ClusterSpec::from_toml(&text).map_err(|error| Failure::spec(&error, &name))?;
    let asked = match &arguments.spec {
        Some(_) => wanted::read(arguments)?,
        None => wanted::over(&text, &file, arguments, &file)?,
    };
    agree(&spec, &asked.spec, &name, arguments)?;
    let cluster = Cluster::of(&arguments.dir, spec, &file, None)?;

    if Store::peek(&arguments.dir) {
        tell_of_recovery(&Store::open(&arguments.dir, &cluster.authorities)?);
    }
    let inventory = cluster.inventory()?;
    for imported in authority::load_all(&arguments.authority, &cluster, now)? {
        authority::same(&imported, &cluster)?;
    }
    let plan = Plan::new(&cluster.blueprint, &inventory, now);
    if plan.is_empty() {
        return Ok(report::nothing_to_do(&cluster, arguments.json));
    }
    let issued = inventory
        .files()
        .any(|(location, _)| location.root == Root::Tree);
    if issued {
        return Ok(report::drifted(&cluster, &plan, arguments.json));
    }
    // A cluster.toml that somebody wrote, and nothing made from it yet.
    if arguments.dry_run {
        return Ok(report::would_make(&cluster, &plan, arguments.json));
    }
    let mut store = Store::open(&arguments.dir, &cluster.authorities)?;
    let inventory = cluster.inventory()?;
    let plan = Plan::new(&cluster.blueprint, &inventory, now);
    let progress = key_search(&plan, &cluster);
    let changes = plan.execute(&SystemRandom::new())?;
    drop(progress);
    let applied = changes.commit(&mut store)?;
    Ok(report::made(&cluster, &applied, now, arguments.json))
}

/// Every flag that says something else than cluster.toml.
fn agree(
    has: &ClusterSpec,
    asked: &ClusterSpec,
    file: &str,
    arguments: &Init,
) -> Result<(), Failure> {
    // Another service CIDR brings another cluster DNS along, which is not worth a second error.
    let follows = arguments.cluster_dns.is_empty() && has.service_cidrs() != asked.service_cidrs();
    let (has, asked) = (fields(has), fields(asked));
    let differ = has
        .into_iter()
        .zip(asked)
        .filter(|(has, asked)| has != asked && !(follows && has.0 == "cluster-dns"));
    let failures: Vec<_> = differ
        .map(|((field, has), (_, asked))| {
            let fact = format!(
                "{file} says {field} {}, not {}",
                or_none(&has),
                or_none(&asked)
            );
            Failure::new(fact).hint(format_args!(
                "change {SPEC}, look at kpki plan, then run kpki apply"
            ))
        })
        .collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failure::all(failures))
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

/// A spec field by field, in words.
fn fields(spec: &ClusterSpec) -> Vec<(&'static str, String)> {
    let lifetime = |value: Option<pki_core::x509::Lifetime>| {
        value.map(|value| value.to_string()).unwrap_or_default()
    };
    let nodes = spec.nodes().iter().map(|node| {
        let (addresses, roles) = (list(node.addresses()), list(node.roles()));
        let sans = list(node.sans());
        format!("{} ({addresses}: {roles}) {sans}", node.name())
            .trim_end()
            .to_owned()
    });
    let users = spec.users().iter().map(|user| {
        let validity = lifetime(user.validity());
        format!("{} ({}) {validity}", user.name(), list(user.groups()))
            .trim_end()
            .to_owned()
    });
    let imported = spec.authority_overrides().map(|(id, own)| {
        let algorithm = own
            .key_algorithm()
            .map(|one| one.to_string())
            .unwrap_or_default();
        let words = [
            if own.is_imported() { "imported" } else { "" },
            &algorithm,
            &lifetime(own.validity()),
            own.common_name().unwrap_or_default(),
        ];
        format!("{id} {}", words.join(" ").trim())
    });
    let certificates = spec.certificate_overrides().map(|(id, own)| {
        let algorithm = own
            .key_algorithm()
            .map(|one| one.to_string())
            .unwrap_or_default();
        let words = [algorithm, lifetime(own.validity()), list(own.sans())];
        format!("{id} {}", words.join(" ").trim())
    });
    vec![
        ("name", spec.name().to_owned()),
        ("domain", spec.domain().to_string()),
        ("service-cidr", list(spec.service_cidrs())),
        ("cluster-dns", list(spec.cluster_dns())),
        ("pod-cidr", list(spec.pod_cidrs())),
        ("endpoint", spec.endpoint().to_string()),
        ("san", list(spec.sans())),
        ("profile", spec.profile().to_string()),
        ("key-algorithm", spec.key_algorithm().to_string()),
        ("validity", lifetime(spec.validity())),
        ("ca-validity", lifetime(spec.ca_validity())),
        (
            "ca-dir",
            spec.ca_dir()
                .map(|dir| dir.display().to_string())
                .unwrap_or_default(),
        ),
        ("node", list(nodes)),
        ("user", list(users)),
        ("authority", list(imported)),
        ("certificate", list(certificates)),
    ]
}
