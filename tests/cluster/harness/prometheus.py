# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus, outside of all machines, with the job and the rules of deploy/monitoring.

So that a test need not wait for hours, a minute is half a second to it: every duration of a rule (`for`, `[10m]`) is
divided by 120, and it scrapes and looks at the rules every 0.5 s where a server in production does once a minute.

Debian builds it without kubernetes_sd_configs. What these would find, with the labels that the job's relabelling goes by,
is asked for here; pods that take the place of others have the same.
"""

import json
import os
import re
import urllib.parse
import urllib.request

import yaml

from harness import cgroups
from harness.processes import Daemon, wait_for

MONITORING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "deploy", "monitoring")
ADDRESS = "127.0.0.1:9090"
SCALE = 120
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# Comparisons with seconds in rules, which are scaled by name: the first because kubelet ends who hangs for a minute,
# the second because an API server that says nothing for 20 s is one where objects change all the time.
THRESHOLDS = {"ShuntSyncStuck": ("> 60", "> 1"), "ShuntStale": ("> 300", "> 20")}


def load(name):
    with open(os.path.join(MONITORING, name), encoding="utf-8") as file:
        return yaml.safe_load(file)


def scaled(text):
    """Durations in an expression or alone."""
    return re.sub(r"\b(\d+)([smhd])\b", lambda found: f"{int(found[1]) * UNITS[found[2]] * 1000 // SCALE}ms", text)


def scaled_rules():
    rules = load("shunt-rules.yaml")
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        before, after = THRESHOLDS.get(rule["alert"], ("", ""))
        if before not in rule["expr"]:
            raise AssertionError(f"{rule['alert']} has no {before!r}: {rule['expr']}")
        rule["expr"] = scaled(rule["expr"].replace(before, after))
        rule["for"] = scaled(rule["for"])
    return rules


def discovered(api, discovery):
    """A target for each container of a pod."""
    selector, = discovery["selectors"]
    for namespace in discovery["namespaces"]["names"]:
        for pod in api.list(discovery["role"].capitalize(), namespace, urllib.parse.quote(selector["label"])):
            spec, address = pod["spec"], pod["status"]["podIP"]
            for container in spec["containers"] + spec.get("initContainers", []):
                labels = {"container_name": container["name"], "ip": address, "node_name": spec["nodeName"]}
                yield {"targets": [address],
                       "labels": {f"__meta_kubernetes_pod_{name}": value for name, value in labels.items()}}


def configuration(api, rules):
    jobs = load("scrape.yaml")
    for job in jobs:
        job["static_configs"] = [target for discovery in job.pop("kubernetes_sd_configs")
                                 for target in discovered(api, discovery)]
    return {"global": {"scrape_interval": scaled("1m"), "scrape_timeout": scaled("1m"),
                       "evaluation_interval": scaled("1m")},
            "rule_files": [rules], "scrape_configs": jobs}


class Prometheus:
    def __init__(self, api, state, logs):
        os.makedirs(state)
        rules, config = f"{state}/rules.yaml", f"{state}/prometheus.yaml"
        cgroups.write(rules, json.dumps(scaled_rules()))  # JSON is YAML
        cgroups.write(config, json.dumps(configuration(api, rules)))
        self.daemon = Daemon("prometheus", ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={state}/data",
                                            f"--web.listen-address={ADDRESS}"], logs)
        wait_for("Prometheus to be ready", lambda: self.daemon.require_alive() and self.get("/-/ready"))

    def stop(self):
        self.daemon.stop()

    @staticmethod
    def get(path, **parameters):
        url = f"http://{ADDRESS}{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.read()

    def ask(self, path, **parameters):
        return json.loads(self.get(f"/api/v1/{path}", **parameters))["data"]

    def values(self, expression):
        """Those that a panel would draw."""
        numbers = [float(series["value"][1]) for series in self.ask("query", query=expression)["result"]]
        return [number for number in numbers if number == number]

    def firing(self, alert):
        """The labels of each."""
        return [found["labels"] for found in self.ask("alerts")["alerts"]
                if found["state"] == "firing" and found["labels"]["alertname"] == alert]
