# SPDX-License-Identifier: Apache-2.0
"""An instrument behind a web server: frames, a recording of them, a server that restarts or redirects."""

import http.server
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, sys.argv[1])
from lab import Lab, lint, paths_from, wait_for  # noqa: E402

paths = paths_from(sys.argv[2:])
FILE = bytes(i * 7 % 251 for i in range(300_000))


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.seen.append((self.path, self.headers['Host'], self.client_address[1]))
        if server.to:
            self.send_response(302)
            self.send_header('Location', server.to + self.path)
            self.end_headers()
            return
        body = {'/serial': b'4711', '/value': str(len(server.seen)).encode(), '/file': FILE}[self.path]
        self.send_response(200)
        self.send_header('Content-Type', 'application/x-opus')
        if self.path != '/value':  # its end is that of the connection
            self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server:
    def __init__(self, port=0):
        self.http = http.server.ThreadingHTTPServer(('127.0.0.1', port), Pages)
        self.http.seen, self.http.to = [], None
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, kwargs={'poll_interval': 0.02}, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def add_driver(lab):
    folder = lab.dir / 'drivers'
    folder.mkdir()
    (folder / 'web.so').symlink_to(paths['web'])
    lab.paths = {**lab.paths, 'drivers': str(folder)}


def instrument(link):
    return {'driver': 'web', 'simulated': True, 'acquire': {'frames': 2, 'every': '10ms'}, 'link': link}


def measure(lab):
    """The frames of one more run."""
    before = len(lab.frames('ir'))
    done = lab.ctl('run', 'start', 'ir', '--wait')
    assert ' complete ' in done.stdout, done
    frames = lab.wait_frames('ir', before + 2)[before:]
    return [(f.record['vars'], f.record['raw']) for f in frames]


def record(lab, file):
    """Starts a recording; returns the function that ends it."""
    process = subprocess.Popen([paths['assayctl'], '--dir', str(lab.dir / 'run'), 'capture', 'ir', '--to', str(file)],
                               stdout=subprocess.PIPE, text=True)
    wait_for('the recording begins', lambda: [e for e in lab.entries(type='audit') if e.record['event'] == 'capture-start'])

    def stop():
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        assert process.returncode == 0 and ' 0 bytes not recorded' in out, out
    return stop


def test_frames_and_recording(server, file):
    with Lab(paths) as lab:
        add_driver(lab)
        lab.start({'instruments': {'ir': instrument({'type': 'http', 'host': '127.0.0.1', 'port': server.port})}})
        lab.wait_state('ir', 'idle')
        stop = record(lab, file)
        frames = measure(lab) + measure(lab)
        stop()
        assert all(raw[1]['data'] == FILE and raw[1]['media'] == 'application/x-opus' for _, raw in frames)
        assert len({raw[0]['data'] for _, raw in frames}) == 4
        seen = server.http.seen
        assert {host for _, host, _ in seen} == {f'127.0.0.1:{server.port}'}
        assert len({number for _, _, number in seen}) == len(seen)  # a connection each

        # A server that restarts costs no port.
        server.close()
        failed = lab.ctl('run', 'start', 'ir', '--wait', code=None)
        assert ' complete ' not in failed.stdout and 'Connection refused' in failed.stdout + failed.stderr, failed
        server = Server(server.port)
        lab.wait_state('ir', 'idle')
        measure(lab)

        # A redirect within the host is followed; the error of one to another host names that.
        other = Server()
        server.http.to = f'http://127.0.0.1:{other.port}'
        failed = lab.ctl('run', 'start', 'ir', '--wait', code=None)
        text = failed.stdout + failed.stderr
        assert f'redirected to http://127.0.0.1:{other.port}/' in text and 'not this instrument' in text, failed
        assert other.http.seen == []
        other.close()
        server.close()
        lint(lab)
        return frames


def test_playback(file, frames):
    with Lab(paths) as lab:
        add_driver(lab)
        lab.start({'instruments': {'ir': instrument({'type': 'playback', 'file': str(file)})}})
        lab.wait_state('ir', 'idle')
        again = measure(lab) + measure(lab)
        assert again == frames
        lint(lab)


with tempfile.TemporaryDirectory() as folder:
    recorded = pathlib.Path(folder) / 'ir.cap'
    test_playback(recorded, test_frames_and_recording(Server(), recorded))
