"""Time-stamps (RFC 3161): an outside authority signs that the SHA-256 of a manifest existed at an instant.

Every manifest holds the SHA-256 of the manifest before, so one stamp covers everything up to its link.
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
from bot.evidence.records import instant_text, sha256
from bot.http.client import Http
from storage.errors import StoreError
from storage.evidence import Evidence, Stamp

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
"""The shortest time between two stamps. Each covers every link before it."""

_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
_PEM = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_QUERY = "application/timestamp-query"


@dataclass(frozen=True, slots=True, kw_only=True)
class StampDetails:
    """When a time-stamp was signed, and by whom. ``root`` is the certificate to which the signer's leads."""

    at: datetime
    signer: str
    root: str
    root_sha256: str

    @property
    def value(self) -> dict[str, str]:
        """Return the same for a bundle's JSON."""
        return {
            "at": instant_text(self.at),
            "root_name": self.root,
            "root_sha256": self.root_sha256,
            "signer": self.signer,
        }


class Stamper:
    """Get a stamp of the newest link, and try again until that succeeds."""

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
        """Request a stamp if a link is new and the last stamp is an hour old. Return whether a stamp was received."""
        now = self._clock.now()
        if self._not_before is not None and now < self._not_before:
            return False
        head, last = self._evidence.head(), self._evidence.newest_stamp()
        if head is None or (
            last is not None and head.sequence <= last.sequence + 1
        ):  # + 1: the link that notes the stamp
            return False
        try:
            self._recorder.seal_stamp(self._requested(head.sequence))
        except (LikewatchError, StoreError) as error:
            self._not_before = now + self._wait
            self._wait = min(2 * self._wait, _LONGEST_WAIT)
            if not self._in_trouble:
                log.warning("No time-stamp was received; Likewatch tries again until it gets one: %s", error)
            self._in_trouble = True
            return False
        if self._in_trouble:
            log.info("Time-stamps are received again.")
        self._in_trouble, self._wait, self._not_before = False, _FIRST_WAIT, now + EVERY
        return True

    def _requested(self, sequence: int) -> Stamp:
        manifest = self._evidence.manifest(sequence)
        assert manifest is not None  # noqa: S101 (it is the head)
        request = TimestampRequestBuilder().data(manifest.text).hash_algorithm(HashAlgorithm.SHA256).build()
        response = self._http.post(request.as_bytes(), _QUERY)
        for root in self._roots:
            if _fault(response, manifest.text, root, request.nonce) is None:
                return Stamp(sequence=sequence, response=response, root=root.public_bytes(Encoding.DER))
        raise PayloadChanged(_refusal(response, manifest.text, self._roots))


def roots_in(pem: Path | None) -> tuple[x509.Certificate, ...]:
    """Return the trusted root certificates: of this file, or without a file, of certifi, as browsers trust them.

    Raise ``ConfigError`` where the file cannot be read or holds no certificate.
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
    """Yield the certificates of a file, except those that RFC 5280 forbids. Certifi includes a few such old roots."""
    for block in _PEM.findall(pem):
        with warnings.catch_warnings():
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            try:
                yield x509.load_pem_x509_certificate(block)
            except (ValueError, CryptographyDeprecationWarning):
                continue


def read_stamp(stamp: Stamp) -> StampDetails:
    """Return what a time-stamp states. Believe it only where ``stamp_fault`` returns None."""
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
        root=root.subject.rfc4514_string(),
        root_sha256=sha256(root.public_bytes(Encoding.DER)),
    )


def stamp_fault(stamp: Stamp, text: bytes, trusted: Sequence[x509.Certificate] = ()) -> str | None:
    """Return what is wrong with a time-stamp of this text, or None.

    ``trusted``: the stamp must lead to one of these certificates, not only to the certificate that is stored with it.
    """
    try:
        root = x509.load_der_x509_certificate(stamp.root)
    except ValueError:
        return "the certificate that is stored with it cannot be read: it was altered."
    if trusted and root not in trusted:
        return f"it is of another authority ({root.subject.rfc4514_string()}) than the trusted one."
    return _fault(stamp.response, text, root, None)


def _fault(response: bytes, text: bytes, root: x509.Certificate, nonce: int | None) -> str | None:
    try:
        decoded = decode_timestamp_response(response)
        VerifierBuilder(nonce=nonce, roots=[root], intermediates=_embedded(decoded)).build().verify_message(
            decoded, text
        )
    except VerificationError as error:
        if "Mismatch between messages" in str(error):
            return "it is the stamp of another text than this link's."
        if "certificate" in str(error):
            return f"its signature does not lead to {root.subject.rfc4514_string()}: altered, or of another authority."
        return f"it is not valid ({error})."
    except ValueError as error:
        return f"it cannot be read ({str(error)[:80]}): altered, or not in DER as RFC 3161 requires."
    return None


def _embedded(response: TimeStampResponse) -> list[x509.Certificate]:
    certificates = map(x509.load_der_x509_certificate, response.signed_data.certificates)
    return [certificate for certificate in certificates if certificate.issuer != certificate.subject]


def _refusal(response: bytes, text: bytes, roots: Sequence[x509.Certificate]) -> str:
    try:
        status = decode_timestamp_response(response).status
    except ValueError as error:
        return f"The time-stamping authority's answer cannot be read ({str(error)[:80]})."
    if status != PKIStatus.GRANTED:
        return f"The time-stamping authority refused (status {status} of RFC 3161)."
    return (
        "No trusted root signed the time-stamping authority's answer. Save the authority's root as PEM, "
        f"and name that file in LIKEWATCH_TSA_ROOTS. ({_fault(response, text, roots[0], None)})"
    )
