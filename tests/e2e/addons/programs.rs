//! The real programs with what their addons give them.

use super::node::Node;

pub fn serve_services_and_names(_node: &Node<'_>) {}
