{{- define "etcd-warden.checkClusterNames" -}}
{{- if and .root.Values.clusters (dig "cluster" "name" "" .root.Values.config) }}
  {{- fail "config.cluster.name cannot be given together with clusters: each of them is named by its own name, or by clusters[].config.cluster.name" }}
{{- end }}
{{- $seen := list }}
{{- range $part := .clusters }}
  {{- $names := list .cluster.name (dig "cluster" "name" "" .cluster.config) | compact }}
  {{- range $name := $names }}
    {{- if has $name $seen }}{{ fail (printf "clusters[%d]: the name %s is used twice; each cluster needs its own, which separates its backups from those of the others" (int $part.cluster.index) $name) }}{{ end }}
  {{- end }}
  {{- $seen = concat $seen $names }}
{{- end }}
{{- end }}

{{/* Of every cluster {root, cluster, workloads}: `a` with a job `b-backup` and `a-b` with `backup` would have objects of one name. */}}
{{- define "etcd-warden.checkObjectNames" -}}
{{- $owners := dict }}
{{- range $part := . }}
  {{- range $workload := .workloads }}
    {{- $name := include "etcd-warden.objectName" (dict "root" $part.root "cluster" $part.cluster "component" $workload.component) }}
    {{- $owner := printf "%s of cluster %s" $workload.component ($part.cluster.name | default (dig "cluster" "name" "" $part.cluster.config)) }}
    {{- with get $owners $name }}
      {{- fail (printf "the objects of %s and of %s would both be named %s: choose another name for one of the extraJobs or clusters" . $owner $name) }}
    {{- end }}
    {{- $_ := set $owners $name $owner }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A ServiceAccount that several name is made once, so all must mean the same one. */}}
{{- define "etcd-warden.checkAccounts" -}}
{{- $made := dict }}
{{- range $part := . }}
  {{- range $workload := .workloads }}
    {{- $account := $workload.own.serviceAccount }}
    {{- if $account.create }}
      {{- $name := include "etcd-warden.serviceAccountName" (dict "root" $part.root "cluster" $part.cluster "component" $workload.account "own" $workload.own) }}
      {{- $annotations := $account.annotations | default dict | toJson }}
      {{- if and (hasKey $made $name) (ne (get $made $name) $annotations) }}
        {{- fail (printf "%s.serviceAccount.name %s is used elsewhere with other annotations, and there is one ServiceAccount of that name: write the same annotations, or choose another name" (include "etcd-warden.workloadKey" $workload) $name) }}
      {{- end }}
      {{- $_ := set $made $name $annotations }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Of (list key labels): these find the pods, and cannot be changed on what is there already. */}}
{{- define "etcd-warden.checkLabels" -}}
{{- range $name := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/managed-by" "etcd-warden/cluster" }}
  {{- if hasKey (last $ | default dict) $name }}
    {{- fail (printf "%s: the label %s is the chart's own, which finds its objects by it: leave it out, or take another key" (first $) $name) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where a workload stands in the values. */}}
{{- define "etcd-warden.workloadKey" -}}
{{- if .serves }}{{ .component }}
{{- else if eq .component .as }}jobs.{{ .component }}
{{- else }}extraJobs ({{ .component }})
{{- end }}
{{- end }}
