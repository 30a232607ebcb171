# SPDX-License-Identifier: Apache-2.0
"""Keys of programs on other machines, and the TCP endpoints that they connect to."""

import json
import socket
import subprocess

import zmq
from zmq.auth import load_certificate


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class Keys:
    """The daemon's key, those of programs by name, and the list of the authorised ones."""

    def __init__(self, lab):
        self.lab, self.folder, self.roles = lab, lab.dir / 'keys', {}
        self.folder.mkdir()
        self.endpoints = {name: f'tcp://127.0.0.1:{free_port()}' for name in ('live', 'replay', 'control')}
        self.make('server')

    def make(self, name, *roles):
        """A key of its own file; without roles it is not in the list."""
        subprocess.run([self.lab.paths['assayctl'], 'keygen', name, '--to', str(self.folder)], check=True,
                       stdout=subprocess.DEVNULL)
        self.authorise(name, *roles)

    def authorise(self, name, *roles):
        self.roles[name] = list(roles)
        listed = {name: {'key': self.pair(name)[0].decode(), 'roles': roles} for name, roles in self.roles.items() if roles}
        self.list.write_text(json.dumps(listed))
        self.list.chmod(0o644)

    list = property(lambda self: self.folder / 'authorised.yaml')

    def secret(self, name):
        return self.folder / f'{name}.secret'

    def pair(self, name):
        return load_certificate(self.secret(name))

    @property
    def sockets(self):
        """The section of the configuration."""
        return {'listen': self.endpoints, 'server_key': str(self.secret('server')), 'authorised_keys': str(self.list)}

    def environment(self, name):
        """Of a consumer of tests/integration/clients with the key of that name."""
        return {'ASSAY_LIVE': self.endpoints['live'], 'ASSAY_REPLAY': self.endpoints['replay'],
                'ASSAY_KEY': str(self.secret(name)), 'ASSAY_SERVER_KEY': str(self.folder / 'server.public')}

    def connect(self, name, kind, key=None):
        """A socket of PyZMQ, with the key of that name; None: without CURVE."""
        peer = zmq.Context.instance().socket(kind)
        peer.linger = 0
        if kind == zmq.SUB:
            peer.subscribe('a1/')
        if key is not None:
            peer.curve_serverkey = self.pair('server')[0]
            peer.curve_publickey, peer.curve_secretkey = self.pair(key)
        peer.connect(self.endpoints[name])
        return peer
