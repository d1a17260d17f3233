"""Check whether a person may run a command. The operator names editors, one by one or as a Slack user group."""

from __future__ import annotations

from datetime import timedelta

from slack_sdk.web import WebClient

from bot.clock import Clock
from bot.config.editors import EditorList
from bot.errors import LikewatchError
from bot.slack.client import CALL_ERRORS, ErrorKind, error_sentence, failure_of
from bot.slack.contract import Call, Command, Permission

SCOPES = ("usergroups:read",)
"""For the members of the user groups that LIKEWATCH_EDITORS names."""

FRESH = timedelta(minutes=5)
"""How long a user group's members are cached: a person who joins or leaves waits at most this long."""

_TEMPORARY = {ErrorKind.THROTTLED, ErrorKind.UNSENT, ErrorKind.AMBIGUOUS}
_NO_SUCH_GROUP = {"no_such_subteam", "subteam_not_found", "plan_upgrade_required"}


class PermissionChecker:
    """Knows the editors, and caches the members of their user groups for five minutes."""

    def __init__(self, *, client: WebClient, editors: EditorList, clock: Clock) -> None:
        self._client = client
        self._editors = editors
        self._clock = clock
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    def must_ask_slack(self, command: Command, call: Call) -> bool:
        """Return whether the answer depends on a user group whose members are not cached."""
        return not self._is_allowed(command, call) and not all(map(self._is_fresh, self._editors.groups))

    def refusal(self, command: Command, call: Call) -> str:
        """Return why the caller may not run the command, in a sentence for the caller; "" if the caller may."""
        if self._is_allowed(command, call):
            return ""
        if self._editors.nobody:
            return (
                f"Nobody may use {command.name} yet. The person who runs Likewatch sets LIKEWATCH_EDITORS to the ids "
                f"of the editors (yours is {call.user_id}) or of a user group, and starts Likewatch again."
            )
        try:
            if any(call.user_id in self._members_of(group) for group in self._editors.groups):
                return ""
        except LikewatchError as error:
            return f"I cannot look up now whether you may use {command.name}, so nothing was changed. {error}"
        in_channels = command.permission is Permission.EDITORS_IN_CHANNELS
        where = " in a channel; in your direct messages with me you may" if in_channels else ""
        return (
            f"Only editors may use {command.name}{where}. Ask an editor, or ask whoever runs Likewatch to add you "
            f"({call.user_id}) to LIKEWATCH_EDITORS."
        )

    def _is_allowed(self, command: Command, call: Call) -> bool:
        """Return whether the caller may run the command, whatever user groups say."""
        is_direct = call.channel_id.startswith("D")
        return (
            command.permission is Permission.ANYONE
            or (command.permission is Permission.EDITORS_IN_CHANNELS and is_direct)
            or self._editors.everybody
            or call.user_id in self._editors.people
        )

    def _is_fresh(self, group: str) -> bool:
        read_at, _ = self._members.get(group, (float("-inf"), None))
        return self._clock.monotonic() - read_at < FRESH.total_seconds()

    def _members_of(self, group: str) -> frozenset[str]:
        """Return the group's members: the cached ones while Slack does not answer. Raises LikewatchError otherwise."""
        if not self._is_fresh(group):
            try:
                self._members[group] = self._clock.monotonic(), members_of(self._client, group)
            except CALL_ERRORS as error:
                if failure_of(error).kind not in _TEMPORARY or group not in self._members:
                    self._members.pop(group, None)
                    raise _unreadable(group, error) from error
        return self._members[group][1]


def members_of(client: WebClient, group: str) -> frozenset[str]:
    """Return the ids of a user group's members. Raises what the client raises.

    https://docs.slack.dev/reference/methods/usergroups.users.list
    """
    return frozenset(client.usergroups_users_list(usergroup=group)["users"])


def check_groups(client: WebClient, editors: EditorList) -> None:
    """Raise LikewatchError with a sentence for the operator if the members of a user group cannot be read."""
    for group in editors.groups:
        try:
            members_of(client, group)
        except CALL_ERRORS as error:
            raise _unreadable(group, error) from error


def _unreadable(group: str, error: BaseException) -> LikewatchError:
    if failure_of(error).code in _NO_SUCH_GROUP:
        return LikewatchError(
            f"Slack knows no user group {group}, which LIKEWATCH_EDITORS names. The person who runs Likewatch "
            "corrects the id, or names the editors one by one."
        )
    return LikewatchError(f"Slack does not show the members of the user group {group}: {error_sentence(error)}")
