# SPDX-License-Identifier: Apache-2.0
"""Runs tests, a line for each, as the other tiers do (tools/run-tests); failures are shown as they happen."""

import concurrent.futures
import glob
import os
import sys
import time
import unittest

LAST = ["test_differential", "test_proxy", "test_takeover", "test_reboot", "test_monitoring",
        "test_api_server"]  # from bad to worse
AT_A_TIME = 3  # groups of tests, most of which wait
FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def paint(colour, text):
    tty = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\033[{colour}m{text}\033[0m" if tty else text


def say(text):
    print(text, flush=True)


def name_of(test):
    """Of the test as people read it: what happens, without what Python needs."""
    if not hasattr(test, "_testMethodName"):
        return str(test)  # the preparation of a class
    return f"{type(test).__name__}.{test._testMethodName.removeprefix('test_')}"


def tests_of(suite):
    for part in suite:
        yield from tests_of(part) if isinstance(part, unittest.TestSuite) else [part]


def select(text):
    """The tests with this text in their names, the harmless ones first."""
    modules = [os.path.basename(path)[:-3] for path in glob.glob(f"{FOLDER}/test_*.py")]
    modules.sort(key=lambda name: (LAST.index(name) + 1 if name in LAST else 0, name))
    loaded = tests_of(unittest.defaultTestLoader.loadTestsFromNames(modules))
    return [test for test in loaded if text in f"cluster {name_of(test)}"]


class Report(unittest.TestResult):
    def __init__(self, cluster, results):
        super().__init__()
        self.cluster, self.results, self.started = cluster, results, time.monotonic()

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def line(self, test, outcome, counts):
        say(f"  {'cluster ' + name_of(test):<33} {outcome:<24}{time.monotonic() - self.started:7.1f} s")
        self.count(counts)

    def count(self, counts):
        if self.results:
            with open(self.results, "a", encoding="utf-8") as file:
                file.write(counts + "\n")

    def addSuccess(self, test):
        self.line(test, "1 passed", "1 0 0")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        say(f"    {paint(33, 'SKIPPED')} cluster {name_of(test)}: {reason}")
        self.count("0 0 1")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.failed(test, self.failures[-1][1])

    def addError(self, test, error):
        super().addError(test, error)
        self.failed(test, self.errors[-1][1])

    def failed(self, test, text):
        say(f"    {paint(31, 'FAILED')} cluster {name_of(test)}")
        for line in (text + self.cluster.ended()).splitlines():
            say(f"      {line}")
        self.line(test, paint(31, "1 failed"), "0 1 0")


def run(cluster, tests, results):
    """False if any failed."""
    groups = {}
    for test in tests:
        groups.setdefault(type(test) if test.beside else None, []).append(test)
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        return all(list(pool.map(lambda group: run_in_order(cluster, group, results), groups.values())))


def run_in_order(cluster, tests, results):
    report = Report(cluster, results)
    unittest.TestSuite(tests).run(report)
    return report.wasSuccessful()
