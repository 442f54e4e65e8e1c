{{/* Of a cluster {root, cluster, at, workloads}. */}}
{{- define "etcd-warden.checkWorkloads" -}}
{{- $shutdown := include "etcd-warden.shutdownSeconds" .cluster.config | int }}
{{- if not .workloads }}
  {{- fail (printf "nothing would run for %s: enable one of jobs (jobs.backup.enabled) or the exporter (exporter.enabled), or set mode to daemon" (dig "cluster" "name" "the cluster" .cluster.config)) }}
{{- end }}
{{- $names := list }}
{{- range $workload := .workloads }}
  {{- $key := include "etcd-warden.workloadKey" $workload }}
  {{- if has $workload.component $names }}{{ fail (printf "extraJobs: the name %s is taken; choose another one" $workload.component) }}{{ end }}
  {{- $names = append $names $workload.component }}
  {{- $pod := include "etcd-warden.mergePods" (list $.cluster.pod ($workload.own.pod | default dict)) | fromYaml }}
  {{- include "etcd-warden.checkLabels" (list (printf "pod.labels of %s" $workload.component) $pod.labels) }}
  {{- if le (int $pod.terminationGracePeriodSeconds) $shutdown }}
    {{- fail (printf "pod.terminationGracePeriodSeconds is %d, no longer than %s.shutdownTimeout (%d s), so a run would be killed before it has released what it holds: raise it, or lower shutdownTimeout" (int $pod.terminationGracePeriodSeconds) $.at $shutdown) }}
  {{- end }}
  {{- include "etcd-warden.checkNetwork" (dict "cluster" $.cluster "at" $.at "workload" $workload "pod" $pod) }}
  {{- $aws := include "etcd-warden.aws" (dict "cluster" $.cluster "workload" $workload) | fromYaml }}
  {{- if and $aws.existingSecret $aws.roleArn }}
    {{- fail (printf "aws.existingSecret and aws.roleArn are both set for %s: the keys of the Secret would win; leave one of them empty" $workload.component) }}
  {{- end }}
  {{- if not $workload.serves }}
    {{- include "etcd-warden.checkJob" (dict "cluster" $.cluster "at" $.at "own" $workload.own "key" $key) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* When a CronJob starts its runs, what they do, and how long they may take: {cluster, at, own, key}. */}}
{{- define "etcd-warden.checkJob" -}}
{{- $schedule := .own.schedule }}
{{- $commands := include "etcd-warden.commands" . | splitList " " }}
{{- if not (has (first .own.args) $commands) }}
  {{- fail (printf "%s.args begins with `%s`, which is no command that a job can run: begin with one of %s" .key (first .own.args) (join ", " $commands)) }}
{{- end }}
{{- range .own.args }}
  {{- if regexMatch "^--config(=|$)" . }}{{ fail (printf "%s.args holds --config, which the chart gives already: leave it out, and write into config what is to be read" $.key) }}{{ end }}
{{- end }}
{{- $limit := int .own.activeDeadlineSeconds }}
{{- if lt (include "etcd-warden.deadlineSeconds" (dict "config" .cluster.config "own" .own) | int) 60 }}
  {{- fail (printf "%s.activeDeadlineSeconds is %d, which leaves a run no minute: it must be at least %d, a minute to start, a minute to work and %s.shutdownTimeout to end" .key $limit (add 120 (include "etcd-warden.shutdownSeconds" .cluster.config | int)) .at) }}
{{- end }}
{{- with include "etcd-warden.cronFault" (dict "cron" $schedule "agent" false) }}
  {{- fail (printf "%s.schedule is `%s`: %s" $.key $schedule .) }}
{{- else }}
  {{- $interval := include "etcd-warden.intervalSeconds" $schedule | int }}
  {{- if ge $limit $interval }}
    {{- fail (printf "%s.activeDeadlineSeconds is %d, but `%s` starts a run every %d s, so one that hangs would keep the next from starting: lower it, or run less often" .key $limit $schedule $interval) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* All of the agent, but `run`, which does not end. */}}
{{- define "etcd-warden.commands" -}}
backup list show verify restore prune hold release status defrag inspect config
{{- end }}
