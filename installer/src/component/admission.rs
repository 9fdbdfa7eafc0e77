//! Pod Security, from the first request on.

/// Every namespace enforces `baseline` (no privileged pods, no host namespaces) and warns of what `restricted` refuses,
/// unless its labels say otherwise. `kube-system` is the node's own: its pods are what makes it a node.
pub(super) const CONFIGURATION: &str = "\
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: PodSecurity
    configuration:
      apiVersion: pod-security.admission.config.k8s.io/v1
      kind: PodSecurityConfiguration
      defaults:
        enforce: baseline
        enforce-version: latest
        audit: restricted
        audit-version: latest
        warn: restricted
        warn-version: latest
      exemptions:
        usernames: []
        runtimeClasses: []
        namespaces:
          - kube-system
";
