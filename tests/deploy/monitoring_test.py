#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The alerts and the dashboard of deploy/monitoring, by promtool.

That the metrics in them are those of the agent is a test of tests/e2e (http_test.cc).
"""

import json
import os
import subprocess
import tempfile
import unittest

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MONITORING = f"{ROOT}/deploy/monitoring"
SEVERITIES = {"critical", "warning", "info"}


def promtool(*words):
    result = subprocess.run(["promtool", *words], cwd=MONITORING, capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


class Rules(unittest.TestCase):
    def test_they_are_valid_and_each_alert_fires_by_its_cause(self):
        for words in [("check", "rules", "shunt-rules.yaml"), ("test", "rules", "shunt-rules-test.yaml")]:
            code, output = promtool(*words)
            self.assertEqual(code, 0, output)

    def test_every_alert_is_tested_and_says_what_to_do(self):
        with open(f"{MONITORING}/shunt-rules.yaml", encoding="utf-8") as file:
            rules = [rule for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]
        with open(f"{MONITORING}/shunt-rules-test.yaml", encoding="utf-8") as file:
            tests = [test for part in yaml.safe_load(file)["tests"] for test in part["alert_rule_test"]]
        fired = {test["alertname"] for test in tests if test.get("exp_alerts")}
        silent = {test["alertname"] for test in tests if not test.get("exp_alerts")}
        for rule in rules:
            self.assertIn(rule["alert"], fired)
            self.assertIn(rule["alert"], silent)
            self.assertIn(rule["labels"]["severity"], SEVERITIES)
            self.assertEqual(set(rule["annotations"]), {"summary", "description"})


class Dashboard(unittest.TestCase):
    def setUp(self):
        with open(f"{MONITORING}/shunt-dashboard.json", encoding="utf-8") as file:
            self.dashboard = json.load(file)
        self.panels = [panel for panel in self.dashboard["panels"] if panel["type"] != "row"]

    def test_every_query_is_promql(self):
        rules = []
        for panel in self.panels:
            for target in panel["targets"]:
                expression = target["expr"].replace("$__rate_interval", "5m")
                rules.append({"record": f"panel:{panel['id']}:{target['refId']}", "expr": expression})
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}, file)
            file.flush()
            code, output = promtool("check", "rules", file.name)
        self.assertEqual(code, 0, output)
        self.assertGreater(len(rules), 15)

    def test_panels_have_a_place_a_title_and_an_explanation(self):
        ids = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in self.panels:
            self.assertTrue(panel["title"])
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)

    def test_all_queries_follow_the_chosen_nodes(self):
        for panel in self.panels:
            for target in panel["targets"]:
                self.assertIn('job=~"$job",instance=~"$instance"', target["expr"])


if __name__ == "__main__":
    unittest.main()
