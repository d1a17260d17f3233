"""Whether somebody may run a command: editors are named by the operator, one by one or as a Slack user group."""

from __future__ import annotations

from datetime import timedelta

from slack_sdk.web import WebClient

from bot.clock import Clock
from bot.config.editors import EditorList
from bot.errors import LikewatchError
from bot.slack.client import CALL_ERRORS, ErrorKind, failure_of, spoken
from bot.slack.contract import Call, Command, Who

FRESH = timedelta(minutes=5)
"""Who joins or leaves a user group becomes an editor, or is none any more, within this time."""

_TEMPORARY = {ErrorKind.THROTTLED, ErrorKind.UNSENT, ErrorKind.AMBIGUOUS}
_NO_SUCH_GROUP = {"no_such_subteam", "subteam_not_found", "plan_upgrade_required"}


class Permission:
    """Knows the editors. Members of user groups are asked of Slack, and remembered for five minutes."""

    def __init__(self, *, client: WebClient, editors: EditorList, clock: Clock) -> None:
        self._client = client
        self._editors = editors
        self._clock = clock
        self._members: dict[str, tuple[float, frozenset[str]]] = {}

    def takes_long(self, command: Command, call: Call) -> bool:
        """Whether Slack must be asked who is in a user group."""
        if not _is_for_editors(command, call) or self._editors.everybody or call.user_id in self._editors.people:
            return False
        return any(not self._is_fresh(group) for group in self._editors.groups)

    def refusal(self, command: Command, call: Call) -> str:
        """Why the caller may not run the command, in a sentence for them; "" where they may."""
        if not _is_for_editors(command, call) or self._editors.everybody or call.user_id in self._editors.people:
            return ""
        if self._editors.nobody:
            return (
                f"Nobody may use {_named(command)} yet: whoever runs Likewatch sets LIKEWATCH_EDITORS to the ids of "
                f"those who may (yours is {call.user_id}) or of a user group, and starts it again."
            )
        try:
            if any(call.user_id in self._members_of(group) for group in self._editors.groups):
                return ""
        except LikewatchError as error:
            return f"Whether you may use {_named(command)} cannot be looked up now, so nothing was changed. {error}"
        where = (
            " in a channel; in your direct messages with me you may" if command.who is Who.EDITORS_IN_CHANNELS else ""
        )
        return (
            f"Only editors may use {_named(command)}{where}. Ask one of them, or whoever runs Likewatch to add you "
            f"({call.user_id}) to LIKEWATCH_EDITORS."
        )

    def _is_fresh(self, group: str) -> bool:
        asked, _ = self._members.get(group, (float("-inf"), None))
        return self._clock.monotonic() - asked < FRESH.total_seconds()

    def _members_of(self, group: str) -> frozenset[str]:
        """The group's members; while Slack cannot be asked, those of the last time. LikewatchError otherwise."""
        if not self._is_fresh(group):
            try:
                self._members[group] = self._clock.monotonic(), members_of(self._client, group)
            except CALL_ERRORS as error:
                if failure_of(error).fault not in _TEMPORARY or group not in self._members:
                    self._members.pop(group, None)
                    raise _unreadable(group, error) from error
        return self._members[group][1]


def members_of(client: WebClient, group: str) -> frozenset[str]:
    """The ids of a user group's members. Raises what the client raises.

    https://docs.slack.dev/reference/methods/usergroups.users.list
    """
    return frozenset(client.usergroups_users_list(usergroup=group)["users"])


def check_groups(client: WebClient, editors: EditorList) -> None:
    """For the doctor: LikewatchError with a sentence where the members of a user group cannot be read."""
    for group in editors.groups:
        try:
            members_of(client, group)
        except CALL_ERRORS as error:
            raise _unreadable(group, error) from error


def _unreadable(group: str, error: BaseException) -> LikewatchError:
    if failure_of(error).code in _NO_SUCH_GROUP:
        return LikewatchError(
            f"Slack knows no user group {group}, which LIKEWATCH_EDITORS names: whoever runs Likewatch corrects it, or "
            "names the editors one by one."
        )
    return LikewatchError(f"Who is in the user group {group} cannot be read: {spoken(error)}")


def _is_for_editors(command: Command, call: Call) -> bool:
    match command.who:
        case Who.ANYONE:
            return False
        case Who.EDITORS:
            return True
        case Who.EDITORS_IN_CHANNELS:
            return not call.channel_id.startswith("D")


def _named(command: Command) -> str:
    return f"{command.slash} {command.verbs[0]}".rstrip()
