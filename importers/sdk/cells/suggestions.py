"""What was probably meant by an unknown ID: a suggestion that is sure, or none."""

from __future__ import annotations

import re
import unicodedata
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from importers.sdk.cells.meant import meant_email
from importers.sdk.errors import alternatives
from importers.sdk.node_id import encode_node_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence, Set

    from importers.sdk.directory import Directory
    from importers.sdk.entities import Case, User
    from importers.sdk.errors import Params

Noun: TypeAlias = Literal["case", "user"]

# Unknown keys of one column and chunk whose neighbours are looked up: a bound on the cost, however
# many rows are wrong.
MOST_SUGGESTIONS = 100
_MOST_SPELLINGS = 48
# No ID is longer, and no address with a name.
_LONGEST = 300

# What no Tag ID has at its ends: quotes, brackets, blanks, `="…"`, `mailto:`.
_ENDS = re.compile(r"^(?:mailto:)?[^\w/-]+|^mailto:|[^\w/-]+$", re.IGNORECASE)
# A remark behind the ID, such as `jack-001 (Samuel Jack)`.
_REMARK = re.compile(r"\s*[(\[<{][^()\[\]<>{}]*[)\]>}]\s*$")
_SEVERAL = re.compile(r"[,;|&+/\s]+(?:and\s+)?")
_HYPHENS = "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_IS_PLAIN = re.compile(r"[\w/-]+", re.ASCII).fullmatch
# Letters of other scripts that look like Latin ones, in this order.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0442\u0410\u0412\u0415\u041a\u041c\u041d"
    "\u041e\u0420\u0421\u0422\u0425\u03bf\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d"
    "\u039f\u03a1\u03a4\u03a7",
    "aeopcyxitABEKMHOPCTXoABEZHIKMNOPTX",
)
_CONFUSED = {"l": "1I", "1": "lI", "I": "1l", "O": "0", "0": "Oo", "o": "0"}
_BETWEEN_NUMBERS = re.compile(r"(?<=\d)[-_/. ]+(?=\d)")
_SEPARATORS = re.compile(r"(?<!\d)[-_/. ]+|[-_/. ]+(?!\d)")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_numbers = re.compile(r"\d+").findall


class Advice(NamedTuple):
    """What to say of an unknown key, after the words that it is unknown.

    `hint` is the rest of a message's template, and `params` are what it names beside `noun`, which
    is that of the column, and the suggestion.
    """

    hint: str = "."
    suggestion: str | None = None
    params: Params = MappingProxyType({})


async def advise(directory: Directory, noun: Noun, keys: Sequence[str]) -> dict[str, Advice]:
    """Find out what unknown keys stand for; keys that stand for nothing known are left out.

    Args:
        directory: what is stored of the app.
        noun: what the column names by Tag ID.
        keys: sorted, so that the same file gets the same advice each time.
    """
    find_same, find_near = directory.cases, directory.near_cases
    if noun == "user":
        find_same, find_near = directory.users, directory.near_users  # type: ignore[assignment]
    keys = [key for key in keys if len(key) <= _LONGEST]
    few = keys[:MOST_SUGGESTIONS]
    spellings = {key: _spellings(key) for key in few}
    plain = {key: without_ends(key) for key in keys}
    parts = {key: _parts(key) for key in keys if key in spellings or _REMARK.search(key)}
    wanted = {*plain.values()}.union(*spellings.values(), *parts.values()) - {"", *keys}
    known = set(await find_same(wanted))
    advice = {key: _did_you_mean([tag]) for key, tag in plain.items() if tag in known}
    advice |= {
        key: Advice("; the cell names several {noun}s: write one {noun} a row.")
        for key, names in parts.items()
        if _are_several(plain[key], names, known)
    }
    if left := [key for key in keys if key not in advice]:
        advice |= await _advise_of_others(directory, noun, {key: plain[key] for key in left})
    if left := [key for key in few if key not in advice]:
        near = await find_near(left)
        # Keys that are alike, as in most files, have nearly the same neighbours.
        bare_tags = {tag: bare_tag(tag) for tag in chain.from_iterable(near.values())}
        for key in left:
            tags = {tag: bare_tags[tag] for tag in near.get(key, ())}
            if meant := _meant(key, known.intersection(spellings[key]), tags):
                advice[key] = _did_you_mean(meant)
    return advice


async def _advise_of_others(
    directory: Directory, noun: Noun, plain: Mapping[str, str]
) -> dict[str, Advice]:
    """Say of keys that they name something else, or name a user in another way.

    Args:
        plain: the keys, and each `without_ends`.
    """
    keys = list(plain)
    others = directory.cases if noun == "user" else directory.users
    found: Mapping[str, Case | User] = await others({*keys, *plain.values()} - {""})
    other = "case" if noun == "user" else "user"
    advice = {
        key: Advice("; that is the ID of a {other}.", params={"other": other})
        for key in keys
        if key in found or plain[key] in found
    }
    if noun == "case":
        return advice
    addresses = {key: text for key in keys if (text := meant_email(key))}
    if addresses:
        by_email = await directory.users_by_email(set(addresses.values()))
        advice |= {
            key: _who("; that is the address of ", [by_email[text]])
            for key, text in addresses.items()
            if text in by_email
        }
    names = {key: full_name for key in keys[:MOST_SUGGESTIONS] if (full_name := _full_name(key))}
    if names:
        by_name = await directory.users_by_name(set(names.values()))
        advice |= {
            key: _who("; that is the name of ", by_name[full_name])
            for key, full_name in names.items()
            if full_name in by_name
        }
    return advice


def _who(what: str, users: Sequence[User]) -> Advice:
    if len(users) > 1:
        return Advice(what + "several users: write the Tag ID of the right one.")
    (user,) = users
    return Advice(what + "{suggestion}.", user.tag_id or encode_node_id("User", user.id))


def _did_you_mean(tags: Sequence[str]) -> Advice:
    """Suggest the one Tag ID; of several that could be meant none."""
    if len(tags) == 1:
        return Advice("; did you mean '{suggestion}'?", tags[0])
    shown, params = alternatives("tag", tags[:3])
    return Advice("; did you mean " + shown + "?", params=params)


def without_ends(text: str) -> str:
    """Return the ID in a cell: without quotes, remarks, invisible letters, other hyphens.

    Example:
        >>> without_ends('="trv\\u2013001"')
        'trv-001'
    """
    if _IS_PLAIN(text):  # nearly all: there may be thousands of unknown IDs
        return text
    plain = _visible("".join("-" if letter in _HYPHENS else letter for letter in text))
    return _ENDS.sub("", _REMARK.sub("", plain) or plain)


def _visible(text: str) -> str:
    letters = unicodedata.normalize("NFKC", text)
    return "".join(
        str(unicodedata.digit(letter, letter))
        for letter in letters
        if unicodedata.category(letter) not in ("Cf", "Cc")
    )


def _full_name(text: str) -> str | None:
    """Return a given and a family name, in lower case; `Jones, Ann` is `ann jones`."""
    family, comma, given = text.partition(",")
    words = (f"{given} {family}" if comma else text).lower().split()
    return " ".join(words) if len(words) > 1 and not any(map(str.isdigit, text)) else None


def _parts(text: str) -> set[str]:
    """Return the IDs in a cell that may name several."""
    return {without_ends(part) for part in _SEVERAL.split(text)} - {""}


def _are_several(plain: str, names: Set[str], known: Set[str]) -> bool:
    """Tell whether the IDs in a cell are several, such as `jones-001 (now jack-001)`.

    Args:
        plain: the cell `without_ends`; if it is an ID itself, its parts are none but for that.
    """
    is_remark = plain in names
    has_all = is_remark or (names <= known and plain not in known)
    return has_all and len(names & known) > 1


def _spellings(text: str) -> set[str]:
    """Return the IDs that are mistyped, misread or in other letters what the text is."""
    plain = without_ends(text)
    latin = plain.translate(_LOOKALIKES)
    found = {
        latin,
        latin.lower(),
        latin.upper(),
        re.sub("[lI]", "1", re.sub("[oO]", "0", latin)),
        re.sub(r"\s", "", latin),
        # Word processors put it where a word may be parted, and no sheet shows it.
        without_ends(text.replace("\u00ad", "")),
    }
    for place, letter in enumerate(latin[:_MOST_SPELLINGS]):
        found |= {
            f"{latin[:place]}{other}{latin[place + 1 :]}" for other in _CONFUSED.get(letter, "")
        }
    return found


def _meant(key: str, spelled: Collection[str], near: Mapping[str, str]) -> Sequence[str]:
    """Return the Tag IDs that may be meant: those spelled otherwise, else one letter away.

    Args:
        near: Tag ID → its `bare_tag`.
    """
    bare = bare_tag(without_ends(key).translate(_LOOKALIKES))
    same = {*spelled, *(tag for tag, other in near.items() if other == bare)}
    return sorted(same or {tag for tag, other in near.items() if _is_one_letter_away(bare, other)})


def bare_tag(tag: str) -> str:
    """Drop what is mistyped most: capitals, separators of letters, leading zeros.

    Separators of numbers stay: `trv-1-11` is not `trv-11-1`.

    Example:
        >>> bare_tag("TRV-001"), bare_tag("trv1/011")
        ('trv1', 'trv1-11')
    """
    parted = _BETWEEN_NUMBERS.sub("-", tag.lower())
    return _LEADING_ZEROS.sub("", _SEPARATORS.sub("", parted))


def _is_one_letter_away(text: str, other: str) -> bool:
    """Tell whether one letter is changed, missing, added or exchanged with the next.

    The numbers must be the same, as another number is another thing.
    """
    if abs(len(text) - len(other)) > 1 or sum(map(str.isalpha, text)) < 3:
        return False
    same = [a == b for a, b in zip(text, other, strict=False)]
    start = same.index(False) if False in same else len(same)
    rest, other_rest = text[start:], other[start:]
    is_away = (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])
    )
    return is_away and _numbers(text) == _numbers(other)
