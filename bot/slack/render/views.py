"""Make Slack's views from cards: a modal with its form, and the App Home tab.

https://docs.slack.dev/reference/views
"""

from __future__ import annotations

from bot.slack.contract import Card, FormField, HomeView, Modal
from bot.slack.render.block_kit import Block, blocks, shortened, without_charts

MAX_BLOCKS = 100
MAX_TITLE = 24  # of the window, and of its buttons
MAX_LABEL = 2000
MAX_OPTIONS, MAX_OPTION = 100, 75
MAX_METADATA = 3000


def modal_view(card: Card, modal: Modal) -> Block:
    """Return the modal as Slack's ``views.open`` takes it. Charts become words: Slack shows none in modals.

    Raises ValueError if ``metadata`` is longer than Slack's limit of 3,000 characters.
    """
    if len(modal.metadata) > MAX_METADATA:
        raise ValueError(f"the metadata of a modal has {len(modal.metadata)} characters")
    shown = [*without_charts(blocks(card)), *map(_input, modal.form_fields)]
    view = {"type": "modal", "title": _plain(modal.title, MAX_TITLE), "blocks": shown[:MAX_BLOCKS]}
    if modal.form_fields:
        view["submit"] = _plain(modal.submit or "Send", MAX_TITLE)
    if modal.callback_id:
        view["callback_id"] = modal.callback_id
    return {**view, "private_metadata": modal.metadata}


def home_view(card: Card, home: HomeView) -> Block:
    """Return the App Home tab as Slack's ``views.publish`` takes it."""
    shown = [block for one in (card, *home.more) for block in without_charts(blocks(one))]
    return {"type": "home", "blocks": shown[:MAX_BLOCKS]}


def _input(field: FormField) -> Block:
    element: Block = {"type": "plain_text_input", "action_id": "value"}
    if field.options:
        options = [{"text": _plain(label, MAX_OPTION), "value": value} for value, label in field.options[:MAX_OPTIONS]]
        element = {"type": "static_select", "action_id": "value", "options": options}
        chosen = [option for option in options if option["value"] == field.value]
        if chosen:
            element["initial_option"] = chosen[0]
    elif field.value:
        element["initial_value"] = field.value
    label = _plain(field.label, MAX_LABEL)
    return {"type": "input", "block_id": field.name, "label": label, "element": element, "optional": field.optional}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": shortened(text, limit) or "…", "emoji": False}
