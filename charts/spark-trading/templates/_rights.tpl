{{/* Rights to namespaced kinds: everywhere, or in the watched namespaces alone. Takes name, account, component, rules, root. */}}
{{- define "spark-trading.rights" -}}
{{- $given := . -}}
{{- $labels := include "spark-trading.labels" . -}}
{{- with .root }}
{{- if .Values.watch.namespaces }}
{{- range .Values.watch.namespaces }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $given.name }}
  namespace: {{ . }}
  labels:
    {{- $labels | nindent 4 }}
rules:
  {{- $given.rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $given.name }}
  namespace: {{ . }}
  labels:
    {{- $labels | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ $given.name }}}
subjects:
  - {kind: ServiceAccount, name: {{ $given.account }}, namespace: {{ $.root.Release.Namespace }}}
{{- end }}
{{- else }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $given.name }}
  labels:
    {{- $labels | nindent 4 }}
rules:
  {{- $given.rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $given.name }}
  labels:
    {{- $labels | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ $given.name }}}
subjects:
  - {kind: ServiceAccount, name: {{ $given.account }}, namespace: {{ .Release.Namespace }}}
{{- end }}
{{- end }}
{{- end }}
