# SPDX-License-Identifier: Apache-2.0
"""Asks the questions of matrix.py of whatever serves Services, and keeps what was answered."""

import collections
import concurrent.futures
import ipaddress
import json

import matrix
from harness import machine, objects
from harness.cluster import CLIENTS
from harness.processes import run, wait_for

PATIENCE = 5  # seconds; answers take one where a SYN was sent again, more where the machine is busy
AT_ONCE = 48  # trials of one client; most of them wait
ERRORS = {"ECONNREFUSED": "refused", "timeout": "no answer", "ETIMEDOUT": "no answer", "EPERM": "not permitted",
          "EHOSTUNREACH": "unreachable", "ENETUNREACH": "unreachable"}
# Of ICMP errors: so many refusals at a time are not usual.
LIMITS = ["net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0", "net.ipv4.icmp_msgs_per_sec=100000",
          "net.ipv4.icmp_msgs_burst=10000"]


class World:
    """The Services that are asked, and those who ask; made once for all that serve them."""

    def __init__(self, cluster, namespace):
        self.cluster, self.namespace = cluster, namespace
        self.created = {}  # Services by name, as the API server has them
        self.clients = self.people = None  # Probes by name, names by address

    def make(self):
        one, two = self.cluster.nodes
        backends = self.start_backends()
        self.clients = {"backend-1": backends["backend-1"], "pod-1": one.pod, "pod-2": two.pod,
                        "host-node-1": one.host, "host-node-2": two.host, "outside": self.cluster.outside}
        addresses = {**{name: self.addresses_of(self.namespace, name) for name in backends},
                     "host-node-1": one.addresses}
        self.people = dict(self.meet(addresses))
        machine.route_outside_to(matrix.NETWORKS, one.machine)
        self.lift_limits()
        for service in matrix.services():
            self.make_service(service, addresses)

    def start_backends(self):
        pods = [(f"backend-{node.machine.number}", node) for node in self.cluster.nodes]
        for name, node in pods:
            self.cluster.api.create(objects.pod(self.namespace, name, node.name, objects.probe_spec()))
        return {name: self.cluster.wait_for_probe(self.namespace, name) for name, _ in pods}

    def addresses_of(self, namespace, pod):
        return [entry["ip"] for entry in self.cluster.api.get("Pod", namespace, pod)["status"]["podIPs"]]

    def meet(self, backends):
        """(address, name) of everybody whom a backend may see."""
        people = {"outside": machine.GATEWAY, **backends}
        for node in self.cluster.nodes:
            people[f"pod-{node.machine.number}"] = self.addresses_of(CLIENTS, node.pod.name)
            people[node.name] = node.addresses
            people[f"{node.name}'s bridge"] = [str(ipaddress.ip_network(pods)[1]) for pods in node.machine.pod_ranges]
        return ((address, name) for name, addresses in people.items() for address in addresses)

    def lift_limits(self):
        for limit in LIMITS:
            for run_there in (run, *(node.machine.run for node in self.cluster.nodes)):
                run_there(["sysctl", "-eqw", limit])

    def make_service(self, service, addresses):
        api = self.cluster.api
        api.create(service.manifest(self.namespace))
        self.created[service.name] = api.patch_status(service.status(), "Service", self.namespace, service.name)
        for manifest in service.slices(self.namespace, addresses):
            api.create(manifest)

    # --- What is asked ---

    def wait_until_served(self):
        """In both families, on all nodes."""
        spec = self.created[matrix.BOTH.name]["spec"]
        for client in self.cluster.clients:
            for family, address in zip((4, 6), spec["clusterIPs"]):
                wait_for(f"{client.name} to get an answer from {address}",
                         lambda: client.ask("tcp", address, family=family).answers)

    def ask(self, questions):
        """Answers by question. Where a client is to be known again it does not ask twice at the same time."""
        answers = {}
        for is_sticky, at_once in ((True, 1), (False, AT_ONCE)):
            some = [question for question in questions if question.service.is_sticky == is_sticky]
            with concurrent.futures.ThreadPoolExecutor() as pool:
                for part in pool.map(lambda client: self.ask_as(client, some, at_once), matrix.CLIENTS):
                    answers.update(part)
        return answers

    def ask_as(self, client, questions, at_once):
        mine = [question for question in questions if question.client == client]
        trials = [question.trial(self.created[question.service.name]) for question in mine]
        results = self.clients[client].try_all(trials, PATIENCE, at_once)
        return {question: Answer(question, result, self.people) for question, result in zip(mine, results)}


class Answer:
    """What became of one question: who answered and as whom they saw the client, or what failed."""

    def __init__(self, question, result, people):
        self.question, self.result = question, result
        self.error = result["error"] and ERRORS.get(result["error"], result["error"])
        self.seen = collections.defaultdict(set)  # names of clients, by backend
        for answer in result["answers"]:
            name, client = answer.split()
            self.seen[name].add(people.get(client, client))

    @property
    def failed(self):
        return not self.seen

    @property
    def text(self):
        if self.question.service.is_sticky and len(self.seen) == 1 and not self.error:
            return "always the same backend"
        answered = [f"{name} sees {' and '.join(sorted(clients))}" for name, clients in sorted(self.seen.items())]
        return "; ".join(answered + [self.error] * bool(self.error))

    def line(self):
        """Of JSON: ms is the time of the slowest request, repeated how many segments were sent again."""
        return json.dumps({"question": str(self.question), "answer": self.text, "ms": self.result["ms"],
                           "repeated": self.result["repeated"]})
