{{/*
One process beside the gateway: a network policy and a Deployment of one pod. Takes "root", "name" (its component),
"args", and as YAML texts "env", "mounts", "volumes", "ports", "ingress" and "egress" (rules beside those to database,
names and collector).
*/}}
{{- define "gateway.process" -}}
{{- $root := .root -}}
{{- $name := printf "%s-%s" (include "gateway.fullname" $root) .name -}}
{{- if $root.Values.networkPolicy.enabled }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $name }}
  labels:
    {{- include "gateway.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  podSelector:
    matchLabels:
      {{- include "gateway.selectorLabels" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
  policyTypes: ["Ingress", "Egress"]
  {{- if .ingress }}
  ingress:
    {{- .ingress | nindent 4 }}
  {{- else }}
  ingress: []
  {{- end }}
  egress:
    {{- include "gateway.egressToDatabaseAndNames" $root | nindent 4 }}
    {{- $otlp := $root.Values.networkPolicy.otlp }}
    {{- $collectors := include "gateway.peers" (dict "podLabels" $otlp.podLabels "cidrs" $otlp.cidrs "anyNamespace" true) }}
    {{- if and $root.Values.telemetry.otlpEndpoint $collectors }}
    - to:
        {{- $collectors | nindent 8 }}
      ports:
        - port: {{ $otlp.port }}
          protocol: TCP
    {{- end }}
---
{{- end }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels:
    {{- include "gateway.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  replicas: 1
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "gateway.selectorLabels" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
  template:
    metadata:
      labels:
        {{- include "gateway.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
      {{- with $root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "gateway.fullname" $root }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- range . }}
        - name: {{ . }}
        {{- end }}
      {{- end }}
      securityContext:
        {{- include "gateway.podSecurityContext" $root | nindent 8 }}
      containers:
        - name: {{ .name }}
          image: {{ include "gateway.image" $root | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: {{ .args | toJson }}
          securityContext:
            {{- include "gateway.containerSecurityContext" $root | nindent 12 }}
          env:
            {{- .env | nindent 12 }}
            {{- with $root.Values.telemetry.otlpEndpoint }}
            - name: OTEL_EXPORTER_OTLP_ENDPOINT
              value: {{ . | quote }}
            {{- end }}
          {{- with .ports }}
          ports:
            {{- . | nindent 12 }}
          {{- end }}
          resources:
            {{- toYaml $root.Values.resources | nindent 12 }}
          volumeMounts:
            {{- with .mounts }}
            {{- . | nindent 12 }}
            {{- end }}
            - name: tmp
              mountPath: /tmp
      volumes:
        {{- with .volumes }}
        {{- . | nindent 8 }}
        {{- end }}
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
      {{- with $root.Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $root.Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}
