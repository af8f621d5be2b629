"""What may stand behind `%%ruleset`, `%%cases` and `%strikeout`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from ..ground.problems import RunError, listing, nearest, quoted

LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Options:
    """What stands behind a magic.

    Attributes
    ----------
    name : str
        The name; nothing where there is none.
    language : str
        `zh`, `en`, or nothing where it is not said.
    parameters : dict
        Parameters to override, as literals of the language.
    quiet : bool
        Whether to show nothing where all is well.
    """

    name: str = ""
    language: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    quiet: bool = False


def options(line: str, allowed: tuple[str, ...]) -> Options:
    """Read what stands behind a magic.

    Parameters
    ----------
    line : str
        The rest of the line.
    allowed : tuple of str
        What this magic takes: `NAME`, `--lang`, `--set`, `--quiet`.

    Raises
    ------
    RunError
        Where something else stands there.

    Examples
    --------
    >>> options("three --lang zh --set strike_limit=2", ("NAME", "--lang", "--set"))
    Options(name='three', language='zh', parameters={'strike_limit': '2'}, quiet=False)
    """
    try:
        words = shlex.split(line)
    except ValueError:
        raise RunError(f"a quotation mark is not closed in {quoted(line)}") from None
    name, language, quiet = "", "", False
    parameters: dict[str, str] = {}
    while words:
        word = words.pop(0)
        option, equals, value = word.partition("=")
        if not word.startswith("-"):
            if "NAME" not in allowed or name:
                raise RunError(f"{quoted(word)} is one name too many")
            if not word.isidentifier():
                raise RunError(f"{quoted(word)} is no name that a variable can have")
            name = word
            continue
        if option not in allowed:
            known = [one for one in allowed if one.startswith("-")]
            raise RunError(
                f"unknown option {quoted(option)}; {nearest(option, known) or f'known are {listing(known)}'}"
            )
        if option == "--quiet":
            quiet = True
            continue
        if not equals:
            if not words:
                raise RunError(f"`{option}` needs a value")
            value = words.pop(0)
        if option == "--lang":
            if value not in LANGUAGES:
                raise RunError(f"{quoted(value)} is no language; known are {listing(LANGUAGES)}")
            language = value
        else:
            parameter, given, literal = value.partition("=")
            if not given:
                raise RunError(f"`--set` takes PARAM=VALUE, got {quoted(value)}")
            parameters[parameter] = literal
    return Options(name, language, parameters, quiet)
