{{/*
The pod template of a workload: {root, cluster, workload}, where workload is {component, as, own, args, restartPolicy} and, for what
is served, `serves`.
*/}}
{{- define "etcd-warden.podTemplate" -}}
{{- $root := .root }}
{{- $cluster := .cluster }}
{{- $workload := .workload }}
{{- $names := dict "root" $root "cluster" $cluster "component" $workload.component }}
{{- $pod := include "etcd-warden.mergePods" (list $cluster.pod ($workload.own.pod | default dict)) | fromYaml }}
{{- $mounts := (include "etcd-warden.mounts" . | fromYaml).mounts -}}
metadata:
  labels:
    {{- mustMergeOverwrite (include "etcd-warden.labels" $names | fromYaml) ($pod.labels | default dict) | toYaml | nindent 4 }}
  annotations:
    {{- $checksum := dict "checksum/config" ($cluster.config | toYaml | sha256sum) "kubectl.kubernetes.io/default-container" "etcd-warden" }}
    {{- mustMergeOverwrite $checksum $root.Values.annotations ($pod.annotations | default dict) | toYaml | nindent 4 }}
spec:
  serviceAccountName: {{ include "etcd-warden.serviceAccountName" (dict "root" $root "cluster" $cluster "component" $workload.account "own" $workload.own) }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $workload.restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  hostNetwork: {{ $pod.hostNetwork }}
  dnsPolicy: {{ $pod.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "ClusterFirst" $pod.hostNetwork) }}
  terminationGracePeriodSeconds: {{ $pod.terminationGracePeriodSeconds }}
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- range $key := list "priorityClassName" "runtimeClassName" "nodeSelector" "affinity" "tolerations" }}
  {{- with get $pod $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with $pod.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- $selector := dict "labelSelector" (dict "matchLabels" (include "etcd-warden.selectorLabels" $names | fromYaml)) }}
    {{- range . }}
    - {{ mustMerge (deepCopy .) $selector | toYaml | nindent 6 | trim }}
    {{- end }}
  {{- end }}
  securityContext:
    {{- include "etcd-warden.withoutNulls" $pod.securityContext | nindent 4 }}
  containers:
    - name: etcd-warden
      image: {{ include "etcd-warden.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ concat (list "--config" "/etc/etcd-warden/config.yaml") $workload.args | toJson }}
      {{- $env := concat (include "etcd-warden.awsEnv" . | fromYamlArray) ($pod.env | default list) }}
      {{- with $env }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- $envFrom := $pod.envFrom | default list }}
      {{- with (include "etcd-warden.aws" . | fromYaml).existingSecret }}
      {{- $envFrom = prepend $envFrom (dict "secretRef" (dict "name" .)) }}
      {{- end }}
      {{- with $envFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if $workload.serves }}
      {{- include "etcd-warden.serving" (dict "config" $cluster.config "pod" $pod) | nindent 6 }}
      {{- end }}
      resources:
        {{- toYaml $pod.resources | nindent 8 }}
      securityContext:
        {{- $hardened := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) }}
        {{- include "etcd-warden.withoutNulls" (mustMergeOverwrite $hardened ($pod.containerSecurityContext | default dict)) | nindent 8 }}
      volumeMounts:
        {{- range $mounts }}
        - name: {{ .volume.name }}
          {{- omit . "volume" | toYaml | nindent 10 }}
        {{- end }}
  volumes:
    {{- range $mounts }}
    - {{ toYaml .volume | nindent 6 | trim }}
    {{- end }}
{{- end }}

{{/* Port and probes. Neither asks about etcd or a store: /livez is the agent's own, and /readyz is always well. */}}
{{- define "etcd-warden.serving" -}}
{{- $port := include "etcd-warden.port" .config }}
{{- $host := include "etcd-warden.host" .config -}}
ports:
  - name: metrics
    containerPort: {{ $port }}
    protocol: TCP
{{- range $probe, $path := dict "livenessProbe" "/livez" "readinessProbe" "/readyz" }}
{{ $probe }}:
  httpGet:
    path: {{ $path }}
    port: metrics
    {{- if and $.pod.hostNetwork (not (has $host (list "0.0.0.0" "[::]"))) }}
    host: {{ trimAll "[]" $host | quote }}
    {{- end }}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
{{- end }}
{{- end }}

{{- define "etcd-warden.port" -}}
{{- dig "http" "listen" "0.0.0.0:9427" . | splitList ":" | last | int }}
{{- end }}

{{- define "etcd-warden.host" -}}
{{- dig "http" "listen" "0.0.0.0:9427" . | regexFind "^.*:" | trimSuffix ":" }}
{{- end }}

{{/* A map without the keys that were taken out. */}}
{{- define "etcd-warden.withoutNulls" -}}
{{- $kept := dict }}
{{- range $key, $value := . }}
{{- if kindIs "map" $value }}{{ $_ := set $kept $key (include "etcd-warden.withoutNulls" $value | fromYaml) }}
{{- else if not (kindIs "invalid" $value) }}{{ $_ := set $kept $key $value }}
{{- end }}
{{- end }}
{{- toYaml $kept }}
{{- end }}
