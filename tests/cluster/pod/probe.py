#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What runs in a test's pods, and on nodes as a host process: a backend that says its name, and a client.

  TCP 8080, UDP 8080   answer with the name
  TCP 8081             HTTP: 200 if ready, else 503
  TCP 9000             takes commands: a line of JSON in, a line of JSON out

Usage: probe.py NAME
"""

import asyncio
import collections
import errno
import json
import signal
import socket
import sys
import threading
import time

PORT, READINESS, COMMANDS = 8080, 8081, 9000
PATIENCE = 5  # seconds: a request that takes longer has failed
DRAINED_AFTER = 1  # seconds in which nobody came
PAUSE = 0.002  # between the requests of one client


class Backend:
    """Answers with its name. When told to end it goes on until nobody comes any more, as a well-behaved server does."""

    def __init__(self, name):
        self.name, self.ready, self.last_request = name.encode() + b"\n", True, 0.0

    async def serve(self):
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        for port, handler in ((PORT, self.answer), (READINESS, self.tell_readiness), (COMMANDS, self.obey)):
            await asyncio.start_server(handler, None, port, backlog=1024)
        for family in (socket.AF_INET, socket.AF_INET6):
            await loop.create_datagram_endpoint(lambda: Datagrams(self), sock=datagram_socket(family))
        await ended.wait()
        while time.monotonic() < self.last_request + DRAINED_AFTER:
            await asyncio.sleep(DRAINED_AFTER / 10)

    async def answer(self, _, writer):
        self.last_request = time.monotonic()
        writer.write(self.name)
        await close(writer)

    async def tell_readiness(self, reader, writer):
        await reader.readline()
        writer.write(b"HTTP/1.0 200 ready\r\n\r\n" if self.ready else b"HTTP/1.0 503 not ready\r\n\r\n")
        await close(writer)

    async def obey(self, reader, writer):
        command = json.loads(await reader.readline())
        result = await asyncio.to_thread(getattr(self, "do_" + command.pop("do")), **command)
        writer.write(json.dumps(result).encode() + b"\n")
        await close(writer)

    # --- Commands ---

    def do_set_ready(self, ready):
        self.ready = ready

    def do_ask(self, count, **target):
        """So often, but not on after a request that failed."""
        client = Client(**target)
        while sum(client.answers.values()) < count and not client.errors:
            client.ask()
        return client.tally()

    def do_start_asking(self, **target):
        Stream.running[str(len(Stream.running))] = Stream(Client(**target))
        return list(Stream.running)[-1]

    def do_look(self, stream):
        return Stream.running[stream].client.tally()

    def do_stop_asking(self, stream):
        return Stream.running[stream].stop()


def datagram_socket(family):
    opened = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    opened.bind(("", PORT))
    return opened


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, backend):
        self.backend, self.transport = backend, None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, _, client):
        self.backend.last_request = time.monotonic()
        self.transport.sendto(self.backend.name, client)


async def close(writer):
    try:
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    except ConnectionError:
        pass  # the client's business


class Client:
    """Asks one host, which may be a name, and counts who answers and what fails. One thread asks; any may look."""

    def __init__(self, how, host, port, family=socket.AF_INET):
        self.how, self.host, self.port, self.family = getattr(self, how), host, port, family
        self.answers, self.errors = collections.Counter(), collections.Counter()

    def ask(self):
        try:
            self.answers[self.how().decode().strip()] += 1
        except OSError as error:
            self.errors[name_of(error)] += 1

    def tally(self):
        return {"answers": dict(self.answers), "errors": dict(self.errors)}

    def open(self, kind):
        """A socket, and the address to dial: what the host's name means is asked each time."""
        family, _, _, _, address = socket.getaddrinfo(self.host, self.port, self.family, kind)[0]
        opened = socket.socket(family, kind)
        opened.settimeout(PATIENCE)
        return opened, address

    def tcp(self):
        connection, address = self.open(socket.SOCK_STREAM)
        with connection:
            connection.connect(address)
            return received(connection.recv(256))

    def udp(self):
        connection, address = self.open(socket.SOCK_DGRAM)
        with connection:
            connection.connect(address)
            connection.send(b"who?")
            return received(connection.recv(256))

    def udp_unconnected(self):
        connection, address = self.open(socket.SOCK_DGRAM)
        with connection:
            connection.sendto(b"who?", address)
            answer, source = connection.recvfrom(256)
            if source[:2] != address[:2]:
                raise OSError(errno.EBADMSG, f"an answer from {source}")
            return received(answer)


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


class Stream:
    """A client that goes on until it is stopped."""

    running = {}

    def __init__(self, client):
        self.client, self.stopped = client, threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)
        self.thread.start()

    def go_on(self):
        while not self.stopped.wait(PAUSE):
            self.client.ask()

    def stop(self):
        self.stopped.set()
        self.thread.join()
        return self.client.tally()


if __name__ == "__main__":
    asyncio.run(Backend(sys.argv[1]).serve())
