# SPDX-License-Identifier: Apache-2.0
"""The API server goes away, comes back, and has forgotten what it said before."""

import signal

from harness import objects
from harness.api import ApiError
from harness.case import ByHand

ADDED = "10.96.200.1"


class ApiServer(ByHand):
    """What changes during an outage is said to a second server that nobody else knows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.one, cls.other = [cls.start_pod(f"web-of-{node}", node) for node in cls.cluster.nodes]

    def setUp(self):
        self.control_plane = self.cluster.control_plane
        self.addCleanup(self.require_api_server)
        self.cluster.forget_outages()

    def require_api_server(self):
        """Whatever has failed: those after us need it."""
        if not self.control_plane.server.alive():
            self.control_plane.start_api_server()

    def change_while_it_is_away(self, *changes):
        """Kills it, makes the changes, forgets all history, and starts it again."""
        aside, api = self.control_plane.open_side_door()
        try:
            self.control_plane.kill_api_server()
            for change in changes:
                change(api)
            self.control_plane.compact_etcd()
        finally:
            aside.stop(signal.SIGKILL)
        self.control_plane.start_api_server()

    def test_a_dead_api_server_fails_no_request_and_what_changed_meanwhile_is_applied(self):
        address = self.serve_by_hand("outage")
        with self.no_request_fails(address):
            self.change_while_it_is_away(self.move("outage"))
            self.all_are_answered_by_the_other(address)

    def test_a_watch_that_slept_through_a_compaction_starts_anew(self):
        moved, removed = self.serve_by_hand("moved"), self.serve_by_hand("removed")
        version = self.api.get("Service")["metadata"]["resourceVersion"]
        with self.no_request_fails(moved):
            for node in self.cluster.nodes:
                self.addCleanup(self.cluster.proxy.thaw, node)
                self.cluster.proxy.freeze(node)
            self.change_while_it_is_away(
                self.move("moved"),
                lambda api: api.delete("Service", self.namespace, "removed"),
                lambda api: api.create(objects.service(self.namespace, "added", selector=None, clusterIP=ADDED)),
                lambda api: api.create(objects.endpoint_slice(self.namespace, "added", self.other.address)))
            self.require_expired(version)
            for node in self.cluster.nodes:
                self.cluster.proxy.thaw(node)
            for address in (moved, ADDED):
                self.all_are_answered_by_the_other(address)
            for client in self.clients:
                self.wait_for_silence(client, removed)

    def require_expired(self, version):
        """Else the test would prove nothing."""
        try:
            event = self.api.request("GET", f"/api/v1/services?watch=1&timeoutSeconds=1&resourceVersion={version}")
            self.assertEqual(event["object"]["code"], 410)
        except ApiError as error:
            self.assertEqual(error.code, 410)
