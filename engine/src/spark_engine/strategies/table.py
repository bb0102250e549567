"""What a built-in strategy declares about itself: the source of checks, schemas and pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Decisions

Value = int | float | bool | str
Parameters = Mapping[str, Value]
BUILT_IN_CODE = "builtin"
FIELD = "spec.strategy"
ParameterType = Literal["integer", "number", "boolean", "string"]
ProbeLevel = Literal["quick", "full", "off"]  # how hard a strategy of the user's is searched for look-ahead


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `default` None means required; the range includes its ends."""

    name: str
    type: ParameterType
    summary: str
    minimum: int | float | None = None
    maximum: int | float | None = None
    choices: tuple[str, ...] = ()
    default: Value | None = None

    @property
    def required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, slots=True)
class Check:
    """A rule between two parameters."""

    left: str
    operator: Literal["<", "<="]
    right: str
    message: str

    def passes(self, parameters: Parameters) -> bool:
        left, right = float(parameters[self.left]), float(parameters[self.right])
        return left < right if self.operator == "<" else left <= right


class EventStrategy(Protocol):
    """The event form: an object of one run. `ctx` is a `spark_engine.strategies.context.Context`."""

    def on_start(self, ctx: Any) -> None: ...

    def on_bar(self, ctx: Any) -> None: ...

    def on_fill(self, ctx: Any, fill: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy and how it decides: either `decide` or `start`.

    `decide(candles, parameters)` takes parameters that were checked, with every default filled, and returns
    the events of the window; it may raise `InvalidSpec` where they do not fit the data. `start(parameters,
    seed)` makes the object of the event form. `lookback(parameters)`: rows before the first decision.
    `code`: `builtin`, or the digest of the package that the strategy comes from.

    Of user strategies: `check(parameters)` does what the table and `checks` do for built-ins, `schema` is the
    JSON schema of the parameters, `own(parameters)` what the strategy's code sees of them (its pydantic
    model), and `root` the folder or file of its code.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    parameters: tuple[Parameter, ...]
    checks: tuple[Check, ...]
    decide: Callable[[Candles, Parameters], Decisions] | None = None
    start: Callable[[Parameters, int], EventStrategy] | None = None
    lookback: Callable[[Parameters], int] = lambda _parameters: 0
    code: str = BUILT_IN_CODE
    check: Callable[[Mapping[str, Any]], dict[str, Value]] | None = None
    schema: Mapping[str, Any] | None = None
    own: Callable[[Parameters], Any] = lambda parameters: parameters
    root: str = ""
