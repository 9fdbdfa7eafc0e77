//! `kpki sign`: each request by itself, the good ones signed, the others refused with every reason.

mod input;
mod report;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pki_core::cluster::FileMode;
use pki_core::cluster::blueprint::ArtifactId;
use pki_core::cluster::policy::{
    Allowed, Ground, Refusal, Refused, SigningPolicy, Wish, issuer_for,
};
use pki_core::cluster::spec::NodeName;
use pki_core::converge::inventory::Inventory;
use pki_core::converge::load_authority;
use pki_core::converge::outputs::{Outputs, OutputsError};
use pki_core::x509::{
    Authority, AuthorityFile, Certificate, Lifetime, LocalSigner, SigningRequest,
};
use ring::rand::SystemRandom;
use time::OffsetDateTime;

use crate::arguments;
use crate::arguments::{CaFiles, Tree};
use crate::cluster::Cluster;
use crate::files;
use crate::output::Outcome;
use crate::output::errors::Failure;
use crate::output::words::list;
use crate::passphrase;
use input::{Input, Kind};
use report::{Entry, Judgement, Signed};

pub fn run(arguments: &arguments::Sign) -> Result<Outcome, Failure> {
    let (requester, most) = checked(arguments)?;
    let cluster = cluster(arguments)?;
    let named = arguments.policy.as_deref().map(policy).transpose()?;
    let inputs = input::read_all(arguments)?;
    if !arguments.dry_run {
        refuse_outputs(&inputs)?;
    }
    let ground = cluster.as_ref().map(|cluster| Ground {
        spec: &cluster.spec,
        blueprint: &cluster.blueprint,
    });
    let mut signer = Signer {
        arguments,
        cluster: cluster.as_ref(),
        inventory: None,
        loaded: HashMap::new(),
        now: OffsetDateTime::now_utc(),
    };
    let mut entries = Vec::new();
    for input in &inputs {
        let judgement = match judge(input, named.as_ref(), requester.as_ref(), ground.as_ref()) {
            Ok(allowed) => {
                let allowed = most.into_iter().fold(allowed, Allowed::at_most);
                signer.sign(allowed, input)?
            }
            Err(judgement) => judgement,
        };
        entries.push(Entry { input, judgement });
    }
    if !arguments.dry_run {
        write(&entries)?;
    }
    Ok(report::outcome(&entries, arguments, signer.now))
}

/// The flags that are more than a path.
fn checked(arguments: &arguments::Sign) -> Result<(Option<NodeName>, Option<Lifetime>), Failure> {
    let requester = arguments.requester.as_ref().map(|name| {
        name.parse::<NodeName>().map_err(|fact| {
            Failure::new(format_args!("--requester {name}: {fact}"))
                .hint("name a node of cluster.toml")
        })
    });
    let validity = arguments.validity.as_ref().map(|text| {
        text.parse::<Lifetime>().map_err(|error| {
            Failure::new(format_args!("--validity {text}: {error}"))
                .hint("write a number and a unit, such as 8h, 90d or 1y")
        })
    });
    Ok((requester.transpose()?, validity.transpose()?))
}

/// The cluster; with a CA of its own there need not be one.
fn cluster(arguments: &arguments::Sign) -> Result<Option<Cluster>, Failure> {
    let Tree { dir, .. } = &arguments.tree;
    if arguments.ca.is_some() && !dir.join(crate::cluster::SPEC).exists() {
        return Ok(None);
    }
    Cluster::open(&arguments.tree).map(Some)
}

/// A shipped policy, or one from a file: those have a `/` in their name or end in `.toml`.
fn policy(name: &str) -> Result<SigningPolicy, Failure> {
    if !name.contains('/') && !name.ends_with(".toml") {
        return SigningPolicy::shipped(name).ok_or_else(|| super::policy::unknown(name));
    }
    let path = Path::new(name);
    let text = std::fs::read_to_string(path).map_err(|error| Failure::io(path, &error))?;
    SigningPolicy::from_toml(&text).map_err(|error| {
        let mistakes = error.mistakes.iter();
        Failure::all(
            mistakes.map(|mistake| Failure::new(mistake.display(name)).maybe_hint(mistake.hint())),
        )
    })
}

/// Holds one request against its policy.
fn judge(
    input: &Input,
    named: Option<&SigningPolicy>,
    requester: Option<&NodeName>,
    ground: Option<&Ground<'_>>,
) -> Result<Allowed, Judgement> {
    let (wish, meant) = match &input.kind {
        Kind::Unreadable(error) => return Err(Judgement::Unreadable(error.clone())),
        Kind::Request(request) => {
            let meant = SigningPolicy::shipped(SigningPolicy::meant_by(request));
            (Wish::new(request), meant.ok_or_else(String::new))
        }
        Kind::Object(object, _) => {
            let meant = SigningPolicy::for_signer(object.signer());
            (
                Wish::of(object),
                meant.ok_or_else(|| object.signer().to_owned()),
            )
        }
    };
    let policy = named
        .cloned()
        .map_or(meant, Ok)
        .map_err(|signer| Judgement::Refused {
            policy: None,
            reasons: vec![Refusal::NoPolicy(signer)],
        })?;
    policy
        .check(&wish.by(requester), ground)
        .map_err(|Refused { reasons }| Judgement::Refused {
            policy: Some(policy.name().to_owned()),
            reasons,
        })
}

/// The authorities that sign, each loaded once and only when something is signed.
struct Signer<'a> {
    arguments: &'a arguments::Sign,
    cluster: Option<&'a Cluster>,
    inventory: Option<Inventory>,
    loaded: HashMap<String, Authority>,
    now: OffsetDateTime,
}

impl Signer<'_> {
    fn sign(&mut self, allowed: Allowed, input: &Input) -> Result<Judgement, Failure> {
        let (policy, notes) = (allowed.policy().to_owned(), allowed.notes().to_vec());
        let wanted = allowed.certificate().clone();
        if self.arguments.dry_run {
            return Ok(Judgement::Allowed {
                policy,
                wanted,
                notes,
            });
        }
        let now = self.now;
        let authority = self.authority(&wanted.usages)?;
        match allowed.sign(authority, now, &SystemRandom::new()) {
            Ok(certificate) => {
                let mut chain = vec![certificate];
                chain.extend(authority.intermediates());
                Ok(Judgement::Signed(Signed {
                    policy,
                    notes,
                    contents: input.answer(&chain),
                    chain,
                }))
            }
            Err(error) => Ok(Judgement::NotIssued {
                policy,
                error: error.to_string(),
            }),
        }
    }

    fn authority(&mut self, usages: &[pki_core::x509::Usage]) -> Result<&Authority, Failure> {
        let id = match (&self.arguments.ca, &self.arguments.authority, self.cluster) {
            (Some(_), ..) => String::new(),
            (None, Some(id), _) => id.clone(),
            (None, None, Some(cluster)) => match issuer_for(&cluster.blueprint, usages) {
                Some(id) => id.to_string(),
                None => {
                    return Err(Failure::new(
                        "the profile has no kubelets to tell the authority by",
                    )
                    .hint("name it with --authority"));
                }
            },
            (None, None, None) => String::new(),
        };
        if !self.loaded.contains_key(&id) {
            let authority = match (&self.arguments.ca, self.cluster) {
                (Some(ca), _) => given(ca, self.arguments.passphrase_file.as_deref(), self.now)?,
                (None, Some(cluster)) => {
                    if self.inventory.is_none() {
                        self.inventory = Some(cluster.inventory()?);
                    }
                    let inventory = self.inventory.as_ref().expect("it was read above");
                    let id = ArtifactId::cluster(&id);
                    load_authority(&cluster.blueprint, inventory, &id, self.now)
                        .map_err(|error| Failure::new(&error).maybe_hint(error.hint()))?
                }
                (None, None) => {
                    return Err(Failure::new("there is no CA").hint("name it with --ca"));
                }
            };
            self.loaded.insert(id.clone(), authority);
        }
        Ok(&self.loaded[&id])
    }
}

/// The CA of `--ca`.
fn given(
    ca: &CaFiles,
    passphrase_file: Option<&Path>,
    now: OffsetDateTime,
) -> Result<Authority, Failure> {
    let at = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(format_args!("{}: {error}", path.display()))
    };
    let chain = Certificate::from_pem_chain(&files::read(&ca.certificate)?)
        .map_err(|error| at(&ca.certificate, &error).hint("name the CA's certificate as PEM"))?;
    let opened = passphrase::open_key(&files::read(&ca.key)?, &ca.key, passphrase_file)?;
    let signer = LocalSigner::new(&opened.key).map_err(|error| at(&ca.key, &error))?;
    let own = AuthorityFile::of(&chain).chain().to_vec();
    Authority::load(own, signer, now)
        .map_err(|error| at(&ca.certificate, &error).hint("name a valid CA and its own key"))
}

/// Nothing is signed that could not be written afterwards.
fn refuse_outputs(inputs: &[Input]) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let mut seen: Vec<&Path> = Vec::new();
    for path in inputs.iter().filter_map(|input| input.output.as_deref()) {
        if path.symlink_metadata().is_ok() {
            failures.push(OutputsError::Exists(path.to_owned()).into());
        } else if seen.contains(&path) {
            let fact = format!("{} would be written twice", path.display());
            failures.push(
                Failure::new(fact).hint("sign these requests one after the other, with --out-dir"),
            );
        }
        seen.push(path);
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failure::all(failures))
    }
}

/// Writes all certificates, or none of them.
fn write(entries: &[Entry<'_>]) -> Result<(), Failure> {
    let signed = entries.iter().filter_map(|entry| match &entry.judgement {
        Judgement::Signed(signed) => Some((entry.input.output.as_deref()?, signed)),
        _ => None,
    });
    let mut outputs = Outputs::default();
    for (path, signed) in signed {
        let contents = signed.contents.clone().into_bytes();
        outputs.create(path, contents, FileMode::PUBLIC);
    }
    outputs.commit()?;
    Ok(())
}

/// Where the certificate of a request goes.
fn output(file: &Path, out_dir: Option<&Path>, ending: &str) -> Option<PathBuf> {
    if file == Path::new("-") {
        return None;
    }
    let beside = file.with_extension(ending);
    Some(match (out_dir, beside.file_name()) {
        (Some(dir), Some(name)) => dir.join(name),
        _ => beside,
    })
}

/// What a request asks for, in a line.
fn asked(request: &SigningRequest) -> String {
    let names = request.sans.iter().map(ToString::to_string);
    let names = list(names.chain(request.odd_sans.iter().cloned()));
    match (request.subject.is_empty(), names.is_empty()) {
        (false, true) => request.subject.to_string(),
        (true, _) => format!("for {names}"),
        (false, false) => format!("{}, for {names}", request.subject),
    }
}
