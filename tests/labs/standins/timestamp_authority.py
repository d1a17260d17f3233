"""A real time-stamping authority (RFC 3161) on this machine: ``openssl ts``, with a small CA made for it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.labs.standins.loopback import Message, Receive, Response, Send, read_body, send_response, serving

_CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
O = {organisation}
CN = {organisation} Root
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
tsa_name = yes
"""


class TimestampAuthority:
    """Stamp every request (an ASGI application), or answer ``status`` while that is not 200."""

    def __init__(self, folder: Path, organisation: str = "Small Authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.root = folder / "root.pem"
        self.status = 200
        self.asked = 0
        self._folder = folder
        (folder / "serial").write_text("01\n")
        (folder / "openssl.cnf").write_text(_CONFIG.format(folder=folder, organisation=organisation))
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
            "-keyout", "root.key", "-out", "root.pem", "-config", "openssl.cnf", "-extensions", "root",
        )  # fmt: skip
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "signer.key",
            "-out", "signer.csr", "-config", "openssl.cnf", "-subj", f"/O={organisation}/CN={organisation} Stamps",
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", "signer.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", "3650",
            "-extfile", "openssl.cnf", "-extensions", "signer", "-out", "signer.pem", "-CAcreateserial",
        )  # fmt: skip

    def reply(self, query: bytes) -> bytes:
        """Return the response to a request, both in DER."""
        (self._folder / "query.tsq").write_bytes(query)
        self._openssl("ts", "-reply", "-queryfile", "query.tsq", "-out", "reply.tsr", "-config", "openssl.cnf")
        return (self._folder / "reply.tsr").read_bytes()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        query = await read_body(receive)
        self.asked += 1
        types = [value for name, value in scope["headers"] if name == b"content-type"]
        if self.status != 200 or types != [b"application/timestamp-query"]:
            await send_response(send, Response(status=self.status if self.status != 200 else 415, body=b"no"))
            return
        body = await asyncio.to_thread(self.reply, query)
        await send_response(send, Response(body=body, headers={"content-type": "application/timestamp-reply"}))

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)  # noqa: S607


@contextmanager
def timestamp_authority(
    folder: Path, organisation: str = "Small Authority"
) -> Iterator[tuple[TimestampAuthority, str]]:
    """Run an authority, and yield it with its address."""
    authority = TimestampAuthority(folder, organisation)
    with serving(authority) as url:
        yield authority, f"{url}/"
