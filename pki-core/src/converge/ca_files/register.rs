//! What a CA issued and revoked, as JSON beside it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::x509::{Certificate, Revocation, RevocationReason, SerialNumber};

/// The only form so far.
const VERSION: u32 = 1;

/// What a CA issued and revoked, and the number of its last revocation list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Register {
    version: u32,
    /// That of the last list; 0: there was none.
    pub list_number: u64,
    /// In the order of issuing. Only what `kpki issue` and `kpki ca new` signed is known here.
    pub issued: Vec<IssuedEntry>,
    /// In the order of revoking.
    pub revoked: Vec<RevokedEntry>,
}

/// One issued certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IssuedEntry {
    /// In hexadecimal.
    pub serial: String,
    /// Whom it is for.
    pub subject: String,
    /// Its last second.
    #[serde(with = "moment")]
    pub not_after: OffsetDateTime,
}

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RevokedEntry {
    /// In hexadecimal.
    pub serial: String,
    /// Whom it is for, where that is known.
    pub subject: Option<String>,
    /// When it was revoked.
    #[serde(with = "moment")]
    pub at: OffsetDateTime,
    /// Why.
    pub reason: RevocationReason,
}

impl Default for Register {
    fn default() -> Self {
        Self {
            version: VERSION,
            list_number: 0,
            issued: Vec::new(),
            revoked: Vec::new(),
        }
    }
}

impl Register {
    /// Reads what [`Self::to_json`] wrote.
    pub(super) fn from_json(text: &str) -> Result<Self, String> {
        let register: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if register.version != VERSION {
            return Err(format!("version {}, not {VERSION}", register.version));
        }
        let revoked = register.revoked.iter();
        match revoked
            .clone()
            .find(|entry| serial(&entry.serial).is_none())
        {
            Some(entry) => Err(format!("{:?} is no serial number", entry.serial)),
            None => Ok(register),
        }
    }

    pub(super) fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts and numbers");
        text.push('\n');
        text
    }

    /// Remembers what was issued.
    pub fn add_issued(&mut self, certificate: &Certificate) {
        self.issued.push(IssuedEntry {
            serial: certificate.serial.to_string(),
            subject: certificate.subject.to_string(),
            not_after: certificate.validity.not_after,
        });
    }

    /// Revokes a serial number. `false` when it was revoked before; then nothing changes.
    pub fn revoke(
        &mut self,
        serial: &SerialNumber,
        subject: Option<String>,
        reason: RevocationReason,
        now: OffsetDateTime,
    ) -> bool {
        let serial = serial.to_string();
        if self.revocation_of(&serial).is_some() {
            return false;
        }
        let issued = self.issued.iter().find(|entry| entry.serial == serial);
        self.revoked.push(RevokedEntry {
            subject: subject.or_else(|| issued.map(|entry| entry.subject.clone())),
            serial,
            at: whole_seconds(now),
            reason,
        });
        true
    }

    /// The revocation of a serial number in hexadecimal.
    pub fn revocation_of(&self, serial: &str) -> Option<&RevokedEntry> {
        self.revoked.iter().find(|entry| entry.serial == serial)
    }

    /// What a revocation list has to say.
    pub fn revocations(&self) -> Vec<Revocation> {
        let entry = |entry: &RevokedEntry| {
            Some(Revocation {
                serial: serial(&entry.serial)?,
                at: entry.at,
                reason: entry.reason,
            })
        };
        self.revoked.iter().filter_map(entry).collect()
    }
}

/// A serial number as it is written here.
fn serial(text: &str) -> Option<SerialNumber> {
    text.parse().ok()
}

/// As it stands in a list.
fn whole_seconds(now: OffsetDateTime) -> OffsetDateTime {
    let now = now.to_offset(time::UtcOffset::UTC);
    now.replace_nanosecond(0).unwrap_or(now)
}

/// Moments as RFC 3339 writes them.
mod moment {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    pub fn serialize<S: Serializer>(moment: &OffsetDateTime, to: S) -> Result<S::Ok, S::Error> {
        let text = moment.format(&Rfc3339).map_err(ser::Error::custom)?;
        to.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<OffsetDateTime, D::Error> {
        let text = String::deserialize(from)?;
        OffsetDateTime::parse(&text, &Rfc3339).map_err(de::Error::custom)
    }
}
