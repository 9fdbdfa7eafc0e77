//! A machine whose address is not the one that its cluster knows.

use crate::place::Place;

pub fn address_gone(place: &Place<'_>) {
    let machine = &place.node.machine;
    // An earlier phase has had the cluster made, for the address that the machine had then.
    let swap = |from: &str, to: &str| {
        machine.shell(&format!(
            "ip address del {from}/24 dev eth0 && ip address add {to}/24 dev eth0 && \
             ip route add default via 192.0.2.1"
        ));
    };
    swap("192.0.2.11", "192.0.2.78");
    let fact = "192.0.2.11 of node node1 is on no interface of this machine";
    place.refuses(&[fact, "cluster.toml", "192.0.2.78 (eth0)"]);
    swap("192.0.2.78", "192.0.2.11");
    place.is_mended();
}
