"""Sound and pictures, and what real encoders make of them: payloads as RTP carries them.

Every codec is a function of a name and samples that returns a list of packets: (payload, ticks since
the packet before, marker). The encoders are those of Debian: ffmpeg, and by ctypes libopus, bcg729,
opencore-amr and vo-amrwbenc.
"""

import ctypes
import math
import os
import random
import socket
import struct
import subprocess
import tempfile
import threading

SECONDS = 5

TEXT = (
    "Good morning, this is the front desk. I can see your booking for Thursday, for two people and "
    "three nights. Would you like a room that looks on to the garden, or rather one on the quiet side "
    "of the house? Breakfast is from seven to ten. If you arrive late, ring the bell at the side door."
)


def run(*command, data=None):
    return subprocess.run(command, input=data, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def ffmpeg(pcm, rate, *options):
    """Raw output of ffmpeg for 16-bit samples."""
    source = ["-f", "s16le", "-ar", str(rate), "-ac", "1", "-i", "pipe:0"]
    return run("ffmpeg", "-v", "error", *source, *options, "pipe:1", data=pcm)


def at_rate(pcm, rate):
    """48 kHz samples at another rate."""
    return pcm if rate == 48_000 else ffmpeg(pcm, 48_000, "-ar", str(rate), "-f", "s16le")


def samples(function):
    count = SECONDS * 48_000
    values = (max(-32_767, min(32_767, int(function(n / 48_000)))) for n in range(count))
    return struct.pack(f"<{count}h", *values)


def speech(voice, speed):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "speech.wav")
        run("espeak-ng", "-v", voice, "-s", str(speed), "-w", path, TEXT)
        pcm = run("ffmpeg", "-v", "error", "-i", path, "-ar", "48000", "-ac", "1", "-f", "s16le", "pipe:1")
    wanted = SECONDS * 96_000
    return (pcm * (wanted // len(pcm) + 1))[:wanted]


def contents():
    """The inputs, 48 kHz mono, by name."""
    dice = random.Random(7)
    chords = [(220, 277, 330), (196, 247, 294), (175, 220, 262), (196, 247, 330)]

    def music(t):
        tones = chords[int(t * 2) % 4]
        fade = math.exp(-3 * ((t * 2) % 1)) * 0.8 + 0.2
        return 5_000 * fade * sum(math.sin(2 * math.pi * f * k * t) / k for f in tones for k in (1, 2, 3))

    return {
        "speech": speech("en", 160),
        "other speech": speech("de+f3", 190),
        "music": samples(music),
        "noise": samples(lambda t: dice.gauss(0, 7_000)),
        "tone": samples(lambda t: 9_000 * math.sin(2 * math.pi * 425 * t)),
        "silence": samples(lambda t: 0),
    }


def slices(octets, size, ticks):
    whole = len(octets) // size * size
    return [(octets[i:i + size], ticks, False) for i in range(0, whole, size)]


def raw(codec, rate, size, ticks, container, *options):
    """A codec that ffmpeg writes as bare frames of one size."""
    def encode(pcm):
        out = ffmpeg(at_rate(pcm, rate), rate, "-c:a", codec, *options, "-f", container)
        return slices(out, size, ticks)
    return encode


def g723(pcm):
    out = ffmpeg(at_rate(pcm, 8_000), 8_000, "-c:a", "g723_1", "-b:a", "6300", "-f", "g723_1")
    return slices(out, 24, 240)


def ogg_packets(octets):
    """The packets of the one stream in an Ogg file."""
    packets, part, at = [], b"", 0
    while at + 27 <= len(octets):
        count = octets[at + 26]
        table = octets[at + 27:at + 27 + count]
        at += 27 + count
        for size in table:
            part += octets[at:at + size]
            at += size
            if size < 255:
                packets.append(part)
                part = b""
    return packets


def speex(rate):
    def encode(pcm):
        out = ffmpeg(at_rate(pcm, rate), rate, "-c:a", "libspeex", "-frames_per_packet", "1", "-f", "ogg")
        return [(packet, rate // 50, False) for packet in ogg_packets(out)[2:]]
    return encode


def library(*names):
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            pass
    raise OSError(f"none of {names}")


def opus(bitrate, milliseconds=20, application=2048, dtx=False, cbr=False):
    def encode(pcm):
        lib = library("libopus.so.0")
        lib.opus_encoder_create.restype = ctypes.c_void_p
        error = ctypes.c_int()
        encoder = ctypes.c_void_p(lib.opus_encoder_create(48_000, 1, application, ctypes.byref(error)))
        controls = [(4002, bitrate), (4016, int(dtx)), (4006, int(not cbr))]
        for control, value in controls:
            lib.opus_encoder_ctl(encoder, ctypes.c_int(control), ctypes.c_int(value))
        frame = 48 * milliseconds
        out = ctypes.create_string_buffer(1_500)
        packets, skipped = [], 0
        for at in range(0, len(pcm) // 2 - frame + 1, frame):
            used = lib.opus_encode(encoder, pcm[at * 2:(at + frame) * 2], frame, out, 1_500)
            # With DTX, packets of one or two octets are not sent.
            if dtx and used <= 2:
                skipped += frame
                continue
            packets.append((out.raw[:used], frame + skipped, skipped > 0))
            skipped = 0
        lib.opus_encoder_destroy(encoder)
        return packets
    return encode


def g729(vad, frames=2):
    def encode(pcm):
        lib = library("libbcg729.so.0")
        lib.initBcg729EncoderChannel.restype = ctypes.c_void_p
        channel = ctypes.c_void_p(lib.initBcg729EncoderChannel(ctypes.c_uint8(vad)))
        pcm = at_rate(pcm, 8_000)
        out, length = ctypes.create_string_buffer(10), ctypes.c_uint8()
        packets, held, skipped = [], b"", 0
        for at in range(0, len(pcm) - 159, 160):
            lib.bcg729Encoder(channel, pcm[at:at + 160], out, ctypes.byref(length))
            frame = out.raw[:length.value]
            if not frame:
                skipped += 80
                continue
            held += frame
            # A SID frame ends its packet (RFC 3551 4.5.6).
            if len(frame) == 2 or len(held) >= 10 * frames:
                ticks = 80 * math.ceil(len(held) / 10)
                packets.append((held, ticks + skipped, skipped > 0))
                held, skipped = b"", 0
        return packets
    return encode


AMR_BITS = [95, 103, 118, 134, 148, 159, 204, 244, 39]
AMR_WB_BITS = [132, 177, 253, 285, 317, 365, 397, 461, 477, 40]


def amr_payload(frame, bits, aligned):
    """RFC 4867: a storage frame as one payload, octet-aligned or bandwidth-efficient."""
    kind = frame[0] >> 3 & 0x0f
    if aligned:
        return bytes([0xF0, kind << 3 | 4]) + frame[1:]
    count = bits[kind] if kind < len(bits) else 0
    body = int.from_bytes(frame[1:], "big") >> (8 * (len(frame) - 1) - count) if count else 0
    total = 10 + count
    value = ((15 << 6 | kind << 1 | 1) << count) | body
    padding = -total % 8
    return (value << padding).to_bytes((total + padding) // 8, "big")


def amr(mode, aligned, dtx=0):
    def encode(pcm):
        lib = library("libopencore-amrnb.so.0")
        lib.Encoder_Interface_init.restype = ctypes.c_void_p
        state = ctypes.c_void_p(lib.Encoder_Interface_init(dtx))
        pcm, out, packets = at_rate(pcm, 8_000), ctypes.create_string_buffer(64), []
        for at in range(0, len(pcm) - 319, 320):
            used = lib.Encoder_Interface_Encode(state, mode, pcm[at:at + 320], out, 0)
            packets.append((amr_payload(out.raw[:used], AMR_BITS, aligned), 160, False))
        lib.Encoder_Interface_exit(state)
        return packets
    return encode


def amr_wb(mode, aligned):
    def encode(pcm):
        lib = library("libvo-amrwbenc.so.0")
        lib.E_IF_init.restype = ctypes.c_void_p
        state = ctypes.c_void_p(lib.E_IF_init())
        pcm, out, packets = at_rate(pcm, 16_000), ctypes.create_string_buffer(128), []
        for at in range(0, len(pcm) - 639, 640):
            used = lib.E_IF_encode(state, mode, pcm[at:at + 640], out, 0)
            packets.append((amr_payload(out.raw[:used], AMR_WB_BITS, aligned), 320, False))
        lib.E_IF_exit(state)
        return packets
    return encode


def pictures(codec, *options):
    """Video that ffmpeg makes and sends as RTP to a socket of ours."""
    sources = {
        "speech": "testsrc2=size=320x240:rate=25", "other speech": "testsrc2=size=352x288:rate=15",
        "music": "mandelbrot=size=320x240:rate=25", "tone": "smptebars=size=320x240:rate=25",
        "silence": "color=gray:size=320x240:rate=25", "noise": "life=size=320x240:rate=25:mold=10",
    }

    def encode(content):
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        port, got = listener.getsockname()[1], []

        def receive():
            try:
                while True:
                    got.append(listener.recv(2_048))
            except TimeoutError:
                pass

        thread = threading.Thread(target=receive)
        thread.start()
        size = "scale=352:288" if codec.startswith("h263") else "null"
        run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", sources[content], "-t", "4", "-vf", size,
            "-pix_fmt", "yuv420p", "-threads", "1", "-c:v", codec, *options, "-f", "rtp",
            f"rtp://127.0.0.1:{port}?pkt_size=1200")
        thread.join()
        packets, before = [], None
        for packet in got:
            (stamp,) = struct.unpack(">I", packet[4:8])
            ticks = 0 if before is None else (stamp - before) & 0xFFFFFFFF
            before = stamp
            packets.append((packet[12:], ticks, packet[1] & 0x80 != 0))
        return packets
    encode.by_name = True
    return encode


AUDIO, VIDEO = 8_000, 90_000

# Name, encoding name and rate in SDP, static payload type or None, encoder.
CODECS = [
    ("PCMU", "PCMU/8000", 0, raw("pcm_mulaw", 8_000, 160, 160, "mulaw")),
    ("PCMA", "PCMA/8000", 8, raw("pcm_alaw", 8_000, 160, 160, "alaw")),
    ("PCMA 30 ms", "PCMA/8000", 8, raw("pcm_alaw", 8_000, 240, 240, "alaw")),
    ("G.722", "G722/8000", 9, raw("g722", 16_000, 160, 160, "g722")),
    ("G.726-16", "G726-16/8000", None, raw("g726le", 8_000, 40, 160, "g726le", "-b:a", "16k")),
    ("G.726-24", "G726-24/8000", None, raw("g726le", 8_000, 60, 160, "g726le", "-b:a", "24k")),
    ("G.726-32", "G726-32/8000", None, raw("g726le", 8_000, 80, 160, "g726le", "-b:a", "32k")),
    ("G.726-40", "G726-40/8000", None, raw("g726le", 8_000, 100, 160, "g726le", "-b:a", "40k")),
    ("G.723.1", "G723/8000", 4, g723),
    ("G.729A", "G729/8000", 18, g729(0)),
    ("G.729AB", "G729/8000", 18, g729(1)),
    ("G.729A 30 ms", "G729/8000", 18, g729(0, 3)),
    ("GSM", "GSM/8000", 3, raw("libgsm", 8_000, 33, 160, "gsm")),
    ("L16 8 kHz", "L16/8000", None, raw("pcm_s16be", 8_000, 320, 160, "s16be")),
    ("L16 16 kHz", "L16/16000", None, raw("pcm_s16be", 16_000, 640, 320, "s16be")),
    ("Speex 8 kHz", "speex/8000", None, speex(8_000)),
    ("Speex 16 kHz", "speex/16000", None, speex(16_000)),
    ("AMR 4.75, aligned", "AMR/8000", None, amr(0, True)),
    ("AMR 12.2, aligned", "AMR/8000", None, amr(7, True)),
    ("AMR 12.2", "AMR/8000", None, amr(7, False)),
    ("AMR 5.9", "AMR/8000", None, amr(2, False)),
    ("AMR 12.2, DTX", "AMR/8000", None, amr(7, False, 1)),
    ("AMR-WB 12.65, aligned", "AMR-WB/16000", None, amr_wb(2, True)),
    ("AMR-WB 23.85", "AMR-WB/16000", None, amr_wb(8, False)),
    ("AMR-WB 6.6", "AMR-WB/16000", None, amr_wb(0, False)),
    ("Opus 6 kbit/s", "opus/48000/2", None, opus(6_000)),
    ("Opus 16 kbit/s", "opus/48000/2", None, opus(16_000)),
    ("Opus 24 kbit/s", "opus/48000/2", None, opus(24_000)),
    ("Opus 24 kbit/s, DTX", "opus/48000/2", None, opus(24_000, dtx=True)),
    ("Opus 32 kbit/s, 60 ms", "opus/48000/2", None, opus(32_000, 60)),
    ("Opus 64 kbit/s, music", "opus/48000/2", None, opus(64_000, application=2049)),
    ("Opus 128 kbit/s, CBR", "opus/48000/2", None, opus(128_000, application=2049, cbr=True)),
    ("H.264", "H264/90000", None, pictures("libx264", "-b:v", "400k", "-bf", "0")),
    ("H.265", "H265/90000", None, pictures("libx265", "-b:v", "400k", "-x265-params",
                                               "log-level=none:bframes=0")),
    ("VP8", "VP8/90000", None, pictures("libvpx", "-b:v", "400k", "-deadline", "realtime", "-cpu-used", "8")),
    ("VP9", "VP9/90000", None, pictures("libvpx-vp9", "-b:v", "400k", "-deadline", "realtime", "-cpu-used", "8",
                                        "-strict", "experimental")),
    ("H.263+", "H263-1998/90000", None, pictures("h263p", "-b:v", "400k")),
]
