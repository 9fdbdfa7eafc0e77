//! A renewal: which certificates are to be issued anew before anything else asks for it, and why.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::{Drift, compare};
use crate::cluster::blueprint::{Artifact, ArtifactId, Blueprint, Content, Owner};
use crate::x509::{Lifetime, LifetimeError, Validity};

/// What [`Plan::renewal`](super::Plan::renewal) renews.
///
/// Leaves get a new key unless it is to be kept. An authority is only ever renewed under its own key and name, so that all
/// that it issued stays valid; it is renewed when it is named, and else when it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    which: Which,
    keep_keys: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    All,
    Within(Within),
    Named(BTreeSet<ArtifactId>),
}

/// How near its end a certificate is renewed: in the last part of its life (`33%`), or so long before it is over (`30d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    /// A share of its whole life, in percent.
    Share(u8),
    /// A time.
    Time(Lifetime),
}

/// Why a text is no [`Within`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WithinError {
    /// Not a share that makes sense.
    #[error("not 1% to 99%")]
    Share,
    /// Not a length of time.
    #[error("neither a share as 33% nor a time as 30d: {0}")]
    Time(#[from] LifetimeError),
}

/// When renewals came to kpki: no clock that is right says less.
const FIRST: OffsetDateTime = datetime!(2026-11-27 0:00 UTC);

/// A clock that cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this machine's clock says {}, which was before kpki could renew anything", .0.date())]
pub struct ClockError(OffsetDateTime);

impl ClockError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        "set the clock (date --set, or wait for its time server) and run again: what a slow clock issues is over too soon"
    }
}

/// Refuses to issue anything by a clock that lost its time, as one does without a battery: what it issued would be over at
/// once when the clock is right again.
///
/// # Errors
/// [`ClockError`].
pub fn check_clock(now: OffsetDateTime) -> Result<(), ClockError> {
    if now < FIRST {
        return Err(ClockError(now));
    }
    Ok(())
}

/// Why names cannot be renewed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenewalError {
    /// Nothing is called so.
    #[error("there is no artifact {0:?}")]
    Unknown(String),
    /// What is called so has no certificate.
    #[error("{0} is a {1}: it has no certificate to renew")]
    NoCertificate(ArtifactId, &'static str),
}

impl RenewalError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown(_) => {
                "names are those of kpki plan: ca, cp1/apiserver, user/alice; apiserver alone means those of all nodes, \
                 cp1/* everything of one"
                    .into()
            }
            Self::NoCertificate(..) => {
                "name a certificate, a kubeconfig or an authority; secrets are only ever replaced by kpki apply".into()
            }
        }
    }
}

impl Renewal {
    /// Every leaf, and each authority that is due.
    pub const fn all() -> Self {
        Self::of(Which::All)
    }

    /// Every certificate that is near its end. What is not valid yet stays: whether the clock is wrong now, or was when it
    /// was issued, no job can tell.
    pub const fn within(within: Within) -> Self {
        Self::of(Which::Within(within))
    }

    /// Those of these names: `cp1/apiserver`; `apiserver` on all nodes; with `*` for any letters. A name with `*` means no
    /// authority.
    ///
    /// # Errors
    /// When a name means nothing, or nothing with a certificate.
    pub fn named<S: AsRef<str>>(blueprint: &Blueprint, names: &[S]) -> Result<Self, RenewalError> {
        let mut ids = BTreeSet::new();
        for name in names {
            ids.extend(matching(blueprint, name.as_ref())?);
        }
        Ok(Self::of(Which::Named(ids)))
    }

    /// The same, and leaves keep their keys where they have one of the wanted kind.
    #[must_use]
    pub fn keeping_keys(self) -> Self {
        Self {
            keep_keys: true,
            ..self
        }
    }

    const fn of(which: Which) -> Self {
        Self {
            which,
            keep_keys: false,
        }
    }

    pub(super) const fn keeps_keys(&self) -> bool {
        self.keep_keys
    }

    /// Whether the artifact is renewed whatever its certificate is like, or there is none.
    pub(super) fn asks_for(&self, artifact: &Artifact) -> bool {
        match &self.which {
            Which::All => artifact.content.leaf().is_some(),
            Which::Within(_) => false,
            Which::Named(ids) => ids.contains(&artifact.id),
        }
    }

    /// Why a certificate of that validity is renewed, if it is.
    pub(super) fn reason(
        &self,
        artifact: &Artifact,
        validity: &Validity,
        now: OffsetDateTime,
    ) -> Option<Drift> {
        let due = compare::time(validity, now);
        let not_after = validity.not_after;
        match &self.which {
            // Its time says more than that somebody asked.
            _ if self.asks_for(artifact) => Some(due.unwrap_or(Drift::Asked)),
            Which::All => due,
            Which::Named(_) => None,
            Which::Within(_) if validity.is_over(now) => Some(Drift::Expired { not_after }),
            Which::Within(_) if !validity.contains(now) => None,
            Which::Within(within) => within.reached(validity, now).then(|| Drift::ExpiresWithin {
                not_after,
                within: within.to_string(),
            }),
        }
    }
}

impl Within {
    fn reached(self, validity: &Validity, now: OffsetDateTime) -> bool {
        let left: Duration = validity.left(now);
        match self {
            // In whole seconds, as validities are.
            Self::Share(percent) => left * 100 < validity.length() * i32::from(percent),
            Self::Time(time) => left < time.duration(),
        }
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(percent) => write!(f, "the last {percent}% of its life"),
            Self::Time(time) => time.fmt(f),
        }
    }
}

impl FromStr for Within {
    type Err = WithinError;

    fn from_str(text: &str) -> Result<Self, WithinError> {
        match text.strip_suffix('%') {
            Some(share) => match share.parse() {
                Ok(share @ 1..=99) => Ok(Self::Share(share)),
                _ => Err(WithinError::Share),
            },
            None => Ok(Self::Time(text.parse()?)),
        }
    }
}

/// What a name means.
fn matching(blueprint: &Blueprint, name: &str) -> Result<Vec<ArtifactId>, RenewalError> {
    let (is_glob, is_whole) = (name.contains('*'), name.contains('/'));
    let called = |artifact: &&Artifact| {
        let id = &artifact.id;
        let own = !is_whole && !matches!(id.owner, Owner::User(_)) && like(name, &id.name);
        own || like(name, &id.to_string())
    };
    let has_certificate = |artifact: &&Artifact| match artifact.content {
        Content::Authority(_) => !is_glob,
        _ => artifact.content.leaf().is_some(),
    };
    let found: Vec<_> = blueprint.artifacts().iter().filter(called).collect();
    let ids: Vec<_> = found
        .iter()
        .copied()
        .filter(has_certificate)
        .map(|artifact| artifact.id.clone())
        .collect();
    match (ids.is_empty(), found.first()) {
        (false, _) => Ok(ids),
        (true, Some(artifact)) if !is_glob => Err(RenewalError::NoCertificate(
            artifact.id.clone(),
            artifact.content.kind(),
        )),
        _ => Err(RenewalError::Unknown(name.to_owned())),
    }
}

/// Whether `text` is `pattern`, in which `*` is any letters.
fn like(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(start) else {
        return false;
    };
    loop {
        if like(rest, left) {
            return true;
        }
        let mut letters = left.chars();
        if letters.next().is_none() {
            return false;
        }
        left = letters.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::profile::Profile;
    use crate::cluster::spec::{ClusterSpec, NodeDocument};

    fn node(name: &str) -> NodeDocument {
        NodeDocument::new(name)
            .addresses([format!(
                "192.0.2.{}",
                name.len() + usize::from(name.as_bytes()[2])
            )])
            .roles(["control-plane", "etcd", "worker"])
    }

    fn blueprint() -> Blueprint {
        let spec = ClusterSpec::builder()
            .service_cidrs(["10.3.0.0/24"])
            .endpoint("api.corp.example")
            .node(node("cp1"))
            .node(node("cp2"))
            .user_flag("apiserver:dev")
            .build()
            .unwrap();
        Blueprint::new(&spec, &Profile::kubeadm()).unwrap()
    }

    fn named(name: &str) -> Result<Vec<String>, String> {
        let ids = matching(&blueprint(), name).map_err(|error| error.to_string())?;
        Ok(ids.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn names_mean_what_people_expect() {
        for (name, means) in [
            ("cp1/apiserver", &["cp1/apiserver"][..]),
            ("apiserver", &["cp1/apiserver", "cp2/apiserver"]),
            ("user/apiserver", &["user/apiserver"]),
            ("user/*", &["user/apiserver"]),
            ("ca", &["ca"]),
            ("etcd-ca", &["etcd-ca"]),
            ("cp2/kubelet*", &["cp2/kubelet", "cp2/kubelet-client"]),
            (
                "*/etcd-*er",
                &[
                    "cp1/etcd-server",
                    "cp2/etcd-server",
                    "cp1/etcd-peer",
                    "cp2/etcd-peer",
                ],
            ),
        ] {
            assert_eq!(named(name).unwrap(), means, "{name}");
        }
        // Authorities only by their whole names, secrets not at all.
        assert!(
            named("*")
                .unwrap()
                .iter()
                .all(|id| !id.ends_with("ca") && id != "sa")
        );
        assert_eq!(
            named("apisrver").unwrap_err(),
            "there is no artifact \"apisrver\""
        );
        assert_eq!(named("*ca").unwrap_err(), "there is no artifact \"*ca\"");
        assert_eq!(
            named("sa").unwrap_err(),
            "sa is a service-account key pair: it has no certificate to renew"
        );
    }

    #[test]
    fn a_clock_without_a_battery_is_told() {
        let error = check_clock(datetime!(1970-01-01 0:00:07 UTC)).unwrap_err();
        assert!(error.to_string().contains("1970-01-01"), "{error}");
        assert_eq!(check_clock(datetime!(2036-01-01 0:00 UTC)), Ok(()));
    }

    #[test]
    fn how_near_is_a_share_or_a_time() {
        assert_eq!("33%".parse(), Ok(Within::Share(33)));
        assert_eq!("30d".parse(), Ok(Within::Time(Lifetime::days(30))));
        for bad in ["0%", "100%", "-1%", "%", "", "30", "thirty"] {
            assert!(bad.parse::<Within>().is_err(), "{bad}");
        }
        let now = OffsetDateTime::UNIX_EPOCH;
        let validity = Validity {
            not_before: now - Duration::days(60),
            not_after: now + Duration::days(30) - Duration::SECOND,
        };
        // 30 of 90 days are left.
        for (within, reached) in [("33%", false), ("34%", true), ("30d", false), ("31d", true)] {
            let within: Within = within.parse().unwrap();
            assert_eq!(within.reached(&validity, now), reached, "{within}");
        }
    }
}
