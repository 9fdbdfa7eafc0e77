//! One question to a DNS server (RFC 1035, section 4), and its answer's addresses.
//!
//! By hand: the crate for it brings thirty others for names in foreign scripts, and this is one packet each way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use pki_core::cluster::spec::IpFamily;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::net::UdpSocket;

const PORT: u16 = 53;
const ANSWER: Duration = Duration::from_secs(1);
const HEADER: usize = 12;
const CLASS_INTERNET: u16 = 1;

/// Why a DNS server gave no addresses.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// It cannot be reached.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It said nothing.
    #[error("no answer within {} s", ANSWER.as_secs())]
    Silent,
    /// It said something else than an answer to the question.
    #[error("its answer makes no sense")]
    Nonsense,
    /// It refused: RFC 1035's response code, as 3 for a name that does not exist.
    #[error("{}", code(*.0))]
    Refused(u8),
}

/// The addresses of `name` in one family, as the server at `server` says.
///
/// # Errors
/// [`DnsError`]
pub async fn ask(server: IpAddr, name: &str, family: IpFamily) -> Result<Vec<IpAddr>, DnsError> {
    let any: IpAddr = match server {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let mut id = [0; 2];
    let _ = SystemRandom::new().fill(&mut id);
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    // From then on only its answers are received, and that nobody listens is an error.
    socket.connect(SocketAddr::new(server, PORT)).await?;
    let question = question(id, name, family).ok_or(DnsError::Nonsense)?;
    socket.send(&question).await?;
    let mut answer = [0; 1232];
    let length = match tokio::time::timeout(ANSWER, socket.recv(&mut answer)).await {
        Ok(length) => length?,
        Err(_) => return Err(DnsError::Silent),
    };
    addresses(&question, &answer[..length], family)
}

/// A or AAAA (RFC 3596).
fn record_type(family: IpFamily) -> u16 {
    match family {
        IpFamily::V4 => 1,
        IpFamily::V6 => 28,
    }
}

fn question(id: [u8; 2], name: &str, family: IpFamily) -> Option<Vec<u8>> {
    // Recursion desired; one question.
    let mut packet = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..64).contains(length))?;
        packet.push(length);
        packet.extend(label.as_bytes());
    }
    packet.push(0);
    packet.extend(record_type(family).to_be_bytes());
    packet.extend(CLASS_INTERNET.to_be_bytes());
    Some(packet)
}

fn addresses(question: &[u8], answer: &[u8], family: IpFamily) -> Result<Vec<IpAddr>, DnsError> {
    read(question, answer, family).unwrap_or(Err(DnsError::Nonsense))
}

/// Nothing where it is cut off.
fn read(question: &[u8], answer: &[u8], family: IpFamily) -> Option<Result<Vec<IpAddr>, DnsError>> {
    let is_answer = answer.get(2)? & 0x80 != 0;
    if answer.get(..2)? != &question[..2] || !is_answer {
        return None;
    }
    let code = answer.get(3)? & 0x0f;
    if code != 0 {
        return Some(Err(DnsError::Refused(code)));
    }
    let count = u16_at(answer, 6)?;
    // The question comes back, in the server's choice of capitals.
    let mut at = question.len();
    let repeated = answer.get(HEADER..at)?;
    if !repeated.eq_ignore_ascii_case(&question[HEADER..]) {
        return None;
    }
    let mut found = Vec::new();
    for _ in 0..count {
        at = after_name(answer, at)?;
        let kind = u16_at(answer, at)?;
        let length = usize::from(u16_at(answer, at + 8)?);
        let data = answer.get(at + 10..at + 10 + length)?;
        if kind == record_type(family) {
            found.push(match family {
                IpFamily::V4 => IpAddr::from(<[u8; 4]>::try_from(data).ok()?),
                IpFamily::V6 => IpAddr::from(<[u8; 16]>::try_from(data).ok()?),
            });
        }
        at += 10 + length;
    }
    Some(Ok(found))
}

fn u16_at(packet: &[u8], at: usize) -> Option<u16> {
    let bytes = packet.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

/// Behind a name: labels up to an empty one, or up to a pointer (section 4.1.4).
fn after_name(packet: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = *packet.get(at)?;
        match length {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

fn code(code: u8) -> String {
    match code {
        2 => "it failed (SERVFAIL)".into(),
        3 => "it does not know the name (NXDOMAIN)".into(),
        5 => "it refuses (REFUSED)".into(),
        other => format!("response code {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 2] = [0xab, 0xcd];

    fn answer(question: &[u8], flags: [u8; 2], records: &[&[u8]]) -> Vec<u8> {
        let mut packet = question.to_vec();
        packet[2..4].copy_from_slice(&flags);
        packet[7] = u8::try_from(records.len()).unwrap();
        for record in records {
            packet.extend(*record);
        }
        packet
    }

    #[test]
    fn an_answer_is_read() {
        let question = question(ID, "a.example.", IpFamily::V4).unwrap();
        assert_eq!(&question[12..], b"\x01a\x07example\0\0\x01\0\x01");
        // An alias and two addresses, their names pointers to the question's.
        let alias = b"\xc0\x0c\0\x05\0\x01\0\0\0\x1e\0\x04\x01b\xc0\x0e";
        let one = b"\xc0\x0c\0\x01\0\x01\0\0\0\x1e\0\x04\x0a\x03\0\x01";
        let two = b"\x01b\0\0\x01\0\x01\0\0\0\x1e\0\x04\x0a\x03\0\x02";
        let packet = answer(&question, [0x85, 0x80], &[alias, one, two]);
        let found = addresses(&question, &packet, IpFamily::V4).unwrap();
        assert_eq!(
            found,
            ["10.3.0.1", "10.3.0.2"].map(|text| text.parse::<IpAddr>().unwrap())
        );
    }

    #[test]
    fn a_refusal_is_told() {
        let question = question(ID, "a", IpFamily::V6).unwrap();
        let packet = answer(&question, [0x81, 0x83], &[]);
        let error = addresses(&question, &packet, IpFamily::V6).unwrap_err();
        assert!(error.to_string().contains("NXDOMAIN"), "{error}");
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_not_taken() {
        let question = question(ID, "a.example", IpFamily::V4).unwrap();
        let record = b"\xc0\x0c\0\x01\0\x01\0\0\0\x1e\0\x04\x0a\x03\0\x01";
        let good = answer(&question, [0x81, 0x80], &[record]);
        for length in 0..good.len() {
            assert!(
                addresses(&question, &good[..length], IpFamily::V4).is_err(),
                "{length}"
            );
        }
        let mut other = good.clone();
        other[0] ^= 1;
        assert!(addresses(&question, &other, IpFamily::V4).is_err());
        let mut name = good.clone();
        name[13] = b'x';
        assert!(addresses(&question, &name, IpFamily::V4).is_err());
        assert!(addresses(&question, &question, IpFamily::V4).is_err());
    }

    #[test]
    fn names_that_are_none_are_not_asked_for() {
        for name in ["", "a..b", &"x".repeat(64)] {
            assert_eq!(question(ID, name, IpFamily::V4), None, "{name}");
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        proptest::proptest!(|(packet: Vec<u8>)| {
            let question = question(ID, "a.example", IpFamily::V6).unwrap();
            let _ = addresses(&question, &packet, IpFamily::V6);
            let mut whole = answer(&question, [0x81, 0x80], &[]);
            whole[6..8].copy_from_slice(&[0xff, 0xff]);
            whole.extend(&packet);
            let _ = addresses(&question, &whole, IpFamily::V6);
        });
    }
}
