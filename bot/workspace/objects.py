"""Block Kit's composition objects and elements, checked as Slack checks them: texts, options, confirmations, buttons.

Limits: https://docs.slack.dev/reference/block-kit/block-elements and …/composition-objects.
A fault reads like Slack's: ``[ERROR] must be less than 76 characters [json-pointer:/blocks/0/elements/1/text/text]``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypeGuard

from bot.workspace.model import Json

MAX_ID = 255
MAX_TEXT = 3000
MAX_URL = 3000
MAX_ALT_TEXT = 2000
MAX_BUTTON_TEXT, MAX_BUTTON_VALUE = 75, 2000
MAX_OPTIONS, MAX_OVERFLOW = 100, 5
MAX_OPTION_TEXT, MAX_OPTION_VALUE = 75, 150
MAX_PLACEHOLDER = 150
MAX_CONFIRM_TITLE, MAX_CONFIRM_TEXT, MAX_CONFIRM_BUTTON = 100, 300, 30

PLAIN = ("plain_text",)
ANY_TEXT = ("plain_text", "mrkdwn")


class Faults:
    """What is wrong with a document, each fault with the place where it is."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, at: str, what: str) -> None:
        self.messages.append(f"[ERROR] {what} [json-pointer:{at}]")

    def shape(
        self, value: object, at: str, *, required: Collection[str], optional: Collection[str] = ()
    ) -> TypeGuard[Json]:
        """True for an object with every required field; unknown fields are a fault of their own.

        The value comes first here: a TypeGuard speaks about its first argument.
        """
        if not isinstance(value, dict):
            self.add(at, "must be an object")
            return False
        for name in sorted(set(value) - set(required) - set(optional)):
            self.add(at, f"invalid additional property: {name}")
        missing = [name for name in required if name not in value]
        for name in missing:
            self.add(at, f"missing required field: {name}")
        return not missing

    def string(self, at: str, value: object, most: int) -> None:
        if not isinstance(value, str):
            self.add(at, "must be a string")
        elif not value:
            self.add(at, "must be more than 0 characters")
        elif len(value) > most:
            self.add(at, f"must be less than {most + 1} characters")

    def items(self, at: str, value: object, most: int) -> list[Any]:
        """The list's items, none where it is not a list of 1 to ``most``."""
        if not isinstance(value, list):
            self.add(at, "must be a list")
            return []
        if not value:
            self.add(at, "no fewer than 1 items allowed")
        if len(value) > most:
            self.add(at, f"no more than {most} items allowed")
            return []
        return value

    def one_of(self, at: str, value: object, allowed: Collection[str]) -> None:
        if value not in allowed:
            self.add(at, f"must be one of: {', '.join(allowed)}")

    def flag(self, at: str, value: object) -> None:
        if not isinstance(value, bool):
            self.add(at, "must be true or false")

    def web_address(self, at: str, value: object) -> None:
        self.string(at, value, MAX_URL)
        if isinstance(value, str) and not value.startswith(("https://", "http://")):
            self.add(at, "must be an http or https address")


def check_text(faults: Faults, at: str, value: object, *, types: Collection[str] = ANY_TEXT, most: int) -> None:
    """A text object of one of ``types``, at most ``most`` characters."""
    if not faults.shape(value, at, required=("type", "text"), optional=("emoji", "verbatim")):
        return
    faults.one_of(f"{at}/type", value["type"], types)
    faults.string(f"{at}/text", value["text"], most)
    for name, belongs in (("emoji", "plain_text"), ("verbatim", "mrkdwn")):
        if name in value:
            faults.flag(f"{at}/{name}", value[name])
            if value["type"] != belongs:
                faults.add(f"{at}/{name}", f"is only for {belongs}")


def check_element(faults: Faults, at: str, value: object, allowed: Collection[str]) -> None:
    """A block element whose type is in ``allowed``."""
    if not isinstance(value, dict):
        faults.add(at, "must be an object")
    elif value.get("type") not in allowed:
        faults.add(f"{at}/type", f"unsupported type: {value.get('type')}; allowed here: {', '.join(allowed)}")
    else:
        _ELEMENTS[value["type"]](faults, at, value)


def _check_button(faults: Faults, at: str, value: Json) -> None:
    optional = ("action_id", "value", "url", "style", "confirm", "accessibility_label")
    if not faults.shape(value, at, required=("type", "text"), optional=optional):
        return
    check_text(faults, f"{at}/text", value["text"], types=PLAIN, most=MAX_BUTTON_TEXT)
    _check_interactive(faults, at, value)
    if "value" in value:
        faults.string(f"{at}/value", value["value"], MAX_BUTTON_VALUE)
    if "url" in value:
        faults.web_address(f"{at}/url", value["url"])
    if "style" in value:
        faults.one_of(f"{at}/style", value["style"], ("primary", "danger"))
    if "accessibility_label" in value:
        faults.string(f"{at}/accessibility_label", value["accessibility_label"], MAX_BUTTON_TEXT)


def _check_select(faults: Faults, at: str, value: Json) -> None:
    optional = ("action_id", "placeholder", "initial_option", "confirm")
    if not faults.shape(value, at, required=("type", "options"), optional=optional):
        return
    _check_interactive(faults, at, value)
    if "placeholder" in value:
        check_text(faults, f"{at}/placeholder", value["placeholder"], types=PLAIN, most=MAX_PLACEHOLDER)
    _check_options(faults, f"{at}/options", value["options"], MAX_OPTIONS)
    if "initial_option" in value and value["initial_option"] not in value["options"]:
        faults.add(f"{at}/initial_option", "must be one of the options, exactly")


def _check_overflow(faults: Faults, at: str, value: Json) -> None:
    if faults.shape(value, at, required=("type", "options"), optional=("action_id", "confirm")):
        _check_interactive(faults, at, value)
        _check_options(faults, f"{at}/options", value["options"], MAX_OVERFLOW)


def _check_image(faults: Faults, at: str, value: Json) -> None:
    if faults.shape(value, at, required=("type", "image_url", "alt_text")):
        check_picture(faults, at, value)


def check_picture(faults: Faults, at: str, value: Json) -> None:
    """What an image block and an image element share."""
    faults.web_address(f"{at}/image_url", value["image_url"])
    faults.string(f"{at}/alt_text", value["alt_text"], MAX_ALT_TEXT)


def _check_interactive(faults: Faults, at: str, value: Json) -> None:
    if "action_id" in value:
        faults.string(f"{at}/action_id", value["action_id"], MAX_ID)
    if "confirm" in value:
        _check_confirm(faults, f"{at}/confirm", value["confirm"])


def _check_options(faults: Faults, at: str, value: object, most: int) -> None:
    for index, option in enumerate(faults.items(at, value, most)):
        here = f"{at}/{index}"
        if faults.shape(option, here, required=("text", "value"), optional=("description",)):
            check_text(faults, f"{here}/text", option["text"], types=ANY_TEXT, most=MAX_OPTION_TEXT)
            faults.string(f"{here}/value", option["value"], MAX_OPTION_VALUE)
            if "description" in option:
                check_text(faults, f"{here}/description", option["description"], types=PLAIN, most=MAX_OPTION_TEXT)


def _check_confirm(faults: Faults, at: str, value: object) -> None:
    if not faults.shape(value, at, required=("title", "text", "confirm", "deny"), optional=("style",)):
        return
    check_text(faults, f"{at}/title", value["title"], types=PLAIN, most=MAX_CONFIRM_TITLE)
    check_text(faults, f"{at}/text", value["text"], most=MAX_CONFIRM_TEXT)
    for name in ("confirm", "deny"):
        check_text(faults, f"{at}/{name}", value[name], types=PLAIN, most=MAX_CONFIRM_BUTTON)
    if "style" in value:
        faults.one_of(f"{at}/style", value["style"], ("primary", "danger"))


_ELEMENTS: dict[str, Callable[[Faults, str, Json], None]] = {
    "button": _check_button,
    "static_select": _check_select,
    "overflow": _check_overflow,
    "image": _check_image,
}
