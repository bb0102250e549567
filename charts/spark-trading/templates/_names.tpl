{{/* Names are fixed: one installation a cluster. Identity in selectors never changes: a Deployment's is immutable. */}}

{{- define "spark-trading.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "spark-trading.labels" -}}
{{ include "spark-trading.selector" . }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: spark-trading
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* A digest names one image for ever; a tag moves. */}}
{{- define "spark-trading.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "spark-trading.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ .Values.operator.serviceAccount.name }}
{{- end }}
