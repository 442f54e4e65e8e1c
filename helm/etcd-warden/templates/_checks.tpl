{{/* What can be known to be wrong before anything is installed. Every sentence names the key and the cure. */}}
{{- define "etcd-warden.checks" -}}
{{- $clusters := (include "etcd-warden.clusters" . | fromYaml).clusters }}
{{- include "etcd-warden.checkRelease" (dict "root" . "clusters" $clusters) }}
{{- range $cluster := $clusters }}
  {{- $at := ternary "config" (printf "clusters[%d].config" (int $cluster.index)) (empty $cluster.name) }}
  {{- $context := dict "root" $ "cluster" $cluster "at" $at "workloads" (include "etcd-warden.workloads" (dict "root" $ "cluster" $cluster) | fromYaml).workloads }}
  {{- include "etcd-warden.checkConfig" $context }}
  {{- include "etcd-warden.checkMode" $context }}
  {{- include "etcd-warden.checkWorkloads" $context }}
  {{- include "etcd-warden.checkPaths" $context }}
{{- end }}
{{- end }}

{{- define "etcd-warden.checkRelease" -}}
{{- $values := .root.Values }}
{{- if and $values.clusters (dig "cluster" "name" "" $values.config) }}
  {{- fail "config.cluster.name cannot be given together with clusters: each of them is named by its own name, or by clusters[].config.cluster.name" }}
{{- end }}
{{- $seen := list }}
{{- range $cluster := .clusters }}
  {{- range $name := list $cluster.name (dig "cluster" "name" "" $cluster.config) }}
    {{- if and $name (has (printf "%s of another" $name) $seen) }}{{ fail (printf "clusters[%d]: the name %s is used twice; each cluster needs its own, which separates its backups from those of the others" (int $cluster.index) $name) }}{{ end }}
  {{- end }}
  {{- range $name := list $cluster.name (dig "cluster" "name" "" $cluster.config) }}{{ $seen = append $seen (printf "%s of another" $name) }}{{ end }}
{{- end }}
{{- with $values.monitoring }}
  {{- if and .podMonitor.enabled .serviceMonitor.enabled }}
    {{- fail "monitoring.podMonitor.enabled and monitoring.serviceMonitor.enabled are both true: everything would be scraped twice; set one of them to false" }}
  {{- end }}
  {{- if and .serviceMonitor.enabled (not $values.service.enabled) }}
    {{- fail "monitoring.serviceMonitor.enabled needs service.enabled: set it to true, or use monitoring.podMonitor, which needs no Service" }}
  {{- end }}
{{- end }}
{{- end }}

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
{{- if eq .root.Values.mode "cronjob" }}
  {{- range $key, $value := $schedules }}
    {{- if ne $key "prune" }}
      {{- $cure := printf "set jobs.%s.schedule" $key }}
      {{- if eq $key "timeZone" }}{{ $cure = "set cronJob.timeZone" }}{{ else if eq $key "drill" }}{{ $cure = "add it to extraJobs" }}{{ end }}
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
  {{- if .cluster.extraJobs }}{{ fail "extraJobs has no effect in mode daemon: set config.schedules, or set mode to cronjob" }}{{ end }}
  {{- if and (gt (int .cluster.values.daemon.replicas) 1) (eq (dig "coordination" "lock" "etcd" .cluster.config) "none") }}
    {{- fail (printf "daemon.replicas is above 1 and %s.coordination.lock is none, so every replica would do all the work: set daemon.replicas to 1, or leave coordination.lock out" .at) }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "etcd-warden.checkWorkloads" -}}
{{- $shutdown := include "etcd-warden.shutdownSeconds" .cluster.config | int }}
{{- $names := list }}
{{- range $workload := .workloads }}
  {{- if has $workload.component $names }}{{ fail (printf "extraJobs: the name %s is taken; choose another one" $workload.component) }}{{ end }}
  {{- $names = append $names $workload.component }}
  {{- $pod := include "etcd-warden.mergePods" (list $.cluster.pod ($workload.own.pod | default dict)) | fromYaml }}
  {{- if le (int $pod.terminationGracePeriodSeconds) $shutdown }}
    {{- fail (printf "pod.terminationGracePeriodSeconds is %d, no longer than %s.shutdownTimeout (%d s), so a run would be killed before it has released what it holds: raise it, or lower shutdownTimeout" (int $pod.terminationGracePeriodSeconds) $.at $shutdown) }}
  {{- end }}
  {{- if and $pod.hostNetwork $.cluster.values.networkPolicy.enabled }}
    {{- fail (printf "networkPolicy.enabled has no effect on %s, which is in the network of the host: set it to false, or pod.hostNetwork to false" $workload.component) }}
  {{- end }}
  {{- $aws := include "etcd-warden.aws" (dict "cluster" $.cluster "workload" $workload) | fromYaml }}
  {{- if and $aws.existingSecret $aws.roleArn }}
    {{- fail (printf "aws.existingSecret and aws.roleArn are both set for %s: the keys of the Secret would win; leave one of them empty" $workload.component) }}
  {{- end }}
  {{- if $workload.own.schedule }}
    {{- $at := ternary (printf "jobs.%s" $workload.component) (printf "extraJobs (%s)" $workload.component) (eq $workload.component $workload.as) }}
    {{- $limit := int $workload.own.activeDeadlineSeconds }}
    {{- if lt (include "etcd-warden.deadlineSeconds" (dict "config" $.cluster.config "own" $workload.own) | int) 60 }}
      {{- fail (printf "%s.activeDeadlineSeconds is %d, which leaves a run no minute: it must be at least %d, a minute to start, a minute to work and %s.shutdownTimeout to end" $at $limit (add 120 $shutdown) $.at) }}
    {{- end }}
    {{- $interval := include "etcd-warden.intervalSeconds" $workload.own.schedule | int }}
    {{- if ge $limit $interval }}
      {{- fail (printf "%s.activeDeadlineSeconds is %d, but `%s` starts a run every %d s, so one that hangs would keep the next from starting: lower it, or run less often" $at $limit $workload.own.schedule $interval) }}
    {{- end }}
  {{- else if and (has (include "etcd-warden.host" $.cluster.config) (list "127.0.0.1" "localhost" "[::1]")) (not $pod.hostNetwork) }}
    {{- fail (printf "%s.http.listen is an address that is reached from inside the pod only, so neither the kubelet nor Prometheus could: leave it out, or listen at 0.0.0.0" $.at) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* A file that no volume holds is not there, and a directory on none could not be written: the root file system is read-only. */}}
{{- define "etcd-warden.checkPaths" -}}
{{- $config := .cluster.config }}
{{- $mounts := list }}
{{- range $workload := .workloads }}
  {{- $mounts = concat $mounts (include "etcd-warden.mounts" (dict "root" $.root "cluster" $.cluster "workload" $workload) | fromYaml).mounts }}
{{- end }}
{{- range $index, $volume := .cluster.volumes }}
  {{- if has (trimSuffix "/" $volume.mountPath) (list "" "/etc" "/etc/etcd-warden" "/app" "/nodejs" "/usr" "/lib") }}
    {{- fail (printf "volumes[%d].mountPath %s would hide what the image or the chart has there: mount below it, for example at %s/%s" $index $volume.mountPath (trimSuffix "/" $volume.mountPath) $volume.name) }}
  {{- end }}
  {{- if has $volume.name (list "config" "tmp" "spool" "etcd-ca" "etcd-cert" "etcd-key" "etcd-client" "aws-token") }}
    {{- fail (printf "volumes[%d].name %s is taken by the chart: choose another one" $index $volume.name) }}
  {{- end }}
{{- end }}
{{- $files := list }}
{{- range $key, $value := dig "cluster" "tls" dict $config }}{{ $files = append $files (list (printf "cluster.tls.%s" $key) $value) }}{{ end }}
{{- $files = append $files (list "cluster.auth.passwordFile" (dig "cluster" "auth" "passwordFile" "" $config)) }}
{{- $files = append $files (list "aws.caFile" (dig "aws" "caFile" "" $config)) }}
{{- if kindIs "map" $config.encryption }}
  {{- range $part := list "recipients" "identities" }}
    {{- range $index, $key := get $config.encryption $part | default list }}{{ $files = append $files (list (printf "encryption.%s[%d].file" $part $index) ($key.file | default "")) }}{{ end }}
  {{- end }}
{{- end }}
{{- range $index, $repository := $config.repositories }}
  {{- $files = append $files (list (printf "repositories[%d].store.caFile" $index) ($repository.store.caFile | default "")) }}
  {{- if eq $repository.store.type "directory" }}
    {{- $covered := include "etcd-warden.covers" (dict "mounts" $mounts "path" $repository.store.path) }}
    {{- if and (ne $covered "writable") (not (contains "${" $repository.store.path)) }}
      {{- fail (printf "%s.repositories[%d].store.path %s is %s: add an entry to volumes that mounts a volume there, with readOnly: false" $.at $index $repository.store.path (ternary "mounted read-only" "on no volume" (eq $covered "read-only"))) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- with dig "push" "textfile" "" $config }}
  {{- if and (not (contains "${" .)) (ne (include "etcd-warden.covers" (dict "mounts" $mounts "path" .)) "writable") }}
    {{- fail (printf "%s.push.textfile %s is on no volume that can be written: add an entry to volumes that mounts the folder of node_exporter there, with readOnly: false" $.at .) }}
  {{- end }}
{{- end }}
{{- range $file := $files }}
  {{- $path := last $file }}
  {{- if and (hasPrefix "/" $path) (not (regexMatch "^/(etc/ssl|etc/pki|usr)/|[$][{]" $path)) (not (include "etcd-warden.covers" (dict "mounts" $mounts "path" $path))) }}
    {{- fail (printf "%s.%s is %s, which is on no volume: add an entry to volumes that mounts the Secret or ConfigMap with it" $.at (first $file) $path) }}
  {{- end }}
{{- end }}
{{- end }}
