"""`where`: a condition on the parameters of a set, a small language of its own, never run as Python."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NoReturn

from spark_crds.sweeps.axis import Exact
from spark_crds.sweeps.error import SweepError

FIELD = "spec.where"
MAX_CHARACTERS = 256
TOO_DEEP = "is nested too deeply"
Row = Sequence[Exact]
Number = Callable[[Row], Any]
Condition = Callable[[Row], bool]

TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<sign><=|>=|==|!=|//|\*\*|[-+*/<>()])"
    r"|(?P<other>\S))",
    re.ASCII,
)
WORDS = ("and", "or", "not")
REFUSED_SIGNS = ("//", "**")
NUMBERS = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp)
CONDITIONS = (ast.BoolOp, ast.Compare, ast.UnaryOp)
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class Where:
    """A condition over `names`: parameters, decimal literals, + - * /, comparisons, and, or, not, ( ).

    Numbers are exact (`Fraction`), so that 0.1 + 0.2 == 0.3. Raises `SweepError` naming the token that is
    not of the language.
    """

    def __init__(self, text: str, names: Sequence[str]) -> None:
        if len(text) > MAX_CHARACTERS:
            raise SweepError(FIELD, f"may have at most {MAX_CHARACTERS} characters, has {len(text)}")
        self.names = tuple(names)
        self.text = " ".join(self._tokens(text))
        self._condition = self._compiled()

    def holds(self, row: Row) -> bool:
        """Whether a set is a trial. `row`: the exact values, in the order of the names."""
        try:
            return self._condition(row)
        except ZeroDivisionError:
            raise SweepError(FIELD, f"divides by zero at {self._shown(row)}") from None
        except TypeError:
            raise SweepError(FIELD, f"compares what is no number at {self._shown(row)}") from None

    def used(self) -> frozenset[str]:
        """The parameters that the condition names."""
        return frozenset(node.id for node in ast.walk(self._tree()) if isinstance(node, ast.Name))

    def _shown(self, row: Row) -> str:
        return ", ".join(f"{name} = {value}" for name, value in zip(self.names, row, strict=True))

    def _tokens(self, text: str) -> Iterator[str]:
        for match in TOKEN.finditer(text):
            name, sign, other = match["name"], match["sign"], match["other"]
            if other or sign in REFUSED_SIGNS:
                allowed = "allowed: + - * / < <= > >= == != and or not ( )"
                raise SweepError(FIELD, f'"{other or sign}" is not part of a condition; {allowed}')
            if name and name not in WORDS and name not in self.names:
                known = ", ".join(self.names)
                raise SweepError(FIELD, f'"{name}" is no swept parameter; there are: {known}')
            yield match[match.lastgroup or 0]

    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text, mode="eval").body
        except SyntaxError as error:
            raise SweepError(FIELD, self._unreadable(error.offset or 0)) from None
        except (MemoryError, RecursionError):
            raise SweepError(FIELD, TOO_DEEP) from None

    def _unreadable(self, character: int) -> str:
        """Python counts characters from 1, and says 0 where it ran out of them."""
        token = TOKEN.match(self.text, character - 1) if character else None
        place = f'"{token[0].strip()}" (character {character})' if token else "its end"
        return f"cannot be read as a condition at {place}: {self.text}"

    def _compiled(self) -> Condition:
        tree = self._tree()
        try:
            return self._as_condition(tree)
        except RecursionError:
            raise SweepError(FIELD, TOO_DEEP) from None

    def _as_condition(self, node: ast.expr) -> Condition:
        if isinstance(node, ast.BoolOp):
            return self._junction(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            operand = self._as_condition(node.operand)
            return lambda row: not operand(row)
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        return self._refuse(node, NUMBERS, "a number where a condition")

    def _junction(self, node: ast.BoolOp) -> Condition:
        parts = tuple(self._as_condition(value) for value in node.values)
        if isinstance(node.op, ast.And):
            return lambda row: all(part(row) for part in parts)
        return lambda row: any(part(row) for part in parts)

    def _comparison(self, node: ast.Compare) -> Condition:
        left, rights = self._as_number(node.left), [self._as_number(each) for each in node.comparators]
        signs = [self._known(COMPARISONS, sign, node) for sign in node.ops]
        if len(rights) == 1:
            return _compared(signs[0], left, rights[0])
        links = tuple(zip(signs, rights, strict=True))
        return lambda row: _chained(left(row), links, row)

    def _as_number(self, node: ast.expr) -> Number:
        if isinstance(node, ast.Name):
            return operator.itemgetter(self.names.index(node.id))
        if isinstance(node, ast.Constant):
            literal = _literal(self._source(node))
            return lambda _row: literal
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            operand = self._as_number(node.operand)
            return operand if isinstance(node.op, ast.UAdd) else lambda row: -operand(row)
        if isinstance(node, ast.BinOp):
            left, right = self._as_number(node.left), self._as_number(node.right)
            if isinstance(node.op, ast.Div):
                return lambda row: Fraction(left(row)) / right(row)
            calculate = self._known(ARITHMETIC, node.op, node)
            return lambda row: calculate(left(row), right(row))
        return self._refuse(node, CONDITIONS, "a condition where a number")

    def _known(self, table: dict[Any, Callable[[Any, Any], Any]], sign: ast.AST, node: ast.expr) -> Any:
        if type(sign) not in table:
            raise SweepError(FIELD, f'"{self._source(node)}" is not part of a condition')
        return table[type(sign)]

    def _refuse(self, node: ast.expr, of_other_kind: tuple[type, ...], mistake: str) -> NoReturn:
        wrong = f"is {mistake} belongs" if isinstance(node, of_other_kind) else "is not part of a condition"
        raise SweepError(FIELD, f'"{self._source(node)}" {wrong}')

    def _source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self.text, node) or self.text


def _compared(sign: Callable[[Any, Any], bool], left: Number, right: Number) -> Condition:
    return lambda row: sign(left(row), right(row))


def _chained(left: Any, links: Sequence[tuple[Callable[[Any, Any], bool], Number]], row: Row) -> bool:
    for sign, right_of in links:
        right = right_of(row)
        if not sign(left, right):
            return False
        left = right
    return True


def _literal(text: str) -> int | Fraction:
    return int(text) if text.isdigit() else Fraction(text if text[-1] != "." else text + "0")
