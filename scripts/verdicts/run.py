#!/usr/bin/env python3
"""Encodes sound and pictures with every encoder at hand, sends them in clear and under real SRTP, with
SDP and without, and writes down what overhear says of each stream.

    scripts/verdicts/run.py target/release/overhear docs/verdicts.md

Needs ffmpeg, espeak-ng, libopus0, libsrtp2-1, libbcg729-0, libopencore-amrnb0 and libvo-amrwbenc0. Ends
with status 1 if a verdict is wrong, or if more than 2 % of the clear and encrypted streams of a codec are
unknown.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import encode  # noqa: E402
import wire  # noqa: E402

# Packets of one stream, and of a short one.
LONG, SHORT = 120, 60


def encoded():
    """(codec, content) and its packets."""
    inputs = encode.contents()
    for name, rtpmap, static, encoder in encode.CODECS:
        for content, pcm in inputs.items():
            by_name = getattr(encoder, "by_name", False)
            packets = encoder(content if by_name else pcm)
            print(f"{name}, {content}: {len(packets)} packets", file=sys.stderr)
            yield name, rtpmap, static, content, packets


def cut(packets):
    """Streams out of one recording: one from the start, a short one behind it, and the rest."""
    parts = [packets[:LONG], packets[LONG:LONG + SHORT], packets[LONG + SHORT:]]
    return [part for part in parts if len(part) >= 50]


def build(folder):
    """Writes one capture with SDP and one without; returns what each stream is."""
    captures = {True: wire.Capture(), False: wire.Capture()}
    what, number = {}, 0
    for name, rtpmap, static, content, packets in encoded():
        rate = int(rtpmap.split("/")[1])
        medium = "video" if rate == 90_000 else "audio"
        for index, part in enumerate(cut(packets)):
            suites = [None] + wire.SUITES + [wire.NULL]
            for suite in suites:
                # Each form of protection on one part only, but clear and the default on all.
                if suite and suite is not wire.SUITES[0] and (suites.index(suite) + number) % 3 != index % 3:
                    continue
                for with_sdp, capture in captures.items():
                    for payload_type in {static, 96 + number % 20} - {None}:
                        if static is None or payload_type == static or index == 0:
                            dice = wire.dice_of(name, content, index, suite, with_sdp, payload_type)
                            srtp = wire.Srtp(suite, dice) if suite else None
                            number += 1
                            at, port, ssrc = number * 0.05, 10_000 + 2 * (number % 25_000), number
                            if with_sdp:
                                wire.session(capture, at, number, port, medium, payload_type, rtpmap, srtp)
                            count = wire.stream(capture, at + 0.2, port, ssrc, payload_type, rate, part,
                                                srtp, dice)
                            kind = suite[0] if suite else "clear"
                            what[ssrc] = (name, content, kind, with_sdp, count)
    for with_sdp, capture in captures.items():
        capture.write(os.path.join(folder, f"{with_sdp}.pcap"))
    return what


def judged(program, folder):
    """What the program says of each SSRC."""
    verdicts = {}
    for with_sdp in (True, False):
        path = os.path.join(folder, f"{with_sdp}.pcap")
        out = subprocess.run([program, "review", "--json", "-", path], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL).stdout
        for found in json.loads(out)["streams"]:
            ssrc = found["ssrc"]
            verdicts[int(ssrc, 0) if isinstance(ssrc, str) else ssrc] = found
    return verdicts


CLEAR = {"cleartext"}
ENCRYPTED = {"encrypted-like", "srtp-proven"}
# Readable, with a tag: either word is true.
NULL = {"authenticated-only", "cleartext"}


def right(kind):
    return CLEAR if kind == "clear" else NULL if kind == "NULL" else ENCRYPTED


def table(what, verdicts):
    """Rows of counts by codec, and everything that is wrong."""
    counts = collections.defaultdict(collections.Counter)
    tests = collections.defaultdict(collections.Counter)
    wrong, unknown = [], []
    for ssrc, (name, content, kind, with_sdp, packets) in what.items():
        found = verdicts.get(ssrc)
        word = found["protection"] if found else "no stream"
        column = "clear" if kind == "clear" else "NULL" if kind == "NULL" else "SRTP"
        counts[name][column, with_sdp, "all"] += 1
        where = "with SDP" if with_sdp else "no SDP"
        about = f"{name}, {content}, {kind}, {where}, {packets} packets"
        about += f": {word} {found['verdict'] if found else ''}"
        if word in right(kind):
            counts[name][column, with_sdp, "right"] += 1
            tests[column, with_sdp][found["verdict"]["test"]] += 1
        elif word in ("unknown", "no stream"):
            counts[name][column, with_sdp, "unknown"] += 1
            unknown.append(about)
        else:
            counts[name][column, with_sdp, "wrong"] += 1
            wrong.append(about)
    return counts, tests, wrong, unknown


COLUMNS = [(kind, sdp) for kind in ("clear", "SRTP", "NULL") for sdp in (True, False)]


def markdown(counts, tests, wrong, unknown):
    lines = [
        "# Verdicts on real codecs", "",
        "Which streams `overhear` calls clear, encrypted or unknown. The payloads are those of real",
        "encoders: speech of two voices, music, white noise, a tone and silence; for video test pictures.",
        "Each was sent in clear, under SRTP (libsrtp: HMAC-SHA1 with 80 and 32 bits, AES-GCM, with and",
        "without MKI) and under SRTP with a NULL cipher, on static and dynamic payload types, with SDP and",
        "without, in streams of 50 packets and more. Written by `scripts/verdicts/run.py`, which says what it",
        "needs; it is no part of the checks.", "",
        "A cell reads right / unknown / **wrong**. For a NULL cipher `authenticated-only` is right, and so is",
        "`cleartext` where no codec is known: the payload can be read.", "",
        "| codec | clear, SDP | clear, no SDP | SRTP, SDP | SRTP, no SDP | NULL, SDP | NULL, no SDP |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    total = collections.Counter()
    for name in [codec[0] for codec in encode.CODECS] + ["all"]:
        row = counts.get(name, total)
        if name != "all":
            total.update(row)
        cells = []
        for column in COLUMNS:
            bad = row[(*column, "wrong")]
            shown = f"**{bad}**" if bad else "0"
            cells.append(f"{row[(*column, 'right')]} / {row[(*column, 'unknown')]} / {shown}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "## What decided", "", "| streams | tests |", "| --- | --- |"]
    for kind, sdp in COLUMNS:
        found = ", ".join(f"{test} {count}" for test, count in tests[kind, sdp].most_common())
        lines.append(f"| {kind}, {'SDP' if sdp else 'no SDP'} | {found} |")
    lines += ["", "T1 to T9, chi, bitz and tail are explained in [report.md](report.md)."]
    for heading, rows in (("Wrong", wrong), ("Unknown", unknown)):
        lines += ["", f"## {heading}", ""]
        lines += [f"* {row}" for row in rows[:40]] or ["None."]
        if len(rows) > 40:
            lines.append(f"* and {len(rows) - 40} more")
    return "\n".join(lines) + "\n"


def main():
    program, target = sys.argv[1:3]
    folder = sys.argv[3] if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory() as temporary:
        folder = folder or temporary
        kept = os.path.join(folder, "what.json")
        if os.path.exists(kept):
            with open(kept) as text:
                what = {int(ssrc): tuple(row) for ssrc, row in json.load(text).items()}
        else:
            what = build(folder)
            with open(kept, "w") as text:
                json.dump(what, text)
        counts, tests, wrong, unknown = table(what, judged(program, folder))
    with open(target, "w") as out:
        out.write(markdown(counts, tests, wrong, unknown))
    def share(row, word):
        # A NULL cipher is no encryption, and no codec: it must not be wrong, and that is all.
        return sum(n for key, n in row.items() if key[0] != "NULL" and key[2] == word)

    too_many = [name for name, row in counts.items() if share(row, "unknown") * 50 > share(row, "all")]
    print(f"{len(what)} streams, {len(wrong)} wrong, {len(unknown)} unknown; above 2 %: {too_many}")
    sys.exit(1 if wrong or too_many else 0)


if __name__ == "__main__":
    main()
