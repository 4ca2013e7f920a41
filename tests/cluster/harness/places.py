# SPDX-License-Identifier: Apache-2.0
"""Where what is tested was built."""

import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
SHUNT_BINARIES = os.environ.get("SHUNT_BIN", os.path.join(ROOT, "build", "release", "bin"))
