//! One spec of Makecerts: `subject[,subject...][?options]`, the options as in the query of a URL.

use std::path::PathBuf;

use super::words;
use crate::x509::{DnsName, ExtendedKeyUsage, KeyUsage, SubjectAltName};

/// What one spec asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// The subjects as written; the first one names the files.
    pub subjects: Vec<String>,
    /// `usage`: added to those of all.
    pub key_usage: KeyUsage,
    /// `extusage`: added to those of all.
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    /// `ca`.
    pub ca: bool,
    /// `maxpathlen`.
    pub max_path_length: Option<u8>,
    /// `template`.
    pub template: Option<String>,
    /// `name`: the common name, where it is not the first subject.
    pub common_name: Option<String>,
    /// `cert`.
    pub cert: Option<PathBuf>,
    /// `key`.
    pub key: Option<PathBuf>,
    /// `csr`.
    pub csr: Option<PathBuf>,
}

const OPTIONS: &str = "usage, extusage, ca, maxpathlen, template, name, cert, key, csr";

impl Spec {
    /// Reads a spec.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let (subjects, options) = text.split_once('?').unwrap_or((text, ""));
        let mut spec = Self {
            subjects: subjects
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect(),
            ..Self::default()
        };
        let mut mistakes = Vec::new();
        if spec.subjects.iter().any(String::is_empty) {
            mistakes.push("an empty subject".to_owned());
        }
        for pair in options.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let read = decoded(name).and_then(|name| Ok((name, decoded(value)?)));
            match read {
                Ok((name, value)) => mistakes.extend(spec.set(&name, &value)),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if mistakes.is_empty() {
            Ok(spec)
        } else {
            Err(mistakes)
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Vec<String> {
        let mut mistakes = Vec::new();
        let mut note = |result: Result<(), String>| mistakes.extend(result.err());
        match name {
            "usage" => {
                for word in value.split(',') {
                    let usage = words::key_usage(word.trim());
                    note(usage.map(|usage| self.key_usage = self.key_usage.and(usage)));
                }
            }
            "extusage" => {
                for word in value.split(',') {
                    let usage = words::extended_key_usage(word.trim());
                    note(usage.map(|usage| self.extended_key_usages.push(usage)));
                }
            }
            "ca" => note(
                words::truth(value)
                    .map(|ca| self.ca = ca)
                    .map_err(|error| format!("ca: {error}")),
            ),
            "maxpathlen" => note(
                value
                    .parse()
                    .map(|length| self.max_path_length = Some(length))
                    .map_err(|_| format!("maxpathlen: {value:?} is no number from 0 to 255")),
            ),
            "template" => self.template = Some(value.to_owned()).filter(|text| !text.is_empty()),
            "name" => self.common_name = Some(value.to_owned()).filter(|text| !text.is_empty()),
            "cert" => note(path(name, value).map(|path| self.cert = Some(path))),
            "key" => note(path(name, value).map(|path| self.key = Some(path))),
            "csr" => note(path(name, value).map(|path| self.csr = Some(path))),
            other => note(Err(format!("{other:?} is no option; there are {OPTIONS}"))),
        }
        mistakes
    }
}

fn path(option: &str, value: &str) -> Result<PathBuf, String> {
    if value.is_empty() || value.contains('\0') {
        return Err(format!("{option}: no file name"));
    }
    Ok(value.into())
}

/// `+` and `%20` are a space (WHATWG URL section 5.1), and a `%` that is no escape is a mistake, as in Go.
fn decoded(text: &str) -> Result<String, String> {
    let broken = || format!("{text:?} has a % that is not followed by two hexadecimal digits");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || (rest.next()? as char).to_digit(16);
                let value = digit().and_then(|high| Some(high * 16 + digit()?));
                u8::try_from(value.ok_or_else(broken)?).map_err(|_| broken())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| format!("{text:?} is no UTF-8"))
}

/// A subject as an alternative name: an address, an email, a URI or a host name. Host names may have underscores, as
/// those of docker-compose have, and capital letters, which mean nothing in them (RFC 4343).
///
/// # Errors
/// What is wrong.
pub fn alternative_name(subject: &str) -> Result<SubjectAltName, String> {
    let refused = |error: &dyn std::fmt::Display| format!("{subject:?}: {error}");
    match subject.parse() {
        Ok(name) => Ok(name),
        Err(error) if subject.contains('@') || subject.contains("://") => Err(refused(&error)),
        Err(_) => DnsName::with_underscores(subject.to_ascii_lowercase())
            .map(SubjectAltName::Dns)
            .map_err(|error| refused(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::Usage;

    #[test]
    fn every_option_is_read() {
        let spec = Spec::parse(
            "a.example,10.0.0.1?usage=digitalsignature,keyagreement&extusage=serverauth&extusage=1.2.3.4\
             &ca=1&maxpathlen=3&template=Web%20Server&name=An+example&cert=a.crt&key=k/a.key&csr=a.csr",
        );
        assert_eq!(
            spec,
            Ok(Spec {
                subjects: vec!["a.example".into(), "10.0.0.1".into()],
                key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_AGREEMENT),
                extended_key_usages: vec![
                    ExtendedKeyUsage::Known(Usage::Server),
                    ExtendedKeyUsage::Other("1.2.3.4".into())
                ],
                ca: true,
                max_path_length: Some(3),
                template: Some("Web Server".into()),
                common_name: Some("An example".into()),
                cert: Some("a.crt".into()),
                key: Some("k/a.key".into()),
                csr: Some("a.csr".into()),
            })
        );
        assert_eq!(Spec::parse("a?").unwrap().subjects, ["a"]);
    }

    #[test]
    fn every_mistake_is_told() {
        let mistakes =
            Spec::parse("a,?usage=x&extusage=y&ca=z&maxpathlen=-1&color=red&name=%zz&cert=");
        assert_eq!(mistakes.unwrap_err().len(), 8);
    }

    #[test]
    fn the_form_tells_the_kind() {
        assert!(
            matches!(alternative_name("My_Host"), Ok(SubjectAltName::Dns(name)) if name.as_str() == "my_host")
        );
        assert!(matches!(
            alternative_name("*.a.example"),
            Ok(SubjectAltName::Dns(_))
        ));
        assert!(matches!(alternative_name("::1"), Ok(SubjectAltName::Ip(_))));
        assert!(matches!(
            alternative_name("a@b.example"),
            Ok(SubjectAltName::Email(_))
        ));
        assert!(matches!(
            alternative_name("https://b/c"),
            Ok(SubjectAltName::Uri(_))
        ));
        for wrong in ["a b", "a@", "://x", "-a", "a..b", "10.0.0.256"] {
            assert!(alternative_name(wrong).is_err(), "{wrong}");
        }
    }
}
