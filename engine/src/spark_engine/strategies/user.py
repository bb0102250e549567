"""A user's function or class, made into a `Strategy`."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidStrategy
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.failure import failure, shown
from spark_engine.strategies.own_parameters import OwnParameters
from spark_engine.strategies.prints import prints_to_stderr
from spark_engine.strategies.table import FIELD, EventStrategy, Parameters, Strategy
from spark_engine.strategies.vector import CandleArrays, decisions_of

FORMS = (
    "a function signals(candles, params), a class with signals(self, candles, params), or a class with "
    "on_bar(self, ctx)"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a user strategy comes from. `root`: folder or file of its code; `code`: its digest."""

    name: str
    root: str
    code: str


def user_strategy(declared: Any, origin: Origin, seed: int = 0) -> Strategy:
    """The `Strategy` of what an entry point names. Raises `InvalidStrategy` where it is none of `FORMS`."""
    event = _is_event(declared, origin)
    own = OwnParameters(origin.name, _params_model(declared, origin))
    common: dict[str, Any] = {
        "name": origin.name,
        "aliases": (),
        "summary": (inspect.getdoc(declared) or "").split("\n\n")[0].replace("\n", " "),
        "parameters": own.table(),
        "checks": (),
        "lookback": lambda parameters: _lookback(declared, own.fill(parameters), origin),
        "code": origin.code,
        "check": own.check,
        "schema": own.schema,
        "own": own.fill,
        "root": origin.root,
    }
    if event:
        return Strategy(**common, start=lambda _parameters, _seed: _made(declared, origin))

    def decide(candles: Candles, parameters: Parameters) -> Decisions:
        return _decide(declared, origin, candles, own.fill(parameters), seed)

    return Strategy(**common, decide=decide)


def _is_event(declared: Any, origin: Origin) -> bool:
    if inspect.isclass(declared):
        vector, event = (callable(getattr(declared, name, None)) for name in ("signals", "on_bar"))
        if vector != event:
            return event
        problem = "has both signals and on_bar" if vector else "has neither signals nor on_bar"
        raise InvalidStrategy(f"{origin.name} {problem}; a strategy is {FORMS}", field=FIELD)
    if inspect.isfunction(declared):
        return False
    raise InvalidStrategy(
        f"{origin.name} is {type(declared).__name__} {declared!r}; a strategy is {FORMS}"[:500], field=FIELD
    )


def _params_model(declared: Any, origin: Origin) -> Any:
    """The pydantic model: `Params` of a class, the annotation of a function's second parameter."""
    model = getattr(declared, "Params", None) if inspect.isclass(declared) else _annotation(declared, origin)
    if model is None:
        return None
    from pydantic import BaseModel

    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        raise InvalidStrategy(
            f"{origin.name}: parameters are declared as a pydantic model (class Params(BaseModel)); this is "
            f"{model!r}",
            field=FIELD,
        )
    return model


def _annotation(function: Any, origin: Origin) -> Any:
    """The type of the second parameter, None where it has none; those of the others need not exist."""
    annotated = [one for name, one in inspect.signature(function).parameters.items() if name != "seed"][1:2]
    if not annotated or annotated[0].annotation is inspect.Parameter.empty:
        return None
    holder = type("Holder", (), {"__annotations__": {"model": annotated[0].annotation}})
    try:
        return typing.get_type_hints(holder, globalns=function.__globals__)["model"]
    except Exception as error:
        raise failure(error, origin.root, f"{origin.name}, {annotated[0]}") from None


def _decide(declared: Any, origin: Origin, candles: Candles, params: Any, seed: int) -> Decisions:
    signals = _made(declared, origin).signals if inspect.isclass(declared) else declared
    name = _place(signals, origin)
    arguments = (CandleArrays(candles), params)[: _positional(signals, origin)]
    keywords = {"seed": seed} if "seed" in _signature(signals) else {}
    with prints_to_stderr():
        try:
            result = signals(*arguments, **keywords)
        except BaseException as error:
            raise failure(error, origin.root) from None
    return decisions_of(result, candles, name)


def _place(signals: Callable[..., Any], origin: Origin) -> str:
    """File, line and name of a function; the name alone where it was compiled."""
    code = getattr(inspect.unwrap(signals), "__code__", None)
    name = getattr(signals, "__name__", "signals")
    return name if code is None else f"{shown(code.co_filename, origin.root)}:{code.co_firstlineno}, {name}"


def _signature(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def _positional(signals: Callable[..., Any], origin: Origin) -> int:
    count = len([name for name in _signature(signals) if name != "seed"])
    if count not in (1, 2):
        raise InvalidStrategy(
            f"{origin.name}: signals takes candles and params (and seed, if it wants it), not "
            f"({', '.join(_signature(signals))})",
            field=FIELD,
        )
    return count


def _made(declared: Any, origin: Origin) -> Any:
    with prints_to_stderr():
        try:
            made: EventStrategy = declared()
        except BaseException as error:
            raise failure(error, origin.root) from None
    return made


def _lookback(declared: Any, params: Any, origin: Origin) -> int:
    """`lookback` of a class or function: a whole number, or a function of its parameters. 0 without one."""
    rows = getattr(declared, "lookback", 0)
    if callable(rows):
        try:
            rows = rows(params)
        except Exception as error:
            raise failure(error, origin.root) from None
    if isinstance(rows, bool) or not isinstance(rows, int) or rows < 0:
        raise InvalidStrategy(
            f"{origin.name}: lookback must be a whole number of rows, is {rows!r}", field=FIELD
        )
    return rows
