{{/* Names and labels. CronJobs may have 52 characters; everything keeps to that. */}}

{{- define "etcd-warden.fullname" -}}
{{- $chart := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride }}
{{- else if contains $chart .Release.Name }}{{ .Release.Name }}
{{- else }}{{ printf "%s-%s" .Release.Name $chart }}
{{- end }}
{{- end }}

{{/* Of {root, cluster, component}: <fullname>[-<cluster>]-<component>. */}}
{{- define "etcd-warden.objectName" -}}
{{- $suffix := compact (list .cluster.name .component) | join "-" }}
{{- $room := int (sub 51 (len $suffix)) }}
{{- printf "%s-%s" (include "etcd-warden.fullname" .root | trunc $room | trimSuffix "-") $suffix }}
{{- end }}

{{/* Of {root, cluster, component, own}. */}}
{{- define "etcd-warden.serviceAccountName" -}}
{{- if .own.serviceAccount.name }}{{ .own.serviceAccount.name }}
{{- else if .own.serviceAccount.create }}{{ include "etcd-warden.objectName" . }}
{{- else }}default
{{- end }}
{{- end }}

{{/* What tells the pods of one component of one cluster from all others. */}}
{{- define "etcd-warden.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- with .cluster.name }}
etcd-warden/cluster: {{ . | quote }}
{{- end }}
{{- end }}

{{- define "etcd-warden.labels" -}}
{{- $labels := include "etcd-warden.selectorLabels" . | fromYaml }}
{{- $_ := set $labels "app.kubernetes.io/part-of" "etcd-warden" }}
{{- $_ := set $labels "app.kubernetes.io/version" .root.Chart.AppVersion }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .root.Release.Service }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") }}
{{- mustMergeOverwrite $labels .root.Values.labels | toYaml }}
{{- end }}

{{/* The metadata of an object of {root, cluster, component}; `name` and `extra` {labels, annotations} may be given. */}}
{{- define "etcd-warden.metadata" -}}
{{- $extra := .extra | default dict -}}
name: {{ .name | default (include "etcd-warden.objectName" .) }}
namespace: {{ .namespace | default .root.Release.Namespace }}
labels:
  {{- mustMergeOverwrite (include "etcd-warden.labels" . | fromYaml) ($extra.labels | default dict) | toYaml | nindent 2 }}
{{- with mustMergeOverwrite (deepCopy .root.Values.annotations) ($extra.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "etcd-warden.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}
{{- else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end }}
{{- end }}
{{- end }}
