//! What the API server writes down.

/// Who changed what, with the change; who read secrets, without them; who entered pods; not what the components read all
/// day. CIS 3.2.2 asks for secrets and tokens at `Metadata` only, pods and workloads at `Request`, and every use of
/// exec, attach, port-forward and proxy.
pub(super) const POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages:
  - RequestReceived
rules:
  # Health, versions, discovery: asked all the time, nothing in them.
  - level: None
    nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/openapi*', '/api', '/api/*', '/apis', '/apis/*']
  # Leases and events: written all the time, about nothing but themselves.
  - level: None
    verbs: [get, list, watch, create, update, patch]
    resources:
      - group: coordination.k8s.io
        resources: [leases]
      - group: ''
        resources: [events]
      - group: events.k8s.io
        resources: [events]
  # What the components watch.
  - level: None
    users:
      - system:kube-controller-manager
      - system:kube-scheduler
      - system:kube-proxy
      - system:apiserver
    verbs: [get, list, watch]
    resources:
      - group: ''
        resources: [endpoints, services, services/status, nodes, nodes/status, pods, namespaces]
      - group: discovery.k8s.io
        resources: [endpointslices]
  - level: None
    userGroups: [system:nodes]
    verbs: [get, list, watch, patch, update]
    resources:
      - group: ''
        resources: [nodes, nodes/status]
  # Secrets of any kind: who, when and which, never what is in them.
  - level: Metadata
    resources:
      - group: ''
        resources: [secrets, configmaps, serviceaccounts/token]
      - group: authentication.k8s.io
        resources: [tokenreviews]
  # Whoever enters a pod or goes through one.
  - level: Metadata
    resources:
      - group: ''
        resources: [pods/exec, pods/attach, pods/portforward, pods/proxy, services/proxy, nodes/proxy]
  # Every change, with what was asked for.
  - level: Request
    verbs: [create, update, patch, delete, deletecollection]
  # All else: who read what.
  - level: Metadata
";
