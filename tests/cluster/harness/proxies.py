# SPDX-License-Identifier: Apache-2.0
"""What serves Services on the nodes: Shunt, or kube-proxy, against which the tests themselves are tested."""

import json
import os
import shutil
import signal
import time

from harness import cgroups
from harness.control_plane import PORT
from harness.machine import GATEWAY
from harness.processes import read, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SHUNT_BINARIES = os.environ.get("SHUNT_BIN", os.path.join(ROOT, "build", "release", "bin"))
USER = "system:kube-proxy"  # bound to the built-in ClusterRole system:node-proxier
KUBECONFIG = "/var/lib/proxy.kubeconfig"
POD_RANGES = "10.244.0.0/16,fd44::/16"


class HostProcess:
    """A proxy that is a host process of each node, as under systemd."""

    name = None  # of the program
    loses = set()  # by how a client asks: what it loses while backends change, and is known to

    def __init__(self, cluster):
        self.cluster, self.daemons = cluster, {}

    def start(self):
        for node in self.cluster.nodes:
            self.start_on(node)

    def start_on(self, node):
        node.machine.write(KUBECONFIG, self.cluster.control_plane.kubeconfig(USER))
        self.prepare(node)
        self.daemons[node] = node.machine.start(self.name, self.command())

    def prepare(self, node):
        """Writes what the program reads."""

    def command(self):
        raise NotImplementedError

    def remove(self):
        """Until nothing of it is left in the kernel."""
        for node in self.cluster.nodes:
            self.daemons.pop(node).stop()
            node.machine.run(self.cleanup_command())

    def cleanup_command(self):
        raise NotImplementedError

    def kill(self, node):
        """Without a warning; stays away until revive()."""
        self.daemons[node].require_alive()
        self.daemons[node].stop(signal.SIGKILL)

    def revive(self, node):
        self.start_on(node)

    def replace(self):
        """By itself, node by node, as an upgrade does."""
        for node in self.cluster.nodes:
            self.daemons[node].stop()
            self.start_on(node)

    def freeze(self, node):
        self.daemons[node].send(signal.SIGSTOP)

    def thaw(self, node):
        self.daemons[node].send(signal.SIGCONT)


class Shunt(HostProcess):
    name = "shuntd"

    def command(self):
        # Its cgroup is where cgroup v2 is mounted: the root, as the machine sees it.
        return [f"{SHUNT_BINARIES}/shuntd", "--kubeconfig", KUBECONFIG, "--packets", "on", "--cluster-cidr", POD_RANGES,
                "-v", "2"]

    def cleanup_command(self):
        return [f"{SHUNT_BINARIES}/shuntd", "--cleanup"]


class KubeProxy(HostProcess):
    name = "kube-proxy"
    # conntrack sends what comes from a port that was used before to the backend of then, until it is cleaned up.
    loses = {"udp_unconnected"}
    CONFIGURATION = "/var/lib/kube-proxy.yaml"
    mode = "nftables"

    def prepare(self, node):
        node.machine.write(self.CONFIGURATION, json.dumps({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": self.mode,
            "clientConnection": {"kubeconfig": KUBECONFIG}, "clusterCIDR": POD_RANGES,
            "conntrack": {"maxPerCore": 0}}))

    def command(self):
        return [f"{self.cluster.binaries}/kube-proxy", "--config", self.CONFIGURATION, "-v=2"]

    def cleanup_command(self):
        return [f"{self.cluster.binaries}/kube-proxy", "--cleanup"]


class KubeProxyIptables(KubeProxy):
    mode = "iptables"

    def remove(self):
        super().remove()
        for node in self.cluster.nodes:
            node.machine.run(["sysctl", "-qw", "net.ipv4.conf.all.route_localnet=0"])  # for node ports at loopback


class DaemonSet:
    """Shunt as deploy/ has it, from the image that `tools/dev image` writes; kubelet brings it back."""

    name = "shuntd"
    IMAGE = os.path.join(ROOT, "build", "shunt-image.tar")
    SERVER = "control-plane.example.internal:6443"  # in the overlay, for the administrator to replace
    PACKETS = """patches:
- target: {kind: DaemonSet}
  patch: '[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--packets=on"}]'
"""
    daemons = {}  # none of ours
    loses = set()

    def __init__(self, cluster):
        self.cluster = cluster

    def start(self):
        for node in self.cluster.nodes:
            node.kubelet.load(self.IMAGE)
        overlays = os.path.join(self.cluster.control_plane.state, "kustomize")
        shutil.copytree(os.path.join(ROOT, "deploy", "kustomize"), overlays, dirs_exist_ok=True)
        config = os.path.join(overlays, "overlays", "kubeadm", "config.yaml")
        text = read(config).replace(self.SERVER, f"{GATEWAY[0]}:{PORT}")
        text = text.replace('clusterCIDR: ""', f"clusterCIDR: {POD_RANGES}")
        cgroups.write(config, text + "\nmetricsBindAddress: 0.0.0.0:10249\n")  # for Prometheus
        cgroups.append(os.path.join(os.path.dirname(config), "kustomization.yaml"), self.PACKETS)
        self.cluster.control_plane.kubectl("apply", "-k", os.path.dirname(config))
        self.wait_until_ready()

    def remove(self):
        """Until nothing of it is left in the kernel."""
        self.cluster.api.delete("DaemonSet", "kube-system", "shunt")
        wait_for("the DaemonSet's pods to end",
                 lambda: not self.cluster.api.list("Pod", "kube-system", "app.kubernetes.io/name=shunt"))
        for node in self.cluster.nodes:
            node.machine.run([f"{SHUNT_BINARIES}/shuntd", "--cleanup"])

    def start_on(self, node):
        """Its kubelet does."""

    def wait_until_ready(self):
        def ready():
            found = self.cluster.api.get("DaemonSet", "kube-system", "shunt")
            status, nodes = found["status"], len(self.cluster.nodes)
            return (status.get("observedGeneration") == found["metadata"]["generation"]
                    and status.get("updatedNumberScheduled", 0) == status.get("numberReady", 0) == nodes)
        wait_for("the DaemonSet to be ready", ready)

    def send(self, node, number):
        for process in node.machine.run(["pidof", "shuntd"]).split():
            node.machine.run(["kill", f"-{number}", process])

    def kill(self, node):
        self.send(node, signal.SIGKILL)

    def revive(self, _):
        self.wait_until_ready()

    def replace(self):
        restarted = {"spec": {"template": {"metadata": {"annotations": {"restarted": str(time.time())}}}}}
        self.cluster.api.patch(restarted, "DaemonSet", "kube-system", "shunt")
        self.wait_until_ready()

    def freeze(self, node):
        self.send(node, signal.SIGSTOP)

    def thaw(self, node):
        self.send(node, signal.SIGCONT)


PROXIES = {"shunt": Shunt, "daemonset": DaemonSet, "kube-proxy": KubeProxy, "kube-proxy-iptables": KubeProxyIptables}
