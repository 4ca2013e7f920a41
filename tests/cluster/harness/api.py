# SPDX-License-Identifier: Apache-2.0
"""What tests say to the API server: objects are dictionaries as in a manifest."""

import http.client
import json
import ssl

KINDS = {  # kind: (plural, is in a namespace)
    "ClusterRole": ("clusterroles", False), "ClusterRoleBinding": ("clusterrolebindings", False),
    "ConfigMap": ("configmaps", True), "DaemonSet": ("daemonsets", True), "Deployment": ("deployments", True),
    "EndpointSlice": ("endpointslices", True), "Namespace": ("namespaces", False), "Node": ("nodes", False),
    "Pod": ("pods", True), "Service": ("services", True), "ServiceAccount": ("serviceaccounts", True),
}
GROUPS = {"DaemonSet": "apps/v1", "Deployment": "apps/v1", "EndpointSlice": "discovery.k8s.io/v1",
          "ClusterRole": "rbac.authorization.k8s.io/v1", "ClusterRoleBinding": "rbac.authorization.k8s.io/v1"}
LIMIT = 30  # seconds for an answer


class ApiError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


def path_of(kind, namespace=None, name=None):
    plural, namespaced = KINDS[kind]
    group = GROUPS.get(kind, "v1")
    path = f"/apis/{group}" if "/" in group else f"/api/{group}"
    if namespaced and namespace:
        path += f"/namespaces/{namespace}"
    return f"{path}/{plural}" + (f"/{name}" if name else "")


class Api:
    """One API server, as a user who may do all."""

    def __init__(self, host, port, authority, token):
        self.host, self.port, self.authority, self.token = host, port, authority, token

    def tls(self):
        context = ssl.create_default_context(cafile=self.authority)
        context.check_hostname = False  # all servers of a control plane share the certificate that the first has made
        return context

    def request(self, method, path, body=None, kind="application/json"):
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=LIMIT, context=self.tls())
        try:
            connection.request(method, path, body=body and json.dumps(body),
                               headers={"Authorization": f"Bearer {self.token}", "Content-Type": kind})
            response = connection.getresponse()
            text = response.read().decode()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{method} {path}: {error!r}") from error
        finally:
            connection.close()
        if response.status >= 300:
            raise ApiError(response.status, f"{method} {path}: {text}")
        return json.loads(text) if text.startswith("{") else text

    def get(self, kind, namespace=None, name=None):
        return self.request("GET", path_of(kind, namespace, name))

    def list(self, kind, namespace=None, labels=""):
        return self.request("GET", f"{path_of(kind, namespace)}?labelSelector={labels}")["items"]

    def create(self, manifest):
        kind, metadata = manifest["kind"], manifest["metadata"]
        manifest = {"apiVersion": GROUPS.get(kind, "v1"), **manifest}
        return self.request("POST", path_of(kind, metadata.get("namespace")), manifest)

    def patch(self, change, kind, namespace, name):
        """Merges the change into the object: what is not mentioned stays, lists are replaced."""
        return self.request("PATCH", path_of(kind, namespace, name), change, "application/merge-patch+json")

    def patch_status(self, change, kind, namespace, name):
        return self.request("PATCH", f"{path_of(kind, namespace, name)}/status", change, "application/merge-patch+json")

    def delete(self, kind, namespace, name):
        return self.request("DELETE", path_of(kind, namespace, name))
