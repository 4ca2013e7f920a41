# SPDX-License-Identifier: Apache-2.0
"""A whole cluster: control plane, two nodes with what serves Services, DNS, and those who ask."""

import itertools
import os

from harness import machine, objects
from harness.api import ApiError
from harness.control_plane import ControlPlane
from harness.kubelet import Kubelet
from harness.machine import Machine
from harness.outpost import Outpost
from harness.probe import Probe
from harness.processes import Daemon, run, wait_for

STATE = "/run/cluster"  # in memory, and of the sandbox alone
CLIENTS = "clients"  # namespace


class Node:
    """A machine, what makes it a node, and those who ask from there."""

    def __init__(self, number, binaries, logs):
        self.machine = Machine(number, STATE, logs)
        self.kubelet = Kubelet(self.machine, binaries)
        self.name, self.addresses = self.machine.name, self.machine.addresses
        self.host = Probe(f"host-{self.name}", self.addresses[0])
        self.pod = None  # a Probe

    def __repr__(self):
        return self.name

    def start_host_client(self):
        daemon = self.machine.start("client", [objects.PYTHON, f"{objects.PROBE}/probe.py", self.host.name])
        wait_for(f"{self.host.name} to answer", lambda: daemon.require_alive() and self.host.answers())


class Cluster:
    """proxies(cluster, node) makes what serves Services on a node (proxies.py)."""

    def __init__(self, binaries, logs, proxy_class):
        self.binaries, self.logs = binaries, logs
        self.control_plane = ControlPlane(binaries, f"{STATE}/control-plane", logs)
        self.api = self.control_plane.api
        self.nodes = [Node(number, binaries, logs) for number in (1, 2)]
        self.proxy = proxy_class(self)
        self.outside = Probe("outside", machine.GATEWAY[0])  # one who is no part of the cluster
        self.machine_numbers = itertools.count(len(self.nodes) + 1)

    def start(self):
        run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
        os.makedirs(STATE)
        machine.lay_network()
        for node in self.nodes:
            self.boot_machine(node)
            node.kubelet.install()
            node.kubelet.start_containerd()
        self.control_plane.start()
        for node in self.nodes:
            node.kubelet.load("/var/lib/pod.tar")
            self.start_kubelet(node)
        wait_for("the nodes to be ready", lambda: all(node.kubelet.ready(self.api) for node in self.nodes))
        self.proxy.start()
        self.start_dns()
        self.start_clients()

    def boot_machine(self, node):
        node.machine.boot()
        machine.route_outside_to_pods_of(node.machine)
        for other in self.nodes:
            if other is not node:
                node.machine.route_pods_of(other.machine)

    def start_kubelet(self, node):
        node.kubelet.start_kubelet(self.control_plane.kubeconfig(f"system:node:{node}"))

    def start_dns(self):
        for manifest in objects.dns_objects(self.binaries):
            self.api.create(manifest)
        self.wait_for_deployment("kube-system", "coredns")

    def start_clients(self):
        self.make_namespace(CLIENTS)
        for node in self.nodes:
            self.api.create(objects.pod(CLIENTS, f"client-{node.name}", node.name, objects.probe_spec()))
            node.start_host_client()
        for node in self.nodes:
            node.pod = self.wait_for_probe(CLIENTS, f"client-{node.name}")
        command = [objects.PYTHON, f"{objects.PROBE}/probe.py", self.outside.name, self.outside.address]
        daemon = Daemon("outside", command, self.logs)
        wait_for("outside to answer", lambda: daemon.require_alive() and self.outside.answers())

    # --- For tests ---

    @property
    def clients(self):
        """A pod and a host process of each node."""
        return [client for node in self.nodes for client in (node.pod, node.host)]

    def start_outpost(self, **options):
        """One more; see outpost.py."""
        outpost = Outpost(self, STATE, next(self.machine_numbers), **options)
        outpost.start()
        return outpost

    def make_namespace(self, name):
        self.api.create({"kind": "Namespace", "metadata": {"name": name}})
        wait_for(f"{name} to accept pods", lambda: self.find("ServiceAccount", name, "default"))

    def find(self, kind, namespace, name):
        try:
            return self.api.get(kind, namespace, name)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def wait_for_probe(self, namespace, name):
        """The pod of this name, when it is ready."""
        pod = wait_for(f"pod {namespace}/{name} to be ready", lambda: self.ready_pod(self.find("Pod", namespace, name)))
        return Probe(name, pod["status"]["podIP"])

    @staticmethod
    def ready_pod(pod):
        conditions = pod and pod["status"].get("conditions", [])
        ready = conditions and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
        return pod if ready and "deletionTimestamp" not in pod["metadata"] else None

    def wait_for_deployment(self, namespace, name):
        """Until all of its pods, and no others, are there and ready."""
        def done():
            found = self.api.get("Deployment", namespace, name)
            status, wanted = found["status"], found["spec"]["replicas"]
            return (status.get("observedGeneration") == found["metadata"]["generation"]
                    and status.get("availableReplicas", 0) == status.get("updatedReplicas", 0) == wanted
                    and status.get("replicas", 0) == wanted)
        wait_for(f"deployment {namespace}/{name} to be available", done)

    def backends(self, namespace, app):
        """The Probes of the pods that are ready, by name."""
        pods = (self.ready_pod(pod) for pod in self.api.list("Pod", namespace, f"app={app}"))
        return {pod["metadata"]["name"]: Probe(pod["metadata"]["name"], pod["status"]["podIP"]) for pod in pods if pod}

    def reboot(self, node):
        """Power off and on; what was in memory is gone."""
        before = self.restarts(node)
        node.machine.cut_power()
        self.boot_machine(node)
        node.kubelet.start_containerd()
        self.start_kubelet(node)
        self.proxy.start_on(node)
        node.start_host_client()
        wait_for(f"{node} to start its pods again", lambda: self.restarts(node) > before)
        node.pod = self.wait_for_probe(CLIENTS, f"client-{node}")

    def serve_by(self, proxy):
        """Instead of what has served Services until now, of which nothing stays."""
        self.proxy.remove()
        self.proxy = proxy
        self.proxy.start()

    def forget_outages(self):
        """As new processes, clients of the API server have no back-off left of when it was away."""
        self.control_plane.start_controllers()
        for node in self.nodes:
            node.kubelet.kubelet.stop()
            self.start_kubelet(node)
        self.proxy.replace()

    def restarts(self, node):
        """Of the client on the node, whose status is old until kubelet has told a newer one."""
        status, = self.api.get("Pod", CLIENTS, f"client-{node}")["status"]["containerStatuses"]
        return status["restartCount"]

    def ended(self):
        """What has ended, and should not have: the last lines of each log."""
        daemons = [self.control_plane.etcd, self.control_plane.server, *self.control_plane.controllers,
                   *self.proxy.daemons.values(),
                   *(daemon for node in self.nodes for daemon in (node.kubelet.containerd, node.kubelet.kubelet))]
        return "".join(f"\n{daemon.name} has ended:\n{daemon.tail()}" for daemon in daemons if not daemon.alive())
