# SPDX-License-Identifier: Apache-2.0
"""Asks others: who answers, as whom it sees the client, or why nobody does."""

import collections
import contextlib
import errno
import itertools
import socket
import struct
import time

PATIENCE = 5  # seconds: a request that takes longer has failed
# Of datagrams in trials: one that was used a moment ago might still belong to the flow of then.
FRESH_PORTS = itertools.cycle(range(40000, 60000))
TOTAL_RETRANSMISSIONS = 100  # where struct tcp_info has it


class Client:
    """Asks one host, which may be a name, and counts who answers and what fails. One thread asks; any may look."""

    def __init__(self, how, host, port, family=int(socket.AF_INET), patience=PATIENCE):
        self.how, self.host, self.port, self.family = getattr(self, how), host, port, family
        self.patience, self.repeated = patience, 0  # segments of TCP that nobody had answered
        self.answers, self.errors = collections.Counter(), collections.Counter()

    def ask(self):
        try:
            self.answers[self.name_of_next()] += 1
        except OSError as error:
            self.errors[name_of(error)] += 1

    def name_of_next(self):
        return self.answer().split()[0]

    def answer(self):
        """One request: what is said to it, which is the backend's name and the client's address."""
        return self.how().decode().strip()

    def tally(self):
        return {"answers": dict(self.answers), "errors": dict(self.errors)}

    def open(self, kind):
        """A socket, and the address to dial: what the host's name means is asked each time."""
        family, _, _, _, address = socket.getaddrinfo(self.host, self.port, self.family, kind)[0]
        opened = socket.socket(family, kind)
        opened.settimeout(self.patience)
        return opened, address

    def tcp(self, request=b""):
        connection, address = self.open(socket.SOCK_STREAM)
        with connection:
            try:
                connection.connect(address)
                connection.sendall(request)
                return received(connection.recv(1024))
            finally:
                information = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
                self.repeated += struct.unpack_from("I", information, TOTAL_RETRANSMISSIONS)[0]

    def udp(self, prepare=lambda connection: None):
        connection, address = self.open(socket.SOCK_DGRAM)
        with connection:
            prepare(connection)
            connection.connect(address)
            connection.send(b"who?")
            return received(connection.recv(256))

    def udp_fresh(self):
        return self.udp(bind_fresh)

    def udp_unconnected(self):
        connection, address = self.open(socket.SOCK_DGRAM)
        with connection:
            connection.sendto(b"who?", address)
            answer, source = connection.recvfrom(256)
            if source[:2] != address[:2]:
                raise OSError(errno.EBADMSG, f"an answer from {source}")
            return received(answer)

    def health(self):
        """What a load balancer asks a healthCheckNodePort: status and weight."""
        lines = self.tcp(b"GET / HTTP/1.0\r\n\r\n").decode().lower().splitlines()
        weight = [line.split()[-1] for line in lines if line.startswith("x-load-balancing-endpoint-weight:")]
        return f"{lines[0].split()[1]} weight={','.join(weight)}".encode()


class Trial:
    """Asks these targets in turn, until so many names have answered, a request failed, or most requests were sent."""

    def __init__(self, how, targets, family, names, most, patience):
        self.clients = [Client(how, host, port, family, patience) for host, port in targets]
        self.names, self.most, self.answers, self.error = names, most, set(), None

    def run(self):
        """Who answered, what failed, how long the slowest took, and how much was sent again."""
        slowest = 0
        for number in range(self.most):
            begun = time.monotonic()
            self.ask(self.clients[number % len(self.clients)])
            slowest = max(slowest, time.monotonic() - begun)
            if self.error or len({answer.split()[0] for answer in self.answers}) == self.names:
                break
        return {"answers": sorted(self.answers), "error": self.error, "ms": round(1000 * slowest, 1),
                "repeated": sum(client.repeated for client in self.clients)}

    def ask(self, client):
        try:
            self.answers.add(client.answer())
        except OSError as error:
            self.error = name_of(error)


def bind_fresh(datagrams):
    while True:
        with contextlib.suppress(OSError):  # somebody has this one
            return datagrams.bind(("", next(FRESH_PORTS)))


def received(data):
    if not data:
        raise OSError(errno.ENODATA, "closed without an answer")
    return data


def name_of(error):
    if isinstance(error, TimeoutError):
        return "timeout" if error.errno is None else errno.errorcode[error.errno]
    if isinstance(error, socket.gaierror):
        return "unknown name"
    return errno.errorcode.get(error.errno, str(error))
