//! What the plugin is given, and what it gives on.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::Subnet;
use crate::desired::layout;

/// Where the configurations of the delegate are kept, one file a container, as upstream does.
const STATE: &str = "/var/lib/cni/flannel";

/// The configuration that a runtime gives on stdin.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetConf {
    /// The network's name.
    pub name: Option<String>,
    /// The version of CNI that is spoken.
    pub cni_version: Option<String>,
    /// flanneld's file.
    #[serde(default = "subnet_file")]
    pub subnet_file: PathBuf,
    /// Where the delegates' configurations are kept.
    #[serde(default = "data_dir")]
    pub data_dir: PathBuf,
    /// What the delegate is to be told besides.
    #[serde(default)]
    pub delegate: Map<String, Value>,
    /// What its IPAM plugin is to be told besides.
    #[serde(default)]
    pub ipam: Map<String, Value>,
    /// What the runtime knows of this container.
    pub runtime_config: Option<Value>,
    /// What `ADD` gave.
    pub prev_result: Option<Value>,
    /// What of `GC` is valid.
    #[serde(rename = "cni.dev/valid-attachments")]
    pub valid_attachments: Option<Value>,
}

fn subnet_file() -> PathBuf {
    layout::FLANNEL_SUBNET.into()
}

fn data_dir() -> PathBuf {
    STATE.into()
}

/// The plugin that does the work, and its configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Delegate(pub Map<String, Value>);

impl NetConf {
    /// The delegate's configuration on a node with these addresses.
    pub fn delegate(&self, subnet: &Subnet) -> Delegate {
        let mut delegate = self.delegate.clone();
        let mut default = |key: &str, value: Value| {
            delegate.entry(key).or_insert(value);
        };
        default("type", "bridge".into());
        // One of the two does it.
        default("ipMasq", (!subnet.masquerades).into());
        default("mtu", subnet.mtu.into());
        if delegate["type"] == "bridge" {
            delegate.entry("isGateway").or_insert(true.into());
        }
        let mut ipam = self.ipam.clone();
        ipam.entry("type").or_insert("host-local".into());
        let ranges = subnet.subnets.iter();
        let ranges: Vec<_> = ranges
            .map(|one| json!([{ "subnet": one.to_string() }]))
            .collect();
        ipam.insert("ranges".into(), ranges.into());
        let routes = ipam.entry("routes").or_insert_with(|| json!([]));
        if let Some(routes) = routes.as_array_mut() {
            let networks = subnet.networks.iter();
            routes.extend(networks.map(|network| json!({ "dst": network.to_string() })));
        }
        delegate.insert("ipam".into(), ipam.into());
        let mut delegate = Delegate(delegate);
        self.pass_on(&mut delegate);
        delegate
    }

    /// What of this call the delegate has to know too.
    pub(super) fn pass_on(&self, delegate: &mut Delegate) {
        let text = |value: &Option<String>| value.clone().map(Value::from);
        let items = [
            ("name", text(&self.name)),
            ("cniVersion", text(&self.cni_version)),
            ("runtimeConfig", self.runtime_config.clone()),
            ("prevResult", self.prev_result.clone()),
            ("cni.dev/valid-attachments", self.valid_attachments.clone()),
        ];
        for (key, value) in items {
            if let Some(value) = value {
                delegate.0.insert(key.into(), value);
            }
        }
    }
}

impl Delegate {
    /// The delegate's program.
    pub fn plugin(&self) -> &str {
        self.0
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("bridge")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet() -> Subnet {
        Subnet::parse("FLANNEL_NETWORK=172.28.0.0/15\nFLANNEL_SUBNET=172.28.1.1/24\nFLANNEL_IPV6_NETWORK=fd00:4::/56\nFLANNEL_IPV6_SUBNET=fd00:4:0:1::1/64\nFLANNEL_MTU=1430\nFLANNEL_IPMASQ=true\n").unwrap()
    }

    #[test]
    fn a_bridge_with_both_families() {
        let conf = r#"{"name":"cbr0","cniVersion":"1.0.0","type":"flannel","delegate":{"hairpinMode":true,"isDefaultGateway":true}}"#;
        let conf: NetConf = serde_json::from_str(conf).unwrap();
        let delegate = conf.delegate(&subnet());
        let wanted = json!({
            "hairpinMode": true, "isDefaultGateway": true, "type": "bridge", "ipMasq": false, "mtu": 1430,
            "isGateway": true, "name": "cbr0", "cniVersion": "1.0.0",
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": "172.28.1.0/24"}], [{"subnet": "fd00:4:0:1::/64"}]],
                "routes": [{"dst": "172.28.0.0/15"}, {"dst": "fd00:4::/56"}],
            },
        });
        assert_eq!(Value::from(delegate.0.clone()), wanted);
    }

    #[test]
    fn what_is_said_is_kept() {
        let conf = r#"{"name":"n","cniVersion":"1.0.0","delegate":{"type":"macvlan","mtu":1200},"ipam":{"type":"static","routes":[{"dst":"0.0.0.0/0"}]}}"#;
        let conf: NetConf = serde_json::from_str(conf).unwrap();
        let delegate = conf.delegate(&subnet()).0;
        assert_eq!(delegate["type"], "macvlan");
        assert_eq!(delegate["mtu"], 1200);
        assert!(!delegate.contains_key("isGateway"));
        assert_eq!(delegate["ipam"]["type"], "static");
        assert_eq!(delegate["ipam"]["routes"].as_array().unwrap().len(), 3);
    }
}
