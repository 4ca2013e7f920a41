#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What runs in a test's pods, and on nodes as a host process: a backend that says its name, and a client.

  TCP 8080, UDP 8080   answer with the name, and the address of who asks
  TCP 8081             HTTP: 200 if ready, else 503
  TCP 9000             takes commands: a line of JSON in, a line of JSON out

Usage: probe.py NAME [ADDRESS]    listens at this address only, where several share a network
"""

import asyncio
import concurrent.futures
import json
import signal
import socket
import sys
import threading
import time

from client import Client, Trial

PORT, READINESS, COMMANDS = 8080, 8081, 9000
LONGEST_COMMAND = 1 << 20  # bytes
DRAINED_AFTER = 1  # seconds in which nobody came
PAUSE = 0.002  # between the requests of one client


class Backend:
    """Answers with its name. When told to end it goes on until nobody comes any more, as a well-behaved server does."""

    def __init__(self, name, address=None):
        self.name, self.ready, self.last_request = name, True, 0.0
        self.address = address

    async def serve(self):
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        for port, handler in ((PORT, self.answer), (READINESS, self.tell_readiness), (COMMANDS, self.obey)):
            await asyncio.start_server(handler, self.address, port, backlog=1024, limit=LONGEST_COMMAND)
        for family in (socket.AF_INET,) if self.address else (socket.AF_INET, socket.AF_INET6):
            await loop.create_datagram_endpoint(lambda: Datagrams(self), sock=datagram_socket(family, self.address))
        await ended.wait()
        while time.monotonic() < self.last_request + DRAINED_AFTER:
            await asyncio.sleep(DRAINED_AFTER / 10)

    def answer_to(self, client):
        self.last_request = time.monotonic()
        return f"{self.name} {client[0] if client else 'gone'}\n".encode()

    async def answer(self, _, writer):
        writer.write(self.answer_to(writer.get_extra_info("peername")))
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

    def do_try(self, trials, at_once):
        """All of them, so many at the same time."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda trial: Trial(**trial).run(), trials))

    def do_look(self, stream):
        return Stream.running[stream].client.tally()

    def do_stop_asking(self, stream):
        return Stream.running[stream].stop()


def datagram_socket(family, address):
    opened = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    opened.bind((address or "", PORT))
    return opened


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, backend):
        self.backend, self.transport = backend, None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, _, client):
        self.transport.sendto(self.backend.answer_to(client), client)


async def close(writer):
    try:
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    except ConnectionError:
        pass  # the client's business


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
    asyncio.run(Backend(*sys.argv[1:]).serve())
