"""What can be configured. Unknown fields are refused; the chart's values.schema.json repeats these bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Name = Annotated[str, Field(max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$")]


class Model(BaseModel):
    """Strict, frozen, camelCase."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Store(Model):
    """Where engine pods put artifacts. An empty uri: results are in the status of a run only."""

    uri: Annotated[str, Field(max_length=512, pattern=r"^((s3|gs|az|file)://.+)?$")] = ""
    """Root of the store, such as s3://bucket/prefix; a run's key is appended."""
    endpoint: Annotated[str, Field(max_length=512, pattern=r"^(https?://.+)?$")] = ""
    """Endpoint of an S3 server that is not AWS."""
    region: Annotated[str, Field(max_length=64)] = ""
    """Region of the bucket."""
    claim: Name = ""
    """PersistentVolumeClaim of a file:// store, mounted at its path in engine and API pods."""
    credentials_secret: Name = ""
    """Secret in the namespace of a run whose keys become environment variables of the engine (AWS_…)."""


class Toleration(Model):
    """As of any pod."""

    key: str = ""
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""


class EnginePods(Model):
    """What engine pods get, and what a run may ask for."""

    image: Annotated[str, Field(min_length=1, max_length=512)]
    """Image of a run that names none; by digest in production."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """As of any container."""
    image_pull_secrets: list[Name] = []
    """Secrets in the namespace of the run."""
    service_account: Name = ""
    """Service account of engine pods, for workload identity. Its token is never mounted."""
    resources: dict[Literal["requests", "limits"], dict[str, str]] = {
        "requests": {"cpu": "250m", "memory": "256Mi"},
        "limits": {"memory": "1Gi"},
    }
    """Compute resources of a run that names none."""
    node_selector: dict[str, str] = {}
    """Node selector of every run, below its own."""
    tolerations: list[Toleration] = []
    """Tolerations of every run, before its own."""
    allowed_images: list[Annotated[str, Field(min_length=1)]] = []
    """Images that a run may name: exact, or a prefix that ends with *."""
    allowed_node_selector_keys: list[str] = []
    """Labels that a run may select nodes by."""
    allowed_toleration_keys: list[str] = []
    """Taints that a run may tolerate."""
    allowed_priority_classes: list[str] = []
    """Priority classes that a run may name."""
    allowed_queues: list[str] = []
    """Kueue queues that a run may name."""


class Guardrails(Model):
    """How runs and guardrails meet."""

    required: bool = False
    """Runs without an effective guardrail revision wait."""


class Limits(Model):
    """Bounds that protect the cluster."""

    max_active_runs: Annotated[int, Field(ge=1, le=100_000)] = 200
    """Runs of a namespace that hold a Job at a time; the rest wait in the operator's queue."""
    start_deadline_seconds: Annotated[int, Field(ge=15, le=86_400)] = 600
    """Longest wait for a first pod, or for a scheduled pod to start."""


class Controller(Model):
    """The machinery of the operator. Read at start."""

    concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    """Objects reconciled at a time."""
    resync_seconds: Seconds = 600
    """Every object is looked at this often, give or take a tenth."""
    write_timeout_seconds: Seconds = 4
    """Longest write; shorter than what a Lease leaves after its renewal failed."""
    lease_seconds: Seconds = 15
    """How long a Lease holds."""
    renew_deadline_seconds: Seconds = 10
    """A leader that has not renewed for this long stops."""
    retry_seconds: Seconds = 2
    """Time between attempts to get or renew the Lease."""


class Watch(Model):
    """What is watched."""

    namespaces: list[Name] = []
    """Namespaces; empty: all."""


class Api(Model):
    """The HTTP API."""

    mode: Literal["readWrite", "readOnly"] = "readWrite"
    """readOnly refuses every write at once; kubectl and RBAC are unaffected."""
    default_namespace: Name = "default"
    """Namespace of a request that names none."""
    anonymous_read: bool = False
    """Whether reads need no credentials."""
    run_defaults: dict[str, Any] = {}
    """Partial spec of a BacktestRun that is frozen into runs started over HTTP."""


class Configuration(Model):
    """The file, whole."""

    instance: Name = "spark"
    """Name of the release: the label app.kubernetes.io/instance of every child."""
    watch: Watch = Watch()
    """What is watched."""
    store: Store = Store()
    """The artifact store."""
    engine: EnginePods
    """Engine pods."""
    guardrails: Guardrails = Guardrails()
    """Guardrails."""
    limits: Limits = Limits()
    """Limits."""
    controller: Controller = Controller()
    """The operator's machinery."""
    api: Api = Api()
    """The HTTP API."""
