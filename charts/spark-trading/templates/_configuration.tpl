{{/* /etc/spark/config.yaml: the values that spark_operator.configuration.model.Configuration knows. */}}
{{- define "spark-trading.configuration" -}}
{{- $image := include "spark-trading.image" (dict "image" .Values.engine.image "root" .) -}}
{{- dict
      "instance" .Release.Name
      "watch" .Values.watch
      "store" .Values.store
      "engine" (set (omit .Values.engine "image") "image" $image)
      "guardrails" .Values.guardrails
      "limits" .Values.limits
      "controller" .Values.controller
      "api" (pick .Values.api "mode" "defaultNamespace" "anonymousRead" "runDefaults")
    | toYaml -}}
{{- end }}

{{/* Settings that are read at start only: pods restart when they change, and not for the others. */}}
{{- define "spark-trading.readAtStart" -}}
{{- dict "instance" .Release.Name "watch" .Values.watch "controller" .Values.controller | toYaml | sha256sum -}}
{{- end }}

{{/* What no schema can say. */}}
{{- define "spark-trading.check" -}}
{{- if and (hasPrefix "file://" .Values.store.uri) (ne (join "," .Values.watch.namespaces) .Release.Namespace) -}}
{{- fail (printf "store.uri: %s is a volume of one namespace: watch.namespaces must be [%s]" .Values.store.uri .Release.Namespace) -}}
{{- end -}}
{{- if ne (hasPrefix "file://" .Values.store.uri) (ne .Values.store.claim "") -}}
{{- fail "store.claim: a file:// uri needs a PersistentVolumeClaim, and no other uri does" -}}
{{- end -}}
{{- if and .Values.api.ingress.enabled (not .Values.api.ingress.host) -}}
{{- fail "api.ingress.host: must be given when api.ingress.enabled is true" -}}
{{- end -}}
{{- with .Values.controller -}}
{{- if ge (float64 .renewDeadlineSeconds) (float64 .leaseSeconds) -}}
{{- fail "controller.renewDeadlineSeconds: must be less than controller.leaseSeconds" -}}
{{- end -}}
{{- if ge (float64 .retrySeconds) (float64 .renewDeadlineSeconds) -}}
{{- fail "controller.retrySeconds: must be less than controller.renewDeadlineSeconds" -}}
{{- end -}}
{{- if ge (float64 .writeTimeoutSeconds) (subf (float64 .leaseSeconds) (float64 .renewDeadlineSeconds)) -}}
{{- fail "controller.writeTimeoutSeconds: must be less than controller.leaseSeconds - controller.renewDeadlineSeconds" -}}
{{- end -}}
{{- end -}}
{{- end }}
