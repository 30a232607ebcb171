# SPDX-License-Identifier: Apache-2.0
"""What one writes without a daemon: polls Modbus instruments with pymodbus and publishes with pyzmq.

    poll-script.py ENDPOINT FIRST_PORT INSTRUMENTS FIRST_REGISTER

It journals nothing, checks nothing, and does not reconnect.
"""
import asyncio
import json
import struct
import sys
import time

import zmq
from pymodbus.client import AsyncModbusTcpClient

EVERY_S = 0.1


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


async def main(endpoint, first_port, count, first):
    publisher = zmq.Context.instance().socket(zmq.PUB)
    publisher.bind(endpoint)
    ports = range(int(first_port), int(first_port) + int(count))
    await asyncio.gather(*(poll(port, int(first), publisher) for port in ports))


asyncio.run(main(*sys.argv[1:]))
