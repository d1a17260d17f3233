"""``/trends track``: watch a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.errors import LikewatchError
from bot.pages.slugs import free_slug, is_slug, make_slug
from bot.platforms.contract import Profile, Reference
from bot.platforms.registry import parse_reference, platforms
from bot.rules.preview import settle_rule_states, states_begun_by
from bot.slack.answers.figures import title
from bot.slack.audit import audit
from bot.slack.commands import commands
from bot.slack.contract import Button, Call, Card, Command, Line, Mention, Permission, Reply, Slash
from bot.text import phrases
from bot.text.countries import country_code, country_name
from handlers.comparisons import all_comparisons
from handlers.model import Account, Page
from storage.store import Store

USAGE = "/trends track <address or @handle> [as hunsen] [home KH] [in cambodia] [on facebook]"
_WORDS = ("as", "home", "in", "on")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRequest:
    """What was asked for, checked in itself: ``slug`` is "" and ``home`` None where they were not said."""

    reference: Reference
    slug: str
    home: str | None
    groups: tuple[str, ...]


def lookup(call: Call) -> Reference:
    """The account to look up at its platform."""
    return parse(call.text).reference


def run(call: Call, store: Store, now: datetime) -> Reply:
    """Watch the page that was found, or bring what is known of it up to date."""
    asked, profile = parse(call.text), call.profile
    if profile is None:
        raise LikewatchError("The page could not be looked up. Try again.")
    begun = states_begun_by(store, _page(store, asked, profile), all_comparisons(), now)
    with store.write():
        known = store.pages.by_account(profile.platform, profile.native_id)
        page = _page(store, asked, profile)
        slug = page.slug
        account = store.pages.account(slug) or _account(profile, slug, call)
        store.pages.add(page, account, at=now)
        settle_rule_states(store, all_comparisons(), now, made=begun)
        said = f"{profile.url} home {asked.home or 'not said'} in {' '.join(asked.groups) or 'no group'}"
        audit(store, call, now, "track", slug, detail=said)
        page = store.pages.get(slug) or page
    return _reply(call, page, account, profile, known=known is not None)


def _page(store: Store, asked: TrackRequest, profile: Profile) -> Page:
    """The page as it will be: one that is known keeps its short name, its groups, and its home if none is said."""
    known = store.pages.by_account(profile.platform, profile.native_id)
    slug = known.slug if known else _slug(store, asked, profile)
    return Page(
        slug=slug,
        name=profile.name or slug,
        platform=profile.platform,
        url=profile.url,
        home=asked.home or (known.home if known else None),
        groups=tuple(dict.fromkeys((*(known.groups if known else ()), *asked.groups))),
        aliases=_aliases(store, asked, known),
    )


def _account(profile: Profile, slug: str, call: Call) -> Account:
    return Account(
        page=slug,
        platform=profile.platform,
        native_id=profile.native_id,
        handle=profile.handle,
        url=profile.url,
        poll_every=call.poll_every,
    )


def parse(text: str) -> TrackRequest:
    """Understand the command's text; LikewatchError names what is wrong in it."""
    pasted, *others = text.split() or [""]
    if not pasted:
        raise LikewatchError(f"Say which page to watch: {USAGE}")
    said: dict[str, list[str]] = {}
    clause: list[str] | None = None
    for word in others:
        if word.casefold() in _WORDS:
            if word.casefold() in said:
                raise LikewatchError(f"“{word}” is there twice. Usage: {USAGE}")
            clause = said[word.casefold()] = []
        elif clause is None:
            raise LikewatchError(f"I do not understand “{word}” after the page. Usage: {USAGE}")
        else:
            clause.append(word)
    for word, values in said.items():
        if not values:
            raise LikewatchError(f"Something is missing after “{word}”. Usage: {USAGE}")
    return TrackRequest(
        reference=parse_reference(pasted, platforms(), " ".join(said.get("on", ()))),
        slug=_checked_slug(said.get("as", [])),
        home=_country(" ".join(said["home"])) if "home" in said else None,
        groups=_groups(" ".join(said.get("in", ()))),
    )


def _checked_slug(said: list[str]) -> str:
    if not said:
        return ""
    slug = " ".join(said).casefold()
    reserved = {verb for command in commands() for verb in command.verbs}
    if slug in reserved or not is_slug(slug):
        better = free_slug(make_slug(slug) or "page", lambda one: one in reserved or not is_slug(one))
        raise LikewatchError(
            f"“{' '.join(said)}” cannot be a page's short name: small letters, digits and hyphens make one, and words "
            f"with a meaning of their own are kept free. Try: as {better}"
        )
    return slug


def _country(said: str) -> str:
    code = country_code(said)
    if code is None:
        raise LikewatchError(
            f"I know no country “{said}”. Give its name in full or its two letters: home KH, home Cambodia."
        )
    return code


def _groups(said: str) -> tuple[str, ...]:
    groups = []
    for name in said.replace(",", " ").split():
        slug = make_slug(name)
        if not is_slug(slug):
            raise LikewatchError(f"“{name}” cannot be a group's name: small letters, digits and hyphens make one.")
        groups.append(slug)
    return tuple(dict.fromkeys(groups))


def _slug(store: Store, asked: TrackRequest, profile: Profile) -> str:
    """The slug of a page whose account is new: the one asked for, else one made from the handle."""

    def taken(slug: str) -> bool:
        other = store.pages.find(slug)
        return other is not None and not _may_join(store, other, slug, profile)

    if asked.slug:
        if taken(asked.slug):
            other = store.pages.find(asked.slug)
            free = free_slug(f"{asked.slug}-{profile.platform}", taken)
            raise LikewatchError(
                f"“{asked.slug}” already means {other.name if other else asked.slug}, another page. Try: as {free}"
            )
        return asked.slug
    reserved = {verb for command in commands() for verb in command.verbs}
    handle = profile.handle.removesuffix(".bsky.social")
    made = make_slug(handle) or make_slug(profile.name) or make_slug(f"{profile.platform} {profile.native_id}")
    return free_slug(made, lambda slug: taken(slug) or slug in reserved or not is_slug(slug))


def _may_join(store: Store, page: Page, slug: str, profile: Profile) -> bool:
    """A page that was only imported so far gets its account."""
    return page.slug == slug and page.platform == profile.platform and store.pages.account(slug) is None


def _aliases(store: Store, asked: TrackRequest, known: Page | None) -> tuple[str, ...]:
    if known is None or not asked.slug or asked.slug == known.slug:
        return ()
    other = store.pages.find(asked.slug)
    if other is not None and other.slug != known.slug:
        raise LikewatchError(
            f"“{asked.slug}” already means {other.name}, another page. This one is watched as {known.slug}."
        )
    return (asked.slug,)


def _reply(call: Call, page: Page, account: Account, profile: Profile, *, known: bool) -> Reply:
    home = country_name(page.home) if page.home else "not said"
    lines: list[Line] = []
    if page.home is None:
        lines.append(f"Without a home country no foreign share can be told. Add it: /trends track {page.url} home KH")
    lines.append(f"Next: /trends subscribe {page.slug} posts its alerts in this channel.")
    card = Card(
        headline=f"{page.name} {'was watched already, and is up to date now' if known else 'is watched now'}",
        lines=tuple(lines),
        fields=(
            ("Count", f"{phrases.count(profile.count)} {profile.metric}, read just now from {title(profile.platform)}"),
            ("Short name", ", also ".join((page.slug, *page.aliases))),
            ("Home", home),
            ("Groups", ", ".join(page.groups) or "none: in a group, leads and overtakes are told"),
            ("Read", f"within a minute, then every {phrases.duration(account.poll_every)}"),
        ),
        buttons=(
            Button(label="Subscribe this channel", query=f"trends subscribe {page.slug}"),
            Button(label="Show its figures", query=f"likes {page.slug}"),
        ),
    )
    verb = "updated" if known else "started watching"
    told = (
        f"{page.slug} ({page.name} on {title(page.platform)}), home {home}, groups: {', '.join(page.groups) or 'none'}"
    )
    return Reply(card=card, notice=(Mention(call.user_id), f" {verb} {told}"))


COMMAND = Command(
    slash=Slash.TRENDS,
    verbs=("track",),
    usage=USAGE,
    summary="watch a page; give its home country and the group of its rivals",
    permission=Permission.EDITORS,
    run=run,
    lookup=lookup,
)
