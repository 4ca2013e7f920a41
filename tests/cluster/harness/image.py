# SPDX-License-Identifier: Apache-2.0
"""Images, written without a registry, in the format of `docker save`, which containerd imports.

That of all test pods is busybox, to wait, and directories. Programs are the machine's own: pods mount its /usr
(objects.pod_spec), so that no root file system is needed, and pods start at once.
"""

import hashlib
import io
import json
import os
import re
import tarfile

from harness.processes import run

BUSYBOX = "/bin/busybox"  # Debian's busybox-static
DIRECTORIES = ("etc", "usr", "tmp")
LINKS = {name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")}
FILES = {"etc/passwd": "root:x:0:0:root:/:/bin/sh\n", "etc/nsswitch.conf": "hosts: files dns\n"}


def add(archive, name, data, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))


def layer(programs):
    """A root file system with these programs: {path in it: file here}."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in DIRECTORIES:
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, target in LINKS.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
        for name, text in FILES.items():
            add(archive, name, text.encode())
        for name, path in programs.items():
            with open(path, "rb") as file:
                add(archive, name, file.read(), 0o755)
    return buffer.getvalue()


def with_libraries(program):
    """A program of this machine, and the shared libraries that it needs, where they are here."""
    libraries = re.findall(r"(/\S+) \(0x", run(["ldd", program]))
    return {os.path.realpath(os.path.dirname(path)).lstrip("/") + "/" + os.path.basename(path): path
            for path in (program, *libraries)}


def write(path, tag, programs, entry_point):
    content = layer(programs)
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Entrypoint": entry_point},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(content).hexdigest()]}}).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    with tarfile.open(path, "w") as archive:
        add(archive, name, config)
        add(archive, "layer.tar", content)
        manifest = {"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]}
        add(archive, "manifest.json", json.dumps([manifest]).encode())


def write_pod_image(path, tag):
    write(path, tag, {"busybox": BUSYBOX}, ["/busybox", "sleep", "infinity"])
