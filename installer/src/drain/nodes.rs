//! The API's nodes: finding one, and whether it takes new pods.

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, DeleteParams, ListParams};
use kube::{Client, ResourceExt};

use crate::api_servers::refused;
use crate::machine::Problem;
use crate::status::cluster::ApiNode;

/// The Node of that name, or nothing where the API has none.
///
/// # Errors
/// When the API server does not tell.
pub async fn find(client: &Client, name: &str) -> Result<Option<ApiNode>, Problem> {
    let nodes: Api<Node> = Api::all(client.clone());
    let node = nodes.get_opt(name).await;
    let node = node.map_err(|error| refused(&format!("Node {name}"), &error))?;
    Ok(node.as_ref().map(ApiNode::of))
}

/// The Node of that name.
///
/// # Errors
/// When the API server does not tell, or has none: then those that there are are named.
pub async fn find_or_name(client: &Client, name: &str) -> Result<ApiNode, Problem> {
    match find(client, name).await? {
        Some(node) => Ok(node),
        None => Err(unknown(client, name).await),
    }
}

/// Says that there is no such Node, and which there are.
async fn unknown(client: &Client, name: &str) -> Problem {
    let nodes: Api<Node> = Api::all(client.clone());
    let there = match nodes.list_metadata(&ListParams::default()).await {
        Ok(list) => {
            let names: Vec<_> = list.items.iter().map(ResourceExt::name_any).collect();
            format!("there are: {}", names.join(", "))
        }
        Err(_) => "kinstall status --cluster names those that there are".into(),
    };
    Problem::new(format!("the cluster has no node {name:?}"), there)
}

/// Lets no new pods come to a node.
///
/// # Errors
/// When the API server refuses, or has no such Node.
pub async fn cordon(client: &Client, name: &str) -> Result<(), Problem> {
    set(client, name, true).await
}

/// Lets new pods come again.
///
/// # Errors
/// When the API server refuses, or has no such Node.
pub async fn uncordon(client: &Client, name: &str) -> Result<(), Problem> {
    set(client, name, false).await
}

/// Deletes a Node. One that is gone is no error.
///
/// # Errors
/// When the API server refuses.
pub async fn delete(client: &Client, name: &str) -> Result<(), Problem> {
    let nodes: Api<Node> = Api::all(client.clone());
    match nodes.delete(name, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(error) => Err(refused(&format!("Node {name}"), &error)),
    }
}

async fn set(client: &Client, name: &str, cordoned: bool) -> Result<(), Problem> {
    let node = find_or_name(client, name).await?;
    if node.cordoned == cordoned {
        return Ok(());
    }
    let nodes: Api<Node> = Api::all(client.clone());
    let changed = if cordoned {
        nodes.cordon(name).await
    } else {
        nodes.uncordon(name).await
    };
    changed.map_err(|error| refused(&format!("Node {name}"), &error))?;
    Ok(())
}
