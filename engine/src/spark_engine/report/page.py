"""What every page of ours shares: templates, style, scripts, and a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from spark_engine.report import formatting

CHART_LIBRARY = "lightweight-charts-5.2.1.js"

_TEMPLATES = jinja2.PackageLoader("spark_engine.report", "templates")
_ENVIRONMENT = jinja2.Environment(
    loader=_TEMPLATES, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
)
_FORMATS = ("byte_size", "duration", "money", "number", "percent", "plural", "significant", "signed_percent")


def render_page(
    template: str,
    *,
    library: bool,
    sheets: Sequence[str] = (),
    more_scripts: Sequence[str] = (),
    **values: Any,
) -> str:
    """The page of `template`, self-contained. `library`: with the interactive charts. `sheets` and
    `more_scripts`: what this page has besides the style and the script of all."""
    style = Markup("\n").join([inline("report.css"), *map(inline, sheets)])
    scripts = [vendored(CHART_LIBRARY)] if library else []
    scripts += [inline("page.js"), *([inline("interactive.js"), inline("report.js")] if library else [])]
    scripts += map(inline, more_scripts)
    return _ENVIRONMENT.get_template(template).render(
        **{name: getattr(formatting, name) for name in (*_FORMATS, "utc", "words")},
        exact=lambda value: "" if value is None else repr(value),
        left=lambda at: round(100 * at, 2),
        top=lambda at: round(100 * (1 - at), 2),
        swatch=lambda style: Markup('<i class="swatch {}"></i>').format(style),
        style=style,
        scripts=scripts,
        policy=_policy([style], scripts),
        library_notice=notice() if library else "",
        **values,
    )


def embedded_json(document: Mapping[str, Any]) -> Markup:
    """JSON for a script element. `<` is escaped, so that no text can close the element."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704


def rounded(values: Any, digits: int = 7) -> list[float]:
    """As many digits as a reader sees: a page carries tens of thousands of numbers."""
    form = f"%.{digits}g"
    return [float(form % value) for value in values]


@cache
def inline(name: str) -> Markup:
    """A style sheet or script of ours: trusted, and never to be escaped, or its hash would not fit."""
    source, _, _ = _TEMPLATES.get_source(_ENVIRONMENT, name)
    return Markup(source)  # noqa: S704


@cache
def vendored(name: str) -> Markup:
    """A third-party script, byte for byte as published; `report/vendor/SHA256SUMS` pins it."""
    return Markup(_vendor_text(name))  # noqa: S704


def notice() -> list[str]:
    """The attribution that the licence of the chart library asks for, line by line."""
    return _vendor_text("lightweight-charts-NOTICE.txt").splitlines()


def _vendor_text(name: str) -> str:
    return (resources.files("spark_engine.report") / "vendor" / name).read_text(encoding="utf-8")


def _policy(styles: list[Markup], scripts: list[Markup]) -> str:
    return (
        f"default-src 'none'; style-src {_sources(styles)}; script-src {_sources(scripts)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _sources(texts: list[Markup]) -> str:
    return " ".join(f"'{_hash(text)}'" for text in texts)


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
