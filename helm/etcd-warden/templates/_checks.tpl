{{/*
What can be known to be wrong before anything is installed. Every sentence names the key and the cure. `helm lint` goes on behind a
sentence, so what comes after takes nothing for granted.
*/}}
{{- define "etcd-warden.checks" -}}
{{- $served := list }}
{{- $clusters := list }}
{{- range $cluster := (include "etcd-warden.clusters" . | fromYaml).clusters }}
  {{- $at := ternary "config" (printf "clusters[%d].config" (int $cluster.index)) (empty $cluster.name) }}
  {{- $workloads := (include "etcd-warden.workloads" (dict "root" $ "cluster" $cluster) | fromYaml).workloads }}
  {{- $clusters = append $clusters (dict "root" $ "cluster" $cluster "at" $at "workloads" $workloads) }}
  {{- range $workloads }}{{ if .serves }}{{ $served = append $served .component }}{{ end }}{{ end }}
{{- end }}
{{- include "etcd-warden.checkClusterNames" (dict "root" . "clusters" $clusters) }}
{{- include "etcd-warden.checkLabels" (list "labels" .Values.labels) }}
{{- range $clusters }}
  {{- include "etcd-warden.checkConfig" . }}
  {{- include "etcd-warden.checkMode" . }}
  {{- include "etcd-warden.checkVolumes" . }}
  {{- include "etcd-warden.checkWorkloads" . }}
  {{- include "etcd-warden.checkPaths" . }}
  {{- include "etcd-warden.checkPorts" . }}
{{- end }}
{{- include "etcd-warden.checkHostPorts" $clusters }}
{{- include "etcd-warden.checkObjectNames" $clusters }}
{{- include "etcd-warden.checkAccounts" $clusters }}
{{- include "etcd-warden.checkMonitoring" (dict "root" . "served" $served) }}
{{- end }}

{{- define "etcd-warden.checkMonitoring" -}}
{{- $values := .root.Values }}
{{- with $values.monitoring }}
  {{- if and .podMonitor.enabled .serviceMonitor.enabled }}
    {{- fail "monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled are both true: everything would be scraped twice; set one of them to false" }}
  {{- end }}
  {{- if and .serviceMonitor.enabled (not $values.service.enabled) }}
    {{- fail "monitoring.serviceMonitor.enabled needs service.enabled: set it to true, or use monitoring.podMonitor, which needs no Service" }}
  {{- end }}
  {{- range $key := list "podMonitor" "serviceMonitor" }}
    {{- if and (get $values.monitoring $key).enabled (not $.served) }}
      {{- fail (printf "monitoring.%s.enabled is true, but nothing serves metrics: set exporter.enabled to true, or monitoring.%s.enabled to false" $key $key) }}
    {{- end }}
  {{- end }}
  {{- with .prometheusRule }}
    {{- $known := list }}
    {{- range $group := ($.root.Files.Get "files/alerts.yaml" | fromYaml).groups }}{{ range $group.rules }}{{ $known = append $known .alert }}{{ end }}{{ end }}
    {{- $known = compact $known | uniq | sortAlpha }}
    {{- range $name := .disabled }}
      {{- if not (has $name $known) }}{{ fail (printf "monitoring.prometheusRule.disabled: there is no alert %s; there are %s" $name (join ", " $known)) }}{{ end }}
    {{- end }}
    {{- if and .enabled (not .alerts) (not .extraGroups) (not (include "etcd-warden.intervalRules" $.root | fromYamlArray)) }}
      {{- fail "monitoring.prometheusRule.alerts is false, and there are no CronJobs whose intervals could be told: set monitoring.prometheusRule.enabled to false" }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
