//! Certificates of any shape, however wrong: what pki-core itself refuses to make.

use pki_core::x509::{AttributeKind, DistinguishedName, PublicKey, to_pem};
use ring::signature::{Ed25519KeyPair, KeyPair};

/// A certificate in parts, each the complete DER that will stand there.
#[derive(Clone)]
pub struct Forged {
    pub version: u8,
    /// The content of the INTEGER.
    pub serial: Vec<u8>,
    pub signature_algorithm: Vec<u8>,
    pub issuer: Vec<u8>,
    pub not_before: Vec<u8>,
    pub not_after: Vec<u8>,
    pub subject: Vec<u8>,
    pub spki: Vec<u8>,
    /// Object identifier, critical, content.
    pub extensions: Vec<(Vec<u8>, bool, Vec<u8>)>,
    /// Which key signs.
    pub signer: u8,
}

// Extensions by their number under id-ce (RFC 5280 section 4.2.1).
pub const SUBJECT_KEY_IDENTIFIER: u8 = 14;
pub const KEY_USAGE: u8 = 15;
pub const SUBJECT_ALT_NAME: u8 = 17;
pub const BASIC_CONSTRAINTS: u8 = 19;
pub const NAME_CONSTRAINTS: u8 = 30;
pub const AUTHORITY_KEY_IDENTIFIER: u8 = 35;
pub const EXTENDED_KEY_USAGE: u8 = 37;

// Key usages by their bit (RFC 5280 section 4.2.1.3).
pub const DIGITAL_SIGNATURE: u8 = 0;
pub const KEY_ENCIPHERMENT: u8 = 2;
pub const KEY_AGREEMENT: u8 = 4;
pub const KEY_CERT_SIGN: u8 = 5;
pub const CRL_SIGN: u8 = 6;

// Purposes by their number under id-kp (RFC 5280 section 4.2.1.12).
pub const SERVER: u8 = 1;
pub const CLIENT: u8 = 2;

/// The key of the authority that issues whatever has no other issuer, and of the leaves.
pub const AUTHORITY_KEY: u8 = 1;
pub const LEAF_KEY: u8 = 2;

impl Forged {
    /// A root that breaks no rule.
    pub fn root(common_name: &str, key: u8) -> Self {
        Self {
            version: 2,
            serial: vec![0x40, key],
            signature_algorithm: sequence(&[&oid(&ED25519)]),
            issuer: name(common_name, &[]),
            not_before: utc_time("260101000000Z"),
            not_after: utc_time("360101000000Z"),
            subject: name(common_name, &[]),
            spki: ed25519(key),
            extensions: Vec::new(),
            signer: key,
        }
        .with(
            AUTHORITY_KEY_IDENTIFIER,
            false,
            authority_key(&key_identifier(&ed25519(key))),
        )
        .with(KEY_USAGE, true, key_usage(&[KEY_CERT_SIGN, CRL_SIGN]))
        .with(
            SUBJECT_KEY_IDENTIFIER,
            false,
            tlv(0x04, &[&key_identifier(&ed25519(key))]),
        )
        .with(BASIC_CONSTRAINTS, true, sequence(&[&TRUE]))
    }

    /// The issuer of all fixtures that need no other.
    pub fn authority() -> Self {
        Self::root("lint-ca", AUTHORITY_KEY)
    }

    /// A CA below [`Self::authority`] that breaks no rule.
    pub fn lower_authority() -> Self {
        let mut made = Self::root("lint-lower-ca", 3).issued_by(&Self::authority());
        made.serial = vec![0x43];
        made
    }

    /// A server under [`Self::authority`] that breaks no rule.
    pub fn server() -> Self {
        Self::leaf("leaf.test", &[], &[SERVER]).with_sans(&[dns("leaf.test")])
    }

    /// A client under [`Self::authority`] that breaks no rule.
    pub fn client(common_name: &str, organizations: &[&str]) -> Self {
        Self::leaf(common_name, organizations, &[CLIENT])
    }

    fn leaf(common_name: &str, organizations: &[&str], purposes: &[u8]) -> Self {
        let mut made = Self::root(common_name, LEAF_KEY);
        made.not_after = utc_time("270101000000Z");
        made.serial = vec![0x42];
        made.subject = name(common_name, organizations);
        made.with(KEY_USAGE, true, key_usage(&[DIGITAL_SIGNATURE]))
            .with(BASIC_CONSTRAINTS, true, sequence(&[]))
            .with_purposes(purposes)
            .issued_by(&Self::authority())
    }

    /// With another issuer: its name, its key identifier and its key.
    pub fn issued_by(mut self, issuer: &Self) -> Self {
        self.issuer = issuer.subject.clone();
        self.signer = issuer.key();
        let identifier = key_identifier(&issuer.spki);
        self.with(AUTHORITY_KEY_IDENTIFIER, false, authority_key(&identifier))
    }

    /// Which key it certifies.
    fn key(&self) -> u8 {
        let mut keys = 0..=u8::MAX;
        keys.find(|key| ed25519(*key) == self.spki)
            .expect("a forged key")
    }

    /// With another key and its identifier.
    pub fn with_key(mut self, spki: Vec<u8>) -> Self {
        let identifier = key_identifier(&spki);
        self.spki = spki;
        self.with(SUBJECT_KEY_IDENTIFIER, false, tlv(0x04, &[&identifier]))
    }

    /// With this extension, in the place of an earlier one of its kind.
    pub fn with(mut self, id: u8, critical: bool, content: Vec<u8>) -> Self {
        let made = (id_ce(id), critical, content);
        match self
            .extensions
            .iter_mut()
            .find(|(found, ..)| *found == made.0)
        {
            Some(place) => *place = made,
            None => self.extensions.push(made),
        }
        self
    }

    pub fn without(mut self, id: u8) -> Self {
        self.extensions.retain(|(found, ..)| *found != id_ce(id));
        self
    }

    /// The same with this extension critical, or not.
    pub fn critical(mut self, id: u8, critical: bool) -> Self {
        let mut all = self.extensions.iter_mut();
        let extension = all
            .find(|(found, ..)| *found == id_ce(id))
            .expect("the extension");
        extension.1 = critical;
        self
    }

    /// A plain, non-critical subjectAltName.
    pub fn with_sans(self, sans: &[Vec<u8>]) -> Self {
        self.with(SUBJECT_ALT_NAME, false, tlv(0x30, &[&sans.concat()]))
    }

    pub fn with_purposes(self, purposes: &[u8]) -> Self {
        let purposes: Vec<_> = purposes
            .iter()
            .map(|last| oid(&[ID_KP, &[*last]].concat()))
            .collect();
        self.with(EXTENDED_KEY_USAGE, false, tlv(0x30, &[&purposes.concat()]))
    }

    pub fn with_key_usage(self, bits: &[u8]) -> Self {
        self.with(KEY_USAGE, true, key_usage(bits))
    }

    /// Changed by `change`, where no method fits.
    pub fn changed(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn der(&self) -> Vec<u8> {
        let extensions: Vec<u8> = self
            .extensions
            .iter()
            .flat_map(|(id, critical, content)| {
                let critical: &[u8] = if *critical { &TRUE } else { &[] };
                sequence(&[id, critical, &tlv(0x04, &[content])])
            })
            .collect();
        let to_be_signed = sequence(&[
            &tlv(0xa0, &[&tlv(0x02, &[&[self.version]])]),
            &tlv(0x02, &[&self.serial]),
            &self.signature_algorithm,
            &self.issuer,
            &sequence(&[&self.not_before, &self.not_after]),
            &self.subject,
            &self.spki,
            &tlv(0xa3, &[&sequence(&[&extensions])]),
        ]);
        let signature = pair(self.signer).sign(&to_be_signed);
        let bits = tlv(0x03, &[&[0], signature.as_ref()]);
        sequence(&[&to_be_signed, &self.signature_algorithm, &bits])
    }
}

/// A PEM text of all of them.
pub fn pem(certificates: &[Forged]) -> String {
    let blocks = certificates
        .iter()
        .map(|made| to_pem("CERTIFICATE", &made.der()).to_string());
    blocks.collect()
}

/// A DER value: a tag, the length of the parts, the parts.
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("a short value");
    let head = match length.to_be_bytes() {
        [0, short @ 0..0x80] => vec![tag, short],
        [0, long] => vec![tag, 0x81, long],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [head, content].concat()
}

pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, parts)
}

/// An object identifier from its encoded content.
pub fn oid(content: &[u8]) -> Vec<u8> {
    tlv(0x06, &[content])
}

pub const TRUE: [u8; 3] = [0x01, 0x01, 0xff];
pub const ED25519: [u8; 3] = [0x2b, 0x65, 0x70];
/// 1.3.6.1.5.5.7.3
pub const ID_KP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3];

/// 2.5.29.n
pub fn id_ce(id: u8) -> Vec<u8> {
    oid(&[0x55, 0x1d, id])
}

pub fn name(common_name: &str, organizations: &[&str]) -> Vec<u8> {
    DistinguishedName::new(common_name, organizations)
        .der()
        .to_vec()
}

pub fn attribute(kind: AttributeKind, value: &str) -> Vec<u8> {
    DistinguishedName::from_attributes([(kind, value)])
        .der()
        .to_vec()
}

pub fn utc_time(text: &str) -> Vec<u8> {
    tlv(0x17, &[text.as_bytes()])
}

pub fn generalized_time(text: &str) -> Vec<u8> {
    tlv(0x18, &[text.as_bytes()])
}

pub fn key_usage(bits: &[u8]) -> Vec<u8> {
    let set = bits.iter().fold(0_u8, |set, bit| set | 0x80 >> bit);
    let unused = u8::try_from(set.trailing_zeros()).expect("at most 8");
    tlv(0x03, &[&[unused, set]])
}

pub fn authority_key(identifier: &[u8]) -> Vec<u8> {
    sequence(&[&tlv(0x80, &[identifier])])
}

pub fn dns(text: &str) -> Vec<u8> {
    tlv(0x82, &[text.as_bytes()])
}

pub fn email(text: &str) -> Vec<u8> {
    tlv(0x81, &[text.as_bytes()])
}

pub fn uri(text: &str) -> Vec<u8> {
    tlv(0x86, &[text.as_bytes()])
}

pub fn ip(bytes: &[u8]) -> Vec<u8> {
    tlv(0x87, &[bytes])
}

/// NameConstraints of permitted and excluded general names.
pub fn constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Vec<u8> {
    let subtrees = |tag, names: &[Vec<u8>]| {
        let subtrees: Vec<_> = names.iter().map(|name| sequence(&[name])).collect();
        if names.is_empty() {
            Vec::new()
        } else {
            tlv(tag, &[&subtrees.concat()])
        }
    };
    sequence(&[&subtrees(0xa0, permitted), &subtrees(0xa1, excluded)])
}

pub fn ed25519(key: u8) -> Vec<u8> {
    let bits = tlv(0x03, &[&[0], pair(key).public_key().as_ref()]);
    sequence(&[&sequence(&[&oid(&ED25519)]), &bits])
}

/// The generator of P-256 as a key: its private half is 1 and known to everybody.
pub fn p256() -> Vec<u8> {
    const GENERATOR: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                             4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    let byte = |at| u8::from_str_radix(&GENERATOR[at..at + 2], 16).expect("a constant");
    let point: Vec<_> = (0..GENERATOR.len()).step_by(2).map(byte).collect();
    ec(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], &point)
}

pub fn ec(curve: &[u8], point: &[u8]) -> Vec<u8> {
    const EC: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let algorithm = sequence(&[&oid(&EC), &oid(curve)]);
    sequence(&[&algorithm, &tlv(0x03, &[&[0], point])])
}

/// A number of so many bits as an RSA modulus; nobody has its factors.
pub fn rsa(bits: usize) -> Vec<u8> {
    const RSA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let modulus = tlv(0x02, &[&[0], &vec![0xc5; bits / 8]]);
    let key = sequence(&[&modulus, &tlv(0x02, &[&[1, 0, 1]])]);
    sequence(&[&sequence(&[&oid(&RSA), &[5, 0]]), &tlv(0x03, &[&[0], &key])])
}

fn key_identifier(spki: &[u8]) -> [u8; 20] {
    PublicKey::from_der(spki)
        .expect("a forged key")
        .key_identifier()
}

/// Throw-away keys: the seed is the number, so everybody has them.
fn pair(key: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[key; 32]).expect("32 bytes")
}
