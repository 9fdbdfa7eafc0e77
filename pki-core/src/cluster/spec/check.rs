//! From what was written to what is meant: every rule of a spec, each mistake noted, none hidden
//! by another. A rule about two fields is only asked when both are fine by themselves.

mod networks;
mod nodes;
mod users;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::document::Document;
use super::place::Places;
use super::{
    AuthorityDocument, AuthorityOverride, CertificateDocument, CertificateOverride, ClusterSpec,
    DEFAULT_DOMAIN, DEFAULT_NAME, Endpoint, Fact, Mistake, Place, SpecError, Written, address,
    user,
};
use crate::x509::{DnsName, KeyAlgorithm, Lifetime};
pub(super) use networks::{POD_CIDRS_V4, POD_CIDRS_V6};

/// Checks the document, whose reading brought the mistakes so far.
pub(super) fn check(document: &Document, mistakes: Vec<Mistake>) -> Result<ClusterSpec, SpecError> {
    let mut checker = Checker {
        mistakes,
        places: Places::default(),
    };
    let spec = checker.spec(document);
    let mut mistakes = checker.mistakes;
    match spec {
        Some(mut spec) if mistakes.is_empty() => {
            spec.places = checker.places;
            Ok(spec)
        }
        _ => {
            // The file from top to bottom, then the flags in the order of the checks.
            mistakes.sort_by_key(|mistake| match mistake.place {
                Place::Line(line) => (0, line),
                Place::Flag(_) => (1, 0),
                Place::Nowhere => (2, 0),
            });
            Err(SpecError { mistakes })
        }
    }
}

struct Checker {
    mistakes: Vec<Mistake>,
    places: Places,
}

impl Checker {
    /// `None` only after a mistake.
    fn spec(&mut self, document: &Document) -> Option<ClusterSpec> {
        let name = self.or_default("name", &document.name, DEFAULT_NAME, cluster_name);
        let domain = self.or_default("domain", &document.domain, DEFAULT_DOMAIN, domain);
        let profile = self.one("profile", &document.profile, str::parse);
        let key_algorithm = self.one("key-algorithm", &document.key_algorithm, algorithm);
        let ca_dir = self.one("ca-dir", &document.ca_dir, directory);
        let sans = self.many("san", &document.san, address::parse_san);

        let nodes = self.nodes(document, &profile.clone().unwrap_or_default());
        let networks = self.networks(document, &nodes);
        let endpoint = self.endpoint(&document.endpoint, &networks, &nodes);

        let ca_validity = self.one("ca-validity", &document.ca_validity, lifetime);
        let authorities: BTreeMap<_, _> = document
            .authority
            .iter()
            .filter_map(|(id, written)| self.authority(id, written))
            .collect();
        let limit = longest_authority(ca_validity, &authorities);
        let validity = self.leaf_lifetime("validity", &document.validity, limit);
        let users = self.users(&document.user, limit);
        let certificates = document
            .certificate
            .iter()
            .filter_map(|(id, written)| self.certificate(id, written, limit))
            .collect();

        Some(ClusterSpec {
            name: name?,
            domain: domain?,
            service_cidrs: networks.services,
            cluster_dns: networks.dns,
            pod_cidrs: networks.pods,
            endpoint: endpoint?,
            sans,
            profile: profile.unwrap_or_default(),
            key_algorithm: key_algorithm.unwrap_or_default(),
            validity,
            ca_validity,
            ca_dir,
            nodes,
            users,
            certificates,
            authorities,
            places: Places::default(),
        })
    }

    /// The endpoint. By default it is the one control-plane node, at its address in the family of the first service CIDR, where it
    /// has one, since there the API server advertises itself; with several it is each node's own load balancer.
    fn endpoint(
        &mut self,
        written: &Option<Written>,
        networks: &networks::Networks,
        nodes: &[super::Node],
    ) -> Option<Endpoint> {
        if let Some(written) = written {
            let endpoint: Endpoint = self.one("endpoint", &Some(written.clone()), str::parse)?;
            if let super::Host::Ip(address) = endpoint.host() {
                self.outside_ranges("endpoint", *address, written, networks);
            }
            let without = nodes
                .iter()
                .find(|node| !node.has(super::Role::ControlPlane));
            if let Some(node) = without
                && endpoint.is_loopback()
                && endpoint.port() == Endpoint::DEFAULT_PORT
            {
                let node = node.name().clone();
                self.mistake("endpoint", written, Fact::NoApiServerThere(node));
            }
            return Some(endpoint);
        }
        let family = (*networks.services.first()?).into();
        let mut control_planes = nodes
            .iter()
            .filter(|node| node.has(super::Role::ControlPlane));
        let node = control_planes.next()?;
        if control_planes.next().is_some() {
            return Some(Endpoint::local_balancer(family));
        }
        let address = node
            .address(family)
            .or_else(|| node.addresses().first().copied())?;
        Some(Endpoint::new(super::Host::Ip(address)))
    }

    fn certificate(
        &mut self,
        id: &str,
        written: &CertificateDocument,
        limit: Option<Lifetime>,
    ) -> Option<(String, CertificateOverride)> {
        let path = self.id("certificate", id, &written.place)?;
        let certificate = CertificateOverride {
            key_algorithm: self.one(
                &format!("{path}.key-algorithm"),
                &written.key_algorithm,
                algorithm,
            ),
            validity: self.leaf_lifetime(&format!("{path}.validity"), &written.validity, limit),
            sans: self.many(&format!("{path}.san"), &written.san, address::parse_san),
        };
        Some((id.to_owned(), certificate))
    }

    fn authority(
        &mut self,
        id: &str,
        written: &AuthorityDocument,
    ) -> Option<(String, AuthorityOverride)> {
        let path = self.id("authority", id, &written.place)?;
        let found = [
            ("key-algorithm", &written.key_algorithm),
            ("validity", &written.validity),
            ("common-name", &written.common_name),
        ];
        for (key, value) in found {
            if let (true, Some(value)) = (written.imported, value) {
                self.mistake(&format!("{path}.{key}"), value, Fact::TakenAsFound);
            }
        }
        let [algorithm_field, validity, common_name] =
            found.map(|(key, _)| format!("{path}.{key}"));
        let authority = AuthorityOverride {
            imported: written.imported,
            key_algorithm: self.one(&algorithm_field, &written.key_algorithm, algorithm),
            validity: self.one(&validity, &written.validity, lifetime),
            common_name: self.one(&common_name, &written.common_name, user::subject_text),
        };
        Some((id.to_owned(), authority))
    }

    /// The path of a table named by an id, which only the profile can know.
    fn id(&mut self, kind: &str, id: &str, place: &Place) -> Option<String> {
        let fact = match id {
            "" => Fact::Empty,
            _ if id.chars().any(char::is_control) => Fact::ControlCharacter,
            _ => {
                let path = format!("{kind}.{id}");
                self.places.note(&path, place);
                return Some(path);
            }
        };
        self.mistake(kind, &Written::at(place.clone(), id), fact);
        None
    }

    fn leaf_lifetime(
        &mut self,
        field: &str,
        written: &Option<Written>,
        limit: Option<Lifetime>,
    ) -> Option<Lifetime> {
        self.one(field, written, |text| {
            let lifetime = lifetime(text)?;
            match limit {
                Some(authority) if lifetime > authority => {
                    Err(Fact::OutlivesAuthority { authority })
                }
                _ => Ok(lifetime),
            }
        })
    }

    /// The one value of a field.
    fn one<T, E: Into<Fact>>(
        &mut self,
        field: &str,
        written: &Option<Written>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let written = written.as_ref()?;
        self.places.note(field, written.place());
        match parse(written.text()) {
            Ok(value) => Some(value),
            Err(fact) => {
                self.mistake(field, written, fact.into());
                None
            }
        }
    }

    /// The one value of a field, or its default; `None` only after a mistake.
    fn or_default<T>(
        &mut self,
        field: &str,
        written: &Option<Written>,
        default: &str,
        parse: impl Fn(&str) -> Result<T, Fact>,
    ) -> Option<T> {
        match written {
            Some(_) => self.one(field, written, parse),
            None => Some(parse(default).expect("a default obeys its own rule")),
        }
    }

    /// All good values of a field, each with where it came from; none twice.
    fn many_written<'w, T: PartialEq, E: Into<Fact>>(
        &mut self,
        field: &str,
        written: &'w [Written],
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<(T, &'w Written)> {
        if let Some(first) = written.first() {
            self.places.note(field, first.place());
        }
        let mut values: Vec<(T, &Written)> = Vec::new();
        for one in written {
            match parse(one.text()) {
                Ok(value) if values.iter().any(|(other, _)| *other == value) => {
                    self.mistake(field, one, Fact::Repeated);
                }
                Ok(value) => values.push((value, one)),
                Err(fact) => self.mistake(field, one, fact.into()),
            }
        }
        values
    }

    /// All good values of a field, none twice.
    fn many<T: PartialEq, E: Into<Fact>>(
        &mut self,
        field: &str,
        written: &[Written],
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let values = self.many_written(field, written, parse);
        values.into_iter().map(|(value, _)| value).collect()
    }

    fn mistake(&mut self, field: &str, written: &Written, fact: Fact) {
        self.mistakes.push(Mistake {
            place: written.place().clone(),
            field: field.to_owned(),
            value: Some(written.text().to_owned()),
            fact,
        });
    }

    /// A mistake about something that is not there, unless what is there is already known to be
    /// wrong.
    fn absence(&mut self, field: &str, place: Place, fact: Fact) {
        if !self.mistakes.iter().any(|mistake| mistake.field == field) {
            self.mistakes.push(Mistake {
                place,
                field: field.to_owned(),
                value: None,
                fact,
            });
        }
    }
}

/// The lifetime that no leaf may pass, as far as the spec alone tells: which authority signs what,
/// and how long one lasts where the spec is silent, is known to the profile.
fn longest_authority(
    general: Option<Lifetime>,
    authorities: &BTreeMap<String, AuthorityOverride>,
) -> Option<Lifetime> {
    // An imported authority lasts as long as it does.
    if authorities.values().any(AuthorityOverride::is_imported) {
        return None;
    }
    let special = authorities.values().filter_map(AuthorityOverride::validity);
    general.map(|general| special.fold(general, Lifetime::max))
}

fn cluster_name(text: &str) -> Result<String, Fact> {
    let name = DnsName::new(text)?;
    if name.is_wildcard() {
        return Err(Fact::Wildcard);
    }
    if text.contains('.') {
        return Err(Fact::NotLabel);
    }
    Ok(text.to_owned())
}

fn domain(text: &str) -> Result<DnsName, Fact> {
    const LIMIT: usize = 253 - "kubernetes.default.svc.".len();
    let name = DnsName::new(text)?;
    if name.is_wildcard() {
        return Err(Fact::Wildcard);
    }
    match text.len() {
        length if length > LIMIT => Err(Fact::DomainTooLong {
            length,
            limit: LIMIT,
        }),
        _ => Ok(name),
    }
}

fn algorithm(text: &str) -> Result<KeyAlgorithm, Fact> {
    Ok(text.parse::<KeyAlgorithm>()?)
}

fn lifetime(text: &str) -> Result<Lifetime, Fact> {
    Ok(text.parse::<Lifetime>()?)
}

fn directory(text: &str) -> Result<PathBuf, Fact> {
    match text {
        "" => Err(Fact::Empty),
        _ if text.chars().any(char::is_control) => Err(Fact::ControlCharacter),
        _ => Ok(text.into()),
    }
}

#[cfg(test)]
mod tests;
