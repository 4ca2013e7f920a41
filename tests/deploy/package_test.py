#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the Debian package holds. Usage: package_test.py PACKAGE.deb"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = [
    "etc/shunt/config.yaml",
    "usr/bin/shuntctl",
    "usr/bin/shuntd",
    "usr/lib/systemd/system/shunt.service",
    "usr/share/bash-completion/completions/shuntctl",
    "usr/share/doc/shunt/changelog.gz",
    "usr/share/doc/shunt/copyright",
    "usr/share/fish/vendor_completions.d/shuntctl.fish",
    "usr/share/man/man1/shuntctl.1.gz",
    "usr/share/man/man8/shuntd.8.gz",
    "usr/share/zsh/vendor-completions/_shuntctl",
]


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.root = f"{cls.directory.name}/root"
        run("dpkg-deb", "--raw-extract", PACKAGE, cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def read(self, name):
        with open(f"{self.root}/{name}", encoding="utf-8") as file:
            return file.read()

    def test_all_that_belongs_to_it_is_inside(self):
        for name in FILES:
            self.assertTrue(os.path.isfile(f"{self.root}/{name}"), name)

    def test_it_names_the_libraries_that_it_needs(self):
        depends = run("dpkg-deb", "--field", PACKAGE, "Depends")
        for library in ["libbpf1", "libc6", "libmicrohttpd12"]:
            self.assertIn(library, depends)

    def test_the_configuration_is_the_administrators(self):
        self.assertEqual(self.read("DEBIAN/conffiles").split(), ["/etc/shunt/config.yaml"])
        result = subprocess.run([f"{self.root}/usr/bin/shuntd", "check-config", f"{self.root}/etc/shunt/config.yaml"],
                                capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn('manifests: "/etc/shunt/manifests"', result.stdout)

    def test_the_unit_starts_what_is_inside_with_that_configuration(self):
        unit = self.read("usr/lib/systemd/system/shunt.service")
        self.assertIn("\nExecStart=/usr/bin/shuntd --config /etc/shunt/config.yaml\n", unit)
        capabilities = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.M).group(1)
        self.assertEqual(set(capabilities.split()), {"CAP_BPF", "CAP_NET_ADMIN", "CAP_PERFMON"})

    def test_man_pages_show_every_option(self):
        for page, program in [("man8/shuntd.8", "shuntd"), ("man1/shuntctl.1", "shuntctl")]:
            text = run("gzip", "-dc", f"{self.root}/usr/share/man/{page}.gz").replace("\\", "")
            shown = subprocess.run([f"{self.root}/usr/bin/{program}", "--help"], capture_output=True, text=True).stdout
            for option in re.findall(r"^  (?:-\w,)?(--[\w-]+)", shown, re.M):
                self.assertIn(option, text, page)

    def test_lintian_has_no_complaint(self):
        result = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", PACKAGE], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)


if __name__ == "__main__":
    PACKAGE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
