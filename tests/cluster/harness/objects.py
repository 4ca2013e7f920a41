# SPDX-License-Identifier: Apache-2.0
"""Manifests of what tests create, as dictionaries."""

import os

from harness.kubelet import DNS_SERVICE, PAUSE_IMAGE

PROBE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "pod")
PORT, READINESS = 8080, 8081  # of pod/probe.py
PYTHON = "/usr/bin/python3"  # of the machine


def container(command, mounts=(), **fields):
    """A container whose programs are the machine's own, and that sees these directories of it, read only."""
    return {"name": "main", "image": PAUSE_IMAGE, "imagePullPolicy": "Never", "command": command,
            "volumeMounts": [{"name": f"v{number}", "mountPath": path, "readOnly": True}
                             for number, path in enumerate(["/usr", *mounts])], **fields}


def pod_spec(command, mounts=(), **fields):
    volumes = [{"name": f"v{number}", "hostPath": {"path": path}} for number, path in enumerate(["/usr", *mounts])]
    return {"containers": [container(command, mounts, **fields)], "volumes": volumes}


def probe_spec():
    """A pod that runs pod/probe.py under the pod's name."""
    name = {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    spec = pod_spec([PYTHON, f"{PROBE}/probe.py", "$(NAME)"], [PROBE], env=[name], readinessProbe={
        "httpGet": {"path": "/", "port": READINESS}, "periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 10})
    return {**spec, "automountServiceAccountToken": False, "enableServiceLinks": False}


def pod(namespace, name, node, spec):
    return {"kind": "Pod", "metadata": {"namespace": namespace, "name": name, "labels": {"app": name}},
            "spec": {**spec, "nodeName": node}}


def deployment(namespace, name, replicas, spec):
    """As many on each node as can be."""
    labels = {"app": name}
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway",
              "labelSelector": {"matchLabels": labels}, "matchLabelKeys": ["pod-template-hash"]}
    return {"kind": "Deployment", "metadata": {"namespace": namespace, "name": name}, "spec": {
        "replicas": replicas, "selector": {"matchLabels": labels},
        "strategy": {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 1}},
        "template": {"metadata": {"labels": labels}, "spec": {**spec, "topologySpreadConstraints": [spread]}}}}


def ports(*protocols):
    """Port 80 of each protocol, served by pod/probe.py."""
    return [{"name": protocol.lower(), "protocol": protocol, "port": 80, "targetPort": PORT} for protocol in protocols]


def service(namespace, name, app=None, **fields):
    """Port 80, TCP and UDP, of the pods with the label app (default: its own name)."""
    return {"kind": "Service", "metadata": {"namespace": namespace, "name": name},
            "spec": {"selector": {"app": app or name}, "ports": ports("TCP", "UDP"), **fields}}


def dns_objects(binaries):
    """CoreDNS, which asks the API server by its ClusterIP."""
    labels = {"k8s-app": "kube-dns"}
    metadata = {"namespace": "kube-system", "name": "coredns"}
    zones = "kubernetes cluster.local in-addr.arpa ip6.arpa { pods insecure\n ttl 0\n }"
    spec = pod_spec([f"{binaries}/coredns", "-conf", "/etc/coredns/Corefile"], [binaries],
                    readinessProbe={"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1})
    spec["volumes"].append({"name": "corefile", "configMap": {"name": "coredns"}})
    spec["containers"][0]["volumeMounts"].append({"name": "corefile", "mountPath": "/etc/coredns"})
    return [
        {"kind": "ServiceAccount", "metadata": metadata},
        {"kind": "ClusterRole", "metadata": {"name": "coredns"}, "rules": [
            {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"]},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]}]},
        {"kind": "ClusterRoleBinding", "metadata": {"name": "coredns"},
         "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "coredns"},
         "subjects": [{"kind": "ServiceAccount", "namespace": "kube-system", "name": "coredns"}]},
        {"kind": "ConfigMap", "metadata": metadata, "data": {"Corefile": f".:53 {{\n ready\n errors\n {zones}\n}}\n"}},
        {"kind": "Deployment", "metadata": {**metadata, "labels": labels}, "spec": {
            "replicas": 2, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                         "spec": {**spec, "serviceAccountName": "coredns", "dnsPolicy": "Default"}}}},
        {"kind": "Service", "metadata": {"namespace": "kube-system", "name": "kube-dns", "labels": labels}, "spec": {
            "clusterIP": DNS_SERVICE, "selector": labels,
            "ports": [{"name": "dns", "port": 53, "protocol": "UDP"},
                      {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]}},
    ]


def endpoint_slice(namespace, service, *endpoints, family=4):
    """By hand, for a Service without a selector. An endpoint is an address, or all of its fields."""
    endpoints = [{"addresses": [endpoint]} if isinstance(endpoint, str) else endpoint for endpoint in endpoints]
    return {"kind": "EndpointSlice", "addressType": f"IPv{family}", "endpoints": endpoints,
            "metadata": {"namespace": namespace, "name": service if family == 4 else f"{service}-{family}",
                         "labels": {"kubernetes.io/service-name": service}},
            "ports": [{"name": protocol.lower(), "protocol": protocol, "port": PORT} for protocol in ("TCP", "UDP")]}
