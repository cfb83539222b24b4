"""A secret reaches the kernel, and nothing that is written down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from workbench.errors import ParameterError
from workbench.jobs.parameters import (
    HIDDEN,
    check_parameters,
    from_json,
    parameterize,
    read_parameters,
    secret,
    secret_variable,
    split_secrets,
    to_json,
)

CELL = """
from typing import Annotated
from workbench.jobs import Secret

token: Annotated[str, Secret] = "of-the-author"
url: str = "http://localhost"
key: Annotated[str | None, Secret] = None
"""


def notebook_of(*sources: str) -> Any:
    parameters, *others = sources
    tagged = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[tagged, *map(new_code_cell, others)])
    notebook.metadata.kernelspec = {
        "name": "python3",
        "language": "python",
        "display_name": "Python 3",
    }
    return notebook


def split(values: dict[str, Any], **environment: str) -> tuple[dict[str, Any], dict[str, str]]:
    contract = read_parameters(notebook_of(CELL), "nb")
    return split_secrets(contract, check_parameters(contract, values, "nb"), environment)


def test_values_are_parted_from_secrets() -> None:
    values = {"token": "hunter2", "url": "secret://ADDRESS", "key": None}
    public, secrets = split(values, ADDRESS="http://a:b@c")
    assert public == {"token": HIDDEN, "url": "secret://ADDRESS", "key": None}
    assert secrets == {"token": "hunter2", "url": "http://a:b@c"}
    assert split({"token": "secret://T"}, T="") == ({"token": "secret://T"}, {"token": ""})
    assert split({"url": "http://x"}) == ({"url": "http://x"}, {})
    assert split_secrets([], {"old": "secret://T"}, {"T": "t"})[1] == {"old": "t"}


def test_a_secret_that_is_not_there_is_named() -> None:
    with pytest.raises(ParameterError, match=r"token: secret://GONE: .*'GONE' is not set"):
        split({"token": "secret://GONE"}, OTHER="x")
    with pytest.raises(ParameterError, match=r"^key: a secret can't hold a zero byte$"):
        split({"key": "a\0b"})
    contract = read_parameters(notebook_of("a = ''\nA = ''"), "nb")
    with pytest.raises(ParameterError, match="the secrets 'a' and 'A' differ in their case alone"):
        split_secrets(contract, {"a": "secret://X", "A": "secret://X"}, {"X": "x"})


def test_outside_of_a_job_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_SECRET_TOKEN", "hunter2")
    assert secret("token") == "hunter2"
    with pytest.raises(ParameterError, match=r"no secret 'tokn' here: .*did you mean TOKEN"):
        secret("tokn")
    monkeypatch.delenv("WORKBENCH_SECRET_TOKEN")
    with pytest.raises(ParameterError, match=r"no secret 'token' here: .*there are none"):
        secret("token")


def test_the_kernel_has_the_secret_and_the_files_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Execute with papermill's own engine; what the cells print is the engine's to redact."""
    look = "import hashlib\nprint(hashlib.sha256((token + url).encode()).hexdigest(), key)"
    notebook = notebook_of(CELL, look)
    contract = read_parameters(notebook, "nb")
    given = {"token": "hunter2", "url": "secret://ADDRESS", "key": None}
    values = check_parameters(contract, given, "nb")
    public, secrets = split_secrets(contract, values, {"ADDRESS": "http://a:b@c"})
    record = to_json(contract, values)
    assert record == to_json(contract, public)

    # From the values or from the record, the notebook is the same.
    made = parameterize(notebook, contract, values)
    again = parameterize(notebook, contract, from_json(contract, record))
    assert made.cells[1].source == again.cells[1].source
    assert made.cells[1].source == (
        "# Parameters\n"
        'token = __import__("workbench").secret("token")\n'
        'url = __import__("workbench").secret("url")\n'
        "key = None\n"
    )
    assert made.metadata.papermill.parameters == record

    for name, value in secrets.items():
        monkeypatch.setenv(secret_variable(name), value)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    nbformat.write(made, tmp_path / "input.ipynb")
    papermill.execute_notebook(
        tmp_path / "input.ipynb", tmp_path / "output.ipynb", progress_bar=False
    )
    cells = nbformat.read(tmp_path / "output.ipynb", 4).cells
    import hashlib

    assert cells[2].outputs[0].text.split() == [
        hashlib.sha256(b"hunter2http://a:b@c").hexdigest(),
        "None",
    ]
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "hunter2" not in written
    assert "a:b@c" not in written
    assert os.environ["WORKBENCH_SECRET_TOKEN"] == "hunter2"
