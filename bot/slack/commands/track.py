"""``/trends track``: watch a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.errors import LikewatchError
from bot.pages.slugs import free_slug, is_slug, make_slug
from bot.platforms.contract import Profile, Reference
from bot.platforms.discovery import parse_reference, platforms
from bot.rules.preview import settle_rule_states, states_begun_by
from bot.slack.answers.figures import platform_title
from bot.slack.audit import audit
from bot.slack.contract import Button, Call, Card, Command, Line, Mention, Permission, Reply, Slash
from bot.slack.discovery import commands
from bot.text import durations, phrases
from bot.text.countries import country_code, country_name
from handlers.discovery import all_comparisons
from handlers.model import Account, Page
from storage.store import Store

USAGE = "/trends track <address or @handle> [as hunsen] [home KH] [in cambodia] [on facebook]"
_CLAUSES = ("as", "home", "in", "on")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRequest:
    """The page to watch, as the text names it. ``slug`` is "" and ``home`` is None if the text does not name them."""

    reference: Reference
    slug: str
    home: str | None
    groups: tuple[str, ...]


def lookup(call: Call) -> Reference:
    """Return the account to look up at its platform."""
    return parse(call.text).reference


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Watch the page, or update a page that is already watched."""
    request, profile = parse(call.text), call.profile
    if profile is None:
        raise LikewatchError("The page could not be looked up. Try again.")
    begun = states_begun_by(store, _page(store, request, profile), all_comparisons(), now)
    with store.write():
        was_watched = store.pages.by_account(profile.platform, profile.native_id) is not None
        page = _page(store, request, profile)
        account = store.pages.account(page.slug) or Account(
            page=page.slug,
            platform=profile.platform,
            native_id=profile.native_id,
            handle=profile.handle,
            url=profile.url,
            poll_every=call.poll_every,
        )
        store.pages.add(page, account, at=now)
        settle_rule_states(store, all_comparisons(), now, made=begun)
        detail = f"{profile.url} home {request.home or 'not said'} in {' '.join(request.groups) or 'no group'}"
        audit(store, call, now, "track", page.slug, detail=detail)
        page = store.pages.get(page.slug) or page
    return _reply(call, page, account, profile, was_watched=was_watched)


def _page(store: Store, request: TrackRequest, profile: Profile) -> Page:
    """Return the page to store. A page that is already watched keeps its short name, its groups and its home."""
    watched = store.pages.by_account(profile.platform, profile.native_id)
    slug = watched.slug if watched else _slug(store, request, profile)
    return Page(
        slug=slug,
        name=profile.name or slug,
        platform=profile.platform,
        url=profile.url,
        home=request.home or (watched.home if watched else None),
        groups=tuple(dict.fromkeys((*(watched.groups if watched else ()), *request.groups))),
        aliases=_aliases(store, request, watched),
    )


def parse(text: str) -> TrackRequest:
    """Return what the command's text asks for. Raises LikewatchError with a sentence about what is wrong in it."""
    address, *words = text.split() or [""]
    if not address:
        raise LikewatchError(f"Say which page to watch: {USAGE}")
    clauses: dict[str, list[str]] = {}
    clause: list[str] | None = None
    for word in words:
        if word.casefold() in _CLAUSES:
            if word.casefold() in clauses:
                raise LikewatchError(f"“{word}” is there twice. Usage: {USAGE}")
            clause = clauses[word.casefold()] = []
        elif clause is None:
            raise LikewatchError(f"I do not understand “{word}” after the page. Usage: {USAGE}")
        else:
            clause.append(word)
    for word, values in clauses.items():
        if not values:
            raise LikewatchError(f"Something is missing after “{word}”. Usage: {USAGE}")
    values_of = {word: " ".join(values) for word, values in clauses.items()}
    return TrackRequest(
        reference=parse_reference(address, platforms(), values_of.get("on", "")),
        slug=_checked_slug(values_of["as"]) if "as" in values_of else "",
        home=_country(values_of["home"]) if "home" in values_of else None,
        groups=_groups(values_of.get("in", "")),
    )


def _checked_slug(text: str) -> str:
    slug = text.casefold()
    if _is_reserved(slug):
        free = free_slug(make_slug(slug) or "page", _is_reserved)
        raise LikewatchError(
            f"“{text}” cannot be a page's short name. A short name has small letters, digits and hyphens, and is no "
            f"command. Try: as {free}"
        )
    return slug


def _is_reserved(slug: str) -> bool:
    """Return whether the slug is malformed, or a command's verb."""
    return not is_slug(slug) or any(slug in command.verbs for command in commands())


def _country(text: str) -> str:
    code = country_code(text)
    if code is None:
        raise LikewatchError(
            f"I know no country “{text}”. Give its name in full or its two letters: home KH, home Cambodia."
        )
    return code


def _groups(text: str) -> tuple[str, ...]:
    groups = {name: make_slug(name) for name in text.replace(",", " ").split()}
    for name, slug in groups.items():
        if not is_slug(slug):
            raise LikewatchError(
                f"“{name}” cannot be a group's name. A group's name has small letters, digits and hyphens."
            )
    return tuple(dict.fromkeys(groups.values()))


def _slug(store: Store, request: TrackRequest, profile: Profile) -> str:
    """Return the slug of a page whose account is new: the requested slug, else one made from the handle."""

    def owner(slug: str) -> Page | None:
        page = store.pages.find(slug)
        if page is None or page.slug != slug or page.platform != profile.platform or store.pages.account(slug):
            return page
        return None  # the page was only imported so far: this account becomes its own

    if request.slug:
        if other := owner(request.slug):
            free = free_slug(f"{request.slug}-{profile.platform}", lambda slug: owner(slug) is not None)
            raise LikewatchError(f"“{request.slug}” already means {other.name}, another page. Try: as {free}")
        return request.slug
    handle = profile.handle.removesuffix(".bsky.social")
    made = make_slug(handle) or make_slug(profile.name) or make_slug(f"{profile.platform} {profile.native_id}")
    return free_slug(made, lambda slug: owner(slug) is not None or _is_reserved(slug))


def _aliases(store: Store, request: TrackRequest, watched: Page | None) -> tuple[str, ...]:
    if watched is None or not request.slug or request.slug == watched.slug:
        return ()
    other = store.pages.find(request.slug)
    if other is not None and other.slug != watched.slug:
        raise LikewatchError(
            f"“{request.slug}” already means {other.name}, another page. This one is watched as {watched.slug}."
        )
    return (request.slug,)


def _reply(call: Call, page: Page, account: Account, profile: Profile, *, was_watched: bool) -> Reply:
    home = country_name(page.home) if page.home else "not said"
    platform = platform_title(page.platform)
    lines: list[Line] = []
    if page.home is None:
        lines.append(
            f"Without a home country I cannot tell foreign likes from likes at home. Add it: /trends track {page.url} "
            "home KH"
        )
    lines.append(f"Next: /trends subscribe {page.slug} posts its alerts in this channel.")
    card = Card(
        headline=f"{page.name} {'was watched already, and is up to date now' if was_watched else 'is watched now'}",
        lines=tuple(lines),
        fields=(
            ("Count", f"{phrases.count(profile.count)} {profile.metric}, read just now from {platform}"),
            ("Short name", ", also ".join((page.slug, *page.aliases))),
            ("Home", home),
            ("Groups", ", ".join(page.groups) or "none: leads and overtakes are only posted for pages of a group"),
            ("Read", f"within a minute, then every {durations.duration(account.poll_every)}"),
        ),
        buttons=(
            Button(label="Subscribe this channel", query=f"trends subscribe {page.slug}"),
            Button(label="Show its figures", query=f"likes {page.slug}"),
        ),
    )
    verb = "updated" if was_watched else "started watching"
    groups = ", ".join(page.groups) or "none"
    notice = f" {verb} {page.slug} ({page.name} on {platform}), home {home}, groups: {groups}"
    return Reply(card=card, notice=(Mention(call.user_id), notice))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("track",),
    usage=USAGE,
    summary="watch a page; give its home country and the group of its rivals",
    permission=Permission.EDITORS,
    run=run,
    lookup=lookup,
)
