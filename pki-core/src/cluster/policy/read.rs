//! From text to a checked policy: all mistakes at once, each with its line.

use toml::Spanned;

use super::document::{Document, Texts};
use super::pattern::{AddressPattern, DnsPattern, TextPattern, Word};
use super::{PolicyError, PolicyFact, PolicyMistake, SigningPolicy};
use crate::x509::{KeyAlgorithm, Lifetime, Usage};

pub(super) fn read(text: &str) -> Result<SigningPolicy, PolicyError> {
    let mut check = Check {
        text,
        mistakes: Vec::new(),
    };
    let policy = match toml::from_str::<Document>(text) {
        Ok(document) => Some(check.policy(document)),
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let form = PolicyFact::Form(error.message().replace('\n', " "));
            check.mistake(start, "", form);
            None
        }
    };
    match policy {
        Some(policy) if check.mistakes.is_empty() => Ok(policy),
        _ => {
            check.mistakes.sort_by_key(|mistake| mistake.line);
            Err(PolicyError {
                mistakes: check.mistakes,
            })
        }
    }
}

struct Check<'a> {
    text: &'a str,
    mistakes: Vec<PolicyMistake>,
}

impl Check<'_> {
    fn policy(&mut self, document: Document) -> SigningPolicy {
        let Document {
            common_names,
            groups,
            dns,
            addresses,
            emails,
            uris,
            ..
        } = &document;
        let nameless = [common_names, dns, addresses, emails, uris]
            .iter()
            .all(|list| list.is_empty());
        if nameless {
            self.mistake(document.name.span().start, "", PolicyFact::Nobody);
        }
        if document.usages.is_empty() {
            self.mistake(document.name.span().start, "usages", PolicyFact::Empty);
        }
        let about_people = [Word::Node, Word::User, Word::Name];
        SigningPolicy {
            common_names: self.texts("common-names", common_names, &about_people),
            groups: self.texts("groups", groups, &[Word::UserGroups]),
            emails: self.texts("emails", emails, &[]),
            uris: self.texts("uris", uris, &[]),
            dns: self.each("dns", dns, |text| {
                DnsPattern::read(text).ok_or_else(|| PolicyFact::DnsName(text.to_owned()))
            }),
            addresses: self.each("addresses", addresses, |text| {
                AddressPattern::read(text).ok_or_else(|| PolicyFact::Address(text.to_owned()))
            }),
            usages: self.each("usages", &document.usages, |word| {
                let known = [Usage::Server, Usage::Client];
                word_of(word, &known, |usage| usage.as_str())
            }),
            key_algorithms: match &document.key_algorithms {
                None => KeyAlgorithm::ALL.to_vec(),
                Some(words) if words.is_empty() => {
                    let start = document.name.span().start;
                    self.mistake(start, "key-algorithms", PolicyFact::Empty);
                    Vec::new()
                }
                Some(words) => self.each("key-algorithms", words, |word| {
                    word_of(word, &KeyAlgorithm::ALL, |algorithm| algorithm.as_str())
                }),
            },
            lifetime: self.lifetime(&document.validity),
            common_name_required: document.common_name_required,
            groups_required: document.groups_required,
            wildcards: document.wildcards,
            names_required: document.names_required,
            name: document.name.into_inner(),
            description: document.description,
            signer: document.signer,
        }
    }

    fn texts(&mut self, field: &'static str, texts: &Texts, words: &[Word]) -> Vec<TextPattern> {
        self.each(field, texts, |text| {
            TextPattern::read(text, words).ok_or_else(|| PolicyFact::Pattern(text.to_owned()))
        })
    }

    fn each<T>(
        &mut self,
        field: &'static str,
        texts: &Texts,
        read: impl Fn(&str) -> Result<T, PolicyFact>,
    ) -> Vec<T> {
        let mut values = Vec::new();
        for text in texts {
            match read(text.get_ref()) {
                Ok(value) => values.push(value),
                Err(fact) => self.mistake(text.span().start, field, fact),
            }
        }
        values
    }

    fn lifetime(&mut self, text: &Spanned<String>) -> Lifetime {
        text.get_ref().parse().unwrap_or_else(|error| {
            let value = text.get_ref().clone();
            let fact = PolicyFact::Lifetime { value, error };
            self.mistake(text.span().start, "validity", fact);
            Lifetime::days(1)
        })
    }

    fn mistake(&mut self, offset: usize, field: &'static str, fact: PolicyFact) {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = Some(before.iter().filter(|byte| **byte == b'\n').count() + 1);
        self.mistakes.push(PolicyMistake { line, field, fact });
    }
}

fn word_of<T: Copy>(
    word: &str,
    known: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, PolicyFact> {
    let found = known.iter().copied().find(|one| name(*one) == word);
    found.ok_or_else(|| PolicyFact::UnknownWord {
        word: word.to_owned(),
        known: known
            .iter()
            .map(|one| name(*one))
            .collect::<Vec<_>>()
            .join(", "),
    })
}
