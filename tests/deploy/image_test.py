#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is in the container image, and whether it runs. Usage: image_test.py BUILD/bin"""

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = ["usr/bin/shuntctl", "usr/bin/shuntd"]


def write_image(path):
    words = [f"{ROOT}/tools/image", "--bin", BIN, "--output", path]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.path = f"{cls.directory.name}/image.tar"
        cls.root = f"{cls.directory.name}/root"
        write_image(cls.path)
        cls.archive = tarfile.open(cls.path)
        cls.index = json.loads(cls.read("index.json"))
        cls.manifest = json.loads(cls.blob(cls.index["manifests"][0]))
        cls.config = json.loads(cls.blob(cls.manifest["config"]))
        cls.layer = gzip.decompress(cls.blob(cls.manifest["layers"][0]))
        with tarfile.open(fileobj=io.BytesIO(cls.layer)) as layer:
            cls.entries = {entry.name: entry for entry in layer}
            layer.extractall(cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.archive.close()
        cls.directory.cleanup()

    @classmethod
    def read(cls, name):
        return cls.archive.extractfile(name).read()

    @classmethod
    def blob(cls, descriptor):
        return cls.read("blobs/sha256/" + descriptor["digest"].removeprefix("sha256:"))

    def test_every_blob_is_what_its_digest_says(self):
        self.assertEqual(json.loads(self.read("oci-layout")), {"imageLayoutVersion": "1.0.0"})
        for descriptor in [self.index["manifests"][0], self.manifest["config"], *self.manifest["layers"]]:
            data = self.blob(descriptor)
            self.assertEqual(descriptor["size"], len(data))
            self.assertEqual(descriptor["digest"], "sha256:" + hashlib.sha256(data).hexdigest())
        self.assertEqual(self.config["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(self.layer).hexdigest()])

    def test_nobody_but_root_may_write(self):
        for name, entry in self.entries.items():
            self.assertEqual((entry.uid, entry.gid), (0, 0), name)
            if not entry.issym():
                self.assertEqual(entry.mode & 0o7022, 0, f"{name} has mode {entry.mode:o}")

    def test_only_what_runs_is_inside(self):
        executable = {name for name, entry in self.entries.items() if entry.isfile() and entry.mode & 0o111}
        programs = {name for name in executable if not re.search(r"\.so(\.|$)", name)}
        self.assertEqual(programs - {"usr/bin/shunt-reaper"}, set(PROGRAMS))
        self.assertLess(os.path.getsize(self.path), 30e6)

    def test_every_library_that_is_needed_is_inside(self):
        libraries = {os.path.basename(name) for name in self.entries}
        for name, entry in self.entries.items():
            if not (entry.isfile() and entry.mode & 0o111):
                continue
            dynamic = subprocess.run(["readelf", "-d", f"{self.root}/{name}"], check=True, capture_output=True, text=True).stdout
            for needed in re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic):
                self.assertIn(needed, libraries, f"{name} needs it")

    def test_it_says_what_it_is(self):
        labels = self.config["config"]["Labels"]
        for label in ["title", "version", "licenses"]:
            self.assertIn("org.opencontainers.image." + label, labels)
        annotations = self.index["manifests"][0]["annotations"]
        version = labels["org.opencontainers.image.version"]
        self.assertEqual(annotations["io.containerd.image.name"], f"localhost/shunt:{version}")

    def test_licences_and_packages_of_all_libraries_are_told(self):
        packages = {name.rpartition("/")[2] for name in self.entries if name.startswith("var/lib/dpkg/status.d/")}
        # One that is shared, and one that is linked in.
        self.assertLessEqual({"libbpf1", "libgrpc++-dev"}, packages)
        for package in packages:
            self.assertIn(f"usr/share/doc/{package}/copyright", self.entries)

    def test_its_bill_of_materials_names_every_package_as_dpkg_knows_it(self):
        bill = json.loads(subprocess.run([f"{ROOT}/tools/sbom", self.path], check=True, stdout=subprocess.PIPE).stdout)
        self.assertEqual(bill["spdxVersion"], "SPDX-2.3")
        image, *packages = bill["packages"]
        self.assertEqual("sha256:" + image["checksums"][0]["checksumValue"], self.index["manifests"][0]["digest"])
        records = "var/lib/dpkg/status.d/"
        names = sorted(path.removeprefix(records) for path in self.entries if path.startswith(records))
        self.assertEqual([package["name"] for package in packages], names)
        for package in packages:
            version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}\n", package["name"]], check=True,
                                     stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]
            self.assertEqual(package["versionInfo"], version)
            self.assertRegex(package["SPDXID"], r"^SPDXRef-[A-Za-z0-9.-]+$")
        known = {"SPDXRef-DOCUMENT"} | {package["SPDXID"] for package in bill["packages"]}
        self.assertEqual(len(known), len(bill["packages"]) + 1)
        for relation in bill["relationships"]:
            self.assertLessEqual({relation["spdxElementId"], relation["relatedSpdxElement"]}, known)

    def test_the_same_programs_give_the_same_bytes(self):
        again = f"{self.directory.name}/again.tar"
        write_image(again)
        with open(self.path, "rb") as first, open(again, "rb") as second:
            self.assertEqual(hashlib.sha256(first.read()).digest(), hashlib.sha256(second.read()).digest())

    @unittest.skipIf(os.getuid() != 0, "chroot needs root")
    def test_the_programs_run_with_nothing_else(self):
        for command in [["/usr/bin/shuntctl", "version", "--client"], ["/usr/bin/shuntd", "--version"]]:
            result = subprocess.run(["chroot", self.root, *command], capture_output=True, text=True)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(self.config["config"]["Labels"]["org.opencontainers.image.version"], result.stdout)


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main()
