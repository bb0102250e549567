"""A drop behind HTTP: one file, or a page that lists files as web servers do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final, Protocol
from urllib.parse import unquote, urljoin, urlsplit

from spark_crds.canonical import sha256_hex

from spark_engine.data.files import is_candle_file
from spark_engine.errors import first_line
from spark_engine.feeds.provider import Malformed, RateLimit, Request
from spark_engine.feeds.providers.bist.files import CUT_STILL_MS, DropFile, Listing, ends_whole
from spark_engine.feeds.rest.client import Answer
from spark_engine.feeds.rest.errors import RestError, RestMalformed

LIMIT: Final = RateLimit("bist-files", requests=60, seconds=60.0, block_seconds=60.0)
HEADERS: Final = {"accept": "*/*"}
MOST_FILES: Final = 30  # of one look
MOST_LISTED: Final = 10_000
LINE_MS: Final = 120_000  # lines tell minutes: a file as young as that may change and keep its line


class Client(Protocol):
    """`feeds.rest.client.RestClient`."""

    async def get(self, request: Request[bytes]) -> Answer[bytes]: ...


class DropUrl:
    """Files of a URL. One that ends in a candle file's suffix is that file, any other is a listing.

    A file of a listing is fetched again once its line (date, size) differs; where lines say nothing more than
    names, and for a single file, every time. Where these are too many, they take turns. Of files that hold
    the same bar the one that was written last is right, as the server says (Last-Modified); where it does
    not, the one whose name comes last, since a listing's dates are in nobody knows which zone. Raises
    `RestError` where the listing is not to be had.
    """

    def __init__(self, url: str, client: Client) -> None:
        self._url = url
        self._client = client
        self._seen: defaultdict[str, _Seen] = defaultdict(_Seen)
        self._look = 0

    async def changed(self, now_ms: int) -> Listing:
        path = unquote(urlsplit(self._url).path)
        if is_candle_file(path.rpartition("/")[2]):
            return await self._files({path.rpartition("/")[2]: self._url}, {}, now_ms)
        answer = await self._client.get(Request(self._url, {}, LIMIT, bytes, HEADERS))
        try:
            listed = read_listing(answer.value, self._url)
        except Malformed as error:
            raise RestMalformed(self._url, str(error)) from None
        urls = {name: url for name, (url, _line) in listed.items()}
        return await self._files(urls, {name: line for name, (_url, line) in listed.items() if line}, now_ms)

    def done(self, file: DropFile) -> None:
        self._seen[file.name].done(file.mark)

    async def _files(self, urls: Mapping[str, str], lines: Mapping[str, str], now_ms: int) -> Listing:
        self._look += 1
        for name in self._seen.keys() - urls.keys():
            self._seen[name].left()
        new = [name for name in urls if name not in lines or self._seen[name].line != lines[name]]
        new.sort(key=lambda name: self._seen[name].asked)
        more = any(not self._seen[name].asked for name in new[MOST_FILES:])
        files: list[DropFile] = []
        waiting: list[str] = []
        refused: list[tuple[str, str]] = []
        for name in new[:MOST_FILES]:
            seen = self._seen[name]
            seen.asked = self._look
            try:
                answer = await self._client.get(Request(urls[name], {}, LIMIT, bytes, HEADERS))
            except RestError as error:
                refused.append((name, str(error)))
                continue
            mark = sha256_hex(answer.value)
            young = answer.modified_ms is not None and now_ms - answer.modified_ms < LINE_MS
            seen.fetched = "" if young else lines.get(name, "")
            if seen.mark == mark:
                seen.done(mark)
            elif not ends_whole(name, answer.value) and seen.still_ms(mark, now_ms) < CUT_STILL_MS:
                waiting.append(name)
            else:
                written_ms = now_ms if answer.modified_ms is None else min(answer.modified_ms, now_ms)
                order = answer.modified_ms or 0, name
                files.append(DropFile(name, answer.value, written_ms, order, mark))
        files.sort(key=lambda file: file.order, reverse=True)
        return Listing(tuple(files), tuple(waiting), tuple(refused), frozenset(urls), more)


@dataclass(slots=True)
class _Seen:
    """One name. line: around it when the bytes of `mark` were done. fetched: around it when it was fetched
    last; either is '' where it says too little. asked: in which look. cut: the mark of what seems to be cut,
    and since when it is so."""

    line: str = ""
    mark: str = ""
    fetched: str = ""
    asked: int = 0
    cut: tuple[str, int] = "", 0

    def done(self, mark: str) -> None:
        self.line, self.mark = self.fetched, mark

    def left(self) -> None:
        """It is listed no more; what was done is remembered, should it come back."""
        self.asked, self.cut = 0, ("", 0)

    def still_ms(self, mark: str, now_ms: int) -> int:
        """For how long it has been these bytes."""
        if self.cut[0] != mark:
            self.cut = mark, now_ms
        return now_ms - self.cut[1]


def read_listing(page: bytes, url: str) -> dict[str, tuple[str, str]]:
    """Name to address and what stands around it, of links to candle files in the same folder, by name from
    the last to the first. Raises `Malformed` for what is no page."""
    parser = _Links()
    try:
        parser.feed(page.decode("utf-8"))
        parser.close()
    except UnicodeDecodeError:
        raise Malformed("the listing is not UTF-8") from None
    except AssertionError as error:  # how the parser says that it cannot go on
        raise Malformed(f"the listing is no HTML: {first_line(error)}") from None
    if len(parser.found) > MOST_LISTED:
        raise Malformed(f"the listing has more than {MOST_LISTED} links")
    folder = url.rpartition("/")[0] + "/" if "/" in urlsplit(url).path else url + "/"
    names: dict[str, tuple[str, str]] = {}
    for link, line in parser.found:
        try:
            address = urljoin(folder, link)
            name = unquote(urlsplit(address).path.rpartition("/")[2])
        except ValueError:  # as of http://[x/
            continue
        if address.rpartition("/")[0] + "/" == folder and is_candle_file(name):
            names[name] = address, " ".join(line.replace(name, " ").split())
    return dict(sorted(names.items(), reverse=True))


class _Links(HTMLParser):
    """Links, each with its own text and that on either side of it up to the next one: some servers write
    date and size before the name."""

    def __init__(self) -> None:
        super().__init__()
        self._links: list[str] = []
        self._texts: list[str] = []  # of each
        self._after: list[str] = []  # each
        self._within = False

    @property
    def found(self) -> list[tuple[str, str]]:
        texts = zip(["", *self._after], self._texts, self._after, strict=False)
        return list(zip(self._links, map(" ".join, texts), strict=True))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = dict(attrs).get("href") if tag == "a" else None
        if link:
            self._links.append(link)
            self._texts.append("")
            self._after.append("")
            self._within = True

    def handle_endtag(self, tag: str) -> None:
        self._within = self._within and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._links:
            texts = self._texts if self._within else self._after
            texts[-1] += data
