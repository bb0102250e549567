"""A browser sends cookies wherever a page points it: writes that another site caused are refused."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers

from spark_operator.api.problem import Problem

OWN_SITE = ("same-origin", "none")


def require_own_site(headers: Headers) -> None:
    """Raises a 403 `Problem`. Programs send neither header."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        foreign = site not in OWN_SITE
    else:
        foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
    if foreign:
        raise Problem(403, "CrossSite", "writes from pages of another site are refused")
