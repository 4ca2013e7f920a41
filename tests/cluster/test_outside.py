# SPDX-License-Identifier: Apache-2.0
"""A host outside of the cluster asks its Services."""

import matrix
from harness.case import ClusterTest
from harness.machine import route_outside_to
from harness.proxies import KubeProxy

EXTERNAL = ("198.51.100.200", "fd98::200")
BALANCER = ("203.0.113.200", "fd97::200")
RULES_OF_KUBE_PROXY = r"KUBE-(SERVICES|SVC|NODEPORTS)|table ip6? kube-proxy"


class Outside(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        route_outside_to(matrix.NETWORKS, cls.cluster.nodes[0].machine)
        cls.deploy("web", 4)
        cls.names = set(cls.cluster.backends(cls.namespace, "web"))

    def node_port(self, service, protocol):
        ports = self.api.get("Service", self.namespace, service)["spec"]["ports"]
        return next(port["nodePort"] for port in ports if port["protocol"] == protocol)

    def test_all_frontends_are_reached_with_nothing_of_kube_proxy_in_the_kernel(self):
        self.require_no_kube_proxy()
        cluster_ips = self.serve("all", app="web", type="LoadBalancer", ipFamilyPolicy="RequireDualStack",
                                 ipFamilies=["IPv4", "IPv6"], externalIPs=EXTERNAL)
        ingress = [{"ip": address} for address in BALANCER]
        self.api.patch_status({"status": {"loadBalancer": {"ingress": ingress}}}, "Service", self.namespace, "all")
        for how, protocol in (("tcp", "TCP"), ("udp", "UDP")):
            for addresses in (cluster_ips, EXTERNAL, BALANCER):
                self.is_reached(addresses, how, 80)
            for node in self.cluster.nodes:
                self.is_reached(node.addresses, how, self.node_port("all", protocol))

    def is_reached(self, addresses, how, port):
        for family, address in zip((4, 6), addresses):
            self.wait_for_answers(self.cluster.outside, address, self.names, how=how, port=port, family=family)

    def require_no_kube_proxy(self):
        """Nor its rules: those of kubelet and of the network plugin stay."""
        if isinstance(self.cluster.proxy, KubeProxy):
            self.skipTest("it is kube-proxy that serves")
        for node in self.cluster.nodes:
            self.assertEqual(node.machine.run(["sh", "-c", "pidof kube-proxy || true"]), "", node)
            self.assertNotRegex(node.machine.run(["nft", "list", "ruleset"]), RULES_OF_KUBE_PROXY, node)

    def test_a_policy_that_is_switched_under_load_fails_no_request(self):
        self.serve("switched", app="web", type="NodePort")
        node = self.cluster.nodes[0]
        pods = self.api.list("Pod", self.namespace, "app=web")
        here = {pod["metadata"]["name"] for pod in pods if pod["spec"]["nodeName"] == node.name}
        outside, address, port = self.cluster.outside, node.addresses[0], self.node_port("switched", "TCP")
        self.wait_for_answers(outside, address, self.names, port=port)
        with self.no_request_fails(address, [outside], hows=["tcp"], port=port) as wait_for_more_requests:
            for policy, names in (("Local", here), ("Cluster", self.names)) * 2:
                self.api.patch({"spec": {"externalTrafficPolicy": policy}}, "Service", self.namespace, "switched")
                self.wait_for_answers(outside, address, names, port=port)
                wait_for_more_requests()
