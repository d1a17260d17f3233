"""Time-stamps by somebody else (RFC 3161): an authority signs that a manifest's SHA-256 existed at an instant.

Every manifest holds the SHA-256 of the one before, so that one stamp covers everything up to its link.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from bot.clock import Clock
from bot.errors import ConfigError, LikewatchError, PayloadChanged
from bot.evidence.recorder import Recorder
from bot.evidence.records import sha256
from bot.http.client import Http
from storage.errors import StoreError
from storage.evidence import Evidence, Stamp

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
"""A stamp this often at most, while there is anything new: it covers every link before it."""

_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
_PEM = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_QUERY = "application/timestamp-query"


@dataclass(frozen=True, slots=True, kw_only=True)
class StampDetails:
    """What a time-stamp says: when, and who signed it; ``root`` is the certificate that the signer's leads to."""

    at: datetime
    signer: str
    serial: int
    root: str
    root_sha256: str


class Stamper:
    """Has the newest link stamped, and tries again until that succeeds."""

    def __init__(
        self, http: Http, *, evidence: Evidence, recorder: Recorder, clock: Clock, roots: Sequence[x509.Certificate]
    ) -> None:
        self._http = http
        self._evidence = evidence
        self._recorder = recorder
        self._clock = clock
        self._roots = tuple(roots)
        self._wait = _FIRST_WAIT
        self._not_before: datetime | None = None
        self._in_trouble = False

    def stamp_when_due(self) -> bool:
        """Ask for a stamp if there is something new to cover and the last is an hour old. Whether one was got."""
        now = self._clock.now()
        if self._not_before is not None and now < self._not_before:
            return False
        head, last = self._evidence.head(), self._evidence.newest_stamp()
        if head is None or (last is not None and head.sequence <= last.sequence + 1):  # + 1: the link of that stamp
            return False
        try:
            self._recorder.seal_stamp(self._asked(head.sequence))
        except (LikewatchError, StoreError) as error:
            self._not_before = now + self._wait
            self._wait = min(2 * self._wait, _LONGEST_WAIT)
            if not self._in_trouble:
                log.warning("No time-stamp could be got; it is tried again until one can: %s", error)
            self._in_trouble = True
            return False
        if self._in_trouble:
            log.info("Time-stamps can be got again.")
        self._in_trouble, self._wait, self._not_before = False, _FIRST_WAIT, now + EVERY
        return True

    def _asked(self, sequence: int) -> Stamp:
        manifest = self._evidence.manifest(sequence)
        assert manifest is not None  # noqa: S101 (it is the head)
        request = TimestampRequestBuilder().data(manifest.text).hash_algorithm(HashAlgorithm.SHA256).build()
        response = self._http.post(request.as_bytes(), _QUERY)
        root = next(
            (root for root in self._roots if _fault(response, manifest.text, root, request.nonce) is None), None
        )
        if root is None:
            raise PayloadChanged(_why(response, manifest.text, self._roots))
        return Stamp(sequence=sequence, response=response, root=root.public_bytes(Encoding.DER))


def roots_in(pem: Path | None) -> tuple[x509.Certificate, ...]:
    """The authorities to trust: those of this file, or without one those that browsers trust (certifi's).

    Raises ``ConfigError`` where the file holds no certificates.
    """
    path = pem or Path(certifi.where())
    try:
        found = tuple(_certificates(path.read_bytes()))
    except OSError as error:
        raise ConfigError(f"LIKEWATCH_TSA_ROOTS: {path} cannot be read: {error.strerror}.") from None
    if not found:
        raise ConfigError(
            f"LIKEWATCH_TSA_ROOTS: {path} holds no certificate. Save the time-stamping authority's root there, as PEM."
        )
    return found


def _certificates(pem: bytes) -> Iterator[x509.Certificate]:
    """The certificates of a file, but for those that RFC 5280 forbids (a few old roots are among certifi's)."""
    for block in _PEM.findall(pem):
        with warnings.catch_warnings():
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            try:
                yield x509.load_pem_x509_certificate(block)
            except (ValueError, CryptographyDeprecationWarning):
                continue


def read_stamp(stamp: Stamp) -> StampDetails:
    """What a time-stamp says; only to be believed where ``stamp_fault`` finds nothing."""
    response = decode_timestamp_response(stamp.response)
    root = x509.load_der_x509_certificate(stamp.root)
    signer = response.signed_data.signer_infos.pop()
    names = [
        certificate.subject.rfc4514_string()
        for certificate in map(x509.load_der_x509_certificate, response.signed_data.certificates)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number)
    ]
    return StampDetails(
        at=response.tst_info.gen_time,
        signer=names[0] if names else signer.issuer.rfc4514_string(),
        serial=response.tst_info.serial_number,
        root=root.subject.rfc4514_string(),
        root_sha256=_fingerprint(root),
    )


def stamp_fault(stamp: Stamp, text: bytes, trusted: Sequence[x509.Certificate] = ()) -> str | None:
    """What is wrong with a time-stamp over this text; None if nothing.

    ``trusted``: it must lead to one of these certificates, not only to the one that is kept with it.
    """
    try:
        root = x509.load_der_x509_certificate(stamp.root)
    except ValueError:
        return "the certificate kept with it cannot be read: it was altered."
    if trusted and root not in trusted:
        return f"it is of another authority ({root.subject.rfc4514_string()}) than the one that is trusted."
    return _fault(stamp.response, text, root, None)


def _fault(response: bytes, text: bytes, root: x509.Certificate, nonce: int | None) -> str | None:
    try:
        decoded = decode_timestamp_response(response)
        VerifierBuilder(nonce=nonce, roots=[root], intermediates=_embedded(decoded)).build().verify_message(
            decoded, text
        )
    except VerificationError as error:
        if "Mismatch between messages" in str(error):
            return "it is the stamp of something else than this link."
        if "certificate" in str(error):
            return f"its signature does not lead to {root.subject.rfc4514_string()}: altered, or of another authority."
        return f"it does not hold ({error})."
    except ValueError as error:
        return f"it cannot be read ({str(error)[:80]}): altered, or no answer in DER as RFC 3161 asks."
    return None


def _embedded(response: TimeStampResponse) -> list[x509.Certificate]:
    certificates = map(x509.load_der_x509_certificate, response.signed_data.certificates)
    return [certificate for certificate in certificates if certificate.issuer != certificate.subject]


def _why(response: bytes, text: bytes, roots: Sequence[x509.Certificate]) -> str:
    try:
        status = decode_timestamp_response(response).status
    except ValueError as error:
        return f"The time-stamping authority's answer cannot be read ({str(error)[:80]})."
    if status != PKIStatus.GRANTED:
        return f"The time-stamping authority refused (status {status} of RFC 3161)."
    return (
        "The time-stamping authority's answer is signed by none of the trusted roots. Save its root as PEM, "
        f"and name the file in LIKEWATCH_TSA_ROOTS. ({_fault(response, text, roots[0], None)})"
    )


def _fingerprint(certificate: x509.Certificate) -> str:
    return sha256(certificate.public_bytes(Encoding.DER))
