//! What the API servers of other nodes say of themselves, before this machine becomes a node beside them.

use std::time::Duration;

use http::header::DATE;
use k8s_openapi::apimachinery::pkg::version::Info;
use kube::client::Body;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::task::JoinSet;

use crate::addon::manager;
use crate::api_servers;
use crate::desired::NodeSpec;
use crate::machine::readings::{ApiServer, Asked};

/// Who has not answered by then is taken for silent.
const LIMIT: Duration = Duration::from_secs(3);

/// Asks the API server of every other control-plane node, all at once, in the name of this node's kubelet; in the order of
/// cluster.toml. Takes three seconds at most.
pub async fn api_servers(spec: &NodeSpec) -> Vec<Asked> {
    let Some(kubeconfig) = spec.file("kubelet.conf") else {
        return Vec::new();
    };
    let mut asked = JoinSet::new();
    let servers = api_servers::of(&spec.cluster).into_iter();
    let others = servers.filter(|server| server.node != spec.node.name().as_str());
    for (number, server) in others.enumerate() {
        let contents = kubeconfig.contents.clone();
        asked.spawn(async move {
            let url = server.url;
            let answer = tokio::time::timeout(LIMIT, ask(contents.secret_bytes(), &url)).await;
            let answer = answer.unwrap_or_else(|_| Err(format!("{url}: no answer within 3 s")));
            let node = server.node;
            (number, Asked { node, answer })
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().map(|(_, asked)| asked).collect()
}

async fn ask(kubeconfig: &[u8], url: &str) -> Result<ApiServer, String> {
    let text = std::str::from_utf8(kubeconfig).map_err(|error| error.to_string())?;
    let client = manager::connect_with(text, url).await?;
    let request = http::Request::get("/version").body(Body::empty());
    let fail = |error: &kube::Error| format!("{url}: {}", manager::reason(error));
    let answer = client
        .send(request.expect("a path"))
        .await
        .map_err(|error| fail(&error))?;
    let now = OffsetDateTime::now_utc();
    let status = answer.status();
    if !status.is_success() {
        return Err(format!("{url}: {status}"));
    }
    let date = answer
        .headers()
        .get(DATE)
        .and_then(|date| date.to_str().ok())
        // "GMT" is a zone of RFC 2822 too (section 4.3).
        .and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok());
    let body = answer.into_body().collect_bytes().await;
    let body = body.map_err(|error| fail(&error))?;
    let info: Info = serde_json::from_slice(&body).map_err(|error| format!("{url}: {error}"))?;
    Ok(ApiServer {
        version: info.git_version.trim_start_matches('v').to_owned(),
        // Without a date nothing is known of its clock.
        ahead: date.map_or(0, |date| (date - now).whole_seconds()),
    })
}
