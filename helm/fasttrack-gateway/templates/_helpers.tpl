{{/* Name of every object: the release, and the chart's name unless the release has it already. */}}
{{- define "gateway.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels by which pods are found; they can never change on a running Deployment. */}}
{{- define "gateway.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "gateway.labels" -}}
{{ include "gateway.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "gateway.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* What "restricted" of the Pod Security Standards asks for, and a file system that cannot be written. */}}
{{- define "gateway.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "gateway.containerSecurityContext" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
capabilities:
  drop: ["ALL"]
{{- end -}}

{{/* Peers of a network policy: pods by label (in any namespace when "anyNamespace"), and address ranges. */}}
{{- define "gateway.peers" -}}
{{- if .podLabels }}
- podSelector:
    matchLabels:
      {{- toYaml .podLabels | nindent 6 }}
  {{- if .anyNamespace }}
  namespaceSelector: {}
  {{- end }}
{{- end }}
{{- range .cidrs }}
- ipBlock:
    cidr: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "gateway.egressToDatabaseAndNames" -}}
{{- $postgres := .Values.networkPolicy.postgres -}}
{{- $peers := include "gateway.peers" (dict "podLabels" $postgres.podLabels "cidrs" $postgres.cidrs "anyNamespace" true) -}}
{{- if $peers -}}
- to:
    {{- $peers | nindent 4 }}
  ports:
    - port: {{ $postgres.port }}
      protocol: TCP
{{ end -}}
- to:
    - namespaceSelector:
        matchLabels:
          {{- toYaml .Values.networkPolicy.dns.namespaceLabels | nindent 10 }}
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}

{{/* What limits are counted by: the gateway and the scheduler have the same files, or they would tell other days. */}}
{{- define "gateway.clocksEnv" -}}
{{- if .Values.clocks.readingsConfigMapName }}
- name: FASTTRACK_CLOCK_SETTINGS
  value: /etc/fasttrack/clocks/readings.yaml
{{- end }}
{{- if .Values.clocks.holidays.years }}
- name: FASTTRACK_HOLIDAYS_DIR
  value: /etc/fasttrack/holidays
{{- end }}
{{- end -}}

{{- define "gateway.clocksMounts" -}}
{{- if .Values.clocks.readingsConfigMapName }}
- name: clocks
  mountPath: /etc/fasttrack/clocks
  readOnly: true
{{- end }}
{{- if .Values.clocks.holidays.years }}
- name: holidays
  mountPath: /etc/fasttrack/holidays
  readOnly: true
{{- end }}
{{- end -}}

{{- define "gateway.clocksVolumes" -}}
{{- if .Values.clocks.readingsConfigMapName }}
- name: clocks
  configMap:
    name: {{ .Values.clocks.readingsConfigMapName }}
{{- end }}
{{- if .Values.clocks.holidays.years }}
- name: holidays
  configMap:
    name: {{ .Values.clocks.holidays.configMapName }}
    items:
      # Named, so that a pod without one of the years does not start and leave limits uncounted.
      {{- range .Values.clocks.holidays.years }}
      - key: {{ printf "%d.yaml" (int .) | quote }}
        path: {{ printf "%d.yaml" (int .) | quote }}
      {{- end }}
{{- end }}
{{- end -}}
