# SPDX-License-Identifier: Apache-2.0
"""A machine of the cluster: namespaces of every kind, a cgroup that is its root, a disk, and a cable to the others.

It believes to be alone: its own network, processes, host name, /run, /var/lib, BPF file system and cgroup root. So a
program attached to "the root cgroup" of a machine sees the machine's sockets, and nothing of the computer it runs on.
"""

import ipaddress
import os
import signal
import subprocess

from harness import cgroups
from harness.processes import Daemon, read, run

HERE = os.path.dirname(os.path.abspath(__file__))
GATEWAY = ("172.30.0.1", "fd30::1")
BRIDGE = "br0"
NAMESPACES = ["--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup"]
# Becomes a host process of the machine: the namespaces are nsenter's, the cgroups are joined here.
JOIN = 'for group in $GROUPS_TO_JOIN; do echo $$ >"$group/cgroup.procs"; done; exec "$@"'


class Machine:
    """The number-th machine."""

    def __init__(self, number, state, logs):
        self.number, self.name, self.logs = number, f"node-{number}", logs
        self.addresses = (f"172.30.0.{10 + number}", f"fd30::{10 + number}")
        self.pod_ranges = (f"10.244.{number}.0/24", f"fd44:{number}::/64")
        self.disk = os.path.join(state, self.name)
        self.group = os.path.join(os.environ["SHUNT_CLUSTER_CGROUP"], self.name)
        self.init = None  # process 1, as seen from the cluster's sandbox
        self.power = None  # unshare(1), its parent

    def boot(self):
        cgroups.make(self.group)
        groups = cgroups.hierarchies()
        mounts = [word for hierarchy in groups for word in hierarchy]
        join = " ".join(os.path.join(hierarchy.path, self.group) for hierarchy in groups)
        with open(os.path.join(self.logs, f"{self.name}.log"), "ab") as log:
            self.power = subprocess.Popen(
                ["sh", "-c", JOIN, "sh", "unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc",
                 f"{HERE}/machine-init", self.name, self.disk, *mounts],
                env=dict(os.environ, GROUPS_TO_JOIN=join), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=log, text=True)
        if self.power.stdout.readline() != "ready\n":
            raise AssertionError(f"{self.name} does not boot; see {self.logs}/{self.name}.log")
        self.init = read(f"/proc/{self.power.pid}/task/{self.power.pid}/children")
        cgroups.move_processes(self.group, "host")
        cgroups.enable_controllers(self.group)
        self.connect()

    def connect(self):
        """Lays the cable to the bridge, which is in the sandbox's own network namespace."""
        run(["ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.init,
             "address", f"02:00:00:00:00:{10 + self.number}"])  # the same after a reboot
        run(["ip", "link", "set", self.name, "master", BRIDGE, "up"])
        self.configure(f"address add {self.addresses[0]}/24 dev eth0",
                       f"address add {self.addresses[1]}/64 dev eth0 nodad", "link set eth0 up",
                       f"route add default via {GATEWAY[0]}", f"route add default via {GATEWAY[1]}")
        self.run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"])

    def configure(self, *lines):
        self.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n")

    def route_pods_of(self, other):
        """As a network plugin does. The other is a machine."""
        self.configure(*(f"route replace {pods} via {address}"
                         for pods, address in zip(other.pod_ranges, other.addresses)))

    def cut_power(self):
        """Nothing is told, all processes are gone at once, with pods, sockets, BPF programs and what was in memory."""
        os.kill(int(self.init), signal.SIGKILL)
        self.power.wait()  # which waits for process 1, and that for all others
        cgroups.remove(self.group)
        subprocess.run(["ip", "link", "delete", self.name], stderr=subprocess.DEVNULL, check=False)

    def command(self, words):
        """What runs these words as a host process of this machine."""
        groups = " ".join(os.path.join(hierarchy.path, "host") for hierarchy in cgroups.hierarchies())
        return ["env", f"GROUPS_TO_JOIN={groups}", "nsenter", "--target", self.init, *NAMESPACES,
                "sh", "-c", JOIN, "sh", *words]

    def run(self, words, **options):
        return run(self.command(words), **options)

    def start(self, name, words):
        return Daemon(f"{self.name}-{name}", self.command(words), self.logs, entered=True)

    def path_from_outside(self, name):
        """Of what the machine sees under this name while it is on."""
        return f"/proc/{self.init}/root{name}"

    def path(self, name):
        """Where a file of the machine's disk is, also while it is off; name is below /var/lib."""
        path = os.path.join(self.disk, "lib", os.path.relpath(name, "/var/lib"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, name, text):
        cgroups.write(self.path(name), text)


def lay_network():
    """The wires between machines, and the place outside of them all where tests and control plane are."""
    # With an address of its own, for else it takes that of a cable, another one when that is pulled, and is then not
    # found for seconds.
    commands = ["link set lo up", f"link add {BRIDGE} address 02:00:00:00:00:01 type bridge",
                f"address add {GATEWAY[0]}/24 dev {BRIDGE}",
                f"address add {GATEWAY[1]}/64 dev {BRIDGE} nodad", f"link set {BRIDGE} up"]
    run(["ip", "-batch", "-"], input="\n".join(commands) + "\n")
    run(["sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"])


def add_address_outside(address):
    run(["ip", "address", "add", f"{address}/24", "dev", BRIDGE])


def route_outside_to_pods_of(machine):
    for pods, address in zip(machine.pod_ranges, machine.addresses):
        run(["ip", "route", "replace", pods, "via", address])


def route_outside_to(networks, machine):
    """By way of this machine. What it does not take and sends back is at its end here."""
    for network in networks:
        family = ipaddress.ip_network(network).version
        run(["ip", f"-{family}", "route", "replace", network, "via", machine.addresses[family == 6]])
        run(["ip", f"-{family}", "rule", "add", "unreachable", "iif", BRIDGE, "to", network])
