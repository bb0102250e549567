"""The values of the chart: the operator's configuration, and how it is deployed.

`values.yaml`, `values.schema.json` and the table in the chart's README are made from these models.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from spark_operator.configuration.model import (
    Api,
    Configuration,
    Controller,
    EnginePods,
    Guardrails,
    Limits,
    Name,
    Store,
    Watch,
)

Text = dict[str, str]
Objects = list[dict[str, Any]]
Selector = dict[str, Any]
Digest = Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")]
Duration = Annotated[str, Field(pattern=r"^([0-9]+(ms|s|m|h))+$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Resources = dict[Literal["requests", "limits"], dict[str, str]]


class Section(BaseModel):
    """Strict, frozen, camelCase, as the configuration itself."""

    model_config = Configuration.model_config


class ImageReference(Section):
    """A container image, by tag or digest."""

    repository: Annotated[str, Field(max_length=255, pattern=r"^[^:@\s]+(:[0-9]+/[^:@\s]+)?$")]
    """Registry and name, without tag."""
    tag: Annotated[str, Field(max_length=128, pattern=r"^[A-Za-z0-9_.-]*$")] = ""
    """Tag; empty: the chart's appVersion. Ignored where a digest is given."""
    digest: Digest = ""
    """Digest, sha256:…; what production should pin."""


class Image(ImageReference):
    """A container image, and when to pull it."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """As of any container."""


class CustomResources(Section):
    """The CustomResourceDefinitions."""

    enabled: bool = True
    """Whether they are part of the release, and so upgraded with it."""
    keep: bool = True
    """Whether they, and with them every run, survive `helm uninstall`."""
    annotations: Text = {}
    """Added to each."""


class ServiceAccount(Section):
    """A service account."""

    name: Annotated[Name, Field(min_length=1)]
    """Its name."""
    annotations: Text = {}
    """Its annotations, such as those of a cloud's workload identity."""


class Deployment(Section):
    """What every Deployment of the chart can be told."""

    replicas: Annotated[int, Field(ge=0, le=20)] = 2
    """Number of pods."""
    service_account: ServiceAccount
    """Service account of the pods."""
    resources: Resources
    """Compute resources of the container."""
    node_selector: Text = {}
    """As of any pod."""
    tolerations: Objects = []
    """As of any pod."""
    affinity: dict[str, Any] = {}
    """As of any pod."""
    priority_class_name: Name = ""
    """As of any pod."""
    pod_labels: Text = {}
    """Added to the pods."""
    pod_annotations: Text = {}
    """Added to the pods."""
    pod_disruption_budget: bool = True
    """Whether drains take down one pod at a time."""


class Operator(Deployment):
    """The Deployment `spark-operator`: one replica leads, the others wait for its Lease."""

    service_account: ServiceAccount = ServiceAccount(name="spark-operator")
    """Service account of the pods. The only one that may write status."""
    resources: Resources = {
        "requests": {"cpu": "50m", "memory": "128Mi"},
        "limits": {"memory": "300Mi"},
    }
    """Compute resources of the container."""


class AdminToken(Section):
    """The break-glass token of the API."""

    existing_secret: Name = ""
    """Secret with the token; empty: break-glass is off. Its requests are made as the API's own account."""
    key: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")] = "token"
    """Key in the Secret: a token a line, 32 characters or more; two lines while one is rotated."""


class Ingress(Section):
    """The Ingress to the API. It routes neither metrics nor probes."""

    enabled: bool = False
    """Whether there is one."""
    class_name: Name = ""
    """IngressClass; empty: the cluster's default."""
    annotations: Text = {}
    """Its annotations."""
    host: Annotated[str, Field(max_length=253)] = ""
    """Host name; required when enabled."""
    tls_secret: Name = ""
    """Secret with the certificate of the host; empty: no TLS here."""


class ApiValues(Deployment, Api):
    """The Deployment and Service `spark-api`."""

    service_account: ServiceAccount = ServiceAccount(name="spark-api")
    """Service account of the pods. It reviews tokens and reads runs; it writes for break-glass alone."""
    resources: Resources = {
        "requests": {"cpu": "50m", "memory": "128Mi"},
        "limits": {"memory": "600Mi"},
    }
    """Compute resources of the container."""
    admin_token: AdminToken = AdminToken()
    """The break-glass token."""
    ingress: Ingress = Ingress()
    """The Ingress."""


class EngineValues(EnginePods):
    """What engine pods get, and what a run may ask for."""

    image: ImageReference = ImageReference(repository="spark-engine")  # type: ignore[assignment]
    """Image of a run that names none."""


class Rbac(Section):
    """Rights of people."""

    aggregate: bool = True
    """Whether the built-in roles view, edit and admin cover our kinds."""


class AdmissionPolicies(Section):
    """ValidatingAdmissionPolicies. Off only where another release brings them."""

    enabled: bool = True
    """Whether status is refused to everybody but the operator."""


class NetworkPolicies(Section):
    """Who may talk to whom. The cluster's network must enforce it."""

    enabled: bool = True
    """Whether there are any."""
    engine_namespaces: list[Name] = []
    """Where engine pods are fenced in; empty: watch.namespaces, or the release's and api.defaultNamespace."""
    engine_egress: Objects = []
    """Further egress rules of engine pods; DNS, 443 and the port of store.endpoint are always there."""
    api_server_ports: list[Port] = [443, 6443]
    """Ports of the Kubernetes API server, before and behind its Service."""
    prometheus: Objects = [
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}
    ]
    """Peers that may scrape metrics."""
    clients: Objects = [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    ]
    """Peers that may call the API."""


class Monitoring(Section):
    """Objects of the Prometheus Operator: jobs executor (operator) and executor_lite (API)."""

    enabled: bool = False
    """Whether there is a PodMonitor and a ServiceMonitor; needs their CRDs."""
    interval: Duration = "15s"
    """Time between scrapes."""
    labels: Text = {}
    """Added to both, as your Prometheus selects them."""


class Values(Section):
    """Everything that can be set."""

    image: Image = Image(repository="spark-operator")
    """Image of operator and API."""
    image_pull_secrets: list[Name] = []
    """Secrets in the release's namespace."""
    crds: CustomResources = CustomResources()
    """The CustomResourceDefinitions."""
    watch: Watch = Watch()
    """What is watched. Named namespaces: Roles there instead of ClusterRoles."""
    store: Store = Store()
    """Where engine pods put artifacts. An empty uri: results are in the status of a run only."""
    engine: EngineValues = EngineValues()
    """What engine pods get, and what a run may ask for."""
    guardrails: Guardrails = Guardrails()
    """How runs and guardrails meet."""
    limits: Limits = Limits()
    """Bounds that protect the cluster."""
    controller: Controller = Controller()
    """The machinery of the operator."""
    operator: Operator = Operator()
    """The Deployment `spark-operator`: one replica leads, the others wait for its Lease."""
    api: ApiValues = ApiValues()
    """The HTTP API: the Deployment and Service `spark-api`."""
    rbac: Rbac = Rbac()
    """Rights of people."""
    admission_policies: AdmissionPolicies = AdmissionPolicies()
    """ValidatingAdmissionPolicies. Off only where another release brings them."""
    network_policies: NetworkPolicies = NetworkPolicies()
    """Who may talk to whom. The cluster's network must enforce it."""
    monitoring: Monitoring = Monitoring()
    """Objects of the Prometheus Operator: jobs executor (operator) and executor_lite (API)."""
