# SPDX-License-Identifier: Apache-2.0
"""A node loses its power and boots: no program, no pinned map, no namespace is left of before."""

from harness.case import ClusterTest


class Reboot(ClusterTest):
    def test_a_rebooted_node_serves_again_and_the_other_fails_no_request(self):
        stays, boots = self.cluster.nodes
        self.start_pod("web", stays)
        address, = self.serve("web")
        for client in self.clients:
            self.wait_for_answers(client, address, {"web"})
        with self.no_request_fails(address, clients=[stays.pod, stays.host]):
            self.cluster.reboot(boots)
            for client in (boots.pod, boots.host):
                self.wait_for_answers(client, address, {"web"})
                self.wait_for_answers(client, address, {"web"}, how="udp_unconnected")
        self.start_pod("after", boots)
        address, = self.serve("after")
        for client in self.clients:
            self.wait_for_answers(client, address, {"after"})
