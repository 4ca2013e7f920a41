# SPDX-License-Identifier: Apache-2.0
"""Where a cluster lives: a PID, mount and network namespace whose end is the end of all that was started in it.

What no namespace removes are cgroups: they are named after the process that made them, which removes them, and so does
the next start where that process was killed.
"""

import os
import signal
import subprocess
import sys

from harness import cgroups
from harness.processes import read

PREFIX = "shunt-cluster-"
INSIDE = "SHUNT_CLUSTER_CGROUP"  # environment: the name of the cluster's cgroup
NAMESPACES = ["--mount", "--net", "--pid", "--ipc", "--uts"]


def inside():
    return INSIDE in os.environ


def run_inside(command):
    """Runs the command as process 1 of a new sandbox, and returns its exit code when nothing is left of it."""
    remove_leftovers()
    name = f"{PREFIX}{os.getpid()}"
    cgroups.make(name)
    try:
        return wait_for_end(subprocess.Popen(
            # Killed with this process, and all that is inside with it.
            ["setpriv", "--pdeathsig", "KILL", "unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc",
             *command],
            env=dict(os.environ, **{INSIDE: name})))
    finally:
        cgroups.remove(name)


def wait_for_end(process):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to those inside, who end
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: process.kill())  # unshare(1) waits for its child, deaf to anything less
    code = process.wait()
    return code if code >= 0 else 128 - code


def remove_leftovers():
    for name in cgroups.existing(PREFIX):
        if not os.path.exists(f"/proc/{name.removeprefix(PREFIX)}"):
            cgroups.remove(name)


def first_process():
    """The process 1 of the cluster that is up, as seen from outside."""
    for name in sorted(cgroups.existing(PREFIX)):
        for process in descendants(name.removeprefix(PREFIX)):
            if read(f"/proc/{process}/status").split("NSpid:")[1].splitlines()[0].split()[1:] == ["1"]:
                return process
    sys.exit("cluster: none is up; see: tests/cluster/cluster up")


def descendants(process):
    children = read(f"/proc/{process}/task/{process}/children").split()
    return children + [grandchild for child in children for grandchild in descendants(child)]
