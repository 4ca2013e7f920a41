# SPDX-License-Identifier: Apache-2.0
"""What administrators are told of a node."""

from harness import objects
from harness.case import ClusterTest, Unmet
from harness.processes import wait_for

HEALTH_CHECK_PORT = 30999


class NodeEvents(ClusterTest):
    def wait_for_description(self, node, *words):
        """Until a line of `kubectl describe node` has all of these."""
        def described():
            text = self.cluster.control_plane.kubectl("describe", "node", node.name)
            lines = text.partition("Events:")[2].splitlines()
            return any(all(word in line for word in words) for line in lines) or Unmet(lines)
        wait_for(f"{node}'s description to say {words}", described)

    def test_describe_node_shows_that_the_proxy_has_started(self):
        for node in self.cluster.nodes:
            self.wait_for_description(node, "Normal", "Starting", self.cluster.proxy.name)

    def test_a_health_check_port_that_is_taken_is_told_of_its_node(self):
        if self.cluster.proxy.name == "kube-proxy":
            self.skipTest("kube-proxy tells it of the Service")
        node, _ = self.cluster.nodes
        taker = node.machine.start("taker", [objects.PYTHON, "-m", "http.server", str(HEALTH_CHECK_PORT)])
        self.addCleanup(taker.stop)
        wait_for("the port to be taken", lambda: taker.require_alive() and node.machine.run(
            ["ss", "-Htln", f"sport = :{HEALTH_CHECK_PORT}"]))
        self.serve("public", type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=HEALTH_CHECK_PORT)
        self.wait_for_description(node, "Warning", "FailedToStartServiceHealthcheck", f"{self.namespace}/public")
