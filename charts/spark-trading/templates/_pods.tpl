{{/* What the pods of operator and API have in common. Takes name, component, settings, root, and the job of metrics. */}}
{{- define "spark-trading.podMetadata" -}}
labels:
  {{- include "spark-trading.labels" . | nindent 2 }}
  {{- with .job }}
  spark.trading/scrape-job: {{ . }}
  {{- end }}
  {{- with .settings.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  spark.trading/read-at-start: {{ include "spark-trading.readAtStart" .root }}
  {{- with .settings.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "spark-trading.podSettings" -}}
serviceAccountName: {{ .settings.serviceAccount.name }}
automountServiceAccountToken: true
enableServiceLinks: false
terminationGracePeriodSeconds: 30
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "spark-trading.selector" . | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- with .settings.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "spark-trading.containerSettings" -}}
image: {{ include "spark-trading.image" (dict "image" .root.Values.image "root" .root) }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
resources:
  {{- toYaml .settings.resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{- define "spark-trading.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /readyz, port: {{ . }}}
  periodSeconds: 5
  timeoutSeconds: 2
livenessProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}

{{- define "spark-trading.rollingUpdate" -}}
minReadySeconds: 5
revisionHistoryLimit: 3
strategy:
  type: RollingUpdate
  rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
{{- end }}

{{/* Takes name, component, settings, root. */}}
{{- define "spark-trading.disruptionBudget" -}}
{{- if .settings.podDisruptionBudget }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "spark-trading.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "spark-trading.selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* Takes name, component, account (name, annotations), root. */}}
{{- define "spark-trading.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .account.name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "spark-trading.labels" . | nindent 4 }}
  {{- with .account.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}
