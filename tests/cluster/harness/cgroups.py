# SPDX-License-Identifier: Apache-2.0
"""The cgroups of a cluster: a directory of its own in each hierarchy of this machine, and in it one for each node.

There is one hierarchy (cgroup v2), or one for each controller of v1 with v2 beside them.
"""

import collections
import contextlib
import glob
import os

from harness.processes import read, wait_for

ROOT = "/sys/fs/cgroup"
GENERIC = {"rw", "relatime", "nosuid", "nodev", "noexec", "nsdelegate", "memory_recursiveprot"}

Hierarchy = collections.namedtuple("Hierarchy", "kind path options")  # as mount(8) wants them


def hierarchies():
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        fields = [line.split()[1:4] for line in mounts]
    return [Hierarchy(kind, path, ",".join(option for option in options.split(",") if option not in GENERIC))
            for path, kind, options in fields if kind.startswith("cgroup") and path.startswith(ROOT)]


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def append(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def make(name):
    """Makes the group `name` in every hierarchy, with all controllers for those below."""
    for hierarchy in hierarchies():
        path = os.path.join(hierarchy.path, name)
        os.makedirs(path, exist_ok=True)
        if hierarchy.options == "cpuset":
            for file in ("cpuset.cpus", "cpuset.mems"):
                write(f"{path}/{file}", read(f"{os.path.dirname(path)}/{file}"))
            write(f"{path}/cgroup.clone_children", "1")


def move_processes(group, to):
    """Of one group into one below: a group of v2 with processes cannot give controllers to those below it."""
    for hierarchy in hierarchies():
        path = os.path.join(hierarchy.path, group)
        os.makedirs(os.path.join(path, to), exist_ok=True)
        for process in read(f"{path}/cgroup.procs").split():
            with contextlib.suppress(ProcessLookupError):
                write(f"{path}/{to}/cgroup.procs", process)


def enable_controllers(group):
    for hierarchy in hierarchies():
        if hierarchy.kind == "cgroup2":
            path = os.path.join(hierarchy.path, group)
            for controller in read(f"{path}/cgroup.controllers").split():
                write(f"{path}/cgroup.subtree_control", "+" + controller)


def remove(name):
    """Removes the group and those below; its processes have been killed, and may take a moment."""
    for hierarchy in hierarchies():
        path = os.path.join(hierarchy.path, name)
        wait_for(f"{path} to be empty", lambda path=path: removed(path))


def removed(path):
    for directory, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(directory)
    return not os.path.exists(path)


def existing(prefix):
    """Names of the groups that begin with this, in any hierarchy."""
    return {os.path.basename(path) for hierarchy in hierarchies() for path in glob.glob(f"{hierarchy.path}/{prefix}*")}
