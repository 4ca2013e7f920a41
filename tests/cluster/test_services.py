# SPDX-License-Identifier: Apache-2.0
"""What a Service is, to a pod and to a host process."""

from harness.case import ENOUGH, ClusterTest
from harness.processes import wait_for


class Services(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deploy("web", 4)
        cls.names = set(cls.cluster.backends(cls.namespace, "web"))

    def test_a_cluster_ip_reaches_every_backend_by_tcp_and_udp(self):
        address, = self.serve("web")
        for client in self.clients:
            for how in ("tcp", "udp", "udp_unconnected"):
                self.wait_for_answers(client, address, self.names, how=how)

    def test_a_pod_reaches_itself_through_its_service(self):
        address, = self.serve("self", app="web")
        for name, backend in self.backends("web").items():
            self.wait_for_answers(backend, address, self.names)
            self.assertIn(name, backend.ask("tcp", address, count=ENOUGH * len(self.names)).names)

    def test_a_name_is_resolved_and_reached(self):
        self.serve("named", app="web")
        for node in self.cluster.nodes:
            self.wait_for_answers(node.pod, f"named.{self.namespace}", self.names)
            self.wait_for_answers(node.pod, f"named.{self.namespace}.svc.cluster.local.", self.names, how="udp")

    def test_a_service_without_endpoints_refuses_until_it_has_one(self):
        address, = self.serve("later")
        for client in self.clients:
            self.wait_for_silence(client, address, "ECONNREFUSED")
            self.wait_for_silence(client, address, how="udp")  # with kube-proxy a host process gets EPERM
        self.start_pod("later", self.cluster.nodes[0])
        for client in self.clients:
            self.wait_for_answers(client, address, {"later"})

    def test_a_node_port_is_reached_at_the_node_by_its_processes_and_pods(self):
        self.serve("outside", app="web", type="NodePort", ipFamilyPolicy="RequireDualStack")
        ports = {port["protocol"]: port["nodePort"]
                 for port in self.api.get("Service", self.namespace, "outside")["spec"]["ports"]}
        for node in self.cluster.nodes:
            for client in (node.host, node.pod):
                for family, address in zip((4, 6), node.addresses):
                    self.wait_for_answers(client, address, self.names, port=ports["TCP"], family=family)
                    self.wait_for_answers(client, address, self.names, how="udp", port=ports["UDP"], family=family)

    def test_a_dual_stack_service_is_reached_in_both_families(self):
        four, six = self.serve("both", app="web", ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv4", "IPv6"])
        for client in self.clients:
            for how in ("tcp", "udp", "udp_unconnected"):
                self.wait_for_answers(client, four, self.names, how=how)
                self.wait_for_answers(client, six, self.names, how=how, family=6)
        for family in (4, 6):
            self.wait_for_answers(self.cluster.nodes[0].pod, f"both.{self.namespace}", self.names, family=family)

    def test_a_client_with_session_affinity_keeps_its_backend_until_that_is_not_ready(self):
        self.deploy("sticky", 3)
        address, = self.serve("sticky", sessionAffinity="ClientIP")
        backends = self.backends("sticky")
        for client in self.clients:
            kept = self.kept_backend(client, address, backends)
            backends[kept].set_ready(False)
            self.wait_for_answers_of_others(client, address, kept)
            other = self.kept_backend(client, address, backends)
            self.assertNotEqual(other, kept)
            backends[kept].set_ready(True)
            wait_for(f"{kept} to be ready again", lambda kept=kept: kept in self.backends("sticky"))
            self.assertEqual(self.kept_backend(client, address, backends), other, "the client has gone back")

    def kept_backend(self, client, address, backends):
        """The one that answers, and answers always."""
        wait_for(f"{client.name} to get an answer", lambda: client.ask("tcp", address).answers)
        tally = client.ask("tcp", address, count=ENOUGH * len(backends))
        self.assertEqual((len(tally.names), tally.errors), (1, {}), f"{client.name}: {tally}")
        return tally.names.pop()

    @staticmethod
    def wait_for_answers_of_others(client, address, name):
        wait_for(f"{client.name} to leave {name}", lambda: client.ask("tcp", address).names - {name})
