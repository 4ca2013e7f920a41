# SPDX-License-Identifier: Apache-2.0
"""The questions of the differential test, as data: every frontend of every Service, asked by every client.

A Service is a policy and a state of its endpoints; its frontends are wherever it can be dialled.
"""

import dataclasses
import itertools

from harness import objects
from harness.machine import GATEWAY

READY, LEAVING, GONE = (dict(zip(("ready", "serving", "terminating"), conditions))
                        for conditions in ((True, True, False), (False, True, True), (False, False, True)))
ENDPOINTS = {  # state: who answers, and the conditions
    "on node-1": {"backend-1": READY},
    "on node-2": {"backend-2": READY},
    "on both": {"backend-1": READY, "backend-2": READY},
    "terminating": {"backend-1": LEAVING},
    "terminating or remote": {"backend-1": LEAVING, "backend-2": READY},
    "host": {"host-node-1": READY},
    "none": {"backend-1": GONE},
}
PLACES = {"backend-1": "node-1", "backend-2": "node-2", "host-node-1": "node-1"}
SOURCES = {  # whom a load-balancer IP lets in; 10.244.0.0/16 is where the pods are
    "outside": [f"{GATEWAY[0]}/32", f"{GATEWAY[1]}/128"],
    "pods": ["10.244.0.0/16", "fd44::/16"],
    "node-1": ["172.30.0.11/32", "fd30::11/128"],
    "nobody": ["192.0.2.0/24", "fd99::/64"],
}
POLICIES = {  # policy: fields of the Service, and the states of endpoints with which it is asked
    "Cluster": ({}, ENDPOINTS),
    "internal Local": ({"internalTrafficPolicy": "Local"}, ENDPOINTS),
    "external Local": ({"externalTrafficPolicy": "Local"}, ENDPOINTS),
    "sticky": ({"sessionAffinity": "ClientIP"}, ("on both",)),
    **{f"for {name}": ({"loadBalancerSourceRanges": ranges}, ("on both", "none")) for name, ranges in SOURCES.items()},
}
CLIENTS = ("backend-1", "pod-1", "pod-2", "host-node-1", "host-node-2", "outside")
PODS, HOSTS = CLIENTS[:3], CLIENTS[3:5]
NODE_ADDRESSES = {"node-1": ("172.30.0.11", "fd30::11"), "node-2": ("172.30.0.12", "fd30::12")}
OTHER_ADDRESSES = ("10.244.1.1", "fd44:1::1")  # of node-1, to which Kubernetes gives no name
UNALLOCATED = ("10.96.250.250", "fd96::fafa")
UNDEFINED_PORT = 81
MOST = 24  # requests of a question to which both backends may answer: 1 in 10^7 misses one of them
STICKY = 10  # requests that one backend has to answer

NETWORKS = ("10.96.0.0/16", "fd96::/108", "198.51.100.0/24", "fd98::/64", "203.0.113.0/24", "fd97::/64")


@dataclasses.dataclass(frozen=True)
class Service:
    policy: str
    endpoints: str
    number: int  # from 1, its own

    @property
    def name(self):
        return f"{self.policy} {self.endpoints}".lower().replace(" ", "-")

    @property
    def external_ips(self):
        return (f"198.51.100.{self.number}", f"fd98::{self.number:x}")

    @property
    def balancer_ips(self):
        return (f"203.0.113.{self.number}", f"fd97::{self.number:x}")

    @property
    def names(self):
        """Of all who may answer at all."""
        return [name for name, conditions in ENDPOINTS[self.endpoints].items() if conditions["serving"]]

    @property
    def is_sticky(self):
        return self.policy == "sticky"

    def manifest(self, namespace):
        fields, _ = POLICIES[self.policy]
        return objects.service(namespace, self.name, selector=None, type="LoadBalancer",
                               ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4", "IPv6"],
                               externalIPs=list(self.external_ips), **fields)

    def status(self):
        return {"status": {"loadBalancer": {"ingress": [{"ip": ip} for ip in self.balancer_ips]}}}

    def slices(self, namespace, addresses):
        """addresses: of an endpoint, by its name."""
        for index, family in enumerate((4, 6)):
            endpoints = [{"addresses": [addresses[name][index]], "nodeName": PLACES[name], "conditions": conditions}
                         for name, conditions in ENDPOINTS[self.endpoints].items()]
            yield objects.endpoint_slice(namespace, self.name, *endpoints, family=family)


def services():
    pairs = [(policy, state) for policy, (_, states) in POLICIES.items() for state in states]
    return [Service(policy, state, number) for number, (policy, state) in enumerate(pairs, 1)]


BOTH = next(service for service in services() if (service.policy, service.endpoints) == ("Cluster", "on both"))


@dataclasses.dataclass(frozen=True)
class Question:
    """frontend: a key of FRONTENDS. family: 4 or 6."""

    service: Service
    frontend: str
    client: str
    protocol: str
    family: int

    def __str__(self):
        return (f"{self.frontend}, {self.service.policy}, endpoints {self.service.endpoints}, "
                f"{self.protocol}{self.family} from {self.client}")

    @property
    def index(self):
        return (4, 6).index(self.family)

    def trial(self, created):
        """For pod/probe.py. created: the Service as the API server has it."""
        spec = created["spec"]
        ports = {"port": 80, "nodePort": next(port["nodePort"] for port in spec["ports"]
                                              if port["protocol"] == self.protocol)}
        names, sticky = len(self.service.names), self.service.is_sticky
        how = "health" if self.frontend.startswith("health") else {"TCP": "tcp", "UDP": "udp_fresh"}[self.protocol]
        return {"how": how, "targets": FRONTENDS[self.frontend](self, spec, ports), "family": self.family,
                "names": 2 if sticky else max(names, 1), "most": STICKY if sticky else MOST if names > 1 else 1}


FRONTENDS = {  # name: (question, spec of the Service, ports) -> where to dial, in turn
    "ClusterIP": lambda q, spec, port: [(spec["clusterIPs"][q.index], port["port"])],
    "external IP": lambda q, spec, port: [(q.service.external_ips[q.index], port["port"])],
    "load-balancer IP": lambda q, spec, port: [(q.service.balancer_ips[q.index], port["port"])],
    "node port of node-1": lambda q, spec, port: [(NODE_ADDRESSES["node-1"][q.index], port["nodePort"])],
    "node port of node-2": lambda q, spec, port: [(NODE_ADDRESSES["node-2"][q.index], port["nodePort"])],
    "node port of another address": lambda q, spec, port: [(OTHER_ADDRESSES[q.index], port["nodePort"])],
    "node port of loopback": lambda q, spec, port: [(("127.0.0.1", "::1")[q.index], port["nodePort"])],
    "undefined port": lambda q, spec, port: [(spec["clusterIPs"][q.index], UNDEFINED_PORT)],
    "unallocated ClusterIP": lambda q, spec, port: [(UNALLOCATED[q.index], port["port"])],
    "health check of node-1": lambda q, spec, port: [(NODE_ADDRESSES["node-1"][q.index], spec["healthCheckNodePort"])],
    "health check of node-2": lambda q, spec, port: [(NODE_ADDRESSES["node-2"][q.index], spec["healthCheckNodePort"])],
    "ClusterIP and external IP": lambda q, spec, port: [(spec["clusterIPs"][q.index], port["port"]),
                                                        (q.service.external_ips[q.index], port["port"])],
}


def is_asked(question):
    """What would say nothing, or the same as another question, is not."""
    service, frontend, client = question.service, question.frontend, question.client
    if frontend.startswith("health check"):
        return (service.policy == "external Local" and question.protocol == "TCP" and
                client in ("pod-1", "host-node-1", "outside"))
    if frontend == "ClusterIP and external IP":
        return service.is_sticky
    if frontend == "undefined port":
        return service.policy == "Cluster" and service.endpoints in ("on both", "none")
    if frontend == "unallocated ClusterIP":
        return service.policy == "Cluster" and service.endpoints == "on both" and client != "outside"
    if frontend == "node port of loopback":
        return client in ("pod-1", "host-node-1") and service.policy in ("Cluster", "external Local")
    if frontend == "node port of another address":
        return service.policy == "Cluster" and service.endpoints == "on both"
    if frontend == "ClusterIP":
        return not service.policy.startswith("for ")
    if frontend.startswith(("external", "node port")) and service.policy.startswith("for "):
        return service.policy == "for nobody"
    return service.policy != "internal Local" or frontend == "external IP"


def questions():
    product = itertools.product(services(), FRONTENDS, CLIENTS, ("TCP", "UDP"), (4, 6))
    return [question for question in (Question(*choice) for choice in product) if is_asked(question)]
