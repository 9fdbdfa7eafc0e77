//! From text to a checked profile: all mistakes at once, each with its line.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use toml::Spanned;

use super::document::{self, Document, Table, Texts};
use super::{
    AuthorityRule, BundleRule, CertificateRule, EdgeRule, KubeconfigRule, Profile, ProfileError,
    ProfileFact, ProfileMistake, SanSource, SecretRule, ServerChoice, USER, UserRule,
};
use crate::cluster::location::RelativePath;
use crate::cluster::spec::Role;
use crate::x509::{KeyAlgorithm, Lifetime, Usage};

pub(super) fn read(text: &str) -> Result<Profile, ProfileError> {
    let document: Document = toml::from_str(text).map_err(|error| ProfileError {
        mistakes: vec![ProfileMistake {
            line: error.span().map(|span| line_of(text, span.start)),
            field: String::new(),
            fact: ProfileFact::Form(error.message().replace('\n', " ")),
        }],
    })?;
    let mut check = Check {
        text,
        mistakes: Vec::new(),
        ids: BTreeMap::new(),
        files: BTreeMap::new(),
    };
    let profile = check.profile(document);
    if check.mistakes.is_empty() {
        return Ok(profile);
    }
    check.mistakes.sort_by_key(|mistake| mistake.line);
    Err(ProfileError {
        mistakes: check.mistakes,
    })
}

struct Check<'a> {
    text: &'a str,
    mistakes: Vec<ProfileMistake>,
    /// Every identifier with its kind.
    ids: BTreeMap<String, &'static str>,
    /// Every file with what it belongs to, once for each role that gets it.
    files: BTreeMap<(Role, String), String>,
}

impl Check<'_> {
    fn profile(&mut self, document: Document) -> Profile {
        self.collect_ids(&document);
        if document.authority.is_empty() {
            self.mistake(&document.name, "authority", ProfileFact::NoAuthority);
        }
        let lifetime =
            |check: &mut Self, text: Option<&Spanned<String>>, field: &str, otherwise| {
                check.lifetime(text, field).unwrap_or(otherwise)
            };
        let validity = lifetime(
            self,
            document.validity.as_ref(),
            "validity",
            Lifetime::years(1),
        );
        let ca_validity = lifetime(
            self,
            document.ca_validity.as_ref(),
            "ca-validity",
            Lifetime::years(10),
        );
        Profile {
            name: document.name.into_inner(),
            description: document.description,
            validity,
            ca_validity,
            authorities: self.each("authority", document.authority, Self::authority),
            certificates: self.each("certificate", document.certificate, Self::certificate),
            kubeconfigs: self.each("kubeconfig", document.kubeconfig, Self::kubeconfig),
            bundles: self.each("bundle", document.bundle, Self::bundle),
            service_accounts: self.each(
                "service-account",
                document.service_account,
                |check, id, field, rule| check.secret(id, field, rule, &["key", "pub"]),
            ),
            encryptions: self.each(
                "encryption",
                document.encryption,
                |check, id, field, rule| check.secret(id, field, rule, &[]),
            ),
            user: document.user.map(|rule| self.user(&rule)),
            edges: document
                .edge
                .into_iter()
                .map(|edge| self.edge(edge.into_inner()))
                .collect(),
        }
    }

    fn collect_ids(&mut self, document: &Document) {
        let keys = document
            .authority
            .keys()
            .map(|id| (id, "authority"))
            .chain(document.certificate.keys().map(|id| (id, "certificate")))
            .chain(document.kubeconfig.keys().map(|id| (id, "kubeconfig")))
            .chain(document.bundle.keys().map(|id| (id, "bundle")))
            .chain(
                document
                    .service_account
                    .keys()
                    .map(|id| (id, "service-account")),
            )
            .chain(document.encryption.keys().map(|id| (id, "encryption")));
        for (id, kind) in keys {
            let name = id.get_ref().clone();
            let field = format!("{kind}.{name}");
            let plain = name
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            if !plain || name.is_empty() || name == USER {
                self.mistake(id, &field, ProfileFact::Identifier(name.clone()));
            }
            if self.ids.insert(name.clone(), kind).is_some() {
                self.mistake(id, &field, ProfileFact::Repeated(name));
            }
        }
    }

    /// Checks each table of one kind, in the order of the file.
    fn each<T, R>(
        &mut self,
        kind: &str,
        table: Table<T>,
        check: impl Fn(&mut Self, String, &str, T) -> R,
    ) -> Vec<R> {
        let mut entries: Vec<_> = table.into_iter().collect();
        entries.sort_by_key(|(id, _)| id.span().start);
        entries
            .into_iter()
            .map(|(id, rule)| {
                let field = format!("{kind}.{}", id.get_ref());
                check(self, id.into_inner(), &field, rule)
            })
            .collect()
    }

    fn authority(&mut self, id: String, field: &str, rule: document::Authority) -> AuthorityRule {
        let certificate_on = self.roles(&rule.certificate_on, &format!("{field}.certificate-on"));
        let key_on = self.roles(&rule.key_on, &format!("{field}.key-on"));
        let path_field = format!("{field}.file");
        let file = self.file(&rule.file, &path_field, &id, &certificate_on, &["crt"]);
        self.file(&rule.file, &path_field, &id, &key_on, &["key"]);
        AuthorityRule {
            id,
            common_name: rule.common_name.into_inner(),
            file,
            certificate_on,
            key_on,
            path_length: rule.path_length,
            name_constraints: rule.name_constraints,
            validity: self.lifetime(rule.validity.as_ref(), &format!("{field}.validity")),
            key_algorithm: self.algorithm(
                rule.key_algorithm.as_ref(),
                &format!("{field}.key-algorithm"),
            ),
        }
    }

    fn certificate(
        &mut self,
        id: String,
        field: &str,
        rule: document::Certificate,
    ) -> CertificateRule {
        let on = self.some_roles(&rule.on, rule.file.span().start, &format!("{field}.on"));
        let per_node = match rule.scope.as_ref().map(|scope| scope.get_ref().as_str()) {
            None | Some("node") => true,
            Some("cluster") => false,
            Some(_) => {
                let scope = rule.scope.as_ref().expect("it was just matched");
                self.unknown(scope, &format!("{field}.scope"), "node, cluster");
                true
            }
        };
        let sans_field = format!("{field}.sans");
        let sans: Vec<_> = rule
            .sans
            .iter()
            .filter_map(|word| {
                let source = self.san_source(word, &sans_field)?;
                if !per_node && source.needs_node() {
                    self.mistake(
                        word,
                        &sans_field,
                        ProfileFact::NeedsNode(word.get_ref().clone()),
                    );
                }
                Some(source)
            })
            .collect();
        if !per_node && rule.common_name.get_ref().contains("{node}") {
            let text = rule.common_name.get_ref().clone();
            self.mistake(
                &rule.common_name,
                &format!("{field}.common-name"),
                ProfileFact::NeedsNode(text),
            );
        }
        let usages_field = format!("{field}.usages");
        let usages: Vec<_> = rule
            .usages
            .iter()
            .filter_map(|word| match word.get_ref().as_str() {
                "server" => Some(Usage::Server),
                "client" => Some(Usage::Client),
                _ => {
                    self.unknown(word, &usages_field, "server, client");
                    None
                }
            })
            .collect();
        if rule.usages.is_empty() {
            self.mistake(&rule.file, &usages_field, ProfileFact::Empty);
        }
        if usages.contains(&Usage::Server) && rule.sans.is_empty() {
            self.mistake(&rule.file, &sans_field, ProfileFact::ServerWithoutNames);
        }
        CertificateRule {
            per_node,
            file: self.file(
                &rule.file,
                &format!("{field}.file"),
                &id,
                &on,
                &["crt", "key"],
            ),
            on,
            issuer: self.authority_id(&rule.issuer, &format!("{field}.issuer")),
            common_name: rule.common_name.into_inner(),
            organizations: rule.organizations,
            usages,
            sans,
            validity: self.lifetime(rule.validity.as_ref(), &format!("{field}.validity")),
            key_algorithm: self.algorithm(
                rule.key_algorithm.as_ref(),
                &format!("{field}.key-algorithm"),
            ),
            id,
        }
    }

    fn kubeconfig(
        &mut self,
        id: String,
        field: &str,
        rule: document::Kubeconfig,
    ) -> KubeconfigRule {
        let on = self.some_roles(&rule.on, rule.file.span().start, &format!("{field}.on"));
        KubeconfigRule {
            file: self.file(&rule.file, &format!("{field}.file"), &id, &on, &[]),
            on,
            issuer: self.authority_id(&rule.issuer, &format!("{field}.issuer")),
            trusts: self.authority_ids(&rule.trusts, &format!("{field}.trusts")),
            common_name: rule.common_name.into_inner(),
            organizations: rule.organizations,
            server: self.server(&rule.server, &format!("{field}.server")),
            validity: self.lifetime(rule.validity.as_ref(), &format!("{field}.validity")),
            key_algorithm: self.algorithm(
                rule.key_algorithm.as_ref(),
                &format!("{field}.key-algorithm"),
            ),
            id,
        }
    }

    fn user(&mut self, rule: &document::User) -> UserRule {
        if self.server(&rule.server, "user.server") != ServerChoice::Endpoint {
            let text = rule.server.get_ref().clone();
            self.mistake(&rule.server, "user.server", ProfileFact::NeedsNode(text));
        }
        UserRule {
            issuer: self.authority_id(&rule.issuer, "user.issuer"),
            trusts: self.authority_ids(&rule.trusts, "user.trusts"),
        }
    }

    fn bundle(&mut self, id: String, field: &str, rule: document::Bundle) -> BundleRule {
        let on = self.some_roles(&rule.on, rule.file.span().start, &format!("{field}.on"));
        if rule.authorities.is_empty() {
            self.mistake(
                &rule.file,
                &format!("{field}.authorities"),
                ProfileFact::Empty,
            );
        }
        BundleRule {
            file: self.file(&rule.file, &format!("{field}.file"), &id, &on, &[]),
            on,
            authorities: self.authority_ids(&rule.authorities, &format!("{field}.authorities")),
            id,
        }
    }

    fn secret(
        &mut self,
        id: String,
        field: &str,
        rule: document::Secret,
        endings: &[&str],
    ) -> SecretRule {
        let on = self.some_roles(&rule.on, rule.file.span().start, &format!("{field}.on"));
        SecretRule {
            file: self.file(&rule.file, &format!("{field}.file"), &id, &on, endings),
            on,
            id,
        }
    }

    fn edge(&mut self, edge: document::Edge) -> EdgeRule {
        let field = |name: &str| format!("edge {:?}.{name}", edge.name);
        let known = |check: &Self, id: &str| {
            matches!(check.ids.get(id), Some(&"certificate" | &"kubeconfig"))
        };
        if let Some(client) = &edge.client
            && client.get_ref() != USER
            && !known(self, client.get_ref())
        {
            let id = client.get_ref().clone();
            self.mistake(
                client,
                &field("client"),
                ProfileFact::Undefined {
                    id,
                    kind: "certificate",
                },
            );
        }
        if self.ids.get(edge.server.get_ref()) != Some(&"certificate") {
            let id = edge.server.get_ref().clone();
            self.mistake(
                &edge.server,
                &field("server"),
                ProfileFact::Undefined {
                    id,
                    kind: "certificate",
                },
            );
        }
        let same_node = match edge.reach.as_ref().map(|reach| reach.get_ref().as_str()) {
            None | Some("any") => false,
            Some("same-node") => true,
            Some(_) => {
                let reach = edge.reach.as_ref().expect("it was just matched");
                self.unknown(reach, &field("reach"), "any, same-node");
                false
            }
        };
        let dials = edge
            .dials
            .iter()
            .filter_map(|word| self.san_source(word, &field("dials")))
            .collect();
        EdgeRule {
            client_trusts: self.authority_ids(&edge.client_trusts, &field("client-trusts")),
            server_trusts: self.authority_ids(&edge.server_trusts, &field("server-trusts")),
            dials,
            same_node,
            client: edge.client.map(Spanned::into_inner),
            server: edge.server.into_inner(),
            name: edge.name,
        }
    }

    fn server(&mut self, word: &Spanned<String>, field: &str) -> ServerChoice {
        match word.get_ref().as_str() {
            "node" => ServerChoice::Node,
            "nearest" => ServerChoice::Nearest,
            "endpoint" => ServerChoice::Endpoint,
            _ => {
                self.unknown(word, field, "endpoint, node, nearest");
                ServerChoice::Endpoint
            }
        }
    }

    fn san_source(&mut self, word: &Spanned<String>, field: &str) -> Option<SanSource> {
        let source = word.get_ref().parse().ok();
        if source.is_none() {
            self.unknown(word, field, &SanSource::words());
        }
        source
    }

    fn authority_id(&mut self, id: &Spanned<String>, field: &str) -> String {
        let name = id.get_ref().clone();
        if self.ids.get(&name) != Some(&"authority") {
            self.mistake(
                id,
                field,
                ProfileFact::Undefined {
                    id: name.clone(),
                    kind: "authority",
                },
            );
        }
        name
    }

    fn authority_ids(&mut self, ids: &Texts, field: &str) -> Vec<String> {
        ids.iter().map(|id| self.authority_id(id, field)).collect()
    }

    fn some_roles(&mut self, words: &Texts, otherwise: usize, field: &str) -> Vec<Role> {
        if words.is_empty() {
            self.mistake_at(otherwise, field, ProfileFact::Empty);
        }
        self.roles(words, field)
    }

    fn roles(&mut self, words: &Texts, field: &str) -> Vec<Role> {
        let found: BTreeSet<_> = words
            .iter()
            .filter_map(|word| {
                let role = Role::from_str(word.get_ref()).ok();
                if role.is_none() {
                    let known: Vec<_> = Role::ALL.iter().map(|role| role.as_str()).collect();
                    self.unknown(word, field, &known.join(", "));
                }
                role
            })
            .collect();
        found.into_iter().collect()
    }

    /// Checks a path, and that nothing else has it on any node.
    fn file(
        &mut self,
        path: &Spanned<String>,
        field: &str,
        id: &str,
        on: &[Role],
        endings: &[&str],
    ) -> RelativePath {
        let whole = if endings.is_empty() {
            vec![path.get_ref().clone()]
        } else {
            endings
                .iter()
                .map(|ending| format!("{}.{ending}", path.get_ref()))
                .collect()
        };
        for path_text in whole {
            for role in on {
                let other = self.files.insert((*role, path_text.clone()), id.to_owned());
                if let Some(other) = other.filter(|other| other != id) {
                    let path_text = path_text.clone();
                    self.mistake(
                        path,
                        field,
                        ProfileFact::SamePath {
                            path: path_text,
                            other,
                        },
                    );
                    break;
                }
            }
        }
        RelativePath::new(path.get_ref().as_str()).unwrap_or_else(|error| {
            self.mistake(path, field, ProfileFact::Path(error.to_string()));
            RelativePath::new("invalid").expect("a plain word")
        })
    }

    fn lifetime(&mut self, text: Option<&Spanned<String>>, field: &str) -> Option<Lifetime> {
        let text = text?;
        text.get_ref()
            .parse()
            .map_err(|error| {
                let value = text.get_ref().clone();
                self.mistake(text, field, ProfileFact::Lifetime { value, error });
            })
            .ok()
    }

    fn algorithm(&mut self, word: Option<&Spanned<String>>, field: &str) -> Option<KeyAlgorithm> {
        let word = word?;
        let algorithm = word.get_ref().parse().ok();
        if algorithm.is_none() {
            let known: Vec<_> = KeyAlgorithm::ALL
                .iter()
                .map(|known| known.as_str())
                .collect();
            self.unknown(word, field, &known.join(", "));
        }
        algorithm
    }

    fn unknown(&mut self, word: &Spanned<String>, field: &str, known: &str) {
        let fact = ProfileFact::UnknownWord {
            word: word.get_ref().clone(),
            known: known.to_owned(),
        };
        self.mistake(word, field, fact);
    }

    fn mistake(&mut self, place: &Spanned<String>, field: &str, fact: ProfileFact) {
        self.mistake_at(place.span().start, field, fact);
    }

    fn mistake_at(&mut self, offset: usize, field: &str, fact: ProfileFact) {
        let line = Some(line_of(self.text, offset));
        self.mistakes.push(ProfileMistake {
            line,
            field: field.to_owned(),
            fact,
        });
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests;
