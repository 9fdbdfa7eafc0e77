//! Holding a request against a policy: all reasons at once.

use std::fmt::Display;

use super::pattern::{Asker, TextPattern, Word};
use super::refusal::SHORTEST;
use super::{Allowed, Note, Refusal, Refused, RequestObject, SigningPolicy, reserved, usages};
use crate::cluster::blueprint::Blueprint;
use crate::cluster::spec::{ClusterSpec, NodeName};
use crate::x509::{
    AttributeKind, DistinguishedName, LeafRequest, Lifetime, SigningRequest, SubjectAltName,
};

/// The cluster that the words of a policy speak of.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Its nodes, users, domain and CIDRs.
    pub spec: &'a ClusterSpec,
    /// What it has itself, and nobody else gets.
    pub blueprint: &'a Blueprint,
}

/// A signing request and what is known of whoever makes it.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    request: &'a SigningRequest,
    object: Option<&'a RequestObject>,
    requester: Option<&'a NodeName>,
}

impl<'a> Wish<'a> {
    /// A request from a file.
    pub fn new(request: &'a SigningRequest) -> Self {
        Self {
            request,
            object: None,
            requester: None,
        }
    }

    /// The request in a CertificateSigningRequest object, whose usages, lifetime, signer and requester
    /// count as well.
    pub fn of(object: &'a RequestObject) -> Self {
        Self {
            object: Some(object),
            ..Self::new(object.request())
        }
    }

    /// It comes from this node, which may ask for its own name only.
    #[must_use]
    pub fn by(mut self, node: Option<&'a NodeName>) -> Self {
        self.requester = node;
        self
    }
}

impl SigningPolicy {
    /// Whether the requester may have what is asked for. `ground` is the cluster, where there is one:
    /// without it the words of the policy mean nothing, and nothing is known to be taken.
    ///
    /// # Errors
    /// [`Refused`] with every reason.
    pub fn check(&self, wish: &Wish<'_>, ground: Option<&Ground<'_>>) -> Result<Allowed, Refused> {
        let mut check = Check {
            policy: self,
            wish,
            ground,
            reasons: Vec::new(),
            notes: Vec::new(),
        };
        check.form();
        check.object();
        check.key();
        let (common_name, asker) = check.common_name();
        let groups = check.groups(&asker);
        let sans = check.names(&asker);
        let granted = usages::granted(self, wish.request, wish.object, &mut check.reasons);
        let lifetime = check.lifetime();
        let Check { reasons, notes, .. } = check;
        if !reasons.is_empty() {
            return Err(Refused { reasons });
        }
        let public_key = wish.request.public_key.clone();
        let subject = match common_name {
            Some(name) => DistinguishedName::new(&name, &groups),
            None => DistinguishedName::empty(),
        };
        Ok(Allowed {
            policy: self.name.clone(),
            request: LeafRequest {
                subject,
                sans,
                usages: granted,
                lifetime,
                key_algorithm: public_key.algorithm().unwrap_or_default(),
            },
            public_key,
            notes,
        })
    }
}

struct Check<'a> {
    policy: &'a SigningPolicy,
    wish: &'a Wish<'a>,
    ground: Option<&'a Ground<'a>>,
    reasons: Vec<Refusal>,
    notes: Vec<Note>,
}

impl<'a> Check<'a> {
    fn refuse(&mut self, reason: Refusal) {
        self.reasons.push(reason);
    }

    /// What no policy gives.
    fn form(&mut self) {
        let request = self.wish.request;
        if request.is_ca {
            self.refuse(Refusal::Authority);
        }
        for oid in &request.other_extensions {
            if request.critical_extensions.contains(oid) {
                self.refuse(Refusal::CriticalExtension(oid.clone()));
            } else {
                self.notes.push(Note::Extension(oid.clone()));
            }
        }
        for attribute in request.subject.attributes() {
            let known = [AttributeKind::CommonName, AttributeKind::Organization];
            if !known.contains(&attribute.kind) {
                let attribute = attribute.to_string();
                self.refuse(Refusal::Attribute { attribute });
            }
        }
    }

    fn object(&mut self) {
        let Some(object) = self.wish.object else {
            return;
        };
        self.reasons.extend(object.state());
        if let Some(wanted) = self
            .policy
            .signer()
            .filter(|signer| *signer != object.signer())
        {
            let reason = Refusal::Signer {
                signer: object.signer().to_owned(),
                policy: self.policy.name.clone(),
                wanted: wanted.to_owned(),
            };
            self.refuse(reason);
        }
    }

    fn key(&mut self) {
        let request = self.wish.request;
        let allowed = &self.policy.key_algorithms;
        let algorithm = request.public_key.algorithm();
        if !algorithm.is_some_and(|algorithm| allowed.contains(&algorithm)) {
            let has = request.public_key.to_string();
            self.refuse(Refusal::weak_key(&has, allowed));
        }
        // Of other kinds no signature is verified at all, and the key is refused already.
        if algorithm.is_some() && request.verify_signature().is_err() {
            let algorithm = request.signature_algorithm.clone();
            self.refuse(Refusal::Signature { algorithm });
        }
    }

    /// The common name to certify, and whom of the spec it means.
    fn common_name(&mut self) -> (Option<String>, Asker<'a>) {
        let names: Vec<_> = values(&self.wish.request.subject, &AttributeKind::CommonName);
        let [name] = &names[..] else {
            if !names.is_empty() {
                self.refuse(Refusal::CommonNames(names));
            } else if self.policy.common_name_required {
                self.refuse(Refusal::NoCommonName);
            }
            return (None, Asker::default());
        };
        if name.is_empty() {
            self.refuse(Refusal::NoCommonName);
            return (None, Asker::default());
        }
        self.plain("the common name", name);
        self.requester(name);
        let mut asker = Asker::default();
        let mut found = false;
        let before = self.reasons.len();
        for pattern in &self.policy.common_names {
            found |= self.fits(pattern, name, &mut asker);
        }
        if found {
            self.reasons.truncate(before);
            if let Some(owner) = self.taken(name) {
                let name = name.clone();
                self.refuse(Refusal::NameTaken { name, owner });
            }
        } else if self.reasons.len() == before {
            self.refuse(Refusal::CommonName {
                has: name.clone(),
                policy: self.policy.name.clone(),
                wanted: list(&self.policy.common_names),
            });
        }
        (Some(name.clone()), asker)
    }

    /// Whether a common name fits a pattern. One that would, were it in the spec, is a reason of its own.
    fn fits(&mut self, pattern: &TextPattern, name: &str, asker: &mut Asker<'a>) -> bool {
        if let Some(san) = pattern.around(name, Word::Name) {
            let mut sans = self.wish.request.sans.iter();
            return sans.any(|one| one.to_string() == san);
        }
        let (node, user) = (
            pattern.around(name, Word::Node),
            pattern.around(name, Word::User),
        );
        if (node.is_some() || user.is_some()) && self.ground.is_none() {
            let policy = self.policy.name.clone();
            self.refuse(Refusal::NoCluster { policy });
            return false;
        }
        let spec = self.ground.map(|ground| ground.spec);
        if let Some(node) = node {
            asker.node = spec.and_then(|spec| spec.node(node));
            if asker.node.is_none() {
                let (name, node) = (name.to_owned(), node.to_owned());
                self.refuse(Refusal::NoNode { name, node });
            }
            return asker.node.is_some();
        }
        if let Some(user) = user {
            let mut users = spec.into_iter().flat_map(ClusterSpec::users);
            asker.user = users.find(|known| known.name().as_str() == user);
            if asker.user.is_none() {
                let (name, user) = (name.to_owned(), user.to_owned());
                self.refuse(Refusal::NoUser { name, user });
            }
            return asker.user.is_some();
        }
        pattern.lets_through(name)
    }

    /// Whose a common name is that was let through by a pattern which does not say whose it is.
    fn taken(&self, name: &str) -> Option<String> {
        let mut patterns = self.policy.common_names.iter();
        let meant = patterns.any(|pattern| match pattern {
            TextPattern::Prefix(_) => false,
            TextPattern::Exact(exact) => exact == name,
            TextPattern::Word { word, .. } => {
                *word != Word::Name && pattern.around(name, *word).is_some()
            }
        });
        let ground = self.ground.filter(|_| !meant)?;
        ground.owner_of(name)
    }

    /// A node may ask for its own name only.
    fn requester(&mut self, name: &str) {
        let given = self.wish.requester.map(|node| format!("{NODE}{node}"));
        let nodes = self
            .policy
            .common_names
            .iter()
            .any(|pattern| pattern.is_about(Word::Node));
        let object = self.wish.object.filter(|_| nodes);
        let user = object
            .map(RequestObject::username)
            .filter(|user| !user.is_empty());
        // A kubelet that joins asks for its client certificate as whoever its bootstrap token says, but its
        // serving certificate it asks for as itself (kubernetes.io/kubelet-serving).
        let must_be_itself = self.policy.usages == [crate::x509::Usage::Server];
        let user = user.filter(|user| must_be_itself || user.starts_with(NODE));
        for requester in given.into_iter().chain(user.map(str::to_owned)) {
            if requester != name {
                self.refuse(Refusal::Requester {
                    name: name.to_owned(),
                    wanted: requester.clone(),
                    requester,
                });
            }
        }
    }

    fn groups(&mut self, asker: &Asker<'_>) -> Vec<String> {
        let policy = self.policy;
        let groups = values(&self.wish.request.subject, &AttributeKind::Organization);
        for (place, group) in groups.iter().enumerate() {
            if groups[..place].contains(group) {
                self.refuse(Refusal::GroupTwice(group.clone()));
                continue;
            }
            let own = |pattern: &TextPattern| {
                pattern.is_about(Word::UserGroups)
                    && asker.user.is_some_and(|user| user.groups().contains(group))
            };
            let by = policy
                .groups
                .iter()
                .find(|pattern| own(pattern) || pattern.lets_through(group));
            // What the policy or the spec has to the letter is what it looks like.
            if by.is_none_or(TextPattern::is_prefix) {
                self.plain("group", group);
            }
            let Some(pattern) = by else {
                self.refuse(Refusal::Group {
                    group: group.clone(),
                    policy: policy.name.clone(),
                    wanted: groups_of(policy, asker),
                });
                continue;
            };
            let ground = self.ground.filter(|_| pattern.is_prefix());
            if let Some(owner) = ground.and_then(|ground| reserved::owner_of_group(ground, group)) {
                let group = group.clone();
                self.refuse(Refusal::GroupTaken { group, owner });
            }
        }
        for pattern in policy.groups.iter().filter(|_| policy.groups_required) {
            if let TextPattern::Exact(group) = pattern
                && !groups.contains(group)
            {
                let (group, policy) = (group.clone(), policy.name.clone());
                self.refuse(Refusal::GroupMissing { group, policy });
            }
        }
        groups
    }

    fn names(&mut self, asker: &Asker<'_>) -> Vec<SubjectAltName> {
        let request = self.wish.request;
        for odd in &request.odd_sans {
            self.refuse(Refusal::OddName(format!("{odd:?}")));
        }
        let mut sans: Vec<SubjectAltName> = Vec::new();
        for san in &request.sans {
            if !sans.contains(san) {
                self.name(san, asker);
                sans.push(san.clone());
            }
        }
        let is_server =
            |san: &SubjectAltName| matches!(san, SubjectAltName::Dns(_) | SubjectAltName::Ip(_));
        if self.policy.names_required && !sans.iter().any(is_server) {
            self.refuse(Refusal::NoNames(self.policy.name.clone()));
        }
        sans
    }

    fn name(&mut self, san: &SubjectAltName, asker: &Asker<'_>) {
        let (policy, ground, node) = (self.policy, self.ground, asker.node);
        let lets_through = match san {
            SubjectAltName::Dns(name) => {
                if name.is_wildcard() && !policy.wildcards {
                    let (name, policy) = (name.to_string(), policy.name.clone());
                    return self.refuse(Refusal::Wildcard { name, policy });
                }
                let name = name.as_str();
                policy
                    .dns
                    .iter()
                    .any(|pattern| pattern.lets_through(name, node, ground))
            }
            SubjectAltName::Ip(address) => policy
                .addresses
                .iter()
                .any(|pattern| pattern.lets_through(*address, node, ground)),
            SubjectAltName::Email(email) => policy.emails.iter().any(|pattern| match pattern {
                // `@corp.example`: any mailbox there.
                TextPattern::Exact(host) if host.starts_with('@') => email
                    .strip_suffix(host.as_str())
                    .is_some_and(|box_| !box_.contains('@')),
                pattern => pattern.lets_through(email),
            }),
            SubjectAltName::Uri(uri) => policy.uris.iter().any(|pattern| pattern.lets_through(uri)),
        };
        if !lets_through {
            let wanted = match san {
                SubjectAltName::Dns(_) => list(&policy.dns),
                SubjectAltName::Ip(_) => list(&policy.addresses),
                SubjectAltName::Email(_) => list(&policy.emails),
                SubjectAltName::Uri(_) => list(&policy.uris),
            };
            let wanted = match node {
                Some(node) => {
                    wanted.replace("{node}", &format!("names and addresses of {}", node.name()))
                }
                None => wanted,
            };
            self.refuse(Refusal::Name {
                name: san.to_string(),
                policy: policy.name.clone(),
                wanted,
            });
        } else if node.is_none()
            && let Some(owner) = ground.and_then(|ground| reserved::owner_of_server(ground, san))
        {
            let name = san.to_string();
            self.refuse(Refusal::ServerTaken { name, owner });
        }
    }

    /// As long as the policy lets it last, or shorter where that is asked for.
    fn lifetime(&mut self) -> Lifetime {
        let most = self.policy.lifetime;
        let Some(seconds) = self.wish.object.and_then(RequestObject::expiration) else {
            return most;
        };
        match Lifetime::seconds(seconds) {
            Some(wanted) if wanted >= SHORTEST => {
                if wanted > most {
                    self.notes.push(Note::Shortened { wanted, gets: most });
                }
                wanted.min(most)
            }
            _ => {
                self.refuse(Refusal::Expiration(seconds));
                most
            }
        }
    }

    /// Text that is what it looks like, and fits into a certificate (RFC 5280 appendix A.1, ub-common-name).
    fn plain(&mut self, what: &'static str, text: &str) {
        let fault = if text.is_empty() {
            "is empty"
        } else if text.chars().any(char::is_control) {
            "holds a control character, at which some readers stop"
        } else if text.trim() != text {
            "has blanks at its ends, which no eye sees"
        } else if !text.is_ascii() {
            "has letters beyond ASCII, which can look like others"
        } else if text.starts_with('#') {
            "is no text, or looks like a value that is none"
        } else if text.chars().count() > 64 {
            "has more than 64 characters"
        } else {
            return;
        };
        let text = text.to_owned();
        self.refuse(Refusal::Text { what, text, fault });
    }
}

/// How the user name of a node begins (KEP-279).
const NODE: &str = "system:node:";

fn values(subject: &DistinguishedName, kind: &AttributeKind) -> Vec<String> {
    let attributes = subject.attributes().iter();
    attributes
        .filter(|attribute| attribute.kind == *kind)
        .map(|attribute| attribute.value.clone())
        .collect()
}

fn groups_of(policy: &SigningPolicy, asker: &Asker<'_>) -> String {
    let own = policy
        .groups
        .iter()
        .any(|pattern| pattern.is_about(Word::UserGroups));
    match asker.user.filter(|_| own) {
        Some(user) if user.groups().is_empty() => format!("none, for {} has none", user.name()),
        Some(user) => format!("{}, the groups of {}", list(user.groups()), user.name()),
        None => list(&policy.groups),
    }
}

fn list(items: &[impl Display]) -> String {
    if items.is_empty() {
        return "none".into();
    }
    let words: Vec<_> = items.iter().map(ToString::to_string).collect();
    words.join(", ")
}
