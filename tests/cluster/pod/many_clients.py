#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ever new clients of Services with session affinity: each is a network namespace, and connects to every port once.

A socket without a route connects to nowhere; but its Service has been asked for a backend by then.

Usage: many_clients.py ADDRESS...
"""

import ctypes
import os
import socket
import sys

NEW_NETWORK = 0x40000000  # CLONE_NEWNET
PORTS = range(1000, 1100)


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    while libc.unshare(NEW_NETWORK) == 0:
        for address in sys.argv[1:]:
            for port in PORTS:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.connect_ex((address, port))
    sys.exit(f"unshare: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
