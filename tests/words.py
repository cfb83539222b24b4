"""What the panels say, and what it is called in Spanish: `python -m tests.words` keeps both true.

`workbench/locale/jupyter_workbench.pot` has the English words, made of `extension/src/`;
`workbench/locale/es_ES/LC_MESSAGES/jupyter_workbench.json` their translations, as JupyterLab reads
them. The command adds what is new with an empty translation, takes out what is gone, and says
what is still to be translated: write it into the JSON file, between the quotes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["SPANISH", "TEMPLATE", "Word", "catalogue", "find_words", "missing", "template"]

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "extension" / "src"
TEMPLATE = ROOT / "workbench" / "locale" / "jupyter_workbench.pot"
SPANISH = ROOT / "workbench" / "locale" / "es_ES" / "LC_MESSAGES" / "jupyter_workbench.json"

_HEAD = {
    "domain": "jupyter_workbench",
    "language": "es-ES",
    "plural_forms": "nplurals=2; plural=(n != 1);",
}
_CALL = re.compile(r"\btrans\s*\.\s*(__|_n|_p|_np)\(")
_TEXT = re.compile(r"""\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)")\s*""", re.DOTALL)
_TEXTS = {"__": 1, "_n": 2, "_p": 2, "_np": 3}
_CONTEXT = "\x04"


class Word(NamedTuple):
    """Something that is said; `plural` for more than one, `context` where one word means two."""

    text: str
    plural: str = ""
    context: str = ""

    @property
    def key(self) -> str:
        """What a catalogue calls it."""
        return f"{self.context}{_CONTEXT}{self.text}" if self.context else self.text

    @property
    def forms(self) -> int:
        """How many translations it has."""
        return 2 if self.plural else 1


def find_words(sources: Path = SOURCES) -> list[Word]:
    """Find what is said in the sources, each once.

    Raises
    ------
    ValueError
        If something is said that isn't a plain text: nobody could find it to translate it. Or if
        it is said with two plurals: a catalogue has one.
    """
    found: dict[str, Word] = {}
    for path in sorted([*sources.rglob("*.ts"), *sources.rglob("*.tsx")]):
        for word in _said_in(path):
            before = found.setdefault(word.key, word)
            if before.plural != word.plural:
                raise ValueError(f"{path}: {word.text!r} has another plural elsewhere, or none")
    return [found[key] for key in sorted(found)]


def _said_in(path: Path) -> Iterator[Word]:
    source = path.read_text(encoding="utf-8")
    for call in _CALL.finditer(source):
        kind, position, texts = call[1], call.end(), []
        for _ in range(_TEXTS[kind]):
            text, position = _text_at(source, position)
            if text is None:
                line = source.count("\n", 0, call.start()) + 1
                raise ValueError(f"{path}:{line}: expected a plain text in quotes")
            texts.append(text)
            position += source[position : position + 1] == ","
        match kind:
            case "__":
                yield Word(texts[0])
            case "_n":
                yield Word(texts[0], texts[1])
            case "_p":
                yield Word(texts[1], context=texts[0])
            case _:
                yield Word(texts[1], texts[2], texts[0])


def _text_at(source: str, position: int) -> tuple[str | None, int]:
    """Read a text in quotes, or several that are added; None if there is something else."""
    text = ""
    while found := _TEXT.match(source, position):
        text += _unescaped(found[1] if found[1] is not None else found[2])
        position = found.end()
        if source[position : position + 1] != "+":
            return text, position
        position += 1
    return None, position


def _unescaped(text: str) -> str:
    plain = {"n": "\n", "t": "\t"}
    return re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.))",
        lambda found: chr(int(found[1], 16)) if found[1] else plain.get(found[2], found[2]),
        text,
    )


def template(words: list[Word]) -> str:
    """Write the English words as gettext's tools read them."""
    entries = ['msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n']
    for word in words:
        lines = [f"msgctxt {_quoted(word.context)}"] if word.context else []
        lines.append(f"msgid {_quoted(word.text)}")
        if word.plural:
            lines += [f"msgid_plural {_quoted(word.plural)}", 'msgstr[0] ""', 'msgstr[1] ""']
        else:
            lines.append('msgstr ""')
        entries.append("\n".join(lines) + "\n")
    return "\n".join(entries)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def catalogue(words: list[Word], known: dict[str, list[str]]) -> dict[str, object]:
    """Return the catalogue of these words and no others, those that are `known` filled."""
    filled = {
        word.key: known[word.key]
        if len(known.get(word.key, [])) == word.forms
        else [""] * word.forms
        for word in words
    }
    return {"": _HEAD, **filled}


def missing(words: list[Word], known: dict[str, list[str]]) -> list[Word]:
    """Return the words that aren't translated."""
    return [
        word
        for word in words
        if len(known.get(word.key, [])) != word.forms or not all(known[word.key])
    ]


def main() -> None:
    """Bring both catalogues up to date, and say what is missing."""
    words = find_words()
    known = json.loads(SPANISH.read_text(encoding="utf-8")) if SPANISH.exists() else {}
    made = json.dumps(catalogue(words, known), indent=1, ensure_ascii=False)
    SPANISH.parent.mkdir(parents=True, exist_ok=True)
    SPANISH.write_text(f"{made}\n", encoding="utf-8")
    TEMPLATE.write_text(template(words), encoding="utf-8")
    waiting = missing(words, known)
    for word in waiting:
        sys.stdout.write(f"{word.key!r}{f' / {word.plural!r}' if word.plural else ''}\n")
    sys.stdout.write(f"{len(words)} words, {len(waiting)} to be translated in {SPANISH}\n")


if __name__ == "__main__":
    main()
