# SPDX-License-Identifier: Apache-2.0
"""What serves Services is killed or replaced itself."""

from harness.case import ClusterTest


class Proxy(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deploy("web", 2)
        cls.address, = cls.serve("web")

    def setUp(self):
        for client in self.clients:
            self.wait_for_answers(client, self.address, self.backends("web"))

    def test_killing_it_on_all_nodes_fails_no_request_and_what_changed_meanwhile_is_applied(self):
        proxy = self.cluster.proxy
        with self.no_request_fails(self.address) as wait_for_more_requests:
            for node in self.cluster.nodes:
                proxy.kill(node)
            wait_for_more_requests()
            self.scale("web", 4)
            wait_for_more_requests()
            for node in self.cluster.nodes:
                proxy.revive(node)
            for client in self.clients:
                self.wait_for_answers(client, self.address, self.backends("web"))

    def test_replacing_it_node_by_node_fails_no_request(self):
        with self.no_request_fails(self.address) as wait_for_more_requests:
            self.cluster.proxy.replace()
            wait_for_more_requests()
            self.scale("web", 3)
            for client in self.clients:
                self.wait_for_answers(client, self.address, self.backends("web"))
