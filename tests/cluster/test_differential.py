# SPDX-License-Identifier: Apache-2.0
"""Everybody asks every kind of Service: once with Shunt, and then with kube-proxy in its place."""

import os

import known_differences
import matrix
from harness.case import ClusterTest
from harness.differential import World
from harness.proxies import KubeProxy, KubeProxyIptables

REFERENCES = (KubeProxy, KubeProxyIptables)
README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "README.md")


class Differential(ClusterTest):
    def setUp(self):
        if isinstance(self.cluster.proxy, KubeProxy):
            self.skipTest("it is Shunt that is compared with kube-proxy")

    def test_all_get_the_answers_of_kube_proxy_but_for_the_differences_that_are_listed(self):
        self.world = World(self.cluster, self.namespace)
        self.world.make()
        shunt = self.cluster.proxy
        ours = self.answers("shunt")
        self.addCleanup(self.cluster.serve_by, shunt)
        theirs = {}
        for reference in REFERENCES:
            self.cluster.serve_by(reference(self.cluster))
            theirs[reference.mode] = self.answers(f"kube-proxy-{reference.mode}")
        found = differences(theirs, ours)
        unexpected = [question for question, _, rule in found if rule is None]
        if unexpected:
            found += self.ask_again(unexpected, shunt, theirs, ours)
        self.assertEqual([rule.title for rule in known_differences.RULES if rule not in {rule for *_, rule in found}],
                         [], "differences that there are no more")

    def ask_again(self, questions, shunt, theirs, ours):
        """Of thousands of questions asked at once one may meet what is left of another (a client's port, used again):
        what counts is what Shunt answers twice."""
        for question in questions:
            print(f"asked again: {question}: {ours[question].text}")
        self.cluster.serve_by(shunt)
        self.world.wait_until_served()
        ours = self.world.ask(list(dict.fromkeys(questions)))
        theirs = {mode: {question: answers[question] for question in ours} for mode, answers in theirs.items()}
        found = differences(theirs, ours)
        unexpected = [f"{question}\n    kube-proxy, {mode}: {theirs[mode][question].text}"
                      f"\n    Shunt: {ours[question].text}" for question, mode, rule in found if rule is None]
        self.assertFalse(unexpected, f"{len(unexpected)} answers\n" + "\n".join(unexpected))
        return found

    def answers(self, name):
        """Of what serves now; also as a file, a line of JSON for each question."""
        self.world.wait_until_served()
        answers = self.world.ask(matrix.questions())
        with open(os.path.join(self.cluster.logs, f"answers-{name}.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(f"{answer.line()}\n" for answer in answers.values())
        return answers

    def test_the_list_of_differences_is_that_of_the_readme(self):
        with open(README, encoding="utf-8") as file:
            rows = [line.split("|")[1].strip() for line in file if line.startswith("| ")]
        self.assertEqual([rule.title for rule in known_differences.RULES if rule.title not in rows], [])


def differences(theirs, ours):
    """(question, mode of kube-proxy, the rule that covers its answers or None) of all that differ."""
    return [(question, mode, known_differences.rule_for(question, answer, ours[question], mode))
            for mode, answers in theirs.items() for question, answer in answers.items()
            if answer.text != ours[question].text]
