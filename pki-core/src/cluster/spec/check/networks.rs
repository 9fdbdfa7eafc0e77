//! The rules of addresses: service CIDRs, cluster DNS, pod CIDRs, and how they lie to each other
//! and to the machines.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Checker;
use crate::cluster::spec::document::Document;
use crate::cluster::spec::{Fact, IpFamily, Node, Place, Range, Written, address, cidr};

/// Pod CIDRs to choose from, the default first (flannel's and kubeadm's example), then what is
/// free when that is taken.
pub(in crate::cluster::spec) const POD_CIDRS_V4: [&str; 4] = [
    "10.244.0.0/16",
    "10.42.0.0/16",
    "172.24.0.0/16",
    "192.168.0.0/16",
];

/// The same for IPv6: 256 nodes of a /64.
pub(in crate::cluster::spec) const POD_CIDRS_V6: [&str; 2] =
    ["fd00:10:244::/56", "fd00:10:42::/56"];

/// The ranges of a cluster; complete when no mistake was noted.
#[derive(Default)]
pub(super) struct Networks {
    pub(super) services: Vec<IpNet>,
    pub(super) dns: Vec<IpAddr>,
    pub(super) pods: Vec<IpNet>,
    pod_range: Option<Range>,
    free: Vec<IpNet>,
}

impl Networks {
    fn ranges(&self) -> impl Iterator<Item = (Range, IpNet)> {
        let pods = self.pod_range.unwrap_or(Range::Pod);
        let services = self.services.iter().map(|cidr| (Range::Service, *cidr));
        services.chain(self.pods.iter().map(move |cidr| (pods, *cidr)))
    }

    /// A pod CIDR to put in place of `taken`.
    fn free(&self, taken: IpNet) -> Option<IpNet> {
        let family = IpFamily::from(taken);
        self.free
            .iter()
            .copied()
            .find(|cidr| IpFamily::from(*cidr) == family && !cidr::overlap(*cidr, taken))
    }
}

impl Checker {
    pub(super) fn networks(&mut self, document: &Document, nodes: &[Node]) -> Networks {
        if document.service_cidr.is_empty() {
            self.absence("service-cidr", Place::Nowhere, Fact::Missing);
        }
        let services = self.ranges("service-cidr", &document.service_cidr, cidr::parse_service);
        let mut networks = Networks {
            services: services.iter().map(|(cidr, _)| *cidr).collect(),
            ..Networks::default()
        };
        let services_fine = !self
            .mistakes
            .iter()
            .any(|mistake| mistake.field == "service-cidr");
        networks.free = POD_CIDRS_V4
            .iter()
            .chain(&POD_CIDRS_V6)
            .map(|text| text.parse().expect("a constant"))
            .filter(|free| {
                let taken = |cidr: &IpNet| cidr::overlap(*cidr, *free);
                let mut addresses = nodes.iter().flat_map(Node::addresses);
                !networks.services.iter().any(taken)
                    && !addresses.any(|address| free.contains(address))
            })
            .collect();

        networks.dns = self.cluster_dns(&document.cluster_dns, &networks.services, services_fine);

        let pods = self.ranges("pod-cidr", &document.pod_cidr, cidr::parse_pod);
        networks.pods = pods.iter().map(|(cidr, _)| *cidr).collect();
        if document.pod_cidr.is_empty() {
            networks.pod_range = Some(Range::DefaultPod);
            networks.pods = networks.services.iter().map(default_pods).collect();
        } else if services_fine && pods.len() == document.pod_cidr.len() {
            self.pod_families(&networks, &pods);
        }
        self.apart(&networks, &services, &pods);
        self.machines_outside(document, &networks);
        networks
    }

    /// At most two ranges, one of each family: kube-apiserver and controller-manager 1.37 refuse
    /// all else (cmd/kube-apiserver/app/options/validation.go, validateClusterIPFlags;
    /// cmd/kube-controller-manager/app/core.go, validateCIDRs).
    fn ranges<'w>(
        &mut self,
        field: &str,
        written: &'w [Written],
        parse: impl Fn(&str) -> Result<IpNet, Fact>,
    ) -> Vec<(IpNet, &'w Written)> {
        let ranges = self.many_written(field, written, parse);
        if let Some(third) = written.get(2) {
            self.mistake(field, third, Fact::MoreThanTwo);
        } else if let [(first, _), (second, written)] = ranges[..] {
            let family = IpFamily::from(second);
            if family == first.into() {
                self.mistake(field, written, Fact::SecondOfFamily { family });
            }
        }
        ranges
    }

    fn cluster_dns(
        &mut self,
        written: &[Written],
        services: &[IpNet],
        services_fine: bool,
    ) -> Vec<IpAddr> {
        if written.is_empty() {
            return services
                .iter()
                .map(|cidr| cidr::default_cluster_dns(*cidr))
                .collect();
        }
        let chosen = self.many_written("cluster-dns", written, |text| {
            let address = address::parse(text)?;
            address::not_mapped(address)?;
            if services_fine {
                service_address(address, services)?;
            }
            Ok::<_, Fact>(address)
        });
        for (index, (address, written)) in chosen.iter().enumerate() {
            let family = IpFamily::from(*address);
            let mut earlier = chosen[..index].iter();
            if earlier.any(|(other, _)| IpFamily::from(*other) == family) {
                self.mistake("cluster-dns", written, Fact::SecondOfFamily { family });
            }
        }
        chosen.into_iter().map(|(address, _)| address).collect()
    }

    /// A Service of a family without pods would have no endpoints. The reverse, pods of two
    /// families behind Services of one, is a documented way to run a cluster.
    fn pod_families(&mut self, networks: &Networks, pods: &[(IpNet, &Written)]) {
        for service in &networks.services {
            let family = IpFamily::from(*service);
            if !pods.iter().any(|(cidr, _)| IpFamily::from(*cidr) == family) {
                self.mistake("pod-cidr", pods[0].1, Fact::PodFamilyMissing { family });
            }
        }
    }

    /// Services, pods and machines must not share addresses (kube-apiserver's help of
    /// --service-cluster-ip-range; kube-proxy would catch what is meant for others).
    fn apart(
        &mut self,
        networks: &Networks,
        services: &[(IpNet, &Written)],
        pods: &[(IpNet, &Written)],
    ) {
        for (service, service_written) in services {
            for pod in networks
                .pods
                .iter()
                .filter(|pod| cidr::overlap(**pod, *service))
            {
                let written = pods.iter().find(|(cidr, _)| cidr == pod);
                let (field, written, range, cidr) = match written {
                    Some((_, written)) => ("pod-cidr", written, Range::Service, *service),
                    None => ("service-cidr", service_written, Range::DefaultPod, *pod),
                };
                let free = networks.free(*pod);
                self.mistake(field, written, Fact::Overlap { range, cidr, free });
            }
        }
    }

    fn machines_outside(&mut self, document: &Document, networks: &Networks) {
        for node in &document.node {
            let field = format!(
                "{}.addresses",
                crate::cluster::spec::read::named("node", node.name.as_ref())
            );
            for written in &node.addresses {
                if let Ok(address) = address::parse_between_machines(written.text()) {
                    self.outside_ranges(&field, address, written, networks);
                }
            }
        }
    }

    /// Notes a mistake when the address is one of a Service or pod.
    pub(super) fn outside_ranges(
        &mut self,
        field: &str,
        address: IpAddr,
        written: &Written,
        networks: &Networks,
    ) {
        for (range, cidr) in networks
            .ranges()
            .filter(|(_, cidr)| cidr.contains(&address))
        {
            let free = match range {
                Range::Service => None,
                Range::Pod | Range::DefaultPod => networks.free(cidr),
            };
            self.mistake(field, written, Fact::InsideRange { range, cidr, free });
        }
    }
}

fn default_pods(service: &IpNet) -> IpNet {
    let text = match service {
        IpNet::V4(_) => POD_CIDRS_V4[0],
        IpNet::V6(_) => POD_CIDRS_V6[0],
    };
    text.parse().expect("a constant")
}

/// Refuses what the API server gives no Service, and what its own Service has.
fn service_address(address: IpAddr, services: &[IpNet]) -> Result<(), Fact> {
    let Some(cidr) = services.iter().find(|cidr| cidr.contains(&address)) else {
        let family = IpFamily::from(address);
        let same = services
            .iter()
            .find(|cidr| IpFamily::from(**cidr) == family);
        return Err(Fact::OutsideServiceCidrs {
            cidrs: services.to_vec(),
            default: same.map(|cidr| cidr::default_cluster_dns(*cidr)),
        });
    };
    let cidr = *cidr;
    let default = cidr::default_cluster_dns(cidr);
    if address == cidr.network() {
        return Err(Fact::NetworkAddress { cidr, default });
    }
    if address == cidr::first_address(cidr) {
        return Err(Fact::KubernetesService { cidr, default });
    }
    if address > cidr::last_service_address(cidr) {
        return Err(Fact::BroadcastAddress { cidr, default });
    }
    Ok(())
}
