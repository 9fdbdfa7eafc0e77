//! The web server that stands for what people run on a cluster: some pods behind a Service.

use crate::component;
use crate::image;
use crate::node::Node;

/// Outside what any component listens on.
pub const NODE_PORT: u16 = 30080;

const IMAGE: &str = "registry.test/web:1";

/// The server as a `Deployment` or a `DaemonSet`, and its Service. `replicas` is a line of the former's, or nothing. Each pod may do
/// no more than Pod Security `restricted` allows.
pub fn manifest(kind: &str, replicas: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: {kind}
metadata: {{ name: web, namespace: default }}
spec:
  selector: {{ matchLabels: {{ app: web }} }}
  {replicas}
  template:
    metadata: {{ labels: {{ app: web }} }}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: {IMAGE}
          imagePullPolicy: Never
          ports: [{{ containerPort: 8080 }}]
          readinessProbe: {{ httpGet: {{ path: /hostname, port: 8080 }}, periodSeconds: 1 }}
          securityContext:
            runAsNonRoot: true
            runAsUser: 65532
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{ drop: [ALL] }}
            seccompProfile: {{ type: RuntimeDefault }}
---
apiVersion: v1
kind: Service
metadata: {{ name: web, namespace: default }}
spec:
  type: NodePort
  ipFamilyPolicy: PreferDualStack
  selector: {{ app: web }}
  ports: [{{ port: 80, targetPort: 8080, nodePort: {NODE_PORT} }}]
"
    )
}

/// For pods whose image comes from no registry.
pub fn bring_image(node: &Node<'_>) {
    let file = "/root/web.tar";
    let program = component::path("kpki-web");
    image::archive(IMAGE, &program, &["serve"], &node.machine.path(file));
    node.machine
        .shell(&format!("ctr --namespace k8s.io images import {file}"));
}
