# SPDX-License-Identifier: Apache-2.0
"""The API server goes away, comes back, and has forgotten what it said before."""

from harness import objects
from harness.api import ApiError
from harness.case import ClusterTest

ADDED = "10.96.200.1"


class ApiServer(ClusterTest):
    """Changes are made through a second server that nobody else knows."""

    def setUp(self):
        self.control_plane = self.cluster.control_plane
        self.addCleanup(self.require_api_server)

    def require_api_server(self):
        """Whatever has failed: those after us need it."""
        if not self.control_plane.server.alive():
            self.control_plane.start_api_server()

    def change_while_it_is_away(self, *changes):
        """Kills it, makes the changes, forgets all history, and starts it again."""
        self.control_plane.kill_api_server()
        aside, api = self.control_plane.open_side_door()
        try:
            for change in changes:
                change(api)
            self.control_plane.compact_etcd()
        finally:
            aside.stop()
        self.control_plane.start_api_server()

    def start_backends(self, name):
        """One on each node."""
        return [self.start_pod(f"{name}-of-{node}", node) for node in self.cluster.nodes]

    def serve_by_hand(self, name, backend):
        """A Service whose one endpoint is written by the test."""
        cluster_ip = self.api.create(objects.service(self.namespace, name, selector=None))["spec"]["clusterIP"]
        self.api.create(objects.endpoint_slice(self.namespace, name, backend.address))
        return cluster_ip

    def move(self, name, backend):
        """The change that points the Service to another endpoint."""
        endpoints = {"endpoints": [{"addresses": [backend.address]}]}
        return lambda api: api.patch(endpoints, "EndpointSlice", self.namespace, name)

    def test_a_dead_api_server_fails_no_request_and_what_changed_meanwhile_is_applied(self):
        one, other = self.start_backends("outage")
        address = self.serve_by_hand("outage", one)
        for client in self.clients:
            self.wait_for_answers(client, address, {one.name})
        with self.no_request_fails(address):
            self.change_while_it_is_away(self.move("outage", other))
            for client in self.clients:
                self.wait_for_answers(client, address, {other.name})

    def test_a_watch_that_slept_through_a_compaction_starts_anew(self):
        one, other = self.start_backends("sleep")
        moved, removed = self.serve_by_hand("moved", one), self.serve_by_hand("removed", one)
        for client in self.clients:
            self.wait_for_answers(client, moved, {one.name})
            self.wait_for_answers(client, removed, {one.name})
        version = self.api.get("Service")["metadata"]["resourceVersion"]
        with self.no_request_fails(moved):
            for node in self.cluster.nodes:
                self.cluster.proxy.freeze(node)
            self.change_while_it_is_away(
                self.move("moved", other),
                lambda api: api.delete("Service", self.namespace, "removed"),
                lambda api: api.create(objects.service(self.namespace, "added", selector=None, clusterIP=ADDED)),
                lambda api: api.create(objects.endpoint_slice(self.namespace, "added", other.address)))
            self.require_expired(version)
            for node in self.cluster.nodes:
                self.cluster.proxy.thaw(node)
            for client in self.clients:
                self.wait_for_answers(client, moved, {other.name})
                self.wait_for_answers(client, ADDED, {other.name})
                self.wait_for_silence(client, removed)

    def require_expired(self, version):
        """Else the test would prove nothing."""
        try:
            event = self.api.request("GET", f"/api/v1/services?watch=1&timeoutSeconds=1&resourceVersion={version}")
            self.assertEqual(event["object"]["code"], 410)
        except ApiError as error:
            self.assertEqual(error.code, 410)


class WithoutWatchList(ClusterTest):
    """A server that does not know WatchList is asked for lists."""

    def setUp(self):
        self.cluster.control_plane.restart_api_server("WatchList=false")
        self.addCleanup(self.cluster.control_plane.restart_api_server)

    def test_lists_are_taken_instead_of_watch_lists(self):
        self.deploy("web", 2)
        address, = self.serve("web")
        for client in self.clients:
            self.wait_for_answers(client, address, self.backends("web"))
        with self.no_request_fails(address):
            self.cluster.proxy.replace()
            self.scale("web", 4)
            for client in self.clients:
                self.wait_for_answers(client, address, self.backends("web"))
