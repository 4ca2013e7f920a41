# SPDX-License-Identifier: Apache-2.0
"""Somebody who sends requests from inside the cluster: pod/probe.py, in a pod or as a host process of a node."""

import contextlib
import json
import socket

COMMANDS = 9000
LIMIT = 60  # seconds for a command
FAMILIES = {4: int(socket.AF_INET), 6: int(socket.AF_INET6)}


class Tally:
    """Who answered how often, and what failed how often."""

    def __init__(self, answers, errors):
        self.answers, self.errors = answers, errors

    def __repr__(self):
        return f"{sum(self.answers.values())} answers {self.answers}, errors {self.errors}"

    @property
    def names(self):
        return set(self.answers)

    @property
    def count(self):
        return sum(self.answers.values())


class Probe:
    """One client; how is tcp, udp (a connected socket) or udp_unconnected, host an address or a name."""

    def __init__(self, name, address):
        self.name, self.address = name, address

    def do(self, command, limit=LIMIT, **arguments):
        with socket.create_connection((self.address, COMMANDS), limit) as connection, connection.makefile("rw") as file:
            print(json.dumps({"do": command, **arguments}), file=file, flush=True)
            answer = file.readline()
        if not answer:
            raise ConnectionError(f"{self.name} did not answer to {command}")
        return json.loads(answer)

    def answers(self):
        """To the test, that is; raises an OSError while it does not."""
        return self.do("ask", how="tcp", host="", port=0, count=0) is not None

    def ask(self, how, host, port=80, *, count=1, family=4):
        """So often, but not on after a request that failed."""
        return Tally(**self.do("ask", how=how, host=host, port=port, count=count, family=FAMILIES[family]))

    @contextlib.contextmanager
    def asking(self, how, host, port=80, family=4):
        """Asks again and again while the body runs; yields the Stream."""
        stream = Stream(self, how, self.do("start_asking", how=how, host=host, port=port, family=FAMILIES[family]))
        try:
            yield stream
        finally:
            stream.tally = Tally(**self.do("stop_asking", stream=stream.number))

    def try_all(self, trials, patience, at_once):
        """What became of each (pod/client.py)."""
        trials = [{**trial, "family": FAMILIES[trial["family"]], "patience": patience} for trial in trials]
        return self.do("try", trials=trials, at_once=at_once, limit=LIMIT + patience * len(trials))

    def set_ready(self, ready):
        """What it tells kubelet."""
        self.do("set_ready", ready=ready)


class Stream:
    def __init__(self, probe, how, number):
        self.probe, self.how, self.number, self.tally = probe, how, number, None

    def look(self):
        """What has happened so far."""
        return self.tally or Tally(**self.probe.do("look", stream=self.number))
