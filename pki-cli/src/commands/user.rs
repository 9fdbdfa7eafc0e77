//! `kpki user`: one more user than cluster.toml has, in memory, whose kubeconfig is written elsewhere.

use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;
use pki_core::cluster::blueprint::{ArtifactId, Owner};
use pki_core::cluster::policy::Ground;
use pki_core::cluster::spec::{SpecBuilder, UserDocument, UserName, Written};
use pki_core::converge::inventory::Inventory;
use pki_core::converge::load_authority;
use pki_core::converge::outputs::{self, Outputs};
use pki_core::converge::plan::Plan;
use pki_core::x509::inspect::CertificateReport;
use pki_core::x509::{Details, PrivateKey, lint};
use ring::rand::SystemRandom;
use serde::Serialize;
use time::OffsetDateTime;

use crate::arguments;
use crate::cluster::{Cluster, SPEC};
use crate::output::errors::Failure;
use crate::output::preview::{CertificateDocument, Preview, would_write};
use crate::output::style::{GOOD, STRONG};
use crate::output::words::{list, until};
use crate::output::{Outcome, json, talk};

pub fn run(arguments: &arguments::User) -> Result<Outcome, Failure> {
    let cluster = Cluster::open(&arguments.tree)?;
    refuse_groups(arguments)?;
    refuse_names(arguments, &cluster)?;
    let with_user = with_user(arguments, &cluster)?;
    let now = OffsetDateTime::now_utc();
    let id = id_of(&arguments.name)?;
    if with_user.blueprint.artifact(&id).is_none() {
        return Err(Failure::new(format_args!(
            "profile {} gives people no kubeconfigs",
            cluster.spec.profile()
        ))
        .hint("add [user] to a profile of your own: kpki profile show kubeadm has one"));
    }
    let inventory = with_user.inventory()?;
    let plan = Plan::new(&with_user.blueprint, &inventory, now).only(std::slice::from_ref(&id));
    super::apply::refuse_obstacles(&plan)?;
    let path = match &arguments.out {
        None => Some(PathBuf::from(format!("{}.conf", arguments.name))),
        Some(out) if out == Path::new("-") => None,
        Some(out) => Some(out.clone()),
    };
    outputs::prove_free(path.as_slice())?;
    let groups = match &arguments.group[..] {
        [] => "in no group".into(),
        groups => format!("in {}", list(groups)),
    };
    let server = cluster.spec.outside_endpoint().url();
    let told = |verb: &str, place: &str, not_after| {
        format!(
            "{GOOD}{verb}{GOOD:#} {STRONG}{place}{STRONG:#}: {} {groups}, at {server}, valid until {}\n",
            arguments.name,
            until(not_after, now)
        )
    };
    let document = |certificate| Document {
        dry_run: arguments.dry_run,
        user: arguments.name.clone(),
        groups: arguments.group.clone(),
        file: path.as_ref().map(|path| path.display().to_string()),
        server: server.clone(),
        certificate,
    };
    let shown = match &path {
        Some(path) => path.display().to_string(),
        None => "a kubeconfig".into(),
    };
    if arguments.dry_run {
        return with_preview(&with_user, &inventory, &id, now, |wanted| {
            if arguments.json {
                let wanted = CertificateDocument::Wanted(Preview::certificate(wanted));
                return json::document(&document(wanted));
            }
            let made = told("would make", &shown, wanted.validity.not_after);
            made + &would_write(path.as_slice())
        });
    }
    let changes = plan.execute(&SystemRandom::new())?;
    let (_, _, contents) = changes
        .secret_files()
        .next()
        .expect("a user has one file, and it is not there yet");
    if let Some(path) = &path {
        let mut outputs = Outputs::default();
        outputs.create(path, contents.to_vec(), FileMode::SECRET);
        outputs.commit()?;
    }
    let certificate = changes
        .done()
        .iter()
        .find_map(|done| done.certificate.as_ref());
    let certificate = certificate.expect("a kubeconfig has a certificate");
    let text = if arguments.json {
        let report = CertificateReport::new(certificate, now);
        json::document(&document(CertificateDocument::Issued(Box::new(report))))
    } else {
        told("made", &shown, certificate.validity.not_after)
    };
    if path.is_some() {
        return Ok(Outcome::fine(text));
    }
    talk(&text);
    Ok(Outcome::fine(
        String::from_utf8_lossy(contents).into_owned(),
    ))
}

/// What the certificate in the kubeconfig would say, in words: laid out and checked, but not signed.
fn with_preview(
    cluster: &Cluster,
    inventory: &Inventory,
    id: &ArtifactId,
    now: OffsetDateTime,
    tell: impl FnOnce(&Details) -> String,
) -> Result<Outcome, Failure> {
    let rng = SystemRandom::new();
    let artifact = cluster.blueprint.artifact(id);
    let leaf = artifact.and_then(|artifact| artifact.content.leaf());
    let leaf = leaf.expect("a kubeconfig has a certificate");
    let authority = load_authority(&cluster.blueprint, inventory, &leaf.issuer, now)
        .map_err(|error| Failure::new(&error).maybe_hint(error.hint()))?;
    let key = PrivateKey::generate(leaf.request.key_algorithm, &rng).map_err(Failure::new)?;
    let linted = authority
        .prepare(&leaf.request, key.public_key(), now, &rng)
        .and_then(|prepared| prepared.lint(&[lint::RULES, pki_core::cluster::lint::RULES]))
        .map_err(|error| Failure::new(error).hint("nothing was signed or written"))?;
    Ok(Outcome::fine(tell(linted.details())))
}

/// Groups that Kubernetes itself gives a meaning need a word.
fn refuse_groups(arguments: &arguments::User) -> Result<(), Failure> {
    let systems: Vec<_> = arguments
        .group
        .iter()
        .filter(|group| group.to_ascii_lowercase().starts_with("system:"))
        .filter(|_| !arguments.break_glass)
        .collect();
    if systems.is_empty() {
        return Ok(());
    }
    Err(Failure::all(systems.into_iter().map(|group| {
        let why = if group == "system:masters" {
            "RBAC does not hold its members back, and only a new CA ends them before their time"
        } else {
            "groups that begin with system: are Kubernetes' own"
        };
        Failure::new(format_args!("--group {group}: {why}"))
            .hint("name a group that a RoleBinding of yours names, or agree with --break-glass")
    })))
}

/// Nobody gets the name of somebody else.
fn refuse_names(arguments: &arguments::User, cluster: &Cluster) -> Result<(), Failure> {
    let name = &arguments.name;
    if cluster
        .spec
        .users()
        .iter()
        .any(|user| user.name().as_str() == *name)
    {
        let path = cluster.dir.join("users").join(format!("{name}.conf"));
        return Err(Failure::new(format_args!(
            "{name} is a user of {SPEC}, whose kubeconfig is {}",
            path.display()
        ))
        .hint("kpki apply makes and renews it; take another name for one that nobody keeps"));
    }
    let ground = Ground {
        spec: &cluster.spec,
        blueprint: &cluster.blueprint,
    };
    match ground.owner_of(name) {
        Some(owner) => Err(
            Failure::new(format_args!("{name} is the name that {owner} has"))
                .hint("take a name that is nobody's yet"),
        ),
        None => Ok(()),
    }
}

/// The same cluster with that user.
fn with_user(arguments: &arguments::User, cluster: &Cluster) -> Result<Cluster, Failure> {
    let groups = arguments
        .group
        .iter()
        .map(|group| Written::flag("--group", group));
    let user = UserDocument::new(Written::flag("NAME", &arguments.name))
        .groups(groups)
        .validity(Written::flag("--validity", &arguments.validity));
    let file = cluster.dir.join(SPEC);
    let spec = SpecBuilder::from_toml(&cluster.spec.to_toml())
        .user(user)
        .build()
        .map_err(|error| Failure::spec(&error, &file.display().to_string()))?;
    Cluster::of(&cluster.dir, spec, &file, arguments.tree.ca_dir.as_deref())
}

fn id_of(name: &str) -> Result<ArtifactId, Failure> {
    let owner: UserName = name
        .parse()
        .map_err(|fact| Failure::new(format_args!("NAME {name}: {fact}")))?;
    Ok(ArtifactId {
        owner: Owner::User(owner),
        name: name.to_owned(),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    dry_run: bool,
    user: String,
    groups: Vec<String>,
    /// Absent: on standard output.
    file: Option<String>,
    server: String,
    certificate: CertificateDocument,
}
