{{/*
The clusters that the release serves, each with everything that holds for it: what the platform gives, below what the release
says, below what the cluster says. One entry without a name where `clusters` is empty. YAML: {clusters: [{name, index, values,
pod, usesNodes, hostFiles, etcd, volumes, extraJobs, config}]}
*/}}
{{- define "etcd-warden.clusters" -}}
{{- $platforms := .Files.Get "files/platforms.yaml" | fromYaml }}
{{- $clusters := list }}
{{- range $index, $entry := .Values.clusters | default (list dict) }}
{{- $values := pick $.Values "platform" "config" "etcd" "aws" "cronJob" "jobs" "exporter" "daemon" "networkPolicy" | deepCopy }}
{{- $values = mustMergeOverwrite $values (omit $entry "name" "pod" "volumes" "extraJobs" | deepCopy) }}
{{- $preset := get $platforms $values.platform }}
{{- $etcd := deepCopy ($preset.etcd | default dict) }}
{{- range $key, $value := $values.etcd }}{{ if $value }}{{ $_ := set $etcd $key $value }}{{ end }}{{ end }}
{{- $pod := deepCopy $preset.pod }}
{{- $hostFiles := $preset.hostFiles }}
{{- if and $etcd.existingSecret $hostFiles }}
  {{- /* Nothing is read from the node any more, so nobody has to be root. */}}
  {{- $hostFiles = list }}
  {{- $_ := set $pod "securityContext" (deepCopy $platforms.generic.pod.securityContext) }}
{{- end }}
{{- $pod = include "etcd-warden.mergePods" (list $pod $.Values.pod ($entry.pod | default dict)) | fromYaml }}
{{- $cluster := dict "name" ($entry.name | default "") "index" $index "values" $values "pod" $pod "usesNodes" $preset.pod.hostNetwork "etcd" $etcd "hostFiles" $hostFiles }}
{{- $_ := set $cluster "volumes" (concat $.Values.volumes ($entry.volumes | default list)) }}
{{- $_ := set $cluster "extraJobs" (concat $.Values.extraJobs ($entry.extraJobs | default list)) }}
{{- $_ := set $cluster "config" (include "etcd-warden.config" (dict "cluster" $cluster "preset" $preset) | fromYaml) }}
{{- $clusters = append $clusters $cluster }}
{{- end }}
{{- dict "clusters" $clusters | toYaml }}
{{- end }}

{{/* The last pod that says something has it; maps that people add to are merged. */}}
{{- define "etcd-warden.mergePods" -}}
{{- $merged := dict }}
{{- range $pod := . }}
{{- range $key, $value := $pod }}
{{- if kindIs "invalid" $value }}
{{- else if has $key (list "labels" "annotations" "securityContext" "containerSecurityContext") }}
{{- $_ := set $merged $key (mustMergeOverwrite (deepCopy (get $merged $key | default dict)) (deepCopy $value)) }}
{{- else }}
{{- $_ := set $merged $key $value }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $merged }}
{{- end }}

{{/*
The agent's configuration of {cluster, preset}. The chart fills in only what was left out: what lies where is known to it.
*/}}
{{- define "etcd-warden.config" -}}
{{- $own := .cluster.values.config }}
{{- $defaults := deepCopy .preset.config }}
{{- $section := $defaults.cluster | default dict }}
{{- if .cluster.name }}{{ $_ := set $section "name" .cluster.name }}{{ end }}
{{- with .cluster.etcd }}
{{- if .existingSecret }}
  {{- $path := "/etc/etcd-warden/etcd" }}
  {{- $ca := ternary (printf "%s-ca/%s" $path (.caKey | default "ca.crt")) (printf "%s/%s" $path (.caKey | default "ca.crt")) (not (empty .caConfigMap)) }}
  {{- $_ := set $section "tls" (dict "caFile" $ca "certFile" (printf "%s/%s" $path (.certKey | default "tls.crt")) "keyFile" (printf "%s/%s" $path (.keyKey | default "tls.key"))) }}
{{- else if .caConfigMap }}
  {{- $_ := set $section "tls" (dict "caFile" (printf "/etc/etcd-warden/etcd-ca/%s" (.caKey | default "ca.crt"))) }}
{{- end }}
{{- end }}
{{- $endpoint := ($own.cluster | default dict).endpoints | default list | first | default "" }}
{{- if hasPrefix "http://" $endpoint }}{{ $_ := unset $section "tls" }}{{ end }}
{{- if $section }}{{ $_ := set $defaults "cluster" $section }}{{ end }}
{{- /* In the host's network two clusters would ask for the same port. */}}
{{- if gt (int .cluster.index) 0 }}
  {{- $_ := set $defaults "http" (dict "listen" (printf "0.0.0.0:%d" (add 9427 .cluster.index))) }}
{{- end }}
{{- $config := mustMergeOverwrite $defaults (deepCopy $own) }}
{{- $config = include "etcd-warden.withoutNulls" $config | fromYaml }}
{{- /* In a values file the word off is read as false. */}}
{{- if eq (dig "cluster" "metrics" "auto" $config | toString) "false" }}{{ $_ := set $config.cluster "metrics" "off" }}{{ end }}
{{- toYaml $config }}
{{- end }}

{{/*
What runs for {root, cluster}. YAML: {workloads: [{component, as, account, own, serves}]}: `as` says whose volumes it has, `account`
whose ServiceAccount, `own` is its part of the values.
*/}}
{{- define "etcd-warden.workloads" -}}
{{- $workloads := list }}
{{- $values := .cluster.values }}
{{- if eq .root.Values.mode "daemon" }}
  {{- $workloads = append $workloads (dict "component" "daemon" "own" $values.daemon "serves" true) }}
{{- else }}
  {{- range $name := list "backup" "verify" "prune" "defrag" }}
    {{- $own := get $values.jobs $name }}
    {{- if $own.enabled }}{{ $workloads = append $workloads (dict "component" $name "own" $own) }}{{ end }}
  {{- end }}
  {{- range $job := .cluster.extraJobs }}
    {{- $own := mustMergeOverwrite (deepCopy (pick (get $values.jobs $job.as) "pod" "cronJob" "aws" "serviceAccount")) (deepCopy $job) }}
    {{- $workloads = append $workloads (dict "component" $job.name "as" $job.as "own" $own) }}
  {{- end }}
  {{- if $values.exporter.enabled }}
    {{- $workloads = append $workloads (dict "component" "exporter" "own" $values.exporter "serves" true) }}
  {{- end }}
{{- end }}
{{- range $workloads }}{{ if not .as }}{{ $_ := set . "as" .component }}{{ end }}{{ $_ := set . "account" .as }}{{ end }}
{{- dict "workloads" $workloads | toYaml }}
{{- end }}
