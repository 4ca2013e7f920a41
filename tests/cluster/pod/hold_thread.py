#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stops one thread of a program, and no other, as long as this runs: what a thread that hangs looks like.

Usage: hold_thread.py PROGRAM THREAD
"""

import ctypes
import os
import signal
import subprocess
import sys

SEIZE, INTERRUPT = 0x4206, 0x4207  # of ptrace(2)


def threads(program, name):
    for process in subprocess.run(["pidof", program], stdout=subprocess.PIPE, text=True, check=True).stdout.split():
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/comm", encoding="utf-8") as file:
                if file.read().strip() == name:
                    yield int(thread)


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    held = list(threads(*sys.argv[1:]))
    if not held:
        sys.exit(f"no thread {sys.argv[2]} of {sys.argv[1]}")
    for thread in held:
        for request in (SEIZE, INTERRUPT):
            if libc.ptrace(request, thread, None, None) != 0:
                sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")
    signal.pause()  # the kernel lets go of them when this ends


if __name__ == "__main__":
    main()
