# SPDX-License-Identifier: Apache-2.0
"""Commands, programs that keep running, and waiting for conditions."""

import os
import signal
import subprocess
import time

FAR = 120  # seconds; only bounds how long a failure takes
POLL = 0.05


def run(command, **options):
    """The output of a command, which must succeed."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {result.returncode}\n{result.stderr}")
    return result.stdout


def wait_for(what, condition, deadline=FAR):
    """The first true value of condition(). That a server does not answer yet is not an error."""
    end = time.monotonic() + deadline
    while True:
        try:
            last = condition()
            if last:
                return last
        except OSError as error:
            last = error
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline} s for: {what}; the last was: {last!r}")
        time.sleep(POLL)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


class Daemon:
    """A program in the background, with its output in a log.

    entered: the command is nsenter, which waits for the program, its child.
    """

    def __init__(self, name, command, logs, entered=False):
        self.name, self.log, self.entered = name, os.path.join(logs, name + ".log"), entered
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            start_new_session=True)

    def alive(self):
        return self.process.poll() is None

    def send(self, number):
        os.kill(self.program(), number)
        if number == signal.SIGCONT:
            self.process.send_signal(number)  # nsenter stops with its child

    def program(self):
        if not self.entered:
            return self.process.pid
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return int(wait_for(f"{self.name} to be there", lambda: self.require_alive() and read(children)))

    def stop(self, number=signal.SIGTERM):
        if self.alive():
            self.send(number)
        return self.process.wait(FAR)

    def require_alive(self):
        """For conditions that a dead program will never make true."""
        if not self.alive():
            raise AssertionError(f"{self.name} has ended with {self.process.returncode}:\n{self.tail()}")
        return True

    def tail(self, lines=15):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-lines:])
