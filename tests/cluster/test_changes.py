# SPDX-License-Identifier: Apache-2.0
"""Backends come and go while clients keep asking."""

from harness.case import ClusterTest


class Changes(ClusterTest):
    def test_scaling_up_and_down_fails_no_request(self):
        self.deploy("web", 2)
        address, = self.serve("web")
        self.everybody_reaches_all(address)
        with self.no_request_fails(address):
            for replicas in (6, 1):
                self.scale("web", replicas)
                self.everybody_reaches_all(address)

    def test_a_rolling_update_fails_no_request(self):
        self.deploy("rolling", 4)
        address, = self.serve("rolling")
        self.everybody_reaches_all(address, "rolling")
        before = set(self.backends("rolling"))
        with self.no_request_fails(address):
            self.api.patch({"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}},
                           "Deployment", self.namespace, "rolling")
            self.cluster.wait_for_deployment(self.namespace, "rolling")
            self.everybody_reaches_all(address, "rolling")
        self.assertFalse(before & set(self.backends("rolling")), "a pod was not replaced")

    def test_a_backend_that_is_not_ready_is_left_out_until_it_is(self):
        self.deploy("flips", 3)
        address, = self.serve("flips")
        self.everybody_reaches_all(address, "flips")
        backends = self.backends("flips")
        away, *others = backends
        with self.no_request_fails(address):
            backends[away].set_ready(False)
            for client in self.clients:
                self.wait_for_answers(client, address, others)
            backends[away].set_ready(True)
            for client in self.clients:
                self.wait_for_answers(client, address, backends)

    def everybody_reaches_all(self, address, app="web"):
        names = set(self.backends(app))
        for client in self.clients:
            self.wait_for_answers(client, address, names)
            self.wait_for_answers(client, address, names, how="udp_unconnected")
