# SPDX-License-Identifier: Apache-2.0
"""What makes a machine a node: containerd, and kubelet with a bridge for the pods."""

import json
import os
import socket

from harness import image
from harness.api import ApiError
from harness.processes import wait_for

CNI = "/var/lib/cni"
SOCKET = "/run/containerd/containerd.sock"
DNS_SERVICE = "10.96.0.10"
PAUSE_IMAGE = "shunt-test/pod:1"  # also for the sandbox: it contains what waits

CONTAINERD = """version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "{socket}"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true  # where CAP_SYS_RESOURCE is missing, sandboxes would not start
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{cni}/net.d"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "docker.io/{image}"
"""


def bridge(ranges):
    routes = [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [{
        "type": "bridge", "bridge": "pods0", "isGateway": True, "hairpinMode": True,
        "ipam": {"type": "host-local", "dataDir": f"{CNI}/leases", "routes": routes,
                 "ranges": [[{"subnet": subnet}] for subnet in ranges]}}]}


def kubelet_configuration(machine):
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "failCgroupV1": False, "cgroupDriver": "cgroupfs", "enforceNodeAllocatable": [],
        "containerRuntimeEndpoint": f"unix://{SOCKET}", "address": machine.addresses[0],
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"}, "failSwapOn": False, "resolvConf": "",
        "clusterDNS": [DNS_SERVICE], "clusterDomain": "cluster.local",
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "volumePluginDir": "/var/lib/kubelet/plugins-exec", "podLogsDir": "/var/log/pods",
        "registryPullQPS": 0, "serializeImagePulls": False}


class Kubelet:
    def __init__(self, machine, binaries):
        self.machine, self.binaries = machine, binaries
        self.containerd = self.kubelet = None

    def install(self):
        """Writes what they read, and the image of test pods."""
        machine = self.machine
        machine.write(f"{CNI}/net.d/10-pods.conflist", json.dumps(bridge(machine.pod_ranges)))
        machine.write("/var/lib/containerd.toml", CONTAINERD.format(socket=SOCKET, cni=CNI, image=PAUSE_IMAGE))
        machine.write("/var/lib/kubelet.yaml", json.dumps(kubelet_configuration(machine)))
        image.write_pod_image(machine.path("/var/lib/pod.tar"), PAUSE_IMAGE)

    def start_containerd(self):
        path = f"PATH={self.binaries}:{os.environ['PATH']}"
        self.containerd = self.machine.start(
            "containerd", ["env", path, f"{self.binaries}/containerd", "-c", "/var/lib/containerd.toml"])

    def wait_for_containerd(self):
        def listens():
            self.containerd.require_alive()
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(self.machine.path_from_outside(SOCKET))
            return True
        wait_for(f"containerd of {self.machine.name} to listen", listens)

    def load(self, archive):
        """An image, from a file that the machine sees."""
        self.wait_for_containerd()
        self.ctr("images", "import", archive)

    def ctr(self, *arguments):
        return self.machine.run([f"{self.binaries}/ctr", "--address", SOCKET, "--namespace", "k8s.io", *arguments])

    def start_kubelet(self, kubeconfig):
        self.wait_for_containerd()  # without it kubelet ends
        self.machine.write("/var/lib/kubelet.kubeconfig", kubeconfig)
        self.kubelet = self.machine.start("kubelet", [
            f"{self.binaries}/kubelet", "--config=/var/lib/kubelet.yaml", "--kubeconfig=/var/lib/kubelet.kubeconfig",
            f"--node-ip={','.join(self.machine.addresses)}", "--cert-dir=/var/lib/kubelet-pki",
            f"--node-labels=topology.kubernetes.io/zone=zone-{self.machine.number}"])

    def ready(self, api):
        self.kubelet.require_alive()
        try:
            conditions = api.get("Node", None, self.machine.name)["status"]["conditions"]
        except ApiError:
            return False  # it has not said yet that it is there
        return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
