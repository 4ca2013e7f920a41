# SPDX-License-Identifier: Apache-2.0
"""etcd, API server, controllers and scheduler, outside of all machines: at machine.GATEWAY."""

import base64
import json
import os
import signal
import urllib.request

from harness.api import Api, ApiError
from harness.machine import GATEWAY
from harness.processes import Daemon, run, wait_for

PORT = 6443
SIDE_DOOR = 7443  # of a second API server, which those in the cluster do not know
TOKENS = {"admin": "system:masters", "system:kube-proxy": "proxies", "system:node:node-1": "system:nodes",
          "system:node:node-2": "system:nodes"}  # user: group; each user's name is also the token


class ControlPlane:
    """Its certificate is the one that the API server signs for itself, and so its own authority.

    name is that of its logs, address where its API server is, etcd_program another etcd than the one that is compiled.
    """

    def __init__(self, binaries, state, logs, *, name="", address=GATEWAY[0], etcd_port=2379, etcd_program="etcd"):
        self.binaries, self.state, self.logs, self.name = binaries, state, logs, name
        self.authority = os.path.join(state, "certificates", "apiserver.crt")
        self.address, self.api = address, self.api_at(address)
        self.etcd_port, self.etcd_program, self.etcd_url = etcd_port, etcd_program, f"http://127.0.0.1:{etcd_port}"
        self.etcd = self.server = None
        self.controllers = []
        self.options = []  # more of the API server's

    def start(self):
        self.start_servers()
        self.start_controllers()

    def start_servers(self):
        os.makedirs(self.state, exist_ok=True)
        self.make_keys()
        self.start_etcd()
        self.start_api_server()

    def make_keys(self):
        run(["openssl", "genrsa", "-out", f"{self.state}/accounts.key", "2048"])
        with open(f"{self.state}/tokens.csv", "w", encoding="utf-8") as file:
            file.writelines(f'{user},{user},{user},"{group}"\n' for user, group in TOKENS.items())

    def api_at(self, address, port=PORT):
        return Api(address, port, self.authority, "admin")

    def daemon(self, name, program, *arguments):
        return Daemon(self.name + name, [os.path.join(self.binaries, program), *arguments], self.logs)

    def start_controllers(self):
        """Or starts them anew."""
        for controller in self.controllers:
            controller.stop()
        common = [f"--kubeconfig={self.write_kubeconfig('admin')}", "--leader-elect=false"]
        self.controllers = [
            self.daemon("kube-controller-manager", "kube-controller-manager", *common,
                        f"--root-ca-file={self.authority}",
                        f"--service-account-private-key-file={self.state}/accounts.key"),
            self.daemon("kube-scheduler", "kube-scheduler", *common)]

    # --- API server ---

    def start_etcd(self):
        self.etcd = self.daemon("etcd", self.etcd_program, f"--data-dir={self.state}/etcd", "--log-level=warn",
                                f"--listen-client-urls={self.etcd_url}", f"--advertise-client-urls={self.etcd_url}",
                                f"--listen-peer-urls=http://127.0.0.1:{self.etcd_port + 1}")
        wait_for(f"{self.etcd.name} to answer",
                 lambda: self.etcd.require_alive() and self.ask_etcd("maintenance/status", {}))

    def start_api_server(self):
        self.server = self.launch("kube-apiserver", self.address, PORT, *self.options)
        self.wait_until_ready(self.api, self.server)

    def launch(self, name, address, port, *arguments):
        return self.daemon(
            name, "kube-apiserver", f"--etcd-servers={self.etcd_url}", f"--cert-dir={self.state}/certificates",
            f"--bind-address={address}", f"--secure-port={port}", f"--advertise-address={address}",
            f"--service-account-key-file={self.state}/accounts.key", "--allow-privileged=true",
            f"--service-account-signing-key-file={self.state}/accounts.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.96.0.0/16,fd96::/108", f"--token-auth-file={self.state}/tokens.csv",
            "--authorization-mode=Node,RBAC", "--kubelet-preferred-address-types=InternalIP", *arguments)

    @staticmethod
    def wait_until_ready(api, server):
        def ready():
            server.require_alive()
            try:
                return os.path.exists(api.authority) and api.request("GET", "/readyz") == "ok"
            except ApiError:
                return False  # it answers, but is not ready
        wait_for(f"{server.name} to be ready", ready)

    def kill_api_server(self):
        self.server.stop(signal.SIGKILL)

    def restart_api_server(self, *options):
        self.kill_api_server()
        self.options = options
        self.start_api_server()

    def open_side_door(self):
        """A second API server for what happens while the first is away: (its daemon, its Api)."""
        # It must not write itself into the Service default/kubernetes.
        server = self.launch("kube-apiserver-aside", self.address, SIDE_DOOR, "--endpoint-reconciler-type=none")
        api = self.api_at(self.address, SIDE_DOOR)
        self.wait_until_ready(api, server)
        return server, api

    # --- etcd ---

    def compact_etcd(self):
        """Forgets all history: a watch cannot go on from before."""
        status = self.ask_etcd("maintenance/status", {})
        self.ask_etcd("kv/compaction", {"revision": status["header"]["revision"], "physical": True})

    def ask_etcd(self, method, body):
        request = urllib.request.Request(f"{self.etcd_url}/v3/{method}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    # --- Who may ask it ---

    def kubectl(self, *arguments):
        return run([f"{self.binaries}/kubectl", f"--kubeconfig={self.write_kubeconfig('admin')}", *arguments])

    def kubeconfig(self, user):
        with open(self.authority, "rb") as file:
            authority = base64.b64encode(file.read()).decode()
        return json.dumps({  # JSON is YAML
            "apiVersion": "v1", "kind": "Config", "current-context": "cluster",
            "clusters": [{"name": "cluster", "cluster": {"server": f"https://{self.address}:{PORT}",
                                                         "certificate-authority-data": authority}}],
            "users": [{"name": user, "user": {"token": user}}],
            "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": user}}]}, indent=1)

    def write_kubeconfig(self, user):
        path = os.path.join(self.state, f"{user}.kubeconfig")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.kubeconfig(user))
        return path
