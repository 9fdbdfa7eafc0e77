//! What a pod does: it dials the service address, trusts the CA that is mounted into it, and shows a
//! ServiceAccount's token.

use std::net::IpAddr;

use tests::cluster::Cluster;
use tests::command::{refuse, succeed};
use tests::control_plane::ControlPlane;

use super::clients::{service_account, who, with_token};

pub fn reach_the_api_at_its_service_address(cluster: &Cluster, control_plane: &ControlPlane<'_>) {
    let admin =
        |arguments: &[&str]| succeed(&mut control_plane.kubectl("super-admin.conf", arguments));
    admin(&["create", "serviceaccount", "robot"]);
    let token = admin(&["create", "token", "robot"]);
    let authority = control_plane.tree().join("pki/ca.crt");
    let service = cluster.spec.service_addresses()[0];

    // Go's TLS, dialing the service address itself.
    let dial = |token: &str| {
        let server = format!("https://{}:6443", bracketed(service));
        with_token(control_plane, &server, &authority, token)
    };
    let robot = service_account("default", "robot");
    assert_eq!(who(&mut dial(&token)), robot);

    // The same signed by somebody else is nobody's.
    let mut forged = token.trim_end().to_owned();
    let last = forged.pop().expect("a signature");
    // The last character of 64 bytes in base64url has four bits that count: take one that differs.
    forged.push(if last == 'A' { 'Q' } else { 'A' });
    refuse(dial(&forged).args(["auth", "whoami"]), "Unauthorized");

    // OpenSSL's TLS, under exactly https://10.3.0.1 and https://kubernetes.default.svc.
    let node = bracketed(control_plane.address);
    let get = |host: &str| {
        let mut command = control_plane.curl(&format!("https://{host}/version"));
        command.args(["--connect-to", &format!("{host}:443:{node}:6443")]);
        command.args(["-H", &format!("Authorization: Bearer {}", token.trim_end())]);
        command
    };
    let domain = cluster.spec.domain();
    for host in [
        bracketed(service),
        "kubernetes".into(),
        "kubernetes.default".into(),
        "kubernetes.default.svc".into(),
        format!("kubernetes.default.svc.{domain}"),
        "localhost".into(),
        "cp-1".into(),
        node.clone(),
    ] {
        let said = succeed(&mut get(&host));
        assert!(said.contains("\"gitVersion\": \"v1."), "{host}: {said}");
    }

    // The address after it is none of the API server's.
    let next = match service {
        IpAddr::V4(v4) => IpAddr::from((u32::from(v4) + 1).to_be_bytes()),
        IpAddr::V6(v6) => IpAddr::from((u128::from(v6) + 1).to_be_bytes()),
    };
    refuse(
        &mut get(&bracketed(next)),
        "SSL: no alternative certificate subject name matches",
    );
    refuse(
        &mut get("kubernetes.elsewhere"),
        "SSL: no alternative certificate subject name",
    );
    let elsewhere = [
        "--tls-server-name",
        "kubernetes.elsewhere",
        "auth",
        "whoami",
    ];
    refuse(
        dial(&token).args(elsewhere),
        "x509: certificate is valid for",
    );
}

fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}
