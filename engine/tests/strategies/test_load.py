"""Strategies by name and by entry point: found, imported, digested, and their parameters checked."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from spark_engine.errors import BacktestError, InvalidSpec, InvalidStrategy
from spark_engine.strategies import load as loading
from spark_engine.strategies.load import load
from spark_engine.strategies.registry import check_parameters
from spark_engine.strategies.table import Strategy

Module = Callable[..., Path]
Written = Callable[..., Strategy]
PLAIN = "def signals(candles): return [0] * len(candles)\n"


def refused(strategy: dict[str, Any]) -> BacktestError:
    with pytest.raises(BacktestError) as caught:
        load(strategy)
    return caught.value


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Packages register names as if they were installed."""

    def register(**names: str) -> None:
        entries = [EntryPoint(name.replace("_", "-"), path, loading.GROUP) for name, path in names.items()]
        monkeypatch.setattr(metadata, "entry_points", lambda group: entries if group == loading.GROUP else [])

    return register


def test_a_built_in_is_found_by_name_and_alias() -> None:
    assert load({"name": "rsi"}).code == load({"name": "smaCross"}).code == "builtin"


def test_an_installed_strategy_is_found_by_its_registered_name(
    module: Module, registered: Callable[..., None]
) -> None:
    module("my_package.trend", PLAIN)
    registered(my_trend="my_package.trend:signals")
    strategy = load({"name": "my-trend"})
    assert strategy.name == "my-trend"
    assert strategy.decide is not None
    assert list(loading.installed()) == ["my-trend"]


def test_a_built_in_keeps_its_name_whatever_is_installed(
    module: Module, registered: Callable[..., None]
) -> None:
    module("my_package.trend", PLAIN)
    registered(rsi="my_package.trend:signals")
    assert load({"name": "rsi"}).code == "builtin"


def test_an_unknown_name_lists_built_in_and_installed_ones(registered: Callable[..., None]) -> None:
    registered(my_trend="my_package.trend:signals")
    error = refused({"name": "my-trned"})
    assert isinstance(error, InvalidSpec)
    assert "did you mean 'my-trend'?" in error.message
    assert error.message.endswith("buy-and-hold, my-trend")


@pytest.mark.parametrize("strategy", [{}, {"name": "rsi", "entryPoint": "a.b:C"}])
def test_exactly_one_of_name_and_entry_point_is_given(strategy: dict[str, str]) -> None:
    assert refused(strategy).message == "takes exactly one of name and entryPoint"


@pytest.mark.parametrize("path", ["my_package.trend", ":signals", "my_package.trend:", "my_package:a.b"])
def test_an_entry_point_has_two_parts(path: str) -> None:
    error = refused({"entryPoint": path})
    assert error.field == "spec.strategy.entryPoint"
    assert "must be package.module:Name" in error.message


@pytest.mark.parametrize(
    ("source", "path", "told"),
    [
        (PLAIN, "my_package.nothing:signals", "there is no module my_package.nothing: is its pack"),
        (PLAIN, "no_package.trend:signals", "there is no module no_package: is its package installed?"),
        (PLAIN, "my_package.trend:Signals", "my_package.trend has no Signals"),
        ("import no_such", "my_package.trend:signals",
         "cannot import my_package.trend, my_package/trend.py:1: ModuleNotFou"),
        ("\n\n1 / 0", "my_package.trend:signals", "my_package/trend.py:3: ZeroDivisionError: division"),
        ("def signals(:", "my_package.trend:signals", "SyntaxError"),
        ("import sys; sys.exit(0)", "my_package.trend:signals", "it called sys.exit"),
        ("signals = 3", "my_package.trend:signals", "is int 3; a strategy is a function signals(candles, p"),
        ("class Own: pass", "my_package.trend:Own", "has neither signals nor on_bar; a strategy is"),
        (
            "class Own:\n    def on_bar(self, ctx): pass\n    def signals(self, c, p): pass",
            "my_package.trend:Own",
            "has both signals and on_bar",
        ),
        ("class Own:\n    Params = dict\n    def on_bar(self, ctx): pass", "my_package.trend:Own",
         "parameters are declared as a pydantic model"),
        (
            "from pydantic import BaseModel\nclass Own:\n    class Params(BaseModel):\n"
            "        windows: list[int] = [3]\n    def on_bar(self, ctx): pass",
            "my_package.trend:Own",
            "Params.windows must be an integer, a number, a boolean, a string or a choice of strings",
        ),
        (
            "from pydantic import BaseModel\nclass Own:\n    class Params(BaseModel):\n        n: int = 3\n"
            "    def on_bar(self, ctx): pass",
            "my_package.trend:Own",
            "Params.n is no parameter name: two or more letters",
        ),
    ],
)  # fmt: skip
def test_code_that_is_no_strategy_ends_with_exit_code_12(
    source: str, path: str, told: str, module: Module
) -> None:
    module("my_package.trend", source)
    error = refused({"entryPoint": path})
    assert isinstance(error, InvalidStrategy)
    assert told in error.message


def test_the_code_digest_covers_every_file_of_the_package_and_nothing_else(module: Module) -> None:
    path = module("my_package.trend", PLAIN)
    (path.parent / "levels.csv").write_text("1\n")
    expected = [
        [f"my_package/{name}", hashlib.sha256(text.encode()).hexdigest()]
        for name, text in (("__init__.py", ""), ("levels.csv", "1\n"), ("trend.py", PLAIN))
    ]
    written = json.dumps(expected, separators=(",", ":")).encode()
    before = load({"entryPoint": "my_package.trend:signals"}).code
    assert before == f"sha256:{hashlib.sha256(written).hexdigest()}"
    (path.parent / "__pycache__").mkdir()
    (path.parent / "__pycache__" / "trend.pyc").write_bytes(b"x")
    (path.parent / ".hidden").write_text("x")
    (path.parent.parent / "beside.py").write_text("x")
    assert load({"entryPoint": "my_package.trend:signals"}).code == before
    (path.parent / "levels.csv").write_text("2\n")
    assert load({"entryPoint": "my_package.trend:signals"}).code != before


def test_of_a_single_module_the_code_is_that_file(module: Module) -> None:
    path = module("lonely", PLAIN)
    (path.parent / "beside.py").write_text("x")
    listed = json.dumps([["lonely.py", hashlib.sha256(PLAIN.encode()).hexdigest()]], separators=(",", ":"))
    expected = f"sha256:{hashlib.sha256(listed.encode()).hexdigest()}"
    assert load({"entryPoint": "lonely:signals"}).code == expected


DECLARED = '''
from enum import Enum
from typing import Literal
from pydantic import BaseModel, Field, field_validator, model_validator

class Mode(str, Enum):
    SLOW = "slow"
    FAST = "fast"

class Own:
    """Does what it does.

    At length."""
    class Params(BaseModel):
        window: int = Field(ge=2, le=100, description="Bars of the window.")
        width: float = Field(2.0, gt=0, description="Width.")
        side: Literal["long", "both"] = "long"
        mode: Mode = Mode.SLOW
        strict: bool = False
        label: str = Field("x", pattern="^[a-z]+$")

        @field_validator("label")
        @classmethod
        def not_bad(cls, label):
            if label == "bad":
                raise ValueError("bad is no label")
            return label

        @model_validator(mode="after")
        def fits(self):
            if self.width > self.window:
                raise ValueError("width must not exceed window")
            return self

    def on_bar(self, ctx):
        pass
'''


def test_defaults_are_filled_in_the_order_of_the_model(written: Written) -> None:
    strategy = written(DECLARED)
    checked = check_parameters(strategy, {"label": "ab", "window": 9.0})
    assert list(checked.items()) == [
        ("window", 9), ("width", 2), ("side", "long"), ("mode", "slow"), ("strict", False), ("label", "ab"),
    ]  # fmt: skip
    assert isinstance(checked["window"], int)
    model = strategy.own(checked)
    assert (model.window, model.width, model.mode.name) == (9, 2.0, "SLOW")
    assert strategy.summary == "Does what it does."


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({}, "window", "is required: a whole number from 2 to 100"),
        ({"window": None}, "window", "is required: a whole number from 2 to 100"),
        ({"window": 1}, "window", "must be a whole number from 2 to 100, is 1"),
        ({"window": 2.5}, "window", "must be a whole number from 2 to 100, is 2.5"),
        ({"window": "9"}, "window", "must be a whole number from 2 to 100, is '9'"),
        ({"window": True}, "window", "must be a whole number from 2 to 100, is True"),
        ({"window": 9, "width": 0}, "width", "must be a number above 0, is 0"),
        ({"window": 9, "side": "short"}, "side", "must be one of long, both, is 'short'"),
        ({"window": 9, "mode": "medium"}, "mode", "must be one of slow, fast, is 'medium'"),
        ({"window": 9, "strict": 1}, "strict", "must be true or false, is 1"),
        ({"window": 9, "label": "B"}, "label", "must be a text that matches ^[a-z]+$, is 'B'"),
        ({"window": 9, "label": "bad"}, "label", "bad is no label; is 'bad'"),
        ({"window": 9, "windwo": 3}, "windwo", "has no such parameter, did you mean 'window'?"),
        ({"window": 9, "width": [3]}, "width", "must be a number above 0, is [3]"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_named_with_what_is(
    given: dict[str, Any], field: str, told: str, written: Written
) -> None:
    with pytest.raises(InvalidSpec) as caught:
        check_parameters(written(DECLARED), given)
    assert caught.value.field == f"spec.strategy.params.{field}"
    assert told in caught.value.message


def test_a_rule_between_parameters_speaks_in_its_own_words(written: Written) -> None:
    with pytest.raises(InvalidSpec) as caught:
        check_parameters(written(DECLARED), {"window": 5, "width": 6})
    assert caught.value.field == "spec.strategy.params"
    assert caught.value.message == "width must not exceed window"


def test_the_schema_describes_every_parameter(written: Written) -> None:
    strategy = written(DECLARED)
    assert strategy.schema is not None
    Draft202012Validator.check_schema(strategy.schema)
    assert strategy.schema["required"] == ["window"]
    assert strategy.schema["properties"]["mode"]["enum"] == ["slow", "fast"]
    window, width, *_ = strategy.parameters
    assert (window.name, window.minimum, window.maximum, window.required) == ("window", 2, 100, True)
    assert (width.default, width.summary) == (2.0, "Width.")


def test_a_built_in_needs_neither_numpy_nor_pydantic_nor_what_users_write_with() -> None:
    script = (
        "import sys\n"
        "from spark_engine.strategies.load import load\n"
        "import spark_engine.strategies.simulate\n"
        "load({'name': 'macd'})\n"
        "heavy = {'numpy', 'pydantic', 'polars', 'spark_engine.strategies.context',"
        " 'spark_engine.strategies.order', 'spark_engine.strategies.user', "
        "'spark_engine.strategies.indicators'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stdout == "[]\n"
