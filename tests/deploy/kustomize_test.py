#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules for what deploy/kustomize applies to a cluster: what it may, and may not.

Renders with kubectl 1.21 or newer, else with kustomize as a Go module.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KUSTOMIZE = f"{ROOT}/deploy/kustomize"
MODULE = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"

MAY_ADD = {"BPF", "NET_ADMIN", "PERFMON"}
REAPER_MAY_ADD = {"SYS_ADMIN", "SYS_PTRACE"}
# Paths of the host, and whether something is written there.
HOST_PATHS = {"/sys/fs/bpf": True, "/sys/fs/cgroup": False, "/run/shunt": True, "/var/lib/shunt": True, "/etc/cni/net.d": False}
VERBS = {"get", "list", "watch", "create", "patch", "update"}


def kubectl_renders():
    if shutil.which("kubectl") is None:
        return False
    version = json.loads(subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True).stdout)
    # Before, it had a kustomize without components.
    return int(re.match(r"\d+", version["clientVersion"]["minor"]).group()) >= 21


RENDER = ["kubectl", "kustomize"] if kubectl_renders() else ["go", "run", MODULE, "build"]


def render(directory):
    result = subprocess.run([*RENDER, directory], capture_output=True, text=True)
    if result.returncode != 0:
        raise AssertionError(f"{directory}: {result.stderr}")
    return list(yaml.safe_load_all(result.stdout))


def with_reaper():
    """What an administrator writes who wants it."""
    with tempfile.TemporaryDirectory(dir=f"{KUSTOMIZE}/overlays") as directory:
        with open(f"{directory}/kustomization.yaml", "w", encoding="utf-8") as file:
            file.write("resources: [../replace-kube-proxy]\ncomponents: [../../components/reaper]\n")
        return render(directory)


def pods(objects):
    return [o["spec"]["template"]["spec"] for o in objects if o["kind"] == "DaemonSet"]


def containers(pod):
    return pod.get("initContainers", []) + pod["containers"]


def named(pod, name):
    return next(container for container in containers(pod) if container["name"] == name)


class Kustomize(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folders = [f"{KUSTOMIZE}/base", *sorted(glob.glob(f"{KUSTOMIZE}/overlays/*"))]
        cls.rendered = {os.path.basename(folder): render(folder) for folder in folders}
        cls.rendered["with reaper"] = with_reaper()

    def each_container(self):
        return [(pod, container) for objects in self.rendered.values() for pod in pods(objects) for container in containers(pod)]

    def agent_pod(self, overlay):
        (pod,) = pods(self.rendered[overlay])
        return pod

    def test_all_overlays_have_one_daemonset_that_runs_on_every_linux_node(self):
        self.assertEqual(set(self.rendered), {"base", "kubeadm", "preflight", "replace-kube-proxy", "uninstall", "with reaper"})
        for name, objects in self.rendered.items():
            with self.subTest(name):
                (pod,) = pods(objects)
                self.assertEqual(pod["tolerations"], [{"operator": "Exists"}])
                self.assertEqual(pod["nodeSelector"], {"kubernetes.io/os": "linux"})
                self.assertTrue(pod["hostNetwork"])
                for o in objects:
                    if o["kind"] != "ClusterRoleBinding":
                        self.assertEqual(o["metadata"]["namespace"], "kube-system")

    def test_the_version_is_the_projects(self):
        with open(f"{ROOT}/CMakeLists.txt", encoding="utf-8") as file:
            version = re.search(r"project\(shunt VERSION (\S+)", file.read()).group(1)
        for _, container in self.each_container():
            self.assertEqual(container["image"], f"localhost/shunt:{version}")
        for objects in self.rendered.values():
            for o in objects:
                if o["kind"] == "DaemonSet":
                    self.assertEqual(o["metadata"]["labels"]["app.kubernetes.io/version"], version)

    def test_only_the_init_container_is_privileged(self):
        privileged = {container["name"] for _, container in self.each_container() if container["securityContext"].get("privileged")}
        self.assertEqual(privileged, {"prepare"})

    def test_no_container_gets_more_than_it_needs(self):
        for _, container in self.each_container():
            context = container["securityContext"]
            self.assertTrue(context["readOnlyRootFilesystem"])
            if context.get("privileged"):
                continue
            self.assertFalse(context["allowPrivilegeEscalation"])
            self.assertEqual(context["capabilities"]["drop"], ["ALL"])
            allowed = REAPER_MAY_ADD if container["name"] == "reaper" else MAY_ADD
            self.assertLessEqual(set(context["capabilities"].get("add", [])), allowed)

    def test_host_namespaces_are_those_of_the_network_unless_the_reaper_runs(self):
        for name, objects in self.rendered.items():
            for pod in pods(objects):
                self.assertEqual(pod.get("hostPID", False), name == "with reaper")
                self.assertNotIn("hostIPC", pod)

    def test_host_paths_are_few_and_read_only_where_nothing_is_written(self):
        for pod, container in self.each_container():
            paths = {volume["name"]: volume["hostPath"]["path"] for volume in pod["volumes"] if "hostPath" in volume}
            self.assertLessEqual(set(paths.values()), set(HOST_PATHS))
            for mount in container.get("volumeMounts", []):
                path = paths.get(mount["name"])
                if path is None:
                    self.assertTrue(mount["readOnly"], mount["name"])
                elif not HOST_PATHS[path]:
                    self.assertTrue(mount["readOnly"], path)
                if mount.get("mountPropagation") == "Bidirectional":
                    self.assertEqual(container["name"], "prepare")

    def test_rights_at_the_api_server_are_kube_proxys_and_have_no_wildcard(self):
        for objects in self.rendered.values():
            for o in objects:
                if o["kind"] == "ClusterRoleBinding":
                    self.assertEqual(o["roleRef"]["name"], "system:node-proxier")
                    self.assertEqual([s["kind"] for s in o["subjects"]], ["ServiceAccount"])
                for rule in o.get("rules", []):
                    self.assertLessEqual(set(rule["verbs"]), VERBS)
                    self.assertNotIn("*", rule["resources"] + rule["apiGroups"])

    def test_what_asks_nothing_of_the_api_server_has_no_token(self):
        for overlay in ["preflight", "uninstall"]:
            self.assertFalse(self.agent_pod(overlay)["automountServiceAccountToken"])

    def test_the_agent_is_never_throttled_or_evicted_first(self):
        for overlay in ["base", "kubeadm", "replace-kube-proxy"]:
            pod = self.agent_pod(overlay)
            self.assertEqual(pod["priorityClassName"], "system-node-critical")
            resources = named(pod, "agent")["resources"]
            self.assertEqual(set(resources["requests"]), {"cpu", "memory"})
            self.assertNotIn("cpu", resources.get("limits", {}))

    def test_probes_do_not_use_ports_that_kube_proxy_may_have(self):
        agent = named(self.agent_pod("replace-kube-proxy"), "agent")
        for probe, word in [("startupProbe", "live"), ("livenessProbe", "live"), ("readinessProbe", "ready")]:
            self.assertEqual(agent[probe]["exec"]["command"], ["/usr/bin/shuntctl", "health", word])

    def test_the_node_is_named_as_the_api_server_names_it(self):
        agent = named(self.agent_pod("base"), "agent")
        self.assertIn("--hostname-override=$(NODE_NAME)", agent["args"])
        self.assertEqual(agent["env"], [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}])

    def test_replacing_kube_proxy_takes_its_config_map_and_its_pods_label(self):
        pod = self.agent_pod("replace-kube-proxy")
        self.assertIn({"name": "kube-proxy", "configMap": {"name": "kube-proxy"}}, pod["volumes"])
        for container in ["prepare", "agent"]:
            words = named(pod, container)["command"] + named(pod, container).get("args", [])
            self.assertIn("--config=/var/lib/kube-proxy/config.conf", words)
        (daemonset,) = [o for o in self.rendered["replace-kube-proxy"] if o["kind"] == "DaemonSet"]
        self.assertEqual(daemonset["spec"]["template"]["metadata"]["labels"]["k8s-app"], "kube-proxy")
        # Else it would have been taken for a part of kube-proxy's DaemonSet.
        self.assertNotIn("k8s-app", daemonset["spec"]["selector"]["matchLabels"])

    def test_the_reaper_is_a_container_beside_the_agent(self):
        pod = self.agent_pod("with reaper")
        self.assertEqual({container["name"] for container in pod["containers"]}, {"agent", "reaper"})
        self.assertEqual(set(named(pod, "agent")["securityContext"]["capabilities"]["add"]), MAY_ADD)

    def test_a_changed_configuration_rolls_the_daemonset(self):
        for overlay in ["base", "kubeadm"]:
            (config_map,) = [o for o in self.rendered[overlay] if o["kind"] == "ConfigMap"]
            self.assertRegex(config_map["metadata"]["name"], r"^shunt-[a-z0-9]{10}$")
            names = [volume["configMap"]["name"] for volume in self.agent_pod(overlay)["volumes"] if "configMap" in volume]
            self.assertEqual(names, [config_map["metadata"]["name"]])


if __name__ == "__main__":
    unittest.main()
