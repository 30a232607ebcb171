# SPDX-License-Identifier: Apache-2.0
"""A script in place of the daemon: polls Modbus instruments with pymodbus and publishes with pyzmq.

    poll-script.py ENDPOINT FIRST_PORT INSTRUMENTS FIRST_REGISTER [JOURNAL]

It checks nothing and does not reconnect.  With JOURNAL, readings are appended to that file and synced,
in groups of those that came during the last sync, before they are published.
"""
import asyncio
import json
import os
import struct
import sys
import time

import zmq
from pymodbus.client import AsyncModbusTcpClient

EVERY_S = 0.1


class Journal:
    """Appends, syncs, then sends all readings since the last time, once per turn of the loop."""

    def __init__(self, path, publisher):
        self.fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND)
        self.publisher, self.group = publisher, []

    def send_multipart(self, message):
        if not self.group:
            asyncio.get_running_loop().call_soon(self.commit)
        self.group.append(message)

    def commit(self):
        os.write(self.fd, b"".join(topic + body + b"\n" for topic, body in self.group))
        os.fdatasync(self.fd)
        for message in self.group:
            self.publisher.send_multipart(message)
        self.group = []


async def poll(port, first, publisher):
    client = AsyncModbusTcpClient("127.0.0.1", port=port)
    await client.connect()
    topic = f"gas-{port}/".encode()
    due = (time.time() // EVERY_S + 1) * EVERY_S
    while True:
        await asyncio.sleep(due - time.time())
        due += EVERY_S
        reply = await client.read_holding_registers(first, 16, slave=1)
        values = struct.unpack(">8f", struct.pack(">16H", *reply.registers))
        publisher.send_multipart([topic, json.dumps({"t": time.time(), "values": values}).encode()])


async def main(endpoint, first_port, count, first, journal=None):
    publisher = zmq.Context.instance().socket(zmq.PUB)
    publisher.bind(endpoint)
    if journal is not None:
        publisher = Journal(journal, publisher)
    ports = range(int(first_port), int(first_port) + int(count))
    await asyncio.gather(*(poll(port, int(first), publisher) for port in ports))


asyncio.run(main(*sys.argv[1:]))
