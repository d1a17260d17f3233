"""The evidence: replies as received, in a chain of manifests, in a file beside the database."""

from storage.evidence.archive import Evidence, Head, KeptRecord, KeptReply, Manifest, NewRecord, Stamp
from storage.evidence.packing import EvidenceDamaged, Packed, Packer

__all__ = [
    "Evidence",
    "EvidenceDamaged",
    "Head",
    "KeptRecord",
    "KeptReply",
    "Manifest",
    "NewRecord",
    "Packed",
    "Packer",
    "Stamp",
]
