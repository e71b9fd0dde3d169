"""The rows of benches/tls-matrix: who talks to whom with which options, which keys there are, and what must be said
of a handshake by what the client printed. Nothing here asks overhear."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

PARTS = {
    "modern": "What should be quiet",
    "versions": "Versions",
    "opened": "TLS 1.3 with its secrets (a key log of the client)",
    "suites": "Kinds of suites and key exchanges",
    "extensions": "Extensions and sessions",
    "certificates": "Certificates",
    "refusals": "Refusals",
    "dtls": "DTLS",
    "every-old": "Every suite of an old stack",
    "every": "Every suite of a current stack",
}
NOT_HERE = {
    "TLS-TRUNC-HMAC": "of these stacks only mbedTLS 2 has it",
}
# A server whose tickets live for ten days.
NODE = """
const tls = require("tls"), fs = require("fs");
tls.createServer({key: fs.readFileSync("ecdsa.key"), cert: fs.readFileSync("ecdsa.pem"), sessionTimeout: 864000,
  maxVersion: "TLSv1.2"}, socket => socket.on("error", () => {})).listen(Number(process.env.ROW_PORT), process.env.ROW_HOST);
"""
NAME = "sip.example.org"
WEAK = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


@dataclass
class Client:
    """One run of a client: its words, and what it is told after which pauses."""

    words: list
    script: list = field(default_factory=list)
    wait: float = 0.3
    patience: float = 5


@dataclass
class Act:
    """A server and its clients, one after the other."""

    server_stack: str
    server: list
    client_stack: str
    clients: list


@dataclass
class Row:
    """One combination. `also`: rules that follow from options and not from what the client prints."""

    name: str
    part: str
    acts: list
    also: set = field(default_factory=set)
    without: set = field(default_factory=set)
    clean: bool = False
    datagrams: bool = False
    secrets: bool = False
    # The alert that must end it.
    alert: str = ""
    port: int = 0
    heard: str = ""

    def stacks(self):
        return [stack for act in self.acts for stack in (act.server_stack, act.client_stack)]


@dataclass
class Suite:
    """What `openssl ciphers -V` says of a suite."""

    name: str
    code: str
    exchange: str
    authentication: str
    cipher: str
    mac: str
    export: bool


def suites_of(program):
    """The suites of an openssl program, by name and by number."""
    everything = "ALL:COMPLEMENTOFALL"
    printed = ""
    tls13 = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"
    for words in (["-ciphersuites", tls13, everything + ":@SECLEVEL=0"], [everything]):
        done = subprocess.run([program, "ciphers", "-V", *words], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            printed = done.stdout
            break
    found = {}
    shape = re.compile(r"^\s*(0x\S+) - (\S+)\s+(\S+)\s+Kx=(\S+)\s+Au=(\S+)\s+Enc=(\S+)\s+Mac=(\S+)(.*)$", re.M)
    for code, name, version, exchange, authentication, cipher, mac, rest in shape.findall(printed):
        octets = [int(octet, 16) for octet in code.split(",")]
        number = "0x" + "".join(f"{octet:02x}" for octet in octets)
        found.setdefault(("SSLv2 " if version == "SSLv2" else "") + name, Suite(name, number, exchange, authentication, cipher, mac, "export" in rest))
    return found


# Keys and certificates.

LEAF = f"basicConstraints=CA:FALSE\nkeyUsage=digitalSignature,keyEncipherment,keyAgreement\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:{NAME},URI:sip:{NAME}\n"
CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n"
CONFIG = "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
P256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]


def rsa(bits, *more):
    return ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}", *more]


def curve(name):
    return ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{name}"]


# Name: signer, digest, days from now, key, extensions, what must be said of it.
CERTIFICATES = {
    "ecdsa": ("ca", "sha256", (-30, 300), P256, LEAF, set()),
    "rsa": ("rca", "sha256", (-30, 300), rsa(2048), LEAF, set()),
    "client": ("ca", "sha256", (-30, 300), P256, LEAF.replace(NAME, "client.example.org"), set()),
    "clientold": ("ca", "sha256", (-300, -30), P256, LEAF.replace(NAME, "client.example.org"), {"TLS-CERT-EXPIRED"}),
    "self": (None, "sha256", (-30, 300), P256, LEAF, {"TLS-CERT-SELF-SIGNED"}),
    "expired": ("ca", "sha256", (-300, -30), P256, LEAF, {"TLS-CERT-EXPIRED"}),
    "notyet": ("ca", "sha256", (30, 300), P256, LEAF, {"TLS-CERT-NOT-YET"}),
    "soon": ("ca", "sha256", (-300, 10), P256, LEAF, {"TLS-CERT-EXPIRES-SOON"}),
    "long": ("ca", "sha256", (-30, 3650), P256, LEAF, {"TLS-CERT-LONG"}),
    "sha1": ("rca", "sha1", (-30, 300), rsa(2048), LEAF, {"TLS-CERT-SIG-SHA1"}),
    "ecsha1": ("ca", "sha1", (-30, 300), P256, LEAF, {"TLS-CERT-SIG-SHA1"}),
    "md5": ("rca", "md5", (-30, 300), rsa(2048), LEAF, {"TLS-CERT-SIG-MD5"}),
    "rsa1024": ("rca", "sha256", (-30, 300), rsa(1024), LEAF, {"TLS-CERT-RSA-SMALL"}),
    "rsa768": ("rca", "sha256", (-30, 300), rsa(768), LEAF, {"TLS-CERT-RSA-SMALL"}),
    "exp3": ("rca", "sha256", (-30, 300), rsa(2048, "-pkeyopt", "rsa_keygen_pubexp:3"), LEAF, {"TLS-CERT-RSA-EXP"}),
    "p192": ("ca", "sha256", (-30, 300), curve("prime192v1"), LEAF, {"TLS-CERT-EC-SMALL"}),
    "p384": ("ca", "sha384", (-30, 300), curve("P-384"), LEAF, set()),
    "ed25519": ("ca", "sha256", (-30, 300), ["-algorithm", "ED25519"], LEAF, set()),
    "pss": ("rca", "sha256", (-30, 300), rsa(3072), LEAF, set()),
    "nosan": ("ca", "sha256", (-30, 300), P256, LEAF.split("subjectAltName")[0], {"TLS-CERT-NO-SAN"}),
    "wildcard": ("ca", "sha256", (-30, 300), P256, LEAF.replace(f"DNS:{NAME},URI:sip:{NAME}", "DNS:*.example.org"), {"TLS-CERT-WILDCARD"}),
    "other": ("ca", "sha256", (-30, 300), P256, LEAF.replace(NAME, "other.example.net"), {"TLS-CERT-NAME-MISMATCH"}),
    "purpose": ("ca", "sha256", (-30, 300), P256, LEAF.replace("serverAuth,clientAuth", "codeSigning"), {"TLS-CERT-EKU"}),
    "sipdomain": ("ca", "sha256", (-30, 300), P256, LEAF.replace("serverAuth,clientAuth", "1.3.6.1.5.5.7.3.20"), set()),
    "ecdhrsa": ("rca", "sha256", (-30, 300), P256, LEAF, set()),
}


def make_keys(folder, openssl):
    """Keys, certificates and parameters, once per folder."""
    def call(*words):
        subprocess.run([openssl, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def write(name, text):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    if os.path.exists(os.path.join(folder, "made")):
        return
    write("none.cnf", "")
    write("ca.cnf", CONFIG)
    write("serial", "1000\n")
    write("index.txt", "")
    issue(call, write, "ca", (None, "sha256", (-400, 4000), P256, CA, set()), "Matrix CA")
    issue(call, write, "rca", (None, "sha256", (-400, 4000), rsa(2048), CA, set()), "Matrix RSA CA")
    for name, made in CERTIFICATES.items():
        issue(call, write, name, made, NAME if name == "nosan" else f"{name}.example.org")
    call("dsaparam", "-genkey", "-out", "dsa.key", "1024")
    signed(call, write, "dsa", ("rca", "sha256", (-30, 300), None, LEAF, set()), "dsa.example.org")
    call("genpkey", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", "dh.key")
    call("pkey", "-in", "dh.key", "-pubout", "-out", "dh.pub")
    write("dh.ext", LEAF)
    call("x509", "-new", "-force_pubkey", "dh.pub", "-subj", "/CN=dh.example.org", "-CA", "rca.pem", "-CAkey", "rca.key", "-days", "200", "-extfile", "dh.ext", "-out", "dhrsa.pem")
    call("pkey", "-in", "dh.key", "-out", "dhrsa.key")
    for bits in (1536, 2048):
        call("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", f"group:modp_{bits}", "-out", f"modp{bits}.pem")
    for bits in (512, 1024):
        call("dhparam", "-out", f"dh{bits}.pem", str(bits))
    with open(os.path.join(folder, "bundle.pem"), "w", encoding="utf-8") as bundle:
        for name in ("ca", "rca"):
            with open(os.path.join(folder, f"{name}.pem"), encoding="utf-8") as file:
                bundle.write(file.read())
    staple(call)
    gost(folder, write)
    write("early.txt", "OPTIONS sip:sip.example.org SIP/2.0\r\n\r\n")
    write("made", "")


def staple(call):
    """What the authority says of a certificate, for a server to send along."""
    call("ocsp", "-issuer", "ca.pem", "-cert", "ecdsa.pem", "-reqout", "ocsp.req")
    call("ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key", "-ndays", "30", "-reqin", "ocsp.req", "-respout", "ocsp.resp")


def gost(folder, write):
    """A key and a certificate of GOST R 34.10-2012, which only GnuTLS makes."""
    write("gost.tmpl", f'cn = "gost.example.org"\nexpiration_days = 300\ntls_www_server\nsigning_key\nencryption_key\nkey_agreement\ndns_name = "{NAME}"\n')
    for words in (["--generate-privkey", "--key-type", "gost12-256", "--outfile", "gost.key"],
                  ["--generate-self-signed", "--load-privkey", "gost.key", "--template", "gost.tmpl", "--outfile", "gost.pem"]):
        if shutil.which("certtool"):
            subprocess.run(["certtool", *words], cwd=folder, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def issue(call, write, name, made, common):
    call("genpkey", *made[3], "-out", f"{name}.key")
    signed(call, write, name, made, common)


def signed(call, write, name, made, common):
    """A certificate for a key that is there."""
    signer, digest, (begin, end), _, extensions, _ = made
    write(f"{name}.ext", extensions)
    call("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={common}", "-out", f"{name}.csr")
    now = datetime.now(timezone.utc)
    stamp = lambda days: (now + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")  # noqa: E731
    by = ["-selfsign", "-keyfile", f"{name}.key"] if signer is None else ["-cert", f"{signer}.pem", "-keyfile", f"{signer}.key"]
    digest = ["-md", "default" if name == "ed25519" and signer is None else digest]
    call("ca", "-batch", "-config", "ca.cnf", *by, "-in", f"{name}.csr", "-out", f"{name}.pem", "-notext", *digest,
         "-extfile", f"{name}.ext", "-startdate", stamp(begin), "-enddate", stamp(end))


# What the client printed, and what follows.

VERSIONS = {"SSLv2": "SSL 2.0", "SSLv3": "SSL 3.0", "TLSv1": "TLS 1.0", "TLSv1.1": "TLS 1.1", "TLSv1.2": "TLS 1.2", "TLSv1.3": "TLS 1.3",
            "DTLSv1": "DTLS 1.0", "DTLSv1.2": "DTLS 1.2", "DTLSv0.9": "DTLS 0.9"}
BY_VERSION = {"SSL 2.0": "TLS-SSL2", "SSL 3.0": "TLS-SSL3", "TLS 1.0": "TLS-1-0", "TLS 1.1": "TLS-1-1", "DTLS 1.0": "DTLS-1-0"}
OLD_FLAGS = {"-ssl2", "-ssl3", "-tls1", "-tls1_1", "-dtls1"}


def last(row):
    """What the client of the handshake that counts printed, and the act it was in."""
    act = row.acts[-1]
    return act, act.clients[-1], row.said[-1] if row.said else ""


def find(pattern, text):
    found = re.search(pattern, text, re.M)
    return found.group(1) if found else None


def negotiated(row, suites):
    """Version and number of the suite, by the client; `None` for what it did not agree on."""
    act, _, said = last(row)
    if act.client_stack == "gnutls":
        return gnutls(said)
    new = re.search(r"^(?:New|Reused), (\S+), Cipher is (\S+)", said, re.M)
    if not new or new.group(2) == "(NONE)":
        return None, None
    version = VERSIONS.get(find(r"^ +Protocol *: (\S+)", said) or new.group(1))
    if act.client_stack == "mbed":
        return version, new.group(2)
    if version == "SSL 2.0":
        return version, None
    suite = suites[act.client_stack].get(new.group(2))
    return version, suite and suite.code


GNUTLS = {}


def gnutls(said):
    """Likewise by the description of gnutls-cli: (TLS1.2)-(ECDHE-SECP256R1)-(RSA-SHA256)-(AES-128-GCM)."""
    said = find(r"^- Description: (\(\S+\))", said)
    if not said:
        return None, None
    parts = said.strip("()").split(")-(")
    version = re.sub(r"^(D?TLS|SSL)(\d)", r"\1 \2", parts[0].split("-")[0])
    if not GNUTLS:
        listed = subprocess.run(["gnutls-cli", "--list"], capture_output=True, text=True, check=False).stdout
        for name, high, low in re.findall(r"^TLS_(\S+)\s+0x(..), 0x(..)", listed, re.M):
            GNUTLS[name] = f"0x{high}{low}"
    cipher = "_".join(parts[3:] if len(parts) > 3 and version != "TLS 1.3" else parts[-1:]).replace("-", "_")
    exchange = parts[1].split("-")[0]
    if version == "TLS 1.3":
        name = cipher
    elif exchange in ("ECDHE", "DHE") and len(parts) > 3 and parts[2].split("-")[0] in ("RSA", "ECDSA", "DSA"):
        name = f"{exchange}_{parts[2].split('-')[0]}_{cipher}"
    elif exchange == "VKO":
        return version, "0xc102"
    elif exchange in ("ECDHE", "DHE"):
        # Before TLS 1.2 there is no signature scheme to print; these rows have a certificate with RSA.
        name = "_".join([exchange, "RSA", *parts[2:]]).replace("-", "_")
    else:
        name = "_".join([parts[1], *parts[2:]]).replace("-", "_")
    hits = [code for each, code in GNUTLS.items() if each.startswith(name)]
    return version, hits[0] if hits else f"? {name}"


def should(row, suites):
    """The rules that must fire above `info`."""
    act, client, said = last(row)
    version, code = negotiated(row, suites)
    rules = set(row.also)
    for each in row.acts:
        for one in each.clients:
            if OLD_FLAGS & set(one.words):
                rules.add("TLS-LEGACY-OFFERED")
        rules |= by_certificate(each, version, row.secrets)
    if version:
        rules |= {BY_VERSION[version]} if version in BY_VERSION else set()
        rules |= by_suite(version, code, suites)
        rules |= by_words(act, version, code, said)
    elif not row.datagrams:
        rules.add("TLS-HANDSHAKE-FAILED")
    return rules - row.without


def by_certificate(act, version, secrets):
    """What is wrong with the certificates of both sides, where they show: in TLS 1.3 only with its secrets."""
    if version is None or (version == "TLS 1.3" and not secrets):
        return set()
    rules = set()
    of_servers = {"TLS-CERT-SELF-SIGNED", "TLS-CERT-NO-SAN", "TLS-CERT-EKU", "TLS-CERT-WILDCARD", "TLS-CERT-NAME-MISMATCH"}
    for words, but in ((act.server, set()), (act.clients[-1].words, of_servers)):
        for flag in ("-cert", "--x509certfile"):
            if flag in words:
                name = words[words.index(flag) + 1].removesuffix(".pem")
                rules |= CERTIFICATES[name][5] - but if name in CERTIFICATES else set()
    if "-cert" not in act.server and "--x509certfile" not in act.server:
        return set()
    return rules


def by_suite(version, code, suites):
    every = [suite for table in suites.values() for suite in table.values() if suite.code == code]
    if not every or version in ("TLS 1.3", "SSL 2.0"):
        return set()
    suite = every[0]
    if suite.name.endswith("-OLD"):
        # Drafts of ChaCha20: no registry names their numbers.
        return set()
    bits = int(find(r"\((\d+)\)", suite.cipher) or 0)
    cipher = suite.cipher.split("(")[0]
    block = suite.mac != "AEAD" and cipher not in ("None", "RC4")
    exchange = suite.exchange.split("(")[0]
    facts = {
        "TLS-NULL": cipher == "None",
        "TLS-ANON": suite.authentication == "None",
        "TLS-EXPORT": suite.export or (cipher in ("DES", "RC2", "RC4") and bits < 112),
        "TLS-RC4": cipher == "RC4",
        "TLS-3DES": cipher == "3DES",
        "TLS-IDEA": cipher == "IDEA",
        "TLS-MD5-MAC": suite.mac == "MD5",
        "TLS-CBC": block,
        "TLS-STATIC-RSA": exchange == "RSA",
        "TLS-STATIC-DH": "/" in suite.exchange,
        "TLS-PSK-NO-DHE": exchange in ("PSK", "RSAPSK"),
        "TLS-DHE": exchange in ("DH", "DHEPSK") and suite.authentication != "None",
    }
    return {rule for rule, holds in facts.items() if holds}


def by_words(act, version, code, said):
    """What the client prints of the handshake besides version and suite."""
    rules = set()
    stacks = {act.server_stack, act.client_stack}
    before13 = version not in ("TLS 1.3", "SSL 2.0")
    cbc = "TLS-CBC" in by_suite(version, code, {"all": {**ALL}})
    if act.client_stack == "gnutls":
        options = find(r"^- Options: (.*)$", said) or ""
        bound, first = "extended master secret" in options, "EtM" in options
    else:
        bound = "old" not in stacks and not re.search(r"Extended master secret: no", said)
        first = "old" not in stacks and "gnutls" not in stacks
    if stacks == {"old"} and version in ("TLS 1.0", "TLS 1.1", "TLS 1.2") and "-no_tlsext" not in act.clients[-1].words:
        rules.add("TLS-HEARTBEAT")
    if before13 and version != "SSL 3.0" and not bound:
        rules.add("TLS-NO-EMS")
    if before13 and cbc and not first:
        rules.add("TLS-NO-ETM")
    size = find(r"^Server Temp Key: DH, (\d+) bits", said)
    if size and int(size) < 2048:
        rules.add("TLS-DH-SMALL")
    field_ = find(r"^Server Temp Key: (?:EC)?.*, (\d+) bits", said)
    if field_ and not size and int(field_) < 224:
        rules.add("TLS-CURVE-WEAK")
    if version in ("TLS 1.2", "DTLS 1.2") and find(r"^Peer signing digest: (SHA1|MD5)$", said):
        rules.add("TLS-SKE-" + find(r"^Peer signing digest: (SHA1|MD5)$", said))
    if before13 and find(r"^Compression: (zlib)", said):
        rules.add("TLS-COMPRESSION")
    if before13 and "Secure Renegotiation IS NOT supported" in said:
        rules.add("TLS-INSECURE-RENEG")
    return rules


ALL = {}


# The rows.

def openssl_cert(name):
    return ["-cert", f"{name}.pem", "-key", f"{name}.key"]


def plain(name, part, server, client, stacks=("openssl", "openssl"), **more):
    """One server, one client."""
    words = lambda text: text.split() if isinstance(text, str) else text  # noqa: E731
    return Row(name, part, [Act(stacks[0], words(server), stacks[1], [Client(words(client))])], **more)


MUTUAL = "-Verify 2 -CAfile bundle.pem"
NEW = "-no_tls1 -no_tls1_1"
CLIENT_CERT = f"-cert client.pem -key client.key -CAfile bundle.pem -servername {NAME}"


def rows(suites):
    """All of them."""
    for table in suites.values():
        ALL.update(table)
    return [*modern(), *versions(), *opened(), *kinds(), *extensions(), *certificates(), *refusals(), *datagrams(), *sweep("old", suites), *sweep("openssl", suites)]


def modern():
    yield plain("tls13-mlkem-mtls", "modern", f"-cert ecdsa.pem -key ecdsa.key {MUTUAL} -tls1_3 -groups X25519MLKEM768",
                f"{CLIENT_CERT} -tls1_3 -groups X25519MLKEM768", ("new", "new"), clean=True)
    yield plain("tls13-mlkem-defaults", "modern", f"-cert ecdsa.pem -key ecdsa.key {MUTUAL}", f"{NEW} {CLIENT_CERT}", ("new", "new"), clean=True)
    yield plain("tls13-x25519-mtls", "modern", f"-cert ecdsa.pem -key ecdsa.key {MUTUAL}", f"{CLIENT_CERT} -tls1_3 -groups X25519", clean=True)
    yield plain("tls13-defaults", "modern", f"-cert ecdsa.pem -key ecdsa.key {MUTUAL}", f"{NEW} {CLIENT_CERT}", clean=True)
    yield plain("tls13-old-server-group", "modern", "-cert ecdsa.pem -key ecdsa.key", f"{NEW} -servername {NAME}", ("openssl", "new"), clean=True)
    yield plain("tls13-retry", "modern", "-cert ecdsa.pem -key ecdsa.key -groups P-384", f"{NEW} -servername {NAME} -groups X25519:P-384", clean=True)
    yield plain("tls13-gnutls", "modern", "--x509certfile ecdsa.pem --x509keyfile ecdsa.key --x509cafile bundle.pem", f"-servername {NAME} -tls1_3", ("gnutls", "openssl"), clean=True)
    yield plain("tls13-gnutls-both", "modern", "--x509certfile ecdsa.pem --x509keyfile ecdsa.key", f"--sni-hostname {NAME} --priority NORMAL:-VERS-ALL:+VERS-TLS1.3:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1", ("gnutls", "gnutls"), clean=True)
    for cipher in ("TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"):
        yield plain(f"tls13-{cipher[4:].lower().replace('_', '-')}", "modern", f"-cert ecdsa.pem -key ecdsa.key -ciphersuites {cipher}", f"-servername {NAME} -tls1_3 -ciphersuites {cipher}", clean=True)
    only = "-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384"
    yield plain("tls12-ecdhe-ecdsa-mtls", "modern", f"-cert ecdsa.pem -key ecdsa.key {MUTUAL} {only}", f"{CLIENT_CERT} {only}", clean=True)
    only = "-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305"
    yield plain("tls12-ecdhe-rsa-chacha", "modern", f"-cert rsa.pem -key rsa.key {MUTUAL} {only}", f"{CLIENT_CERT} {only}", clean=True)


def versions():
    weak = f"-cipher {WEAK}"
    rsa_cert = "-cert rsa.pem -key rsa.key"
    for flag in ("-ssl2", "-ssl3", "-tls1", "-tls1_1", "-tls1_2"):
        yield plain(f"old{flag}", "versions", f"{rsa_cert} {flag} -cipher ALL", f"{flag} -cipher ALL", ("old", "old"))
    for flag in ("-tls1", "-tls1_1", "-tls1_2", "-tls1_3"):
        yield plain(f"current{flag}", "versions", f"{rsa_cert} {weak}", f"{flag} {weak} -servername {NAME}")
    for version in ("1.0", "1.1", "1.2", "1.3"):
        also = {"TLS-LEGACY-OFFERED"} if version in ("1.0", "1.1") else set()
        priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
        yield plain(f"gnutls-{version}", "versions", f"--x509certfile rsa.pem --x509keyfile rsa.key --priority NORMAL:+VERS-TLS1.0:+VERS-TLS1.1", f"--priority {priority} --sni-hostname {NAME}", ("gnutls", "gnutls"), also=also)
    yield plain("old-client-current-server", "versions", f"{rsa_cert} {weak}", f"-servername {NAME}", ("openssl", "old"))
    yield plain("current-client-old-server", "versions", rsa_cert, f"-servername {NAME} {weak} -tls1_2", ("old", "openssl"))
    yield plain("server-knows-1.2-only", "versions", f"{rsa_cert} -no_tls1_3", f"-servername {NAME}", also={"TLS-1-2-ONLY"})


def opened():
    ecdsa = "-cert ecdsa.pem -key ecdsa.key"
    sni = f"-tls1_3 -servername {NAME}"
    yield plain("opened-mtls", "opened", f"{ecdsa} {MUTUAL}", f"{CLIENT_CERT} -tls1_3", secrets=True, clean=True)
    yield plain("opened-mtls-mlkem", "opened", f"{ecdsa} {MUTUAL}", f"{CLIENT_CERT} -tls1_3", ("new", "new"), secrets=True, clean=True)
    yield plain("opened-no-client-certificate", "opened", f"{ecdsa} -CAfile bundle.pem -verify 2", sni, secrets=True, clean=True)
    for name in ("expired", "notyet", "self", "nosan", "wildcard", "other", "purpose", "long", "soon", "sha1", "rsa1024"):
        level = " -cipher ALL:@SECLEVEL=0" if name in ("sha1", "rsa1024") else ""
        yield plain(f"opened-{name}", "opened", f"-cert {name}.pem -key {name}.key{level}", sni + level, secrets=True)
    yield plain("opened-client-certificate-expired", "opened", f"{ecdsa} -verify 1", f"{sni} -cert clientold.pem -key clientold.key", secrets=True)
    yield plain("opened-alpn", "opened", f"{ecdsa} -alpn sip/2", f"{sni} -alpn sip/2,h2", also={"TLS-ALPN"}, secrets=True)
    told = [(1.5, "OPTIONS sip:sip.example.org SIP/2.0\r\n\r\n")]
    early = [Client([*sni.split(), "-sess_out", "o13.pem"], told), Client([*sni.split(), "-sess_in", "o13.pem", "-early_data", "early.txt"], told)]
    yield Row("opened-early-data", "opened", [Act("openssl", f"{ecdsa} -tls1_3 -early_data".split(), "openssl", early)], also={"TLS-0RTT"}, secrets=True)
    thrown = [Act("openssl", f"{ecdsa} -tls1_3 -early_data".split(), "openssl", [Client([*sni.split(), "-sess_out", "p13.pem"], told)]),
              Act("openssl", f"{ecdsa} -tls1_3".split(), "openssl", [Client([*sni.split(), "-sess_in", "p13.pem", "-early_data", "early.txt"], told)])]
    yield Row("opened-early-data-thrown-away", "opened", thrown, secrets=True, clean=True)
    yield plain("opened-refused-unknown-ca", "opened", ecdsa, f"{sni} -verify_return_error -verify 2", also={"TLS-HANDSHAKE-FAILED"}, secrets=True)


def kinds():
    rsa_cert = "-cert rsa.pem -key rsa.key"
    weak = f"-cipher {WEAK}"
    yield plain("dhe-1024", "suites", f"{rsa_cert} -tls1_2 -dhparam dh1024.pem {weak}", "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    yield plain("dhe-512", "suites", f"{rsa_cert} -tls1_2 -dhparam dh512.pem", "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", ("old", "old"))
    yield plain("dhe-common-1536", "suites", f"{rsa_cert} -tls1_2 -dhparam modp1536.pem {weak}", "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", also={"TLS-DH-COMMON-PRIME"})
    yield plain("dhe-2048", "suites", f"{rsa_cert} -tls1_2 -dhparam modp2048.pem", "-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256")
    for group in ("secp160r1", "secp192k1", "prime192v1", "secp224r1", "sect163k1", "secp256k1"):
        yield plain(f"curve-{group}", "suites", f"{rsa_cert} -tls1_2 -named_curve {group}", "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256", ("old", "old"))
    for group in ("P-256", "P-384", "P-521", "X448", "brainpoolP256r1"):
        yield plain(f"group-{group}", "suites", f"{rsa_cert} -tls1_2 -groups {group}", f"-tls1_2 -groups {group} -cipher ECDHE-RSA-AES128-GCM-SHA256")
    for digest in ("SHA1", "SHA512"):
        yield plain(f"signed-{digest}", "suites", f"{rsa_cert} -tls1_2 {weak}", f"-tls1_2 -sigalgs RSA+{digest} -cipher ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
    md5 = "-sigalgs RSA+MD5 -cipher ECDHE-RSA-AES128-GCM-SHA256"
    yield plain("signed-MD5", "suites", f"{rsa_cert} -tls1_2 -sigalgs RSA+MD5", f"-tls1_2 {md5}", ("old", "old"))
    yield plain("signed-MD5-refused", "suites", f"{rsa_cert} -tls1_2", f"-tls1_2 {md5}", ("old", "old"), alert="illegal_parameter")
    suites = "+CIPHER-GOST-ALL:+MAC-GOST-ALL:+SIGN-GOST-ALL:+GROUP-GOST-ALL"
    yield plain("gost-28147", "suites", f"--x509certfile gost.pem --x509keyfile gost.key --priority NORMAL:{suites}:+KX-GOST-ALL",
                f"--sni-hostname {NAME} --priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:{suites}:+VKO-GOST-12", ("gnutls", "gnutls"), also={"TLS-64BIT", "TLS-CERT-SELF-SIGNED"})
    yield plain("client-signed-SHA1", "suites", f"{rsa_cert} -tls1_2 -Verify 1 {weak} -client_sigalgs RSA+SHA1:ECDSA+SHA1",
                "-tls1_2 -cert rsa.pem -key rsa.key -cipher ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", also={"TLS-SKE-SHA1"})
    psk = "-psk 0123456789abcdef0123456789abcdef"
    yield plain("tls13-psk-without-dhe", "suites", f"-nocert {psk} -tls1_3 -allow_no_dhe_kex -prefer_no_dhe_kex", f"{psk} -tls1_3 -allow_no_dhe_kex", ("new", "new"), also={"TLS-PSK-NO-DHE"})
    yield plain("tls13-psk-with-dhe", "suites", f"-nocert {psk} -tls1_3", f"{psk} -tls1_3 -servername {NAME}", ("new", "new"))


def extensions():
    ecdsa = "-cert ecdsa.pem -key ecdsa.key"
    keys = "--x509certfile ecdsa.pem --x509keyfile ecdsa.key"
    sni = f"--sni-hostname {NAME}"
    yield plain("compression", "extensions", "-cert rsa.pem -key rsa.key -tls1_2", "-tls1_2", ("old", "old"))
    yield plain("heartbeat", "extensions", "-cert rsa.pem -key rsa.key -tls1_2", "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256", ("old", "old"))
    yield plain("no-extensions", "extensions", "-cert rsa.pem -key rsa.key -tls1_2", "-tls1_2 -no_tlsext -cipher AES128-GCM-SHA256", ("old", "old"), also={"TLS-SIGALG-MISSING"})
    yield plain("server-without-renegotiation", "extensions", f"{keys} --priority NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION", f"{sni} --priority NORMAL:-VERS-ALL:+VERS-TLS1.2", ("gnutls", "gnutls"), also={"TLS-INSECURE-RENEG"})
    yield plain("client-without-renegotiation", "extensions", f"{keys} --priority NORMAL", f"{sni} --priority NORMAL:-VERS-ALL:+VERS-TLS1.2:%DISABLE_SAFE_RENEGOTIATION", ("gnutls", "gnutls"), also={"TLS-CLIENT-NO-RI"})
    yield plain("no-ems", "extensions", f"{keys} --priority NORMAL", f"{sni} --priority NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH", ("gnutls", "gnutls"))
    yield plain("no-etm", "extensions", f"{keys} --priority NORMAL", f"{sni} --priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:%NO_ETM", ("gnutls", "gnutls"))
    yield plain("etm", "extensions", f"{keys} --priority NORMAL", f"{sni} --priority NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC", ("gnutls", "gnutls"))
    shortened = "--suites 0xc013 --truncated-hmac"
    yield plain("truncated-hmac", "extensions", f"{shortened} --cert rsa.pem --key rsa.key", f"{shortened} --sni {NAME}", ("mbed", "mbed"), also={"TLS-TRUNC-HMAC"})
    yield plain("truncated-hmac-not-taken", "extensions", "--suites 0xc013 --cert rsa.pem --key rsa.key", f"{shortened} --sni {NAME}", ("mbed", "mbed"))
    yield plain("alpn", "extensions", f"{ecdsa} -tls1_2 -alpn sip/2", f"-tls1_2 -alpn sip/2,h2 -servername {NAME} -cipher ECDHE-ECDSA-AES128-GCM-SHA256", also={"TLS-ALPN"})
    yield plain("fallback-value", "extensions", f"{ecdsa} -no_tls1_3", f"-fallback_scsv -no_tls1_3 -servername {NAME}", also={"TLS-FALLBACK-SCSV"})
    yield plain("ticket-ten-days", "extensions", "", f"-tls1_2 -servername {NAME} -cipher ECDHE-ECDSA-AES128-GCM-SHA256", ("node", "openssl"), also={"TLS-TICKET-LONG"})
    told = [(1.5, "OPTIONS sip:sip.example.org SIP/2.0\r\n\r\n")]
    resumed = [Client(["-tls1_2", "-sess_out", "s12.pem", "-servername", NAME], told), Client(["-tls1_2", "-sess_in", "s12.pem", "-servername", NAME], told)]
    yield Row("resumed-1.2", "extensions", [Act("openssl", ecdsa.split(), "openssl", resumed)])
    early = [Client(["-tls1_3", "-sess_out", "s13.pem", "-servername", NAME], told), Client(["-tls1_3", "-sess_in", "s13.pem", "-early_data", "early.txt", "-servername", NAME], told)]
    yield Row("early-data", "extensions", [Act("openssl", f"{ecdsa} -tls1_3 -early_data".split(), "openssl", early)], also={"TLS-0RTT"})
    renegotiated = [Client(["-tls1_2", "-servername", NAME, "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], [(0.3, "OPTIONS sip:sip.example.org SIP/2.0\r\n"), (0.3, "R\n"), (0.5, "")])]
    yield Row("renegotiated", "extensions", [Act("openssl", f"{ecdsa} -tls1_2 -client_renegotiation".split(), "openssl", renegotiated)], also={"TLS-RENEG-SEEN"})
    old12 = "-cert rsa.pem -key rsa.key -tls1_2"
    again = [Client(["-tls1_2", "-servername", NAME, "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], renegotiated[0].script)]
    yield Row("renegotiated-old", "extensions", [Act("old", old12.split(), "old", again)], also={"TLS-RENEG-SEEN"})
    resumed13 = [Client(["-tls1_3", "-sess_out", "t13.pem", "-servername", NAME], told), Client(["-tls1_3", "-sess_in", "t13.pem", "-servername", NAME], told)]
    yield Row("resumed-1.3", "extensions", [Act("openssl", f"{ecdsa} -tls1_3".split(), "openssl", resumed13)], clean=True)
    yield plain("stapled", "extensions", f"{ecdsa} -tls1_2 -status_file ocsp.resp", f"-status -tls1_2 -servername {NAME} -cipher ECDHE-ECDSA-AES128-GCM-SHA256")
    yield plain("heartbleed", "extensions", old12, "heartbleed", ("old", "python"), also={"TLS-HEARTBLEED", "TLS-HEARTBEAT"})
    yield plain("grease-and-ech", "extensions", ecdsa, "grease", ("openssl", "python"), also={"TLS-GREASE"})
    yield plain("downgraded-on-the-path", "extensions", f"strip openssl s_server {ecdsa}", f"-servername {NAME}", ("python", "openssl"), also={"TLS-DOWNGRADE-SENTINEL"}, alert="illegal_parameter")
    dance = [Client(["-tls1_2"]), Client(["-tls1"])]
    yield Row("version-dance", "extensions", [Act("old", "-cert rsa.pem -key rsa.key -tls1 -cipher ALL".split(), "old", dance)], also={"TLS-VERSION-DANCE", "TLS-HANDSHAKE-FAILED"})


def certificates():
    only = "-tls1_2 -cipher ALL:@SECLEVEL=0"
    kind = {"p192": ("old", "old")}
    for name in CERTIFICATES:
        if name in ("client", "clientold", "ecdhrsa"):
            continue
        words = only if name not in kind else "-tls1_2"
        client = f"-servername {NAME} -tls1_2 -cipher ECDHE+AESGCM" + (":@SECLEVEL=0" if name not in kind else "")
        yield plain(f"certificate-{name}", "certificates", f"-cert {name}.pem -key {name}.key {words}", client, kind.get(name, ("openssl", "openssl")))
    yield plain("certificate-hidden", "certificates", "-cert expired.pem -key expired.key -tls1_3", f"-servername {NAME} -tls1_3", clean=True)
    yield plain("client-certificate-expired", "certificates", f"-cert ecdsa.pem -key ecdsa.key -tls1_2 -verify 1", f"-tls1_2 -cert clientold.pem -key clientold.key -servername {NAME} -cipher ECDHE+AESGCM")
    changed = [Act("openssl", f"{cert} -tls1_2".split(), "openssl", [Client(["-tls1_2", "-servername", NAME, "-cipher", "ECDHE+AESGCM"])]) for cert in ("-cert ecdsa.pem -key ecdsa.key", "-cert rsa.pem -key rsa.key")]
    yield Row("certificate-changed", "certificates", changed, also={"TLS-CERT-CHANGED"})


def refusals():
    ecdsa, failed = "-cert ecdsa.pem -key ecdsa.key", {"TLS-HANDSHAKE-FAILED"}
    weak = f"-cipher {WEAK}"
    sni = f"-servername {NAME}"
    aead = "-cipher ECDHE+AESGCM"
    both = {"TLS-HANDSHAKE-FAILED"}
    yield plain("refused-version-by-server", "refusals", f"{ecdsa} -min_protocol TLSv1.2", f"-tls1 {weak}", also=failed, alert="protocol_version")
    yield plain("refused-version-by-client", "refusals", f"-cert rsa.pem -key rsa.key -tls1 {weak}", f"-min_protocol TLSv1.2 {sni}", also=failed)
    yield plain("refused-1.2-only-client", "refusals", f"{ecdsa} -tls1_3", f"-tls1_2 {aead} {sni}", also=failed)
    yield plain("refused-no-common-suite", "refusals", f"{ecdsa} -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384", f"-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256 {sni}", also=failed, alert="handshake_failure")
    yield plain("refused-no-common-group", "refusals", f"{ecdsa} -tls1_3 -groups P-384", f"-tls1_3 -groups X25519 {sni}", also=failed)
    for version in ("1_2", "1_3"):
        # In TLS 1.3 the server refuses when the client has finished, and nobody outside can tell.
        before = both if version == "1_2" else set()
        yield plain(f"refused-unknown-ca-{version}", "refusals", f"{ecdsa} -tls{version}", f"-tls{version} -verify_return_error -verify 2 {sni}", also=both, without={"TLS-CBC"})
        yield plain(f"refused-no-client-certificate-{version}", "refusals", f"{ecdsa} -tls{version} -Verify 2 -verify_return_error -CAfile bundle.pem", f"-tls{version} {sni}", also=before)
        yield plain(f"refused-client-certificate-{version}", "refusals", f"{ecdsa} -tls{version} -Verify 2 -verify_return_error -CAfile bundle.pem",
                    f"-tls{version} -cert clientold.pem -key clientold.key {sni}", also=before | ({"TLS-CERT-EXPIRED"} if version == "1_2" else set()))
        yield plain(f"refused-self-signed-client-{version}", "refusals", f"{ecdsa} -tls{version} -Verify 2 -verify_return_error -CAfile bundle.pem",
                    f"-tls{version} -cert self.pem -key self.key {sni}", also=before)
    yield plain("refused-expired-server", "refusals", "-cert expired.pem -key expired.key -tls1_2", f"-tls1_2 -verify_return_error -verify 2 -CAfile bundle.pem {sni}", also=both | {"TLS-CERT-EXPIRED"}, alert="certificate_expired")
    yield plain("refused-name", "refusals", f"{ecdsa} -tls1_2 -servername other.example.org -servername_fatal -cert2 rsa.pem -key2 rsa.key", f"-tls1_2 {sni}", also=failed, alert="unrecognized_name")
    yield plain("refused-protocol", "refusals", f"{ecdsa} -tls1_2 -alpn sip/2", f"-tls1_2 -alpn h2 {sni}", also=failed, alert="no_application_protocol")
    yield plain("refused-fallback", "refusals", f"{ecdsa}", f"-fallback_scsv -no_tls1_3 {sni}", also=failed | {"TLS-FALLBACK-SCSV"}, alert="inappropriate_fallback")
    yield plain("refused-gnutls", "refusals", "--x509certfile ecdsa.pem --x509keyfile ecdsa.key --priority NORMAL:-VERS-ALL:+VERS-TLS1.3", f"-tls1_2 {aead} {sni}", ("gnutls", "openssl"), also=failed)
    for way in ("close", "reset"):
        yield plain(f"refused-by-{way}", "refusals", way, f"-tls1_3 {sni}", ("python", "openssl"), also=failed)


def datagrams():
    ecdsa = "-cert ecdsa.pem -key ecdsa.key"
    weak = f"-cipher {WEAK}"
    srtp = "-use_srtp SRTP_AES128_CM_SHA1_80"
    quiet = {"datagrams": True}
    aead = "-cipher ECDHE-ECDSA-AES128-GCM-SHA256"
    yield plain("dtls12", "dtls", f"{ecdsa} -dtls1_2", f"-dtls1_2 {aead}", clean=True, **quiet)
    yield plain("dtls12-mutual-srtp", "dtls", f"-cert self.pem -key self.key -dtls1_2 -Verify 1 {srtp}", f"-dtls1_2 {srtp} -cert self.pem -key self.key {aead}", without={"TLS-CERT-SELF-SIGNED"}, clean=True, **quiet)
    yield plain("dtls12-srtp-gcm", "dtls", f"{ecdsa} -dtls1_2 -use_srtp SRTP_AEAD_AES_128_GCM", f"-dtls1_2 {aead} -use_srtp SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80", clean=True, **quiet)
    yield plain("dtls12-small-mtu", "dtls", f"-cert rsa.pem -key rsa.key -dtls1_2 -mtu 400 -CAfile bundle.pem", "-dtls1_2 -mtu 400 -cipher ECDHE-RSA-AES128-GCM-SHA256", clean=True, **quiet)
    yield plain("dtls12-cookie", "dtls", f"{ecdsa} -dtls1_2 -listen", f"-dtls1_2 {aead}", clean=True, **quiet)
    yield plain("dtls10", "dtls", f"-cert rsa.pem -key rsa.key -dtls1 {weak}", f"-dtls1 {weak}", **quiet)
    yield plain("dtls10-old", "dtls", f"-cert rsa.pem -key rsa.key -dtls1 {weak}", "-dtls1 -cipher AES128-SHA", ("openssl", "old"), **quiet)
    yield plain("dtls12-rsa-key-transport", "dtls", f"-cert rsa.pem -key rsa.key -dtls1_2 {weak}", "-dtls1_2 -cipher AES128-SHA:@SECLEVEL=0", **quiet)
    yield plain("dtls12-null", "dtls", f"-cert rsa.pem -key rsa.key -dtls1_2 {weak}", "-dtls1_2 -cipher NULL-SHA256:@SECLEVEL=0", **quiet)
    yield plain("dtls12-anonymous", "dtls", f"-nocert -dtls1_2 -dhparam modp2048.pem {weak}", "-dtls1_2 -cipher ADH-AES128-GCM-SHA256:@SECLEVEL=0", **quiet)
    yield plain("dtls12-refused", "dtls", f"{ecdsa} -dtls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384", f"-dtls1_2 {aead}", also={"TLS-HANDSHAKE-FAILED"}, **quiet)
    yield plain("dtls12-gnutls", "dtls", f"{ecdsa} -dtls1_2", "--udp --priority NORMAL:-CIPHER-ALL:+AES-128-GCM:-KX-ALL:+ECDHE-ECDSA:-SIGN-ALL:+SIGN-ECDSA-SHA256", ("openssl", "gnutls"), clean=True, **quiet)


def sweep(stack, suites):
    """Every suite of a stack, in the version for which it was made."""
    certificate = {"RSA": "rsa", "ECDSA": "ecdsa", "DSS": "dsa", "DH": "dhrsa", "any": "rsa"}
    for key, suite in suites.get(stack, {}).items():
        if suite.authentication in ("SRP", "KRB5", "GOST01", "GOST94") or suite.exchange in ("SRP", "KRB5", "GOST") or "GOST" in suite.name:
            continue
        if key.startswith("SSLv2 ") or suite.exchange == "any" or suite.exchange.startswith("DH/DSS"):
            continue
        old = stack == "old" and (suite.export or suite.cipher.startswith(("DES(", "IDEA", "RC2")))
        version = "-tls1" if old else "-tls1_2"
        name = certificate.get(suite.authentication, "rsa")
        if suite.exchange.startswith("ECDH/"):
            name = "ecdhrsa" if suite.exchange.endswith("RSA") else "ecdsa"
        side = openssl_cert(name)
        psk = []
        if "PSK" in suite.exchange or suite.authentication == "PSK":
            psk = ["-psk", "0123456789abcdef"]
            side = side if suite.exchange == "RSAPSK" else ["-nocert"]
        if suite.authentication == "None":
            side = ["-nocert"]
        if suite.exchange.split("(")[0] in ("DH", "DHEPSK"):
            side = [*side, "-dhparam", "dh512.pem" if suite.export else "modp2048.pem"]
        level = "" if stack == "old" else ":@SECLEVEL=0"
        words = [version, "-cipher", suite.name + level, *psk]
        part = "every-old" if stack == "old" else "every"
        yield plain(f"{stack}-{suite.name}", part, [*side, *words], words, (stack, stack))
