# SPDX-License-Identifier: Apache-2.0
"""What the tests have in common."""

import contextlib
import itertools
import unittest

from harness import objects
from harness.processes import wait_for

SERIAL = itertools.count(1)
ENOUGH = 30  # requests for each backend, so that a random choice leaves none out: 1 in 10^13


class ClusterTest(unittest.TestCase):
    """Each class has a namespace of its own, in the one cluster."""

    cluster = None  # set before the tests run
    namespace = None
    beside = False  # runs at the same time as others, with those of its class in order

    @classmethod
    def setUpClass(cls):
        cls.namespace = f"test-{next(SERIAL)}"
        cls.cluster.make_namespace(cls.namespace)
        cls.addClassCleanup(cls.cluster.api.delete, "Namespace", None, cls.namespace)

    @property
    def api(self):
        return self.cluster.api

    @property
    def clients(self):
        return self.cluster.clients

    # --- What a test creates ---

    @classmethod
    def deploy(cls, name, replicas):
        """Pods that say their names, when all are ready."""
        cls.cluster.api.create(objects.deployment(cls.namespace, name, replicas, objects.probe_spec()))
        cls.cluster.wait_for_deployment(cls.namespace, name)

    @classmethod
    def start_pod(cls, name, node):
        """One that says its name: a Probe, when it is ready."""
        cls.cluster.api.create(objects.pod(cls.namespace, name, node.name, objects.probe_spec()))
        return cls.cluster.wait_for_probe(cls.namespace, name)

    @classmethod
    def serve(cls, name, app=None, **fields):
        """A Service with port 80; returns its ClusterIPs, those of the first family first."""
        return cls.cluster.api.create(objects.service(cls.namespace, name, app, **fields))["spec"]["clusterIPs"]

    def scale(self, name, replicas):
        self.api.patch({"spec": {"replicas": replicas}}, "Deployment", self.namespace, name)
        self.cluster.wait_for_deployment(self.namespace, name)

    def backends(self, app):
        return self.cluster.backends(self.namespace, app)

    # --- What it expects ---

    def wait_for_answers(self, client, host, names, *, how="tcp", port=80, family=4):
        """Until these answer and nobody else, and every request is answered."""
        names = set(names)

        def answered():
            tally = client.ask(how, host, port, count=ENOUGH * len(names), family=family)
            return tally.names == names and not tally.errors or Unmet(tally)
        wait_for(f"{client.name}: answers by {how} from {host}:{port} of {sorted(names)}", answered)

    def wait_for_silence(self, client, host, error=None, *, how="tcp", port=80):
        """Until nobody answers any more, and requests end with this error."""
        def silent():
            tally = client.ask(how, host, port, count=1)
            return not tally.answers and (error is None or error in tally.errors) or Unmet(tally)
        wait_for(f"{client.name}: no answer by {how} from {host}:{port} but {error or 'an error'}", silent)

    @contextlib.contextmanager
    def no_request_fails(self, host, clients=None, hows=("tcp", "udp_unconnected"), port=80):
        """While the body runs; it gets a function that waits until all of these have had some more answers."""
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(client.asking(how, host, port))
                       for client in clients or self.clients for how in hows if how not in self.cluster.proxy.loses]
            wait_for_more = lambda: [wait_for_answers_more(stream) for stream in streams]
            wait_for_more()
            yield wait_for_more
            wait_for_more()
        for stream in streams:
            self.assertEqual(stream.tally.errors, {},
                             f"requests of {stream.probe.name} by {stream.how} to {host}: {stream.tally}")


class ByHand(ClusterTest):
    """Writes EndpointSlices itself: what controllers and kubelets do is not waited for."""

    one = other = None  # Probes, the endpoints

    def serve_by_hand(self, name):
        """A Service with one endpoint."""
        cluster_ip = self.api.create(objects.service(self.namespace, name, selector=None))["spec"]["clusterIP"]
        self.api.create(objects.endpoint_slice(self.namespace, name, self.one.address))
        for client in self.clients:
            self.wait_for_answers(client, cluster_ip, {self.one.name})
        return cluster_ip

    def move(self, name, to=None):
        """The change that points the Service to the other endpoint."""
        endpoints = {"endpoints": [{"addresses": [(to or self.other).address]}]}
        return lambda api: api.patch(endpoints, "EndpointSlice", self.namespace, name)

    def all_are_answered_by_the_other(self, address):
        for client in self.clients:
            self.wait_for_answers(client, address, {self.other.name})


def wait_for_answers_more(stream):
    """What fails is counted as well: it is judged at the end."""
    def requests():
        tally = stream.look()
        return tally.count + sum(tally.errors.values())
    before = requests()
    wait_for(f"{stream.probe.name} to send more requests", lambda: requests() >= before + ENOUGH)


class Unmet:
    """A condition's value that is false, and says what was seen instead."""

    def __init__(self, seen):
        self.seen = seen

    def __bool__(self):
        return False

    def __repr__(self):
        return repr(self.seen)
