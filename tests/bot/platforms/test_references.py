from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UnknownPage
from bot.platforms.discovery import parse_reference, platforms

DID = "did:plc:z72i7hdynmk6r22z27h6tvur"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("123456789", "123456789"),
        ("hunsen", "hunsen"),
        ("@hunsen", "hunsen"),
        ("facebook.com/hunsen", "hunsen"),
        ("https://www.facebook.com/hunsen", "hunsen"),
        ("HTTPS://WWW.Facebook.com/HunSen/", "HunSen"),
        ("http://m.facebook.com/hunsen?mibextid=ZbWKwL", "hunsen"),
        ("web.facebook.com/hunsen#", "hunsen"),
        ("https://mbasic.facebook.com/hunsen/?ref=1#top", "hunsen"),
        ("https://km-kh.facebook.com/hunsen", "hunsen"),
        ("https://fb.com/hunsen", "hunsen"),
        ("https://www.facebook.com:443/hunsen", "hunsen"),
        ("https://www.facebook.com/@hunsen", "hunsen"),
        ("https://www.facebook.com/sam.rainsy.5", "sam.rainsy.5"),
        ("https://www.facebook.com/hunsen/about", "hunsen"),
        ("https://www.facebook.com/hunsen/photos/", "hunsen"),
        ("https://www.facebook.com/pg/hunsen/posts/?ref=page_internal", "hunsen"),
        ("https://www.facebook.com/pages/Hun-Sen/123456789", "123456789"),
        ("https://www.facebook.com/pages/%E1%9E%A0%E1%9F%8A%E1%9E%BB%E1%9E%93/123456789?fref=ts", "123456789"),
        ("https://www.facebook.com/pages/category/Politician/Hun-Sen-123456789/", "123456789"),
        ("https://www.facebook.com/Hun-Sen-123456789", "123456789"),
        ("https://www.facebook.com/ហ៊ុន-សែន-123456789/", "123456789"),
        ("https://www.facebook.com/p/Hun-Sen-61550000000001/", "61550000000001"),
        ("https://www.facebook.com/people/Hun-Sen/61550000000001/", "61550000000001"),
        ("https://www.facebook.com/profile.php?id=61550000000001", "61550000000001"),
        ("profile.php?id=61550000000001", "61550000000001"),
        ("https://www.facebook.com/profile.php?id=61550000000001&amp;sk=about", "61550000000001"),
        ("<https://facebook.com/hunsen|facebook.com/hunsen>", "hunsen"),
        ("<https://facebook.com/hunsen>", "hunsen"),
        ("<https://facebook.com/hunsen|the page>", "hunsen"),
        (" “facebook.com/hunsen” ", "hunsen"),
        ("'hunsen'", "hunsen"),
        ("\u200ehttps://facebook.com/hunsen\u200b,", "hunsen"),
    ],
)
def test_it_reads_every_form_of_a_facebook_page(text: str, key: str) -> None:
    reference = parse_reference(text, platforms())
    assert (reference.platform, reference.key) == ("facebook", key)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("hunsen.bsky.social", "hunsen.bsky.social"),
        ("@HunSen.bsky.social", "hunsen.bsky.social"),
        ("nytimes.com", "nytimes.com"),
        (DID, DID),
        ("did:web:news.example", "did:web:news.example"),
        ("https://bsky.app/profile/hunsen.bsky.social", "hunsen.bsky.social"),
        ("bsky.app/profile/@hunsen.bsky.social/", "hunsen.bsky.social"),
        (f"https://bsky.app/profile/{DID}?x=1", DID),
        ("https://bsky.app/profile/hunsen.bsky.social/followers", "hunsen.bsky.social"),
        (f"at://{DID}", DID),
        ("at://hunsen.bsky.social/app.bsky.actor.profile/self", "hunsen.bsky.social"),
        ("<http://hunsen.bsky.social|hunsen.bsky.social>", "hunsen.bsky.social"),
        ("@<http://hunsen.bsky.social|hunsen.bsky.social>", "hunsen.bsky.social"),
    ],
)
def test_it_reads_every_form_of_a_bluesky_account(text: str, key: str) -> None:
    reference = parse_reference(text, platforms())
    assert (reference.platform, reference.key) == ("bluesky", key)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("https://www.facebook.com/groups/123456", "a group on Facebook"),
        ("https://www.facebook.com/events/123456/", "an event on Facebook"),
        ("https://www.facebook.com/hunsen/posts/pfbid02abc", "a post on Facebook.*facebook.com/hunsen$"),
        ("https://www.facebook.com/hunsen/videos/123/", "a video on Facebook.*facebook.com/hunsen$"),
        ("https://www.facebook.com/hunsen/photos/a.1/2", "a photo on Facebook.*facebook.com/hunsen$"),
        ("https://www.facebook.com/photo.php?fbid=1", "a photo on Facebook"),
        ("https://www.facebook.com/photo/?fbid=1", "a photo on Facebook"),
        ("https://www.facebook.com/story.php?story_fbid=1&id=2", "a post on Facebook"),
        ("https://www.facebook.com/permalink.php?story_fbid=1&id=2", "a post on Facebook"),
        ("https://www.facebook.com/share/1AbCdEf/", "a share link"),
        ("https://www.facebook.com/share/p/1AbCdEf/", "a share link"),
        ("https://www.facebook.com/watch/?v=1", "a video on Facebook"),
        ("https://www.facebook.com/reel/1", "a reel on Facebook"),
        ("https://www.facebook.com/stories/1", "a story on Facebook"),
        ("https://www.facebook.com/marketplace/item/1", "the marketplace"),
        ("https://www.facebook.com/", "names no Facebook page"),
        ("facebook.com", "names no Facebook page"),
        ("https://www.facebook.com/profile.php", "names no Facebook page"),
        ("https://www.facebook.com/pages/Hun-Sen", "names no Facebook page"),
        ("https://www.facebook.com/two%20words", "names no Facebook page"),
        ("https://l.facebook.com/l.php?u=x", "l.facebook.com shows no Facebook page"),
        ("https://fb.watch/abc/", "fb.watch shows no Facebook page"),
        ("https://bsky.app/profile/hunsen.bsky.social/post/3k", "not an account.*bsky.app/profile/hunsen.bsky.social$"),
        ("https://bsky.app/profile/nobody", "names no Bluesky account"),
        ("https://bsky.app/search?q=x", "names no Bluesky account"),
        ("at://hunsen.bsky.social/app.bsky.feed.post/3k", "not an account"),
        ("did:plc:short", "not the DID of a Bluesky account"),
        ("https://www.youtube.com/@hunsen", "^YouTube is not supported yet"),
        ("youtu.be/dQw4w9WgXcQ", "^YouTube is not supported yet"),
        ("https://x.com/hunsen", "^X is not supported yet"),
        ("https://t.me/hunsen", "^Telegram is not supported yet"),
        ("@hunsen@mastodon.example", "^Mastodon is not supported yet"),
        ("https://box.com/folder", "names no page that Likewatch can watch"),
        ("two words", "“two words” names no page"),
        ("<@U12345>", "names no page"),
        ("", "names no page"),
    ],
)
def test_it_says_what_to_paste_instead(text: str, says: str) -> None:
    with pytest.raises(UnknownPage, match=says) as raised:
        parse_reference(text, platforms())
    assert "aste" in str(raised.value)


def test_the_platform_that_somebody_names_decides() -> None:
    assert parse_reference("sam.rainsy", platforms()).platform == "bluesky"
    assert parse_reference("sam.rainsy", platforms(), hint="Facebook").platform == "facebook"
    with pytest.raises(UnknownPage, match=r"for Bluesky: bsky\.app/profile"):
        parse_reference("hunsen", platforms(), hint="bluesky")
    with pytest.raises(UnknownPage, match="It reads Bluesky and Facebook"):
        parse_reference("hunsen", platforms(), hint="orkut")


PIECES = st.sampled_from(
    ["https://", "www.", "facebook.com", "bsky.app", "/profile", "/", "?id=", "at://", "did:", "@", "<", "|", ">", "%"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join)))
def test_it_never_raises_anything_but_a_sentence(text: str) -> None:
    with contextlib.suppress(UnknownPage):
        parse_reference(text, platforms())
