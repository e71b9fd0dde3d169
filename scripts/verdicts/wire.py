"""RTP, SRTP by libsrtp, SIP with SDP, and the pcap that holds them."""

import base64
import ctypes
import random
import struct

MKI = b"\x00\x00\x00\x01"

# Name, libsrtp's policy, octets of key and salt, suite in SDP, with an MKI.
SUITES = [
    ("HMAC-80", "srtp_crypto_policy_set_rtp_default", 30, "AES_CM_128_HMAC_SHA1_80", False),
    ("HMAC-32", "srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32", 30, "AES_CM_128_HMAC_SHA1_32", False),
    ("AES-GCM", "srtp_crypto_policy_set_aes_gcm_128_16_auth", 28, "AEAD_AES_128_GCM", False),
    ("HMAC-80 with MKI", "srtp_crypto_policy_set_rtp_default", 30, "AES_CM_128_HMAC_SHA1_80", True),
    ("AES-GCM with MKI", "srtp_crypto_policy_set_aes_gcm_128_16_auth", 28, "AEAD_AES_128_GCM", True),
]
NULL = ("NULL", "srtp_crypto_policy_set_null_cipher_hmac_sha1_80", 30, "NULL_HMAC_SHA1_80", False)


class Crypto(ctypes.Structure):
    _fields_ = [("cipher", ctypes.c_uint32), ("cipher_key", ctypes.c_int), ("auth", ctypes.c_uint32),
                ("auth_key", ctypes.c_int), ("tag", ctypes.c_int), ("services", ctypes.c_int)]


class MasterKey(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("mki", ctypes.c_char_p), ("mki_size", ctypes.c_uint)]


class Policy(ctypes.Structure):
    _fields_ = [("ssrc_type", ctypes.c_int), ("ssrc", ctypes.c_uint), ("rtp", Crypto), ("rtcp", Crypto),
                ("key", ctypes.c_char_p), ("keys", ctypes.POINTER(ctypes.POINTER(MasterKey))),
                ("key_count", ctypes.c_ulong), ("ekt", ctypes.c_void_p), ("window", ctypes.c_ulong),
                ("allow_repeat", ctypes.c_int), ("headers", ctypes.c_void_p),
                ("header_count", ctypes.c_int), ("next", ctypes.c_void_p)]


class Srtp:
    """One session that protects packets."""

    lib = None

    def __init__(self, suite, dice):
        if Srtp.lib is None:
            Srtp.lib = ctypes.CDLL("libsrtp2.so.1")
            Srtp.lib.srtp_init()
        _, setter, size, self.name, self.with_mki = suite
        self.key = bytes(dice.randrange(256) for _ in range(size))
        policy = Policy()
        getattr(Srtp.lib, setter)(ctypes.byref(policy.rtp))
        getattr(Srtp.lib, setter)(ctypes.byref(policy.rtcp))
        policy.ssrc_type = 3  # any outbound
        policy.window = 128
        if self.with_mki:
            self.master = MasterKey(self.key, MKI, len(MKI))
            self.table = (ctypes.POINTER(MasterKey) * 1)(ctypes.pointer(self.master))
            policy.keys, policy.key_count = self.table, 1
        else:
            policy.key = self.key
        self.session = ctypes.c_void_p()
        status = Srtp.lib.srtp_create(ctypes.byref(self.session), ctypes.byref(policy))
        if status != 0:
            raise RuntimeError(f"srtp_create: {status}")

    def protect(self, packet):
        room = ctypes.create_string_buffer(packet, len(packet) + 200)
        length = ctypes.c_int(len(packet))
        status = Srtp.lib.srtp_protect_mki(self.session, room, ctypes.byref(length),
                                           ctypes.c_uint(self.with_mki), ctypes.c_uint(0))
        if status != 0:
            raise RuntimeError(f"srtp_protect: {status}")
        return room.raw[:length.value]

    def line(self):
        mki = f"|{int.from_bytes(MKI, 'big')}:{len(MKI)}" if self.with_mki else ""
        return f"a=crypto:1 {self.name} inline:{base64.b64encode(self.key).decode()}{mki}\r\n"


class Capture:
    """Datagrams between two hosts, sorted by time when written."""

    HOSTS = {"a": b"\xc0\x00\x02\x0a", "b": b"\xc6\x33\x64\x05"}
    NAMES = {"a": "192.0.2.10", "b": "198.51.100.5"}

    def __init__(self):
        self.frames = []

    def udp(self, at, src, dst, payload):
        (from_host, from_port), (to_host, to_port) = src, dst
        udp = struct.pack(">HHHH", from_port, to_port, 8 + len(payload), 0) + payload
        number = len(self.frames) & 0xFFFF
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0,
                         self.HOSTS[from_host], self.HOSTS[to_host])
        self.frames.append((at, len(self.frames), ip + udp))

    def write(self, path):
        with open(path, "wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))
            for at, _, octets in sorted(self.frames):
                micros = int(at * 1e6)
                out.write(struct.pack("<IIII", 1_767_000_000 + micros // 1_000_000, micros % 1_000_000,
                                      len(octets), len(octets)))
                out.write(octets)


def session(capture, at, number, port, medium, payload_type, rtpmap, srtp):
    """INVITE, 200 and ACK of a call whose media go from a:port to b:port."""
    profile = "RTP/SAVP" if srtp else "RTP/AVP"
    call = f"verdict-{number}@192.0.2.10"

    def sdp(host):
        address = Capture.NAMES[host]
        return (f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
                f"m={medium} {port} {profile} {payload_type}\r\na=rtpmap:{payload_type} {rtpmap}\r\n"
                + (srtp.line() if srtp else ""))

    def message(start, method, body, to_tag):
        tag = f";tag=b{number}" if to_tag else ""
        return (f"{start}\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK{number}{method}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:a@example.org>;tag=a{number}\r\n"
                f"To: <sip:b@example.org>{tag}\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\n"
                "Contact: <sip:x@192.0.2.10>\r\n"
                + ("Content-Type: application/sdp\r\n" if body else "")
                + f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    a, b = ("a", 5060), ("b", 5060)
    invite = "INVITE sip:b@198.51.100.5 SIP/2.0"
    capture.udp(at, a, b, message(invite, "INVITE", sdp("a"), False))
    capture.udp(at + 0.02, b, a, message("SIP/2.0 200 OK", "INVITE", sdp("b"), True))
    capture.udp(at + 0.03, a, b, message("ACK sip:b@198.51.100.5 SIP/2.0", "ACK", "", True))


def stream(capture, at, port, ssrc, payload_type, rate, packets, srtp, dice):
    """Sends packets from a:port to b:port, protected if asked; returns how many."""
    sequence, stamp, now = dice.randrange(1 << 15), dice.randrange(1 << 32), at
    for payload, ticks, marker in packets:
        stamp = (stamp + ticks) & 0xFFFFFFFF
        # Packets of one picture follow each other.
        now += ticks / rate if 0 < ticks < 1 << 31 else 0.0005
        header = struct.pack(">BBHII", 0x80, payload_type | (0x80 if marker else 0), sequence, stamp, ssrc)
        packet = header + payload
        capture.udp(now, ("a", port), ("b", port), srtp.protect(packet) if srtp else packet)
        sequence = (sequence + 1) & 0xFFFF
    return len(packets)


def dice_of(*what):
    return random.Random("/".join(map(str, what)))
