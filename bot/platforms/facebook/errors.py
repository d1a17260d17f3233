"""The Graph API's error codes, and who must act on each.

https://developers.facebook.com/docs/graph-api/guides/error-handling
The code decides, never the type. The message helps to choose a sentence, and is never repeated, because it may quote a
token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from bot.errors import AuthRefused, ConfigError, LikewatchError, PageGone, PayloadChanged, Throttled, Unreachable
from bot.platforms.batches import PageMoved

_UNAVAILABLE = 33  # the subcode of 100 for an object that is gone or hidden from this app


@dataclass(frozen=True, slots=True, kw_only=True)
class _GraphError:
    code: int
    subcode: int | None
    message: str
    wait: timedelta

    def mentions(self, *words: str) -> bool:
        return any(word in self.message.lower() for word in words)


def graph_error(error: object, wait: timedelta) -> LikewatchError:
    """Return the meaning of ``error`` in a Graph answer. ``wait`` is the time to wait if Facebook throttles."""
    match error:
        case {"code": int(code), **more}:
            subcode, message = more.get("error_subcode"), more.get("message")
            fault = _GraphError(
                code=code,
                subcode=subcode if isinstance(subcode, int) else None,
                message=message if isinstance(message, str) else "",
                wait=wait,
            )
            return _MEANINGS.get(code, _unknown)(fault)
        case _:
            return PayloadChanged("Facebook reported an error in a form that Likewatch does not understand.")


def _unknown(fault: _GraphError) -> LikewatchError:
    return PayloadChanged(f"Facebook reported error {fault.code}, which Likewatch does not know.")


def _transient(fault: _GraphError) -> LikewatchError:
    return Unreachable(f"Facebook is in trouble (error {fault.code}); it is asked again at the next poll.")


def _throttled(fault: _GraphError) -> LikewatchError:
    minutes = max(1, round(fault.wait.total_seconds() / 60))
    return Throttled(
        f"Facebook's limit is used up (error {fault.code}); Likewatch makes no calls for {minutes} minutes.",
        wait=fault.wait,
    )


_TOKEN_TROUBLES: Mapping[int | None, str] = MappingProxyType(
    {
        458: "the app was removed by the person it belongs to",
        460: "the password of the person it belongs to was changed",
        463: "it has expired",
        467: "it was revoked",
    }
)


def _token(fault: _GraphError) -> LikewatchError:
    why = _TOKEN_TROUBLES.get(fault.subcode, "it is wrong, expired or revoked")
    return AuthRefused(
        f"Facebook refused the access token: {why} (error {fault.code}). Put a new one in FACEBOOK_ACCESS_TOKEN; "
        "a system user's token does not expire."
    )


def _permission(fault: _GraphError) -> LikewatchError:
    return ConfigError(
        f"Facebook does not let this app read the page's counts (error {fault.code}). The app needs the feature “Page "
        "Public Metadata Access” (App Review and business verification). Until then it may read only pages whose admin "
        "has a role in the app."
    )


def _merged(fault: _GraphError) -> LikewatchError:
    found = re.search(r"to page ID ([0-9]{1,20})", fault.message)
    to = f"facebook.com/{found[1]}" if found else ""
    return PageMoved(f"Facebook merged this page into another one: track {to or 'its new address'} instead.", to=to)


_KINDS = {"User": "a personal profile", "Group": "a group", "Event": "an event"}


def _unsupported(fault: _GraphError) -> LikewatchError:
    if fault.subcode == _UNAVAILABLE:
        return PageGone(
            "Facebook says that this page is unavailable: deleted, unpublished, restricted by age or country, or "
            "closed to this app. The last count stands."
        )
    if found := re.search(r"on node type \((\w+)\)", fault.message):
        if found[1] == "Page":
            return PayloadChanged("Facebook no longer knows a field that Likewatch asks for (error 100).")
        return PageGone(
            f"On Facebook this is {_KINDS.get(found[1], 'something else')}, not a page: it has no public count."
        )
    if fault.mentions("appsecret_proof", "app secret proof"):
        return ConfigError(
            "Facebook wants proof of the app's secret, or refused the proof (error 100): FACEBOOK_APP_SECRET must "
            "be the secret of the app that FACEBOOK_ACCESS_TOKEN belongs to."
        )
    if fault.mentions("permission", "page public"):
        return _permission(fault)
    return PayloadChanged("Facebook refused the question itself (error 100).")


def _alias(fault: _GraphError) -> LikewatchError:
    if fault.mentions("cannot query users"):
        return PageGone("On Facebook this is a personal profile, not a page: it has no public count.")
    return PageGone("Facebook knows no page of this name or number: it was renamed or deleted, or the spelling is off.")


def _for(
    meaning: Callable[[_GraphError], LikewatchError], *codes: int
) -> dict[int, Callable[[_GraphError], LikewatchError]]:
    return dict.fromkeys(codes, meaning)


_MEANINGS: Mapping[int, Callable[[_GraphError], LikewatchError]] = MappingProxyType(
    _for(_transient, 1, 2)
    | _for(_throttled, 4, 17, 32, 341, 613, 80001, 80002)
    | _for(_token, 102, 104, 190)
    | _for(_permission, 3, 10, *range(200, 300))
    | _for(_merged, 21)
    | _for(_unsupported, 100)
    | _for(_alias, 803)
)
