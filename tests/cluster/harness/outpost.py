# SPDX-License-Identifier: Apache-2.0
"""A machine with an agent alone, and API servers of its own: for what takes long, or breaks more than one thing.

No kubelet, no controllers: the test writes Services and EndpointSlices itself. Backends are processes outside of all
machines. Outposts share nothing with the cluster but wires, so that their tests may run at the same time.
"""

import collections
import json
import os
import shutil
import signal

from harness import cgroups, objects
from harness.control_plane import PORT, ControlPlane
from harness.machine import Machine, add_address_outside
from harness.places import SHUNT_BINARIES
from harness.probe import Probe
from harness.processes import Daemon, read, wait_for
from harness.proxies import KUBECONFIG, USER

AUDIT_POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
                "rules": [{"level": "Metadata", "resources": [{"group": "", "resources": ["services", "nodes"]},
                                                              {"group": "discovery.k8s.io"}]}, {"level": "None"}]}
KNOWN_SERVERS = "/var/lib/shunt/api-servers"  # the agent's file

Server = collections.namedtuple("Server", "daemon api")


class Outpost:
    """number: from 3, each once."""

    def __init__(self, cluster, state, number, *, etcd_program="etcd", server_options=()):
        self.machine = Machine(number, state, cluster.logs)
        self.addresses = [f"172.30.0.{10 * number + server}" for server in range(3)]
        self.control_plane = ControlPlane(
            cluster.binaries, os.path.join(state, f"outpost-{number}"), cluster.logs, name=f"outpost-{number}-",
            address=self.addresses[0], etcd_port=2379 + 10 * number, etcd_program=etcd_program)
        self.client = Probe(self.machine.name, self.machine.addresses[0])
        self.one, self.other = [Probe(f"outside-{number}{letter}", address)
                                for letter, address in zip("ab", self.addresses[1:])]
        self.audit_log = f"{self.control_plane.state}/audit.log"
        self.control_plane.options = [*server_options, f"--audit-log-path={self.audit_log}",
                                      f"--audit-policy-file={self.control_plane.state}/audit.json"]
        self.daemons = []  # outside of the machine

    def start(self):
        for address in self.addresses:
            add_address_outside(address)
        os.makedirs(self.control_plane.state)
        cgroups.write(f"{self.control_plane.state}/audit.json", json.dumps(AUDIT_POLICY))
        self.control_plane.start_servers()
        for probe in (self.one, self.other):
            self.start_backend(probe)
        self.machine.boot()
        self.start_client()
        self.machine.write(KUBECONFIG, self.control_plane.kubeconfig(USER))
        self.start_agent("--kubeconfig", KUBECONFIG)

    def stop(self):
        self.machine.cut_power()
        for daemon in self.daemons + [self.control_plane.server, self.control_plane.etcd]:
            daemon.stop(signal.SIGKILL)

    def start_backend(self, probe):
        command = [objects.PYTHON, f"{objects.PROBE}/probe.py", probe.name, probe.address]
        self.daemons.append(daemon := Daemon(probe.name, command, self.machine.logs))
        wait_for(f"{probe.name} to answer", lambda: daemon.require_alive() and probe.answers())

    def start_client(self):
        daemon = self.machine.start("client", [objects.PYTHON, f"{objects.PROBE}/probe.py", self.client.name])
        wait_for(f"{self.client.name} to answer", lambda: daemon.require_alive() and self.client.answers())

    def start_agent(self, *options, environment=()):
        self.machine.start("shuntd", ["env", *environment, f"{SHUNT_BINARIES}/shuntd", "-v", "2", *options])

    def start_server(self, number):
        """One more API server, when the agent has heard of it."""
        address = self.addresses[number]
        server = Server(self.control_plane.launch(f"kube-apiserver-{number}", address, PORT),
                        self.control_plane.api_at(address))
        self.control_plane.wait_until_ready(server.api, server.daemon)
        self.daemons.append(server.daemon)
        wait_for(f"the agent to know {address}", lambda: address in read(self.machine.path(KNOWN_SERVERS)))
        return server

    def lists(self):
        """What the agent has got by LIST, and not by WatchList: plural names."""
        with open(self.audit_log, encoding="utf-8") as log:
            requests = [json.loads(line) for line in log]
        return {request["objectRef"]["resource"] for request in requests
                if request["verb"] == "list" and request["userAgent"].startswith("shunt")
                and request.get("responseStatus", {}).get("code") == 200}

    def reboot(self):
        """Without the agent, which the test starts."""
        self.machine.cut_power()
        self.machine.boot()
        self.start_client()

    # --- The database ---

    def back_up(self):
        """What etcd has now; it is away for a moment."""
        self.control_plane.etcd.stop()
        shutil.copytree(f"{self.control_plane.state}/etcd", f"{self.control_plane.state}/backup")
        self.control_plane.start_etcd()

    def write_much(self):
        """So much that a restored database is far behind, and stays so."""
        for _ in range(2000):
            self.control_plane.ask_etcd("kv/put", {"key": "c29tZXRoaW5n", "value": ""})

    def restore(self):
        """As after a disaster: API server and etcd are started anew, with the database of then."""
        self.control_plane.kill_api_server()
        self.control_plane.etcd.stop(signal.SIGKILL)
        shutil.rmtree(f"{self.control_plane.state}/etcd")
        shutil.move(f"{self.control_plane.state}/backup", f"{self.control_plane.state}/etcd")
        self.control_plane.start_etcd()
        self.control_plane.start_api_server()
