# SPDX-License-Identifier: Apache-2.0
"""The image of all test pods: busybox, to wait, and directories.

Programs are the machine's own: pods mount its /usr (objects.pod_spec), so that no registry and no root file system is
needed, and pods start at once. The format is that of `docker save`, which containerd imports.
"""

import hashlib
import io
import json
import tarfile

BUSYBOX = "/bin/busybox"  # Debian's busybox-static
LINKS = {name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")}
FILES = {"etc/passwd": "root:x:0:0:root:/:/bin/sh\n", "etc/nsswitch.conf": "hosts: files dns\n"}


def add(archive, name, data, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))


def layer():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("etc", "usr", "tmp"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, target in LINKS.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
        for name, text in FILES.items():
            add(archive, name, text.encode())
        with open(BUSYBOX, "rb") as file:
            add(archive, "busybox", file.read(), 0o755)
    return buffer.getvalue()


def write(path, tag):
    content = layer()
    config = json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/busybox", "sleep", "infinity"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(content).hexdigest()]}}).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    with tarfile.open(path, "w") as archive:
        add(archive, name, config)
        add(archive, "layer.tar", content)
        manifest = {"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]}
        add(archive, "manifest.json", json.dumps([manifest]).encode())
