# SPDX-License-Identifier: Apache-2.0
"""kube-proxy goes and comes back while clients keep connecting, by the steps of deploy/README.md."""

import json

from harness import daemonsets
from harness.case import ClusterTest
from harness.processes import wait_for

# While somebody translates addresses, the kernel goes on with connections that kube-proxy's rules began when these are gone.
MASQUERADE = """table {family} plugin {{
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        {family} saddr {pods} {family} daddr != {pods} masquerade
    }}
}}"""
POD_RANGES = {"ip": "10.244.0.0/16", "ip6": "fd44::/16"}
OUTSIDE_OF_MARKED_NODES = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
    "nodeSelectorTerms": [{"matchExpressions": [{"key": "shunt", "operator": "DoesNotExist"}]}]}}}


class Takeover(ClusterTest):
    """Begins and ends with Shunt alone."""

    def setUp(self):
        self.shunt = self.cluster.proxy
        if not isinstance(self.shunt, daemonsets.Shunt):
            self.skipTest("one DaemonSet replaces another: --proxy daemonset")
        self.kube_proxy = daemonsets.KubeProxy(self.cluster)
        self.addCleanup(self.be_as_before)
        for node in self.cluster.nodes:
            self.masquerade(node)

    @staticmethod
    def masquerade(node):
        """As many network plugins do."""
        for family, pods in POD_RANGES.items():
            node.machine.run(["nft", "-f", "-"], input=MASQUERADE.format(family=family, pods=pods))

    def be_as_before(self):
        """Also where the test failed."""
        for node in self.cluster.nodes:
            for family in POD_RANGES:
                node.machine.run(["nft", "delete", "table", family, "plugin"])
        self.kubectl("apply", "-k", self.shunt.overlay("kubeadm"))
        self.shunt.wait_until_ready()
        self.remove_other_configurations()
        for node in self.cluster.nodes:
            self.kubectl("label", "node", node.name, "shunt-")
        for kind in ("ds", "cm", "sa"):
            self.kubectl("delete", "--ignore-not-found", kind, "kube-proxy")
        self.kubectl("delete", "--ignore-not-found", "clusterrolebinding", "kubeadm:node-proxier")

    def remove_other_configurations(self):
        """Each overlay's ConfigMap has a name of its own."""
        daemon_set = self.cluster.api.get("DaemonSet", daemonsets.NAMESPACE, self.shunt.name)
        used = {volume["configMap"]["name"] for volume in daemon_set["spec"]["template"]["spec"]["volumes"]
                if "configMap" in volume}
        for found in self.cluster.api.list("ConfigMap", daemonsets.NAMESPACE, "app.kubernetes.io/name=shunt"):
            if found["metadata"]["name"] not in used:
                self.kubectl("delete", "cm", found["metadata"]["name"])

    def kubectl(self, *words):
        return self.cluster.control_plane.kubectl("-n", daemonsets.NAMESPACE, *words)

    def test_there_and_back_no_connect_fails(self):
        self.deploy("web", 4)
        address, = self.serve("web")
        pods = [node.pod for node in self.cluster.nodes]
        self.all_reach_all(address)
        with self.no_request_fails(address, hows=["tcp"]), \
                self.no_request_fails(f"web.{self.namespace}", clients=pods, hows=["tcp"]) as wait_for_more_requests:
            self.go_back_to_kube_proxy()
            self.scale("web", 6)
            self.all_reach_all(address)
            self.run_both()
            for node in self.cluster.nodes:
                self.take_kube_proxy_from(node)
            self.scale("web", 3)
            self.all_reach_all(address)
            self.clean_up_after_kube_proxy()
            self.kubectl("delete", "ds", "kube-proxy")
            self.restart("web")
            self.all_reach_all(address)
            wait_for_more_requests()

    def all_reach_all(self, address):
        for client in self.clients:
            self.wait_for_answers(client, address, self.backends("web"))

    def restart(self, name):
        self.cluster.control_plane.kubectl("-n", self.namespace, "rollout", "restart", f"deployment/{name}")
        self.cluster.wait_for_deployment(self.namespace, name)

    # --- The steps ---

    def go_back_to_kube_proxy(self):
        self.kube_proxy.start()
        self.kubectl("delete", "-k", self.shunt.overlay("kubeadm"))
        for node in self.cluster.nodes:
            wait_for(f"kube-proxy on {node} to have written its rules", lambda node=node: self.is_synced(node))
        self.kubectl("apply", "-k", self.shunt.overlay("uninstall"))
        self.kubectl("rollout", "status", "ds/shunt-uninstall")
        self.kubectl("delete", "-k", self.shunt.overlay("uninstall"))
        for node in self.cluster.nodes:
            self.assertNotIn("shunt", node.machine.run(["ls", "/sys/fs/bpf"]))

    def is_synced(self, node):
        """Of kube-proxy, which gets the port once Shunt has left it."""
        try:
            health = json.loads(self.kubectl("get", "--raw", f"/api/v1/nodes/{node}:10256/proxy/healthz"))
        except AssertionError:
            return False
        return all("lastUpdated" in health.get("status", {}).get(family, {}) for family in ("IPv4", "IPv6"))

    def run_both(self):
        self.kubectl("apply", "-k", self.shunt.overlay("replace-kube-proxy"))
        self.shunt.wait_until_ready()

    def take_kube_proxy_from(self, node):
        change = {"spec": {"template": {"spec": {"affinity": OUTSIDE_OF_MARKED_NODES}}}}
        self.kubectl("patch", "ds", "kube-proxy", "-p", json.dumps(change))
        self.kubectl("label", "node", node.name, "shunt=alone")
        wait_for(f"kube-proxy to leave {node}", lambda: not self.kube_proxies(node))

    def kube_proxies(self, node=None):
        return [pod for pod in self.cluster.api.list("Pod", daemonsets.NAMESPACE, "k8s-app=kube-proxy")
                if pod["metadata"]["labels"].get("app.kubernetes.io/name") != "shunt"
                and node in (None, pod["spec"].get("nodeName"))]

    def clean_up_after_kube_proxy(self):
        """By its own DaemonSet, on the nodes that it has left."""
        container = {"name": "kube-proxy", "command": ["/usr/local/bin/kube-proxy", "--cleanup"]}
        change = {"spec": {"template": {"spec": {"affinity": None, "containers": [container]}}}}
        self.kubectl("patch", "ds", "kube-proxy", "-p", json.dumps(change))
        wait_for("kube-proxy to clean up", lambda: self.cleaned_up() == len(self.cluster.nodes))
        for node in self.cluster.nodes:
            self.assertNotIn("kube-proxy", node.machine.run(["nft", "list", "tables"]))

    def cleaned_up(self):
        """On so many nodes; there it begins anew again and again, until the DaemonSet is deleted."""
        ends = [[state.get("terminated", {}).get("exitCode") for container in pod["status"].get("containerStatuses", [])
                 for state in (container["state"], container["lastState"])] for pod in self.kube_proxies()]
        return sum(0 in codes for codes in ends)
