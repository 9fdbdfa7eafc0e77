//! From a spec, or a signing request, to what a certificate is to say.

use super::options::Options;
use super::spec::{Spec, alternative_name};
use crate::x509::{
    CERTIFICATE_TEMPLATE, DistinguishedName, DnsName, Extensions, KeyUsage, SigningRequest,
    SubjectAltName, lint,
};

/// What a CA needs to be one.
const OF_CA: KeyUsage = KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN);

/// Longer ones do not fit (RFC 5280 appendix A.1, ub-common-name-length).
const LONGEST_COMMON_NAME: usize = 64;

/// The rules, as warnings where a spec asks in so many words for what they are against.
pub(super) fn rules() -> Vec<lint::Rule> {
    const ASKED_FOR: [&str; 6] = [
        "leaf-key-usage",
        "leaf-key-usage-missing",
        "extended-key-usage-missing",
        "extended-key-usage-any",
        "cert-sign-without-ca",
        "san-dns-name",
    ];
    let rules = lint::RULES.iter();
    rules
        .map(|rule| {
            if ASKED_FOR.contains(&rule.name) {
                rule.as_warning()
            } else {
                *rule
            }
        })
        .collect()
}

/// Subject and extensions for a spec; what is worth a word goes to `warnings`.
pub(super) fn of_spec(
    spec: &Spec,
    options: &Options,
    warnings: &mut Vec<String>,
) -> Result<(DistinguishedName, Extensions), Vec<String>> {
    let mut mistakes = Vec::new();
    let mut sans = Vec::new();
    for subject in &spec.subjects {
        match alternative_name(subject) {
            Ok(name) => sans.push(name),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    sans.extend(options.common_sans.iter().cloned());
    let first = spec.subjects.first().map(String::as_str);
    let common_name = spec.common_name.as_deref().or_else(|| {
        first.filter(|name| {
            let fits = name.chars().count() <= LONGEST_COMMON_NAME;
            if !fits {
                warnings.push(format!(
                    "{name} is too long for a common name, and is an alternative name only"
                ));
            }
            fits
        })
    });
    let (key_usage, mut purposes) = options.usages_of_all();
    // The default purpose is a TLS server's, and a CA with one can issue for no other.
    if spec.ca && !options.are_usages_given() {
        purposes.clear();
    }
    purposes.extend(spec.extended_key_usages.iter().cloned());
    let mut extensions = Extensions {
        authority: None,
        key_usage: key_usage.and(spec.key_usage),
        extended_key_usages: without_doubles(purposes),
        sans: without_doubles(sans),
        certificate_template: spec.template.clone(),
    };
    if spec.ca {
        extensions.authority = Some(Some(spec.max_path_length.unwrap_or(0)));
        extensions.key_usage = extensions.key_usage.and(OF_CA);
    } else if let Some(length) = spec.max_path_length {
        warnings.push(format!("maxpathlen={length} means nothing without ca=true"));
    }
    Ok((options.authority.subject(common_name), extensions))
}

/// What a certificate for `request` says: what it asks for, as far as that is known here.
pub(super) fn of_signing_request(
    request: &SigningRequest,
    options: &Options,
    warnings: &mut Vec<String>,
) -> Result<Extensions, Vec<String>> {
    request
        .verify_signature()
        .map_err(|error| vec![error.to_string()])?;
    let mut mistakes = Vec::new();
    let mut sans = request.sans.clone();
    for odd in &request.odd_sans {
        let name = odd.strip_prefix("DNS:").map(str::to_ascii_lowercase);
        match name.map(DnsName::with_underscores) {
            Some(Ok(name)) => sans.push(SubjectAltName::Dns(name)),
            _ => mistakes.push(format!(
                "it asks for the name {odd}, which no certificate may have"
            )),
        }
    }
    let path_length = match request.path_length.map(u8::try_from) {
        Some(Err(_)) => {
            mistakes.push(format!(
                "it asks for a path length of {}",
                request.path_length.unwrap_or(0)
            ));
            None
        }
        Some(Ok(length)) => Some(length),
        None => None,
    };
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    for oid in request
        .other_extensions
        .iter()
        .filter(|oid| *oid != CERTIFICATE_TEMPLATE)
    {
        warnings.push(format!(
            "it asks for the extension {oid}, which is left out"
        ));
    }
    if request.is_ca {
        warnings.push(format!("{} becomes a CA, as it asks for", request.subject));
    }
    let (default_usage, default_purposes) = options.usages_of_all();
    let mut extensions = Extensions {
        authority: request.is_ca.then_some(path_length),
        key_usage: request.key_usage.unwrap_or(default_usage),
        extended_key_usages: request.extended_key_usages.clone(),
        sans,
        certificate_template: request.certificate_template.clone(),
    };
    if request.is_ca {
        extensions.key_usage = extensions.key_usage.and(OF_CA);
    } else if extensions.extended_key_usages.is_empty() {
        extensions.extended_key_usages = default_purposes;
    }
    Ok(extensions)
}

fn without_doubles<T: PartialEq>(values: Vec<T>) -> Vec<T> {
    let mut kept = Vec::with_capacity(values.len());
    for value in values {
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}
