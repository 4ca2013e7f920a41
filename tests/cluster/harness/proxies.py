# SPDX-License-Identifier: Apache-2.0
"""What serves Services on the nodes: Shunt, or kube-proxy, against which the tests themselves are tested."""

import json
import os
import signal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SHUNT_BINARIES = os.environ.get("SHUNT_BIN", os.path.join(ROOT, "build", "release", "bin"))
USER = "system:kube-proxy"  # bound to the built-in ClusterRole system:node-proxier
KUBECONFIG = "/var/lib/proxy.kubeconfig"


class HostProcess:
    """A proxy that is a host process of each node, as under systemd."""

    name = None  # of the program

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
        return [f"{SHUNT_BINARIES}/shuntd", "--kubeconfig", KUBECONFIG, "-v", "2"]


class KubeProxy(HostProcess):
    name = "kube-proxy"
    CONFIGURATION = "/var/lib/kube-proxy.yaml"

    def prepare(self, node):
        node.machine.write(self.CONFIGURATION, json.dumps({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "nftables",
            "clientConnection": {"kubeconfig": KUBECONFIG}, "clusterCIDR": "10.244.0.0/16,fd44::/16",
            "conntrack": {"maxPerCore": 0}}))

    def command(self):
        return [f"{self.cluster.binaries}/kube-proxy", "--config", self.CONFIGURATION, "-v=2"]


PROXIES = {"shunt": Shunt, "kube-proxy": KubeProxy}
