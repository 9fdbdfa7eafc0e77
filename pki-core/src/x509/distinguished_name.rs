//! Distinguished names, kept byte for byte.

use std::fmt;
use std::sync::Arc;

use der::{Decode, Encode, Tag, asn1::AnyRef, asn1::ObjectIdentifier};

use super::asn1;

/// A subject or an issuer (RFC 5280 section 4.1.2.4): the DER it came in, or that we made, and its
/// attributes in order. The DER is what stands in certificates; it is never made anew from the
/// attributes, so a name read from an imported CA is carried on unchanged.
///
/// A clone shares the bytes: one issuer's name stands in thousands of certificates.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName(Arc<Parts>);

#[derive(PartialEq, Eq, Hash)]
struct Parts {
    der: Vec<u8>,
    attributes: Vec<Attribute>,
}

/// One attribute of a name, such as `O=system:nodes`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute {
    /// Which attribute.
    pub kind: AttributeKind,
    /// Its text; a value that is no text is shown as `#` and the hexadecimal DER (RFC 4514 section 2.4).
    pub value: String,
}

/// The kinds of attribute that have a short name, and any other by its number.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum AttributeKind {
    CommonName,
    Organization,
    OrganizationalUnit,
    Country,
    Locality,
    StateOrProvince,
    DomainComponent,
    SerialNumber,
    EmailAddress,
    UserId,
    Other(String),
}

const KINDS: [(AttributeKind, &str, &str); 10] = [
    (AttributeKind::CommonName, "2.5.4.3", "CN"),
    (AttributeKind::Organization, "2.5.4.10", "O"),
    (AttributeKind::OrganizationalUnit, "2.5.4.11", "OU"),
    (AttributeKind::Country, "2.5.4.6", "C"),
    (AttributeKind::Locality, "2.5.4.7", "L"),
    (AttributeKind::StateOrProvince, "2.5.4.8", "ST"),
    (
        AttributeKind::DomainComponent,
        "0.9.2342.19200300.100.1.25",
        "DC",
    ),
    (AttributeKind::SerialNumber, "2.5.4.5", "serialNumber"),
    (
        AttributeKind::EmailAddress,
        "1.2.840.113549.1.9.1",
        "emailAddress",
    ),
    (AttributeKind::UserId, "0.9.2342.19200300.100.1.1", "UID"),
];

/// Why bytes are no [`DistinguishedName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a distinguished name: {0}")]
pub struct DistinguishedNameError(#[from] der::Error);

impl DistinguishedName {
    /// A name of so many `O=` and one `CN=`, in this order, each in a relative distinguished name of
    /// its own, as UTF8String. Kubernetes reads `O=` as groups and `CN=` as the user.
    pub fn new(common_name: &str, organizations: &[impl AsRef<str>]) -> Self {
        let organizations = organizations
            .iter()
            .map(|text| (AttributeKind::Organization, text.as_ref()));
        let common_name = (AttributeKind::CommonName, common_name);
        Self::from_attributes(organizations.chain([common_name]))
    }

    /// A name of these attributes in this order, each in a relative distinguished name of its own.
    /// Domain components and email addresses are written as IA5String (RFC 4519 section 2.4, RFC 5280
    /// appendix A.1), countries and serial numbers as PrintableString, all others as UTF8String.
    pub fn from_attributes<'a>(
        attributes: impl IntoIterator<Item = (AttributeKind, &'a str)>,
    ) -> Self {
        let mut sets = Vec::new();
        let mut kept = Vec::new();
        for (kind, value) in attributes {
            let tag = match kind {
                AttributeKind::DomainComponent | AttributeKind::EmailAddress => Tag::Ia5String,
                AttributeKind::Country | AttributeKind::SerialNumber => Tag::PrintableString,
                _ => Tag::Utf8String,
            };
            let pair = asn1::sequence(&[&kind.oid_der(), &asn1::tagged(tag, value.as_bytes())]);
            sets.push(asn1::tagged(Tag::Set, &pair));
            kept.push(Attribute {
                kind,
                value: value.to_owned(),
            });
        }
        Self(Arc::new(Parts {
            der: asn1::tagged(Tag::Sequence, &sets.concat()),
            attributes: kept,
        }))
    }

    /// The name with no attributes, for certificates that have only alternative names.
    pub fn empty() -> Self {
        Self::from_attributes([])
    }

    /// Reads a `Name` and keeps its bytes.
    ///
    /// # Errors
    /// When `der` is not one whole SEQUENCE OF SET OF attribute.
    pub fn from_der(der: &[u8]) -> Result<Self, DistinguishedNameError> {
        let mut attributes = Vec::new();
        for set in asn1::elements(der)? {
            let set = AnyRef::from_der(set)?;
            set.header().tag().assert_eq(Tag::Set)?;
            for pair in asn1::inner(set.value())? {
                let parts = asn1::elements(pair)?;
                let [oid, value] = parts[..] else {
                    return Err(der::Error::from(der::ErrorKind::Failed).into());
                };
                let oid = ObjectIdentifier::from_der(oid)?;
                attributes.push(Attribute {
                    kind: AttributeKind::of(&oid),
                    value: text_of(value)?,
                });
            }
        }
        Ok(Self(Arc::new(Parts {
            der: der.to_vec(),
            attributes,
        })))
    }

    /// The bytes as they stand in certificates.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The attributes in the order of the encoding.
    pub fn attributes(&self) -> &[Attribute] {
        &self.0.attributes
    }

    /// Whether there is no attribute at all.
    pub fn is_empty(&self) -> bool {
        self.0.attributes.is_empty()
    }

    /// The last `CN=`, which is the one Go and so Kubernetes read as the user.
    pub fn common_name(&self) -> Option<&str> {
        self.values(AttributeKind::CommonName).last()
    }

    /// Every `O=`, which Kubernetes reads as the user's groups.
    pub fn organizations(&self) -> impl Iterator<Item = &str> {
        self.values(AttributeKind::Organization)
    }

    /// Whether both hold the same attributes, in whatever order, grouping and string type. This is
    /// what matters to Kubernetes; certificate paths compare [`Self::der`].
    pub fn same_attributes(&self, other: &Self) -> bool {
        let mut mine: Vec<_> = self.0.attributes.iter().collect();
        let mut theirs: Vec<_> = other.0.attributes.iter().collect();
        mine.sort_unstable();
        theirs.sort_unstable();
        mine == theirs
    }

    fn values(&self, kind: AttributeKind) -> impl Iterator<Item = &str> {
        self.0
            .attributes
            .iter()
            .filter(move |a| a.kind == kind)
            .map(|a| a.value.as_str())
    }
}

/// As `O=system:nodes, CN=system:node:n1`, in the order of the encoding.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.attributes.iter().map(ToString::to_string).collect();
        f.pad(&parts.join(", "))
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

/// Commas, pluses, quotes, backslashes and control characters are escaped (RFC 4514 section 2.4), so that
/// one attribute can never be read as two.
impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.kind)?;
        for character in self.value.chars() {
            match character {
                ',' | '+' | '"' | '\\' | '<' | '>' | ';' => write!(f, "\\{character}")?,
                c if c.is_control() => {
                    let mut bytes = [0; 4];
                    for byte in c.encode_utf8(&mut bytes).bytes() {
                        write!(f, "\\{byte:02X}")?;
                    }
                }
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

impl AttributeKind {
    fn of(oid: &ObjectIdentifier) -> Self {
        let number = oid.to_string();
        KINDS
            .into_iter()
            .find(|(_, oid, _)| *oid == number)
            .map_or(Self::Other(number), |(kind, _, _)| kind)
    }

    /// The object identifier as dotted numbers.
    pub fn oid(&self) -> &str {
        match self {
            Self::Other(number) => number,
            _ => KINDS
                .iter()
                .find(|(kind, _, _)| kind == self)
                .map_or("", |(_, oid, _)| oid),
        }
    }

    fn oid_der(&self) -> Vec<u8> {
        ObjectIdentifier::new(self.oid())
            .ok()
            .and_then(|oid| oid.to_der().ok())
            .expect("the table and parsed names hold only valid identifiers")
    }
}

impl fmt::Display for AttributeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KINDS.iter().find(|(kind, _, _)| kind == self) {
            Some((_, _, short)) => f.write_str(short),
            None => f.write_str(self.oid()),
        }
    }
}

/// A directory string as text, whichever of its types it has; anything else as `#` and hexadecimal.
fn text_of(value: &[u8]) -> der::Result<String> {
    let any = AnyRef::from_der(value)?;
    let bytes = any.value();
    let text = match any.header().tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::VisibleString => {
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
        // T61String is read as Latin-1, as OpenSSL and Go do.
        Tag::TeletexString => Some(bytes.iter().map(|b| char::from(*b)).collect()),
        Tag::BmpString if bytes.len() % 2 == 0 => {
            let units: Vec<_> = bytes
                .chunks(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    };
    Ok(text.unwrap_or_else(|| format!("#{}", super::hex(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_user_are_kept_in_order_and_read_back() {
        let name = DistinguishedName::new("alice", &["dev", "ops"]);
        assert_eq!(name.to_string(), "O=dev, O=ops, CN=alice");
        let read = DistinguishedName::from_der(name.der()).unwrap();
        assert_eq!(read, name);
        assert_eq!(read.common_name(), Some("alice"));
        assert_eq!(read.organizations().collect::<Vec<_>>(), ["dev", "ops"]);
    }

    #[test]
    fn repeated_and_foreign_attributes_survive() {
        let name = DistinguishedName::from_attributes([
            (AttributeKind::DomainComponent, "corp"),
            (AttributeKind::DomainComponent, "example"),
            (AttributeKind::OrganizationalUnit, "a"),
            (AttributeKind::OrganizationalUnit, "b"),
            (AttributeKind::Other("1.3.6.1.4.1.1".into()), "x"),
        ]);
        assert_eq!(
            name.to_string(),
            "DC=corp, DC=example, OU=a, OU=b, 1.3.6.1.4.1.1=x"
        );
        assert_eq!(DistinguishedName::from_der(name.der()).unwrap(), name);
    }

    #[test]
    fn one_attribute_never_reads_as_two() {
        let name = DistinguishedName::new("alice, O=system:masters\n", &[] as &[&str]);
        assert_eq!(name.to_string(), "CN=alice\\, O=system:masters\\0A");
    }

    #[test]
    fn order_and_string_type_do_not_matter_for_kubernetes_but_groups_do() {
        let ours = DistinguishedName::new("a", &["x", "y"]);
        let theirs = DistinguishedName::new("a", &["y", "x"]);
        assert!(ours.same_attributes(&theirs));
        assert!(!ours.same_attributes(&DistinguishedName::new("a", &["x"])));
        assert_ne!(ours, theirs);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let name = DistinguishedName::new("a", &["b"]);
        assert!(DistinguishedName::from_der(&name.der()[..name.der().len() - 1]).is_err());
        assert!(DistinguishedName::from_der(&[]).is_err());
        assert!(DistinguishedName::from_der(&[0x31, 0]).is_err());
        assert!(DistinguishedName::from_der(&[0x30, 0]).unwrap().is_empty());
    }
}
