# SPDX-License-Identifier: Apache-2.0
"""What serves Services on the nodes: Shunt, or kube-proxy, against which the tests themselves are tested."""

import json
import signal

from harness import daemonsets
from harness.daemonsets import POD_RANGES
from harness.places import SHUNT_BINARIES

USER = "system:kube-proxy"  # bound to the built-in ClusterRole system:node-proxier
KUBECONFIG = "/var/lib/proxy.kubeconfig"


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


PROXIES = {"shunt": Shunt, "daemonset": daemonsets.Shunt, "kube-proxy": KubeProxy,
           "kube-proxy-iptables": KubeProxyIptables, "kube-proxy-daemonset": daemonsets.KubeProxy}
