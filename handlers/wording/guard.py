"""The guard: words and claims that an alert must not make.

An alert may state the figure, the period, the source, the share that the platform located in a country, the numerator,
the denominator and the bounds. An alert must never state an intention, who paid, or that an audience is not genuine.
It must never confuse new likes with all likes. The text is plain: it has no markup.
"""

from __future__ import annotations

import re

from handlers.wording.phrases import CAVEAT

_FORBIDDEN = re.compile(
    r"\b(?:fak(?:e|ed|es|ing)|bots?|botnets?|bought|bu(?:y|ys|ying)|purchas\w*|paid|pay(?:s|ing)?\s+for|"
    r"click\W?farm\w*|like\W?farm\w*|troll\w*|fraud\w*|cheat\w*|inauthentic\w*|artificial\w*|not\s+(?:real|genuine)|"
    r"astroturf\w*|manipulat\w*|rigg(?:ed|ing)|inten(?:t|ds?|ded|tion\w*)|deliberate\w*|on\s+purpose|"
    r"in\s+order\s+to|attack\w*|most\s+popular|popularity)\b",
    re.IGNORECASE,
)


class ForbiddenClaim(ValueError):
    """A sentence claims what counting cannot show. This is a defect in Likewatch; the sentence must not be posted."""


def guard(text: str) -> None:
    """Refuse words and claims that an alert must not make. The fixed caveat may name what it does not claim.

    Raises:
        ForbiddenClaim: the message names the words.

    """
    found = _FORBIDDEN.search(text.replace(CAVEAT, ""))
    if found is not None:
        raise ForbiddenClaim(f"an alert may not say {found.group()!r}: {text}")
