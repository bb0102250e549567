# The images of Spark Trading: one target each.
#
#     docker build --target engine -t spark-engine .
#     buildah bud --target engine -t spark-engine .
#
# PYTHON_IMAGE is any Debian-like image with Python 3.11 to 3.13 and its venv module. Pin it by digest where images are
# released (--build-arg PYTHON_IMAGE=python:3.13-slim@sha256:...): a tag moves, and no digest is written down here.
ARG PYTHON_IMAGE=python:3.13-slim

# What builds need and images do not: compiler, Python headers, uv, the locked project.
FROM ${PYTHON_IMAGE} AS tools
ARG UV_VERSION=0.13.8
# Only where the registries are reached through a certificate authority of one's own.
ARG PIP_CERT
ARG SSL_CERT_FILE
RUN headers="$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')" \
    && apt-get update --quiet \
    && apt-get install --quiet --yes --no-install-recommends gcc libc6-dev \
        $(test -f "${headers}/Python.h" || echo python3-dev) \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/uv \
    && /opt/uv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check uv==${UV_VERSION}
ENV PATH=/opt/uv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    UV_FROZEN=1 \
    UV_NO_CACHE=1 \
    UV_NO_DEV=1 \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON=python3 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /src
COPY pyproject.toml uv.lock ./
COPY crds/pyproject.toml crds/
COPY engine/pyproject.toml engine/
COPY operator/pyproject.toml operator/

# What every image of ours starts from; a node that has one holds these layers for the others.
FROM ${PYTHON_IMAGE} AS runtime
# A place to mount a volume at. Made before USER, so that it belongs to root.
WORKDIR /work
# Slim Python images come without the .pyc of the standard library; those that are there stay.
RUN ["python3", "-c", "import compileall, py_compile, re, sysconfig; compileall.compile_dir(sysconfig.get_path('stdlib'), quiet=2, rx=re.compile('/(test|tests|idlelib|lib2to3|site-packages|dist-packages)/'), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)"]
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1

# Dependencies first: they change less often than sources, and stay cached.
FROM tools AS engine-build
ARG PIP_CERT
ARG SSL_CERT_FILE
RUN uv sync --package spark-engine --no-install-workspace
COPY LICENSE /opt/venv/
COPY crds/src crds/src
COPY engine/setup.py engine/
COPY engine/src engine/src
# Unchecked .pyc: valid on a read-only root file system, whatever time stamps a registry left on the sources.
RUN uv sync --package spark-engine --no-editable \
    && rm -f /opt/venv/.lock \
    && find /opt/venv/lib -type d -name tests -prune -exec rm -r {} + \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib

# What runs in pods and on laptops: `python -m spark_engine.pod`, `backtest`. Needs no shell, no network, no writable root.
FROM runtime AS engine
ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="spark-engine" \
      org.opencontainers.image.description="Deterministic backtests: a resolved run in, verifiable evidence out" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
COPY --from=engine-build /opt/venv /opt/venv
USER 65532:65532
ENTRYPOINT ["python", "-m", "spark_engine.pod"]

FROM tools AS operator-build
ARG PIP_CERT
ARG SSL_CERT_FILE
RUN uv sync --package spark-operator --no-install-workspace
COPY LICENSE /opt/venv/
COPY crds/src crds/src
COPY operator/src operator/src
RUN uv sync --package spark-operator --no-editable \
    && rm -f /opt/venv/.lock \
    && find /opt/venv/lib -type d -name tests -prune -exec rm -r {} + \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib

# The control plane: `python -m spark_operator`, and the API beside it as `python -m spark_operator.api`.
FROM runtime AS operator
ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="spark-operator" \
      org.opencontainers.image.description="Operator and HTTP API of Spark Trading" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
COPY --from=operator-build /opt/venv /opt/venv
# 4010 API, 8080 health and metrics.
EXPOSE 4010 8080
ENV PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["python", "-m", "spark_operator"]
