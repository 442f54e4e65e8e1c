{{/* What is mounted in a workload of {root, cluster, workload}. YAML: {mounts: [{volume, mountPath, readOnly, subPath}]} */}}
{{- define "etcd-warden.mounts" -}}
{{- $cluster := .cluster }}
{{- $as := .workload.as }}
{{- $mounts := list }}
{{- /* By subPath, because other things are mounted beside it. */}}
{{- $configMap := include "etcd-warden.objectName" (dict "root" .root "cluster" $cluster "component" "config") }}
{{- $mounts = append $mounts (dict "mountPath" "/etc/etcd-warden/config.yaml" "subPath" "config.yaml" "readOnly" true "volume" (dict "name" "config" "configMap" (dict "name" $configMap))) }}
{{- $mounts = append $mounts (dict "mountPath" "/tmp" "volume" (dict "name" "tmp" "emptyDir" (dict "sizeLimit" "64Mi"))) }}
{{- range $cluster.hostFiles }}
  {{- $mounts = append $mounts (dict "mountPath" .path "readOnly" true "volume" (dict "name" .name "hostPath" (dict "path" .path "type" "File"))) }}
{{- end }}
{{- with $cluster.etcd }}
  {{- if .existingSecret }}
    {{- $mounts = append $mounts (dict "mountPath" "/etc/etcd-warden/etcd" "readOnly" true "volume" (dict "name" "etcd-client" "secret" (dict "secretName" .existingSecret "defaultMode" 288))) }}
  {{- end }}
  {{- if .caConfigMap }}
    {{- $mounts = append $mounts (dict "mountPath" "/etc/etcd-warden/etcd-ca" "readOnly" true "volume" (dict "name" "etcd-ca" "configMap" (dict "name" .caConfigMap))) }}
  {{- end }}
{{- end }}
{{- if (include "etcd-warden.aws" . | fromYaml).roleArn }}
  {{- $audience := (include "etcd-warden.aws" . | fromYaml).tokenAudience }}
  {{- $token := dict "serviceAccountToken" (dict "audience" $audience "expirationSeconds" 3600 "path" "token") }}
  {{- $mounts = append $mounts (dict "mountPath" "/var/run/secrets/etcd-warden/aws" "readOnly" true "volume" (dict "name" "aws-token" "projected" (dict "sources" (list $token)))) }}
{{- end }}
{{- range $volume := $cluster.volumes }}
  {{- if has $as ($volume.jobs | default (list $as)) }}
    {{- $source := omit $volume "mountPath" "subPath" "readOnly" "jobs" | deepCopy }}
    {{- if $source.secret }}{{ $_ := set $source "secret" (mustMerge $source.secret (dict "defaultMode" 288)) }}{{ end }}
    {{- $mount := dict "volume" $source "mountPath" $volume.mountPath "readOnly" (dig "readOnly" true $volume) }}
    {{- with $volume.subPath }}{{ $_ := set $mount "subPath" . }}{{ end }}
    {{- $mounts = append $mounts $mount }}
  {{- end }}
{{- end }}
{{- $spool := dig "snapshot" "spool" "directory" "" $cluster.config }}
{{- if and $spool (has $as (list "backup" "daemon")) (ne (include "etcd-warden.covers" (dict "mounts" $mounts "path" $spool)) "writable") }}
  {{- $mounts = append $mounts (dict "mountPath" $spool "volume" (dict "name" "spool" "emptyDir" dict)) }}
{{- end }}
{{- dict "mounts" $mounts | toYaml }}
{{- end }}

{{/* Of {mounts, path}: "writable" or "read-only", as the innermost mount has it that the path lies on; empty where none does. */}}
{{- define "etcd-warden.covers" -}}
{{- $innermost := dict "mountPath" "" }}
{{- range .mounts }}
  {{- $at := trimSuffix "/" .mountPath }}
  {{- if and (or (eq $.path $at) (hasPrefix (printf "%s/" $at) $.path)) (gt (len $at) (len $innermost.mountPath)) }}
    {{- $innermost = dict "mountPath" $at "readOnly" .readOnly }}
  {{- end }}
{{- end }}
{{- if $innermost.mountPath }}{{ ternary "read-only" "writable" (eq (toString $innermost.readOnly) "true") }}{{ end }}
{{- end }}

{{/* Where the credentials of a workload of {cluster, workload} come from. */}}
{{- define "etcd-warden.aws" -}}
{{- $aws := deepCopy .cluster.values.aws }}
{{- /* A job that has its own way does without the common one. */}}
{{- $own := .workload.own.aws | default dict }}
{{- if or $own.existingSecret $own.roleArn }}{{ $aws = pick $aws "tokenAudience" }}{{ end }}
{{- mustMergeOverwrite $aws (deepCopy $own) | toYaml }}
{{- end }}

{{- define "etcd-warden.awsEnv" -}}
{{- with (include "etcd-warden.aws" . | fromYaml).roleArn -}}
- name: AWS_ROLE_ARN
  value: {{ . | quote }}
- name: AWS_WEB_IDENTITY_TOKEN_FILE
  value: /var/run/secrets/etcd-warden/aws/token
{{- end }}
{{- end }}
