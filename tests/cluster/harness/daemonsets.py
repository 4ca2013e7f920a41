# SPDX-License-Identifier: Apache-2.0
"""What serves Services as a DaemonSet, which kubelet brings back: Shunt of deploy/, or kube-proxy of kubeadm."""

import json
import os
import shutil
import signal
import time

from harness import cgroups, image
from harness.control_plane import PORT
from harness.machine import GATEWAY
from harness.places import ROOT, SHUNT_BINARIES
from harness.processes import read, wait_for

NAMESPACE = "kube-system"
SERVER = f"{GATEWAY[0]}:{PORT}"
POD_RANGES = "10.244.0.0/16,fd44::/16"
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"  # in a pod
KUBE_PROXY_CONFIG = {
    "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "nftables",
    "clientConnection": {"kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"},
    "clusterCIDR": POD_RANGES, "conntrack": {"maxPerCore": 0}}
KUBE_PROXY_KUBECONFIG = {
    "apiVersion": "v1", "kind": "Config", "current-context": "default",
    "clusters": [{"name": "default", "cluster": {"server": f"https://{SERVER}",
                                                 "certificate-authority": f"{ACCOUNT}/ca.crt"}}],
    "users": [{"name": "default", "user": {"tokenFile": f"{ACCOUNT}/token"}}],
    "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}]}


class DaemonSet:
    name = program = None
    loses = set()  # by how a client asks: what it loses while backends change, and is known to
    daemons = {}  # none of ours

    def __init__(self, cluster):
        self.cluster = cluster

    def start_on(self, node):
        """Its kubelet does."""

    def wait_until_ready(self):
        """On all nodes that are to have one."""
        def ready():
            found = self.cluster.api.get("DaemonSet", NAMESPACE, self.name)
            status = found["status"]
            return (status.get("observedGeneration") == found["metadata"]["generation"]
                    and status.get("updatedNumberScheduled", 0) == status.get("numberReady", 0)
                    == status["desiredNumberScheduled"] == status["currentNumberScheduled"])
        wait_for(f"the DaemonSet {self.name} to be ready", ready)

    def send(self, node, number):
        for process in node.machine.run(["pidof", self.program]).split():
            node.machine.run(["kill", f"-{number}", process])

    def kill(self, node):
        self.send(node, signal.SIGKILL)

    def revive(self, _):
        self.wait_until_ready()

    def replace(self):
        restarted = {"spec": {"template": {"metadata": {"annotations": {"restarted": str(time.time())}}}}}
        self.cluster.api.patch(restarted, "DaemonSet", NAMESPACE, self.name)
        self.wait_until_ready()

    def freeze(self, node):
        self.send(node, signal.SIGSTOP)

    def thaw(self, node):
        self.send(node, signal.SIGCONT)


class Shunt(DaemonSet):
    """As deploy/ has it, from the image that `tools/dev image` writes."""

    name, program = "shunt", "shuntd"
    IMAGE = os.path.join(ROOT, "build", "shunt-image.tar")
    SERVER = "control-plane.example.internal:6443"  # in the overlay, for the administrator to replace
    PACKETS = """patches:
- target: {kind: DaemonSet}
  patch: '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--packets=on"}]'
"""

    def start(self):
        for node in self.cluster.nodes:
            node.kubelet.load(self.IMAGE)
        self.cluster.control_plane.kubectl("apply", "-k", self.overlay("kubeadm"))
        self.wait_until_ready()

    def remove(self):
        """Until nothing of it is left in the kernel."""
        self.cluster.api.delete("DaemonSet", NAMESPACE, self.name)
        wait_for("the DaemonSet's pods to end",
                 lambda: not self.cluster.api.list("Pod", NAMESPACE, "app.kubernetes.io/name=shunt"))
        for node in self.cluster.nodes:
            node.machine.run([f"{SHUNT_BINARIES}/shuntd", "--cleanup"])

    def overlay(self, name):
        """The folder of an overlay, in a copy of deploy/ that names our API server."""
        copy = os.path.join(self.cluster.control_plane.state, "kustomize")
        if not os.path.exists(copy):
            shutil.copytree(os.path.join(ROOT, "deploy", "kustomize"), copy)
            config = os.path.join(copy, "overlays", "kubeadm", "config.yaml")
            text = read(config).replace(self.SERVER, SERVER)
            text = text.replace('clusterCIDR: ""', f"clusterCIDR: {POD_RANGES}")
            cgroups.write(config, text + "\nmetricsBindAddress: 0.0.0.0:10249\n")  # for Prometheus
            cgroups.append(os.path.join(os.path.dirname(config), "kustomization.yaml"), self.PACKETS)
        return os.path.join(copy, "overlays", name)


class KubeProxy(DaemonSet):
    """As kubeadm installs it, in an image that has what the real one has."""

    name = program = "kube-proxy"
    loses = {"udp_unconnected"}  # see proxies.KubeProxy
    IMAGE, ARCHIVE = "registry.k8s.io/kube-proxy:test", "/var/lib/kube-proxy.tar"

    def start(self):
        self.load_image()
        for manifest in self.manifests():
            self.cluster.api.create(manifest)
        self.wait_until_ready()

    def load_image(self):
        programs = {"usr/local/bin/kube-proxy": f"{self.cluster.binaries}/kube-proxy",
                    **image.with_libraries("/usr/sbin/nft")}
        for node in self.cluster.nodes:
            archive = node.machine.path(self.ARCHIVE)
            image.write(archive, self.IMAGE, programs, ["/usr/local/bin/kube-proxy"])
            node.kubelet.load(self.ARCHIVE)
            os.remove(archive)

    def manifests(self):
        name = {"namespace": NAMESPACE, "name": self.name}
        return [
            {"kind": "ServiceAccount", "metadata": name},
            {"kind": "ClusterRoleBinding", "metadata": {"name": "kubeadm:node-proxier"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-proxier"},
             "subjects": [{"kind": "ServiceAccount", **name}]},
            {"kind": "ConfigMap", "metadata": {**name, "labels": {"app": "kube-proxy"}},
             "data": {"config.conf": json.dumps(KUBE_PROXY_CONFIG),
                      "kubeconfig.conf": json.dumps(KUBE_PROXY_KUBECONFIG)}},
            self.manifest()]

    def manifest(self):
        """Of the DaemonSet itself."""
        labels = {"k8s-app": "kube-proxy"}
        container = {
            "name": "kube-proxy", "image": self.IMAGE, "securityContext": {"privileged": True},
            "command": ["/usr/local/bin/kube-proxy", "--config=/var/lib/kube-proxy/config.conf",
                        "--hostname-override=$(NODE_NAME)"],
            "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "volumeMounts": [{"name": "kube-proxy", "mountPath": "/var/lib/kube-proxy"}]}
        metadata = {"namespace": NAMESPACE, "name": self.name, "labels": labels}
        return {"kind": "DaemonSet", "metadata": metadata, "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "hostNetwork": True, "serviceAccountName": "kube-proxy", "priorityClassName": "system-node-critical",
                "nodeSelector": {"kubernetes.io/os": "linux"}, "tolerations": [{"operator": "Exists"}],
                "volumes": [{"name": "kube-proxy", "configMap": {"name": "kube-proxy"}}],
                "containers": [container]}}}}
