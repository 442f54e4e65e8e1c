{{/* What the agent cannot do without, and the schema cannot ask for because it may come from several places. */}}
{{- define "etcd-warden.checkConfig" -}}
{{- $config := .cluster.config }}
{{- $section := $config.cluster | default dict }}
{{- if not $section.name }}
  {{- fail (printf "%s.cluster.name is missing: it names the cluster in object keys, metrics and messages; set it, for example to prod" .at) }}
{{- end }}
{{- if not $section.endpoints }}
  {{- fail (printf "%s.cluster.endpoints is missing: platform %s does not know where etcd is; list its URLs, for example [https://etcd-client:2379], or set platform" .at .cluster.values.platform) }}
{{- end }}
{{- if not $config.encryption }}
  {{- fail (printf "%s.encryption is missing: name the recipients who can open the backups, or write the word none to store the keyspace in the clear" .at) }}
{{- end }}
{{- if and (kindIs "map" $config.encryption) (not $config.encryption.recipients) }}
  {{- fail (printf "%s.encryption.recipients is missing: name at least one key that can open the backups" .at) }}
{{- end }}
{{- if not $config.repositories }}
  {{- fail (printf "%s.repositories is missing: say where backups are kept, for example [{name: primary, store: {type: s3, bucket: etcd-backups}}]" .at) }}
{{- end }}
{{- with $section.auth }}
  {{- if not (and .username .passwordFile) }}{{ fail (printf "%s.cluster.auth needs username and passwordFile, both: mount the Secret with the password by volumes" $.at) }}{{ end }}
{{- end }}
{{- with $section.tls }}
  {{- if ne (empty .certFile) (empty .keyFile) }}{{ fail (printf "%s.cluster.tls needs certFile and keyFile, both or neither" $.at) }}{{ end }}
{{- end }}
{{- if and .cluster.values.etcd.existingSecret (hasPrefix "http://" (first $section.endpoints)) }}
  {{- fail (printf "etcd.existingSecret has no effect, because %s.cluster.endpoints are http: write https, or leave etcd.existingSecret empty" .at) }}
{{- end }}
{{- $spool := dig "snapshot" "spool" dict $config }}
{{- if ne (empty $spool.directory) (empty $spool.maxSize) }}
  {{- fail (printf "%s.snapshot.spool needs directory and maxSize, both: an unbounded spool could fill the disk of the node" .at) }}
{{- end }}
{{- end }}

{{/* The schedules lie where the work is started: in CronJobs, or with the daemon. */}}
{{- define "etcd-warden.checkMode" -}}
{{- $schedules := .cluster.config.schedules | default dict }}
{{- if hasKey $schedules "drill" }}
  {{- fail (printf "%s.schedules.drill has no effect, for drills are not built yet: leave config.schedules.drill out" .at) }}
{{- end }}
{{- if eq .root.Values.mode "cronjob" }}
  {{- range $key, $value := $schedules }}
    {{- if ne $key "prune" }}
      {{- $cure := ternary "set cronJob.timeZone" (printf "set jobs.%s.schedule" $key) (eq $key "timeZone") }}
      {{- fail (printf "%s.schedules.%s has no effect in mode cronjob, where CronJobs start the work: %s, or set mode to daemon" $.at $key $cure) }}
    {{- end }}
  {{- end }}
  {{- if dig "prune" "cron" "" $schedules }}
    {{- fail (printf "%s.schedules.prune.cron has no effect in mode cronjob, where CronJobs start the work: set jobs.prune.schedule, or set mode to daemon" .at) }}
  {{- end }}
  {{- if and (dig "prune" "after" "" $schedules) .cluster.values.jobs.prune.enabled }}
    {{- fail (printf "%s.schedules.prune.after and jobs.prune.enabled are two ways to do the same: set jobs.prune.enabled to false, or leave schedules.prune.after out" .at) }}
  {{- end }}
  {{- if and (eq (dig "defrag" "enabled" true .cluster.config | toString) "false") .cluster.values.jobs.defrag.enabled }}
    {{- fail (printf "%s.defrag.enabled is false, but it is about daemons only: set jobs.defrag.enabled to false, and no CronJob defragments" .at) }}
  {{- end }}
{{- else }}
  {{- $crons := list }}
  {{- range $key, $value := $schedules }}{{ if kindIs "map" $value }}{{ $crons = append $crons ($value.cron | default "") }}{{ end }}{{ end }}
  {{- if not (compact $crons) }}
    {{- fail (printf "%s.schedules is missing: a daemon without schedules takes no backup; set schedules.backup.cron, for example to \"*/30 * * * *\", or set mode to cronjob" .at) }}
  {{- end }}
  {{- range $key, $value := $schedules }}
    {{- $cron := "" }}
    {{- if kindIs "map" $value }}{{ $cron = $value.cron | default "" }}{{ end }}
    {{- if and $cron (not (contains "${" $cron)) }}
      {{- with include "etcd-warden.cronFault" (dict "cron" $cron "agent" true) }}
        {{- fail (printf "%s.schedules.%s.cron is `%s`: %s" $.at $key $cron .) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if .cluster.extraJobs }}{{ fail "extraJobs has no effect in mode daemon: set config.schedules, or set mode to cronjob" }}{{ end }}
  {{- if and (gt (int .cluster.values.daemon.replicas) 1) (eq (dig "coordination" "lock" "etcd" .cluster.config) "none") }}
    {{- fail (printf "daemon.replicas is above 1 and %s.coordination.lock is none, so every replica would do all the work: set daemon.replicas to 1, or leave coordination.lock out" .at) }}
  {{- end }}
{{- end }}
{{- end }}
