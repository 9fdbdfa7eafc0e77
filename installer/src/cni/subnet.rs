//! `/run/flannel/subnet.env`: which addresses this node's pods get.

use std::fmt::Write as _;
use std::net::IpAddr;

use ipnet::IpNet;
use pki_core::cluster::spec::cidr::nth_address;

/// What flanneld wrote down (pkg/subnet/subnet.go, WriteSubnetFile).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subnet {
    /// All pods' networks: each gets a route.
    pub networks: Vec<IpNet>,
    /// This node's pods': one of each family in use.
    pub subnets: Vec<IpNet>,
    /// The largest packet that fits into the tunnel, in bytes.
    pub mtu: Option<u32>,
    /// Whether flanneld masquerades.
    pub masquerades: bool,
}

impl Subnet {
    /// Reads the file's text. Nothing when it is not complete: flanneld writes it by rename, others may not.
    pub fn parse(text: &str) -> Option<Self> {
        let mut subnet = Self::default();
        for line in text.lines() {
            let Some((name, value)) = line.split_once('=') else {
                continue;
            };
            match name.trim() {
                // Several of one family, parted by commas, since flannel 0.22.
                "FLANNEL_NETWORK" | "FLANNEL_IPV6_NETWORK" => {
                    for network in value.split(',') {
                        subnet.networks.push(network.trim().parse().ok()?);
                    }
                }
                "FLANNEL_SUBNET" | "FLANNEL_IPV6_SUBNET" => {
                    // The bridge's address and the length of the prefix.
                    let subnet_of_node: IpNet = value.trim().parse().ok()?;
                    subnet.subnets.push(subnet_of_node.trunc());
                }
                "FLANNEL_MTU" => subnet.mtu = Some(value.trim().parse().ok()?),
                "FLANNEL_IPMASQ" => subnet.masquerades = value.trim() == "true",
                _ => {}
            }
        }
        let known = |address: IpAddr| {
            let mut networks = subnet.networks.iter();
            networks.any(|network| network.contains(&address))
        };
        let complete = !subnet.subnets.is_empty()
            && subnet.mtu.is_some()
            && subnet.subnets.iter().all(|one| known(one.addr()));
        complete.then_some(subnet)
    }

    /// The file's text, as flanneld writes it. Of each family the first network and subnet.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (four, infix) in [(true, ""), (false, "IPV6_")] {
            let of = |cidrs: &[IpNet]| {
                let mut cidrs = cidrs.iter();
                cidrs.find(|cidr| cidr.addr().is_ipv4() == four).copied()
            };
            let (Some(network), Some(subnet)) = (of(&self.networks), of(&self.subnets)) else {
                continue;
            };
            // The bridge has the first address of both families.
            let Some(bridge) = nth_address(subnet, 1) else {
                continue;
            };
            let length = subnet.prefix_len();
            let _ = write!(
                text,
                "FLANNEL_{infix}NETWORK={network}\nFLANNEL_{infix}SUBNET={bridge}/{length}\n"
            );
        }
        let _ = write!(
            text,
            "FLANNEL_MTU={}\nFLANNEL_IPMASQ={}\n",
            self.mtu.unwrap_or_default(),
            self.masquerades
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUAL: &str = "FLANNEL_NETWORK=172.28.0.0/15\nFLANNEL_SUBNET=172.28.1.1/24\nFLANNEL_IPV6_NETWORK=fd00:4::/56\nFLANNEL_IPV6_SUBNET=fd00:4:0:1::1/64\nFLANNEL_MTU=1430\nFLANNEL_IPMASQ=true\n";

    #[test]
    fn both_families() {
        let subnet = Subnet::parse(DUAL).unwrap();
        let texts: Vec<_> = subnet.subnets.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["172.28.1.0/24", "fd00:4:0:1::/64"]);
        assert_eq!(subnet.networks.len(), 2);
        assert_eq!(subnet.mtu, Some(1430));
        assert!(subnet.masquerades);
    }

    #[test]
    fn its_text_is_flannels_own() {
        for text in [
            DUAL,
            "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.0.1/24\nFLANNEL_MTU=1500\nFLANNEL_IPMASQ=true\n",
            "FLANNEL_IPV6_NETWORK=fd00:4::/56\nFLANNEL_IPV6_SUBNET=fd00:4::1/64\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n",
        ] {
            assert_eq!(Subnet::parse(text).unwrap().text(), text);
        }
    }

    #[test]
    fn every_beginning_of_the_file_is_incomplete_or_makes_sense() {
        for end in 0..DUAL.len() {
            if let Some(subnet) = Subnet::parse(&DUAL[..end]) {
                assert!(!subnet.subnets.is_empty() && subnet.mtu.is_some(), "{end}");
            }
        }
    }

    #[test]
    fn nonsense_is_nothing() {
        for text in [
            "",
            "FLANNEL_MTU=1430",
            "FLANNEL_SUBNET=x\nFLANNEL_MTU=1430",
            "FLANNEL_NETWORK=10.0.0.0/16\nFLANNEL_SUBNET=10.1.0.1/24\nFLANNEL_MTU=1450",
        ] {
            assert_eq!(Subnet::parse(text), None, "{text}");
        }
    }
}
