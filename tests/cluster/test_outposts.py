# SPDX-License-Identifier: Apache-2.0
"""API servers that are too old, replaced, frozen or restored from a backup, each class at an outpost of its own.

They run beside all other tests: most of their time is waiting for what an agent notices by itself.
"""

import signal
import unittest

from harness.case import ByHand
from harness.processes import read, wait_for
from harness.proxies import USER

NOTICED = 180  # seconds: the longest until an agent sees that a watch says nothing any more
FOUND = 240  # the longest until it has tried three servers of which two are dead, with a minute between two attempts
CLUSTER_IP = ["KUBERNETES_SERVICE_HOST=10.96.0.1", "KUBERNETES_SERVICE_PORT=443"]  # what every pod is told
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


class AtAnOutpost(ByHand):
    beside = True
    namespace = "default"
    options = {}

    @classmethod
    def setUpClass(cls):
        if cls.cluster.proxy.name == "kube-proxy":
            raise unittest.SkipTest("an outpost has Shunt and nothing else")
        cls.outpost = cls.cluster.start_outpost(**cls.options)
        cls.addClassCleanup(cls.outpost.stop)
        cls.one, cls.other = cls.outpost.one, cls.outpost.other

    @property
    def api(self):
        return self.outpost.control_plane.api

    @property
    def clients(self):
        return [self.outpost.client]

    def wait_until_answered_by(self, probe, address, deadline):
        wait_for(f"{probe.name} to answer, for the agent knows of it",
                 lambda: self.outpost.client.ask("tcp", address).names == {probe.name}, deadline)

    def serve_and_move(self, name):
        address = self.serve_by_hand(name)
        self.move(name)(self.api)
        self.all_are_answered_by_the_other(address)


class AServerWithoutWatchList(AtAnOutpost):
    options = {"server_options": ["--feature-gates=WatchList=false"]}

    def test_is_listed_and_then_followed(self):
        self.serve_and_move("web")
        self.assertEqual(self.outpost.lists(), {"services", "endpointslices", "nodes"})


class AnOldEtcd(AtAnOutpost):
    options = {"etcd_program": "etcd-debian"}  # 3.4: WatchList fails within the stream

    def test_is_listed_and_then_followed(self):
        self.serve_and_move("web")
        self.assertEqual(self.outpost.lists(), {"services", "endpointslices", "nodes"})


class ARestoredDatabase(AtAnOutpost):
    def test_is_noticed_within_three_minutes_and_then_followed(self):
        address = self.serve_by_hand("kept")
        self.assertEqual(self.outpost.lists(), set(), "WatchList should have been enough")
        self.outpost.back_up()
        self.outpost.write_much()  # else the new history catches up with what the agent knows of the old one
        self.move("kept")(self.api)
        self.all_are_answered_by_the_other(address)
        forgotten = self.serve_by_hand("forgotten")
        with self.no_request_fails(address):
            self.outpost.restore()
            self.wait_until_answered_by(self.one, address, NOTICED)
            self.wait_for_silence(self.outpost.client, forgotten)
            self.move("kept")(self.api)
            self.all_are_answered_by_the_other(address)


class AFrozenServer(AtAnOutpost):
    def test_is_left_for_another_within_three_minutes(self):
        address = self.serve_by_hand("web")
        frozen = self.outpost.control_plane.server
        another = self.outpost.start_server(1)
        with self.no_request_fails(address):
            frozen.send(signal.SIGSTOP)  # its connections stay open, and nothing comes
            self.addCleanup(frozen.send, signal.SIGCONT)
            self.move("web")(another.api)
            self.wait_until_answered_by(self.other, address, NOTICED)


class ServersReplacedOneByOne(AtAnOutpost):
    def test_are_followed_and_found_again_by_a_node_that_boots(self):
        address = self.serve_by_hand("web")
        second = self.outpost.start_server(1)
        with self.no_request_fails(address):
            self.outpost.control_plane.kill_api_server()  # the one that the kubeconfig names
            self.move("web")(second.api)
            self.wait_until_answered_by(self.other, address, FOUND)
            third = self.outpost.start_server(2)
            second.daemon.stop(signal.SIGKILL)
            self.move("web", self.one)(third.api)
            self.wait_until_answered_by(self.one, address, FOUND)
        self.outpost.reboot()
        self.wait_for_silence(self.outpost.client, address)
        self.start_agent_that_knows_the_cluster_ip()
        self.wait_until_answered_by(self.one, address, FOUND)
        self.move("web")(third.api)
        self.wait_until_answered_by(self.other, address, FOUND)

    def start_agent_that_knows_the_cluster_ip(self):
        """As a pod; and nobody serves that address yet."""
        control_plane, machine = self.outpost.control_plane, self.outpost.machine
        machine.run(["mkdir", "-p", ACCOUNT])
        for name, text in (("token", USER), ("ca.crt", read(control_plane.authority))):
            machine.run(["tee", f"{ACCOUNT}/{name}"], input=text)
        self.outpost.start_agent(environment=CLUSTER_IP)
