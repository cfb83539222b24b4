"""The panels in other languages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jupyterlab_server.translation_utils import get_installed_packages_locale

from tests.words import SPANISH, TEMPLATE, Word, find_words, missing, template

AGAIN = "bring it up to date: python -m tests.words"


@pytest.fixture(scope="module")
def spanish() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SPANISH.read_text(encoding="utf-8"))
    return found


def test_everything_is_said_in_spanish(spanish: dict[str, Any]) -> None:
    words = find_words()
    assert [word.key for word in missing(words, spanish)] == [], AGAIN
    assert TEMPLATE.read_text(encoding="utf-8") == template(words), AGAIN


def test_what_is_put_into_a_text_is_put_into_its_translation(spanish: dict[str, Any]) -> None:
    def places(text: str) -> set[str]:
        return set(re.findall(r"%\d", text))

    for word in find_words():
        told = spanish[word.key]
        if word.plural:
            assert places(word.plural) == places(told[1]), word
            assert places(told[0]) <= places(word.plural), word
        else:
            assert places(word.text) == places(told[0]), word


def test_jupyterlab_finds_the_catalogue(spanish: dict[str, Any]) -> None:
    found, problems = get_installed_packages_locale("es_ES")
    assert found["jupyter_workbench"] == spanish, problems


def test_words_are_found_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "one.tsx").write_text(
        "trans.__('It\\'s %1', name); trans.__(\n  'two ' +\n    \"parts\"\n);"
        " trans._n('one', '%1 \\u2026', n);"
    )
    assert find_words(tmp_path) == [Word("It's %1"), Word("one", "%1 …"), Word("two parts")]


@pytest.mark.parametrize(
    "call", ["trans.__(title)", "trans.__(`of ${name}`)", "trans._n('one', n)"]
)
def test_what_nobody_could_find_to_translate_is_refused(tmp_path: Path, call: str) -> None:
    (tmp_path / "one.ts").write_text(call)
    with pytest.raises(ValueError, match=r"one\.ts:1: expected a plain text"):
        find_words(tmp_path)
