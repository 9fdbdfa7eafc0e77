//! Which chains decide about forwarded packets, as nft and iptables print them.

use ipnet::IpNet;
use pki_core::cluster::spec::IpFamily;

/// A chain that every forwarded packet of some families passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForwardChain {
    /// Where it is, in words.
    pub place: String,
    /// The families that pass it.
    pub families: Vec<IpFamily>,
    /// Whether what no rule decides is dropped.
    pub drops_by_default: bool,
    /// Its rules, in their order.
    pub rules: Vec<String>,
}

impl ForwardChain {
    /// Why packets of pods of `pod` do not pass, if they do not.
    pub(super) fn obstacle(&self, pod: IpNet) -> Option<String> {
        for rule in &self.rules {
            let words = plain(rule);
            match verdict(&words) {
                Some(Verdict::Accept) if words.len() == 1 || rule.contains(&pod.to_string()) => {
                    return None;
                }
                Some(Verdict::Drop) if words.len() == 1 => {
                    return Some(format!("the rule `{}` drops", rule.trim()));
                }
                // flannel's own chain accepts all that comes from pods or goes to them.
                _ if words.contains(&"FLANNEL-FWD") => return None,
                _ => {}
            }
        }
        self.drops_by_default
            .then(|| "its policy drops what no rule accepts".to_owned())
    }
}

/// Chains of nft's families ip, ip6 and inet with the hook `forward`, without kube-proxy's and flannel's own tables.
pub(super) fn of_nft(text: &str) -> Vec<ForwardChain> {
    let mut chains: Vec<ForwardChain> = Vec::new();
    let (mut table, mut chain, mut open) = (Vec::new(), String::new(), false);
    for line in text.lines().map(str::trim) {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["table", family, name, "{"] => table = vec![family, name],
            ["chain", name, "{"] => (chain, open) = (name.to_owned(), false),
            ["}"] => open = false,
            ["type", _, "hook", "forward", ..] => {
                let families = match table.first() {
                    Some(&"ip") => vec![IpFamily::V4],
                    Some(&"ip6") => vec![IpFamily::V6],
                    Some(&"inet") => vec![IpFamily::V4, IpFamily::V6],
                    _ => continue,
                };
                let name = table.get(1).copied().unwrap_or_default();
                if name == "kube-proxy" || name.starts_with("flannel-") {
                    continue;
                }
                open = true;
                chains.push(ForwardChain {
                    place: format!("chain {chain} of nft's table {}", table.join(" ")),
                    families,
                    drops_by_default: line.contains("policy drop"),
                    rules: Vec::new(),
                });
            }
            _ if open && !line.is_empty() => {
                if let Some(chain) = chains.last_mut() {
                    chain.rules.push(line.to_owned());
                }
            }
            _ => {}
        }
    }
    chains
}

/// The chain FORWARD of every table, as a `save` program of iptables prints it.
pub(super) fn of_iptables(program: &str, text: &str) -> Vec<ForwardChain> {
    let family = match program.starts_with("ip6") {
        true => IpFamily::V6,
        false => IpFamily::V4,
    };
    let mut chains: Vec<ForwardChain> = Vec::new();
    let mut table = "";
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
        } else if let Some(policy) = line.strip_prefix(":FORWARD ") {
            chains.push(ForwardChain {
                place: format!("chain FORWARD of {program}'s table {table}"),
                families: vec![family],
                drops_by_default: policy.starts_with("DROP"),
                rules: Vec::new(),
            });
        } else if let Some(rule) = line.strip_prefix("-A FORWARD ")
            && let Some(chain) = chains.last_mut()
        {
            chain.rules.push(rule.to_owned());
        }
    }
    chains
}

enum Verdict {
    Accept,
    Drop,
}

/// What a rule does with what it matches, by its last words.
fn verdict(words: &[&str]) -> Option<Verdict> {
    match words.last().copied()? {
        "accept" | "ACCEPT" => Some(Verdict::Accept),
        "drop" | "DROP" | "reject" | "REJECT" => Some(Verdict::Drop),
        _ => None,
    }
}

/// A rule's matches and its verdict, without what changes nothing: counters, comments, how a rejection looks, `-j`.
fn plain(rule: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = rule.split_whitespace().peekable();
    while let Some(word) = rest.next() {
        match word {
            "counter" if rest.peek() == Some(&"packets") => {
                let _ = rest.by_ref().take(4).count();
            }
            "comment" | "--comment" => skip_text(&mut rest),
            "-m" if rest.peek() == Some(&"comment") => {
                let _ = rest.next();
            }
            "with" | "--reject-with" => break,
            "-j" => {}
            word => words.push(word),
        }
    }
    words
}

/// A text, in quotation marks when it has more than one word.
fn skip_text<'a>(words: &mut impl Iterator<Item = &'a str>) {
    let first = words.next().unwrap_or_default();
    if first.starts_with('"') && (first.len() == 1 || !first.ends_with('"')) {
        let _ = words.find(|word| word.ends_with('"'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCKER: &str = r#"
table ip filter {
	chain INPUT {
		type filter hook input priority 0; policy drop;
	}

	chain FORWARD {
		type filter hook forward priority 0; policy drop;
		counter packets 0 bytes 0 jump DOCKER-USER
		oifname "docker0" ct state established,related counter packets 1 bytes 2 accept
	}

	chain DOCKER-USER {
		counter packets 0 bytes 0 drop
	}
}
table bridge filter {
	chain FORWARD {
		type filter hook forward priority 0; policy drop;
	}
}
table ip6 kube-proxy {
	chain filter-forward {
		type filter hook forward priority -110; policy accept;
		ct state new jump service-endpoints-check
	}
}
"#;

    fn pod() -> IpNet {
        "10.244.0.0/16".parse().unwrap()
    }

    #[test]
    fn docker_drops_by_default() {
        let chains = of_nft(DOCKER);
        assert_eq!(chains.len(), 1, "{chains:?}");
        assert_eq!(chains[0].place, "chain FORWARD of nft's table ip filter");
        assert_eq!(chains[0].families, [IpFamily::V4]);
        assert_eq!(chains[0].rules.len(), 2);
        assert_eq!(
            chains[0].obstacle(pod()).unwrap(),
            "its policy drops what no rule accepts"
        );
    }

    #[test]
    fn accepting_pods_first_is_fine() {
        let accepted = DOCKER.replace(
            "counter packets 0 bytes 0 jump DOCKER-USER",
            "ip saddr 10.244.0.0/16 counter packets 0 bytes 0 accept\njump DOCKER-USER",
        );
        assert_eq!(of_nft(&accepted)[0].obstacle(pod()), None);
        let own = DOCKER.replace("jump DOCKER-USER", "jump FLANNEL-FWD");
        assert_eq!(of_nft(&own)[0].obstacle(pod()), None);
    }

    #[test]
    fn a_rule_for_everything() {
        let red_hat = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n-A FORWARD -i lo -j DROP\n\
                       -A FORWARD -m comment --comment \"not here\" -j REJECT --reject-with icmp-host-prohibited\nCOMMIT\n";
        let chains = of_iptables("iptables-legacy-save", red_hat);
        assert_eq!(chains.len(), 1);
        assert!(chains[0].obstacle(pod()).unwrap().contains("REJECT"));
        let open = red_hat.replace("-A FORWARD -i lo -j DROP", "-A FORWARD -j ACCEPT");
        assert_eq!(
            of_iptables("iptables-legacy-save", &open)[0].obstacle(pod()),
            None
        );
        let nft = "table inet t {\nchain f {\ntype filter hook forward priority 0; policy accept;\n\
                   counter packets 5 bytes 9 comment \"no way\" reject with icmpx admin-prohibited\n}\n}\n";
        let chains = of_nft(nft);
        assert_eq!(chains[0].families.len(), 2);
        assert!(chains[0].obstacle(pod()).is_some());
    }
}
