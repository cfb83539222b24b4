"""Functions: what is stored of a cell is what stood in it, to the last character."""

from __future__ import annotations

import pytest

from workbench import Project
from workbench.errors import UsageError
from workbench.functions import get, register_cell

CELL = '''{before}
def shown(x: int) -> str:
    """Show a text.

    >>> len(shown(1)) > 0
    True
    """
    return TEXT
'''


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ('TEXT = """two spaces  \nand a tab\t\n"""', "two spaces  \nand a tab\t\n"),
        ('TEXT = "line\u2028separator"', "line\u2028separator"),
        ('TEXT = "next\x85line"; OTHER = 1', "next\x85line"),
        ("OTHER = 1\x0c\nTEXT = 'form feed'", "form feed"),
    ],
)
def test_a_text_is_stored_as_it_stood(blank_project: Project, before: str, text: str) -> None:
    register_cell(CELL.format(before=before), blank_project)
    assert get("shown", blank_project)(1) == text


def test_spaces_at_the_end_of_a_line_make_no_version(blank_project: Project) -> None:
    cell = CELL.format(before="TEXT = 'a'")
    first = register_cell(cell, blank_project)[0]
    again = register_cell(cell.replace("'a'", "'a'   "), blank_project)[0]
    assert (again.version, again.new) == (first.version, False)


def test_a_name_that_sql_has_for_models_is_refused(blank_project: Project) -> None:
    cell = CELL.format(before="TEXT = 'a'").replace("shown", "predict")
    with pytest.raises(UsageError, match="in SQL that name asks a model"):
        register_cell(cell, blank_project)


def test_another_notebooks_function_of_that_name_is_told(
    blank_project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    register_cell(CELL.format(before="TEXT = 'a'"), blank_project, "one.ipynb")
    register_cell(CELL.format(before="TEXT = 'b'"), blank_project, "one.ipynb")
    assert not caplog.records
    register_cell(CELL.format(before="TEXT = 'c'"), blank_project, "other.ipynb")
    assert "version 3 is from other.ipynb, the one before was from one.ipynb" in caplog.text


def test_a_default_of_none_has_to_be_said(blank_project: Project) -> None:
    cell = '''
def total(one: float, other: float = None) -> float:
    """Add.

    >>> total(1.0, 2.0)
    3.0
    """
    return one + (other or 0.0)
'''
    with pytest.raises(UsageError, match=r"other is None by default: say float \| None"):
        register_cell(cell, blank_project)
    register_cell(cell.replace("other: float =", "other: float | None ="), blank_project)
    assert get("total", blank_project)(1.0) == 1.0
