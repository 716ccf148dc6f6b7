{{- define "sealmesh.selector" -}}
app.kubernetes.io/name: coordinator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sealmesh.labels" -}}
{{ include "sealmesh.selector" . }}
app.kubernetes.io/part-of: sealmesh
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
sealmesh/tee: {{ include "sealmesh.tee" . }}
{{- end }}

{{- define "sealmesh.tee" -}}
{{ if .Values.simulation }}simulated{{ else }}hardware{{ end }}
{{- end }}

{{- define "sealmesh.annotations" -}}
{{- if .Values.simulation -}}
sealmesh/simulation: "simulated TEE: nothing protects this against the nodes it runs on"
{{- else -}}
sealmesh/resources: {{ .Values.tee.resources | toJson | quote }}
{{- end }}
{{- end }}

{{- define "sealmesh.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "sealmesh.names" -}}
localhost
{{- if ne .Values.coordinator.domain "localhost" }},{{ .Values.coordinator.domain }}{{ end }}
{{- range $service := list "coordinator-mesh-api" "coordinator-client-api" -}}
,{{ $service }}
{{- range $suffix := list "" ".svc" ".svc.cluster.local" -}}
,{{ $service }}.{{ $.Release.Namespace }}{{ $suffix }}
{{- end }}
{{- end }}
{{- end }}
