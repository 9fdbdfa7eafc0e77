//! Requests that no tool makes: bent DER.

use std::path::Path;

use super::super::Request;
use super::super::asn1::{self, CN, O, alternative_names, attribute, dns, kubelet, rdn, tlv};
use super::Case;

pub(super) fn cases(dir: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: &str, der: Vec<u8>, policy, code, text| {
        let file = asn1::write(dir, name, &der);
        let request = Request { file, policy };
        cases.push(Case {
            request,
            code,
            text,
        });
    };
    let client = Some("kubelet-client");
    let w1 = || kubelet("system:node:w1");
    let names = |names: &[Vec<u8>]| asn1::request(&w1(), &[alternative_names(names)]);
    case(
        "empty-name",
        asn1::request(&kubelet(""), &[]),
        client,
        "no-common-name",
        "no common name",
    );
    case(
        "empty-subject",
        asn1::request(&[], &[]),
        client,
        "no-common-name",
        "no common name",
    );
    case(
        "nul-in-name",
        asn1::request(&kubelet("system:node:w1\0.evil"), &[]),
        None,
        "no-node",
        "w1\\0.evil",
    );
    case(
        "control-in-name",
        asn1::request(&kubelet("system:node:w1\n"), &[]),
        client,
        "no-node",
        "w1\\n",
    );
    case(
        "look-alike",
        asn1::request(&kubelet("system:nоde:w1"), &[]),
        client,
        "text",
        "beyond ASCII",
    );
    case(
        "nul-in-san",
        names(&[dns(b"w1\0.evil.example")]),
        None,
        "odd-name",
        "w1",
    );
    case("empty-san", names(&[dns(b"")]), None, "odd-name", "DNS:");
    case(
        "short-address",
        names(&[dns(b"w1"), tlv(0x87, &[192, 0, 2])]),
        None,
        "odd-name",
        "",
    );
    case(
        "name-as-integer",
        asn1::request(
            &[rdn(O, "system:nodes"), tlv(0x31, &attribute(CN, 2, &[1]))],
            &[],
        ),
        client,
        "text",
        "no text",
    );
    case(
        "two-names-in-one-set",
        asn1::request(
            &[
                rdn(O, "system:nodes"),
                tlv(
                    0x31,
                    &[
                        attribute(CN, asn1::UTF8, b"system:node:w1"),
                        attribute(CN, asn1::UTF8, b"system:node:cp1"),
                    ]
                    .concat(),
                ),
            ],
            &[],
        ),
        None,
        "common-names",
        "2 common names",
    );
    case(
        "masters-in-the-name-s-set",
        asn1::request(
            &[
                rdn(O, "system:nodes"),
                tlv(
                    0x31,
                    &[
                        attribute(CN, asn1::UTF8, b"system:node:w1"),
                        attribute(O, asn1::UTF8, b"system:masters"),
                    ]
                    .concat(),
                ),
            ],
            &[],
        ),
        None,
        "group",
        "system:masters",
    );
    case(
        "empty-group",
        asn1::request(
            &[
                rdn(O, "system:nodes"),
                rdn(O, ""),
                rdn(CN, "system:node:w1"),
            ],
            &[],
        ),
        None,
        "group",
        "\"\"",
    );
    let (mine, theirs) = (asn1::key(), asn1::key());
    case(
        "another-s-signature",
        asn1::request_by(&w1(), &[], &theirs, &mine),
        None,
        "signature",
        "not signed by the key in it",
    );
    let mut changed = asn1::request(&kubelet("system:node:w2"), &[]);
    let place = changed
        .windows(2)
        .position(|two| two == b"w2")
        .expect("the name");
    changed[place + 1] = b'1';
    case(
        "changed-after-signing",
        changed,
        None,
        "signature",
        "not signed by the key in it",
    );
    let basic = asn1::extension(
        &[0x55, 0x1d, 0x13],
        true,
        &asn1::sequence(&[vec![1, 1, 0xff]]),
    );
    case(
        "ca-by-hand",
        asn1::request(&w1(), std::slice::from_ref(&basic)),
        None,
        "ca",
        "to be a CA",
    );
    let leaf = asn1::extension(&[0x55, 0x1d, 0x13], true, &asn1::sequence(&[]));
    case(
        "ca-the-second-time",
        asn1::request(&w1(), &[leaf, basic]),
        None,
        "unreadable",
        "2.5.29.19 twice",
    );
    let twice = [
        alternative_names(&[dns(b"w1")]),
        alternative_names(&[dns(b"cp1")]),
    ];
    case(
        "names-the-second-time",
        asn1::request(&w1(), &twice),
        None,
        "unreadable",
        "2.5.29.17 twice",
    );
    let mut longer = asn1::request(&w1(), &[]);
    longer.extend([5, 0]);
    case(
        "bytes-after-its-end",
        longer,
        None,
        "unreadable",
        "2 bytes after its end",
    );
    let mut torn = asn1::request(&w1(), &[]);
    torn.truncate(60);
    case("torn", torn, None, "unreadable", "");
    cases
}
