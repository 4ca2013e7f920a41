# SPDX-License-Identifier: Apache-2.0
"""What a real Prometheus sees: panels have data, and each alert fires by its cause and resolves without it."""

import contextlib
import datetime
import itertools
import re
import signal
import unittest
import urllib.error
import urllib.request

from harness import objects
from harness.case import ClusterTest, Unmet
from harness.cluster import STATE
from harness.daemonsets import Shunt
from harness.processes import wait_for
from harness.prometheus import Prometheus, load

TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
CONTROL_THREAD = "shunt-control"
ENDPOINTS = 1000  # in a slice, as many as there may be


def named_ports(count, **fields):
    return [{"name": f"p{number}", "port": 1000 + number, **fields} for number in range(count)]


class Monitoring(ClusterTest):
    @classmethod
    def setUpClass(cls):
        if not isinstance(cls.cluster.proxy, Shunt):
            raise unittest.SkipTest("Prometheus finds the agents as pods: --proxy daemonset")
        super().setUpClass()
        cls.prometheus = Prometheus(cls.cluster.api, f"{STATE}/prometheus", cls.cluster.logs)
        cls.addClassCleanup(cls.prometheus.stop)
        cls.addresses = itertools.cycle(["10.200.255.1", "10.200.255.2"])
        cls.cluster.api.create(objects.service(cls.namespace, "changes", selector=None))
        cls.cluster.api.create(objects.endpoint_slice(cls.namespace, "changes", next(cls.addresses)))

    @property
    def control_plane(self):
        return self.cluster.control_plane

    def expect_alert(self, alert, cause=lambda: None, **labels):
        """Does what causes it again and again, until it fires."""
        def fires():
            cause()
            firing = self.prometheus.firing(alert)
            return any(labels.items() <= found.items() for found in firing) or Unmet(firing)
        wait_for(f"{alert} to fire for {labels}", fires)

    def expect_quiet(self, *alerts):
        for alert in alerts:
            wait_for(f"{alert} not to fire", lambda alert=alert: not self.prometheus.firing(alert))

    def change_slice(self, **annotations):
        """An endpoint becomes another; and says since when, as the EndpointSlice controller does."""
        self.api.patch({"metadata": {"annotations": annotations}, "endpoints": [{"addresses": [next(self.addresses)]}]},
                       "EndpointSlice", self.namespace, "changes")

    # --- Panels ---

    def test_every_panel_of_the_dashboard_has_data(self):
        self.deploy("web", 1)
        address, = self.serve("web")
        dashboard = load("shunt-dashboard.json")
        expressions = [(panel["title"], target["expr"].replace("$job", ".*").replace("$instance", ".*")
                        .replace("$__rate_interval", "1m"))
                       for panel in dashboard["panels"] for target in panel.get("targets", [])]
        self.assertGreater(len(expressions), 20)

        def drawn():
            self.probe_nodes()
            empty = [title for title, expression in expressions if not self.prometheus.values(expression)]
            return not empty or Unmet(empty)
        with contextlib.ExitStack() as stack:
            for client in self.clients:
                stack.enter_context(client.asking("tcp", address))
            self.scale("web", 2)
            wait_for("every panel to have data", drawn)

    def probe_nodes(self):
        """As a load balancer does."""
        for node in self.cluster.nodes:
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(f"http://{node.addresses[0]}:10256/healthz", timeout=10).close()

    def test_the_variables_of_the_dashboard_offer_the_job_and_the_nodes(self):
        names = {node.name for node in self.cluster.nodes}

        def offered():
            values = [self.prometheus.ask(f"label/{label}/values", **{"match[]": "shunt_build_info"})
                      for label in ("job", "instance")]
            return (values[0] == ["kube-proxy"] and set(values[1]) == names) or Unmet(values)
        wait_for("job and nodes to be known", offered)

    # --- Alerts ---

    def test_every_alert_has_a_test_here(self):
        with open(__file__, encoding="utf-8") as file:
            tested = set(re.findall(r'expect_alert\("(\w+)"', file.read()))
        self.assertEqual(tested, {rule["alert"] for group in load("shunt-rules.yaml")["groups"]
                                  for rule in group["rules"]})

    def test_an_agent_that_is_killed_and_does_not_come_back_is_down(self):
        node, _ = self.cluster.nodes
        kubelet = node.kubelet.kubelet
        self.expect_quiet("ShuntDown")
        self.addCleanup(kubelet.send, signal.SIGCONT)
        kubelet.send(signal.SIGSTOP)
        self.cluster.proxy.kill(node)
        self.expect_alert("ShuntDown", instance=node.name, job="kube-proxy")
        kubelet.send(signal.SIGCONT)
        self.expect_quiet("ShuntDown")

    def test_without_an_api_server_a_new_agent_is_not_synced_and_an_old_one_stale(self):
        new, old = self.cluster.nodes
        self.api.patch({"spec": {"externalIPs": ["192.0.2.9"]}}, "Service", self.namespace, "changes")
        self.change_slice()
        self.expect_quiet("ShuntNotSynced", "ShuntStale")
        self.addCleanup(self.require_api_server)
        self.control_plane.kill_api_server()
        self.cluster.proxy.kill(new)
        self.expect_alert("ShuntNotSynced", instance=new.name)
        self.expect_alert("ShuntStale", instance=old.name)
        self.control_plane.start_api_server()
        self.expect_quiet("ShuntNotSynced", "ShuntStale")

    def require_api_server(self):
        if not self.control_plane.server.alive():
            self.control_plane.start_api_server()

    def test_a_map_that_fills_is_told_before_it_is_full_and_when_it_is(self):
        self.expect_quiet("ShuntMapNearlyFull", "ShuntServicesPending")
        for name, ports in (("big-1", 100), ("big-2", 100), ("big-3", 40)):  # 240,000 of 262,144 backends
            self.create_big_service(name, ports)
        for node in self.cluster.nodes:
            self.expect_alert("ShuntMapNearlyFull", instance=node.name, map="shunt_backends")
        self.assertEqual(self.prometheus.firing("ShuntServicesPending"), [])
        self.create_big_service("too-big", 100)
        for node in self.cluster.nodes:
            self.expect_alert("ShuntServicesPending", instance=node.name)
        self.delete_service("too-big")
        self.expect_quiet("ShuntServicesPending")
        for name in ("big-1", "big-2", "big-3"):
            self.delete_service(name)
        self.expect_quiet("ShuntMapNearlyFull")

    def create_big_service(self, name, ports, endpoints=ENDPOINTS, **fields):
        """With `endpoints` backends for each port; returns its address."""
        protocol = fields.pop("protocol", "TCP")
        address = self.api.create(objects.service(self.namespace, name, selector=None, **fields,
                                                  ports=named_ports(ports, protocol=protocol)))["spec"]["clusterIP"]
        manifest = objects.endpoint_slice(self.namespace, name, "")
        manifest["ports"] = named_ports(ports, protocol=protocol)
        manifest["endpoints"] = [{"addresses": [f"10.200.{number // 250}.{number % 250 + 1}"]}
                                 for number in range(endpoints)]
        self.api.create(manifest)
        return address

    def delete_service(self, name):
        self.api.delete("Service", self.namespace, name)
        self.api.delete("EndpointSlice", self.namespace, name)

    def test_more_clients_than_there_is_room_for_are_forgotten(self):
        node, _ = self.cluster.nodes
        self.expect_quiet("ShuntAffinityForgotten")
        addresses = [self.create_big_service(f"sticky-{number}", 100, 1, protocol="UDP", sessionAffinity="ClientIP")
                     for number in range(7)]
        clients = node.machine.start("clients", [objects.PYTHON, f"{objects.PROBE}/many_clients.py", *addresses])
        self.addCleanup(clients.stop, signal.SIGKILL)
        self.expect_alert("ShuntAffinityForgotten", clients.require_alive, instance=node.name)
        clients.stop(signal.SIGKILL)
        self.expect_quiet("ShuntAffinityForgotten")

    def test_an_endpoint_slice_controller_that_lags_makes_programming_slow(self):
        self.expect_quiet("ShuntProgrammingSlow")

        def change_late():
            then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=32)
            self.change_slice(**{TRIGGER_TIME: then.strftime("%Y-%m-%dT%H:%M:%SZ")})
        for node in self.cluster.nodes:
            self.expect_alert("ShuntProgrammingSlow", change_late, instance=node.name)
        self.expect_quiet("ShuntProgrammingSlow")

    def test_a_control_thread_that_hangs_is_stuck(self):
        node, _ = self.cluster.nodes
        self.expect_quiet("ShuntSyncStuck")
        holder = node.machine.start("holder", [objects.PYTHON, f"{objects.PROBE}/hold_thread.py", "shuntd",
                                               CONTROL_THREAD])
        self.addCleanup(holder.stop, signal.SIGKILL)
        self.expect_alert("ShuntSyncStuck", lambda: holder.require_alive() and self.change_slice(), instance=node.name)
        holder.stop(signal.SIGKILL)
        self.expect_quiet("ShuntSyncStuck")

    def test_what_may_wait_for_an_hour_is_told_then(self):
        """An edited configuration and an object that cannot be used."""
        self.expect_quiet("ShuntConfigNotInUse", "ShuntInvalidObjects")
        for name in ("one", "other"):
            self.serve(name, externalIPs=["192.0.2.1"])
        self.edit_configuration()
        for node in self.cluster.nodes:
            self.expect_alert("ShuntInvalidObjects", instance=node.name)
            self.expect_alert("ShuntConfigNotInUse", instance=node.name)
        self.api.delete("Service", self.namespace, "other")
        self.cluster.proxy.replace()  # kubectl rollout restart
        self.expect_quiet("ShuntConfigNotInUse", "ShuntInvalidObjects")

    def edit_configuration(self):
        found, = self.api.list("ConfigMap", "kube-system", "app.kubernetes.io/name=shunt")
        edited = found["data"]["config.yaml"] + "oomScoreAdj: -998\n"
        self.api.patch({"data": {"config.yaml": edited}}, "ConfigMap", "kube-system", found["metadata"]["name"])
        for pod in self.api.list("Pod", "kube-system", "app.kubernetes.io/component=agent"):
            # kubelet looks at the volumes of a pod that changes; at others it does within a minute.
            self.api.patch({"metadata": {"annotations": {"edited": "true"}}}, "Pod", "kube-system",
                           pod["metadata"]["name"])
