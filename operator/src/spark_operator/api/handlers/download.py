"""The files that a run left in the artifact store."""

from __future__ import annotations

import logging
from urllib.parse import quote

from starlette.responses import JSONResponse, Response, StreamingResponse

from spark_operator.api.artifact_store import ArtifactStore, Opened, artifact_store
from spark_operator.api.artifacts import POLICY, artifact_key, is_file_name, media_type
from spark_operator.api.handlers.read import read_entry, tag_matches
from spark_operator.api.problem import Problem, not_found, unavailable
from spark_operator.api.query import refuse_unknown
from spark_operator.api.services import Call
from spark_operator.api.stored_file import StoreUnavailable
from spark_operator.api.views import ROOT

LOG = logging.getLogger(__name__)


async def list_artifacts(call: Call) -> Response:
    """Names, sizes and addresses of the files."""
    refuse_unknown(call.request.query_params, ("namespace",))
    store, key = await _place(call)
    try:
        files = await store.files(key)
    except StoreUnavailable as error:
        raise _no_store(error) from None
    base, query = f"{ROOT}/{call.id}/artifacts", f"?namespace={quote(call.namespace)}"
    listed = [
        {
            "name": file.name,
            "bytes": file.bytes,
            "mediaType": media_type(file.name),
            "url": f"{base}/{quote(file.name)}{query}",
        }
        for file in files
        if is_file_name(file.name)
    ]
    return JSONResponse({"id": call.id, "namespace": call.namespace, "artifacts": listed})


async def download(call: Call) -> Response:
    """One file, as a stream."""
    refuse_unknown(call.request.query_params, ("namespace",))
    name = str(call.request.path_params["file"])
    store, key = await _place(call)
    try:
        opened = await store.open(key, name) if is_file_name(name) else None
    except StoreUnavailable as error:
        raise _no_store(error) from None
    if opened is None:
        raise not_found(f'run "{call.id}" has no artifact {name!r}', "NoArtifact")
    return _streamed(call, opened)


def _streamed(call: Call, opened: Opened) -> Response:
    file = opened.file
    headers = {
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Cookie",
        "Content-Security-Policy": POLICY,
    }
    if file.tag:
        headers["ETag"] = f'"{file.tag}"'
    if tag_matches(call.request.headers.get("if-none-match", ""), file.tag):
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(file.bytes)
    headers["Content-Disposition"] = f'inline; filename="{call.id}-{file.name}"'
    if call.request.method == "HEAD":
        return Response(headers=headers, media_type=media_type(file.name))
    return StreamingResponse(opened.content, headers=headers, media_type=media_type(file.name))


async def _place(call: Call) -> tuple[ArtifactStore, str]:
    entry = await read_entry(call, call.id)
    store = call.services.configuration().store
    key = artifact_key(store.uri, entry.artifact_uri, call.namespace, entry.name, entry.uid)
    try:
        return artifact_store(store), key
    except StoreUnavailable as error:
        raise _no_store(error) from None


def _no_store(error: StoreUnavailable) -> Problem:
    LOG.error("the artifact store cannot be read: %s", error)
    return unavailable("the artifact store cannot be read now", "StoreUnavailable")
