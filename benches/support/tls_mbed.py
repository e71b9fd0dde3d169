#!/usr/bin/env python3
"""mbedTLS 2.28, called from its libraries, for benches/tls-matrix: the last stack here with truncated HMAC (RFC 6066 §7).

    tls_mbed.py server|client [--suites NUMBER,...] [--truncated-hmac] [--cert FILE --key FILE] [--sni NAME] [HOST PORT]

The client prints what was agreed on as openssl s_client does. Contexts are given more room than they take, for
nothing tells their sizes.
"""

import argparse
import ctypes
import os
import socket

ROOM = 1 << 16
VERSIONS = {"TLSv1.0": "TLSv1", "TLSv1.1": "TLSv1.1", "TLSv1.2": "TLSv1.2"}


class Library:
    """The functions of all three libraries, by name, without `mbedtls_`."""

    def __init__(self):
        names = ("libmbedcrypto.so.7", "libmbedx509.so.1", "libmbedtls.so.14")
        self.parts = [ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL) for name in names]

    def __getattr__(self, name):
        for part in self.parts:
            if hasattr(part, f"mbedtls_{name}"):
                return getattr(part, f"mbedtls_{name}")
        raise AttributeError(name)

    def made(self, kind):
        context = ctypes.create_string_buffer(ROOM)
        getattr(self, f"{kind}_init")(context)
        return context

    def call(self, name, *arguments):
        code = getattr(self, name)(*arguments)
        if code != 0:
            raise SystemExit(f"mbedtls_{name}: -0x{-code:04x}")


def version():
    """What it calls itself; `None` without the libraries."""
    try:
        said = ctypes.create_string_buffer(64)
        Library().version_get_string_full(said)
        return said.value.decode()
    except (OSError, AttributeError):
        return None


def configured(lib, options, kept):
    """A configuration; `kept` holds what it points at."""
    entropy, random, config = lib.made("entropy"), lib.made("ctr_drbg"), lib.made("ssl_config")
    lib.call("ctr_drbg_seed", random, lib.entropy_func, entropy, None, 0)
    lib.call("ssl_config_defaults", config, int(options.side == "server"), 0, 0)
    lib.ssl_conf_rng(config, lib.ctr_drbg_random, random)
    lib.ssl_conf_authmode(config, 0)
    suites = [int(each, 16) for each in options.suites.split(",") if each]
    numbers = (ctypes.c_int * (len(suites) + 1))(*suites, 0)
    if suites:
        lib.ssl_conf_ciphersuites(config, numbers)
    lib.ssl_conf_truncated_hmac(config, int(options.truncated_hmac))
    if options.cert:
        chain, key = lib.made("x509_crt"), lib.made("pk")
        lib.call("x509_crt_parse_file", chain, options.cert.encode())
        lib.call("pk_parse_keyfile", key, options.key.encode(), None)
        lib.call("ssl_conf_own_cert", config, chain, key)
        kept += [chain, key]
    kept += [entropy, random, config, numbers]
    return config


def talk(lib, options, taken):
    """One connection over a socket, from its handshake to its end."""
    kept = []
    config, session = configured(lib, options, kept), lib.made("ssl")
    lib.call("ssl_setup", session, config)
    if options.sni:
        lib.call("ssl_set_hostname", session, options.sni.encode())
    place = ctypes.c_int(taken.fileno())
    lib.ssl_set_bio(session, ctypes.byref(place), lib.net_send, lib.net_recv, None)
    lib.call("ssl_handshake", session)
    if options.side == "server":
        lib.ssl_read(session, ctypes.create_string_buffer(4096), 4096)
    else:
        for name in ("ssl_get_version", "ssl_get_ciphersuite"):
            getattr(lib, name).restype = ctypes.c_char_p
        version, suite = lib.ssl_get_version(session).decode(), lib.ssl_get_ciphersuite(session)
        number = lib.ssl_get_ciphersuite_id(suite)
        print(f"New, {VERSIONS.get(version, version)}, Cipher is 0x{number:04x}", flush=True)
        text = b"OPTIONS sip:sip.example.org SIP/2.0\r\n\r\n"
        lib.ssl_write(session, text, len(text))
    lib.ssl_close_notify(session)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("side", choices=["server", "client"])
    arguments.add_argument("--suites", default="", help="numbers in hexadecimal")
    arguments.add_argument("--truncated-hmac", action="store_true")
    arguments.add_argument("--cert")
    arguments.add_argument("--key")
    arguments.add_argument("--sni")
    arguments.add_argument("host", nargs="?", default=os.environ.get("ROW_HOST"))
    arguments.add_argument("port", nargs="?", type=int, default=os.environ.get("ROW_PORT"))
    options = arguments.parse_intermixed_args()
    lib = Library()
    if options.side == "server":
        with socket.create_server((options.host, int(options.port))) as listener:
            taken, _ = listener.accept()
            talk(lib, options, taken)
    else:
        with socket.create_connection((options.host, options.port)) as taken:
            talk(lib, options, taken)


if __name__ == "__main__":
    main()
