"""Which names can be seen: those of rooms, and those that guests choose.

A category says what a character is for, not whether there is anything to see: Unicode counts fillers as letters and
the joiners that Persian, Hindi or an emoji family cannot do without as format controls. So a name is judged by what is
seen, one character with its marks after the other, and a character that shows nothing may stand only where the
writing needs it.
"""

from functools import lru_cache
from typing import Final

import regex

# In the expressions below, `[a--b]` is a without b, `[a&&b]` what is in both, and `*+` gives nothing back.

# Nothing to see: what Unicode says may be ignored, and signs that are drawn as blanks.
BLANK: Final = r"\p{Default_Ignorable_Code_Point}\u2800\uFFFC\U0001D159"

# Letters of these are shaped by their neighbours, and a joiner between two of them keeps them apart or together.
JOINING: Final = "".join(
    rf"\p{{Script_Extensions={script}}}"
    for script in (
        *("Arabic", "Syriac", "Mongolian", "Nko", "Mandaic", "Phags_Pa", "Adlam", "Hanifi_Rohingya", "Sogdian"),
        *("Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam"),
        *("Sinhala", "Myanmar", "Khmer", "Tibetan", "Balinese", "Javanese", "Tai_Tham", "Chakma", "Meetei_Mayek"),
    )
)
LETTER: Final = rf"[[\p{{L}}\p{{M}}]&&[{JOINING}]]"
JOINER: Final = rf"""(?:
    (?<={LETTER})[\u200C\u200D](?={LETTER})
  | (?<=\p{{Canonical_Combining_Class=Virama}})[\u200C\u200D]  # may end a word, as in Malayalam
)"""

# One of several drawings of an ideograph, or of a Mongolian letter.
VARIANT: Final = r"(?:(?<=\p{Han})[\uFE00-\uFE02\U000E0100-\U000E01EF]|(?<=\p{Mongolian})[\u180B-\u180F])"

PICTURE: Final = r"\p{Extended_Pictographic}(?:\uFE0F|\p{Emoji_Modifier})?+"
EMOJI: Final = rf"""(?:
    \U0001F3F4[\U000E0030-\U000E0039\U000E0061-\U000E007A]++\U000E007F    # the flag of a part of a country
  | \p{{Regional_Indicator}}{{2}}                                         # a flag
  | {PICTURE}(?:\u200D{PICTURE})*+                                        # one, or a family of them
  | [0-9\#*]\uFE0F?+\u20E3                                                # a key
)"""


def seen(categories: str) -> str:
    """A character of these categories that can be seen, with what belongs to it."""
    return rf"[[{categories}]--[{BLANK}]](?:[\p{{M}}--[{BLANK}]]|{JOINER}|{VARIANT})*+"


IN_A_ROOMS_NAME: Final = seen(r"\p{L}\p{N}_\-")
IN_A_PERSONS_NAME: Final = EMOJI + "|" + seen(r"\p{L}\p{N}\p{P}\p{S}")
ROOM: Final = regex.compile(f"(?:{IN_A_ROOMS_NAME})++", regex.V1 | regex.VERBOSE)
PERSON: Final = regex.compile(rf"(?:{IN_A_PERSONS_NAME})++(?:\ (?:{IN_A_PERSONS_NAME})++)*+", regex.V1 | regex.VERBOSE)


@lru_cache(maxsize=1_024)
def is_room_name(name: str) -> bool:
    """Letters, digits, `_` and `-` of any script."""
    return ROOM.fullmatch(name) is not None


def is_person_name(name: str) -> bool:
    """Anything to see, with single spaces between."""
    return PERSON.fullmatch(name) is not None
