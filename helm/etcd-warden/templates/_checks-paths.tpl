{{/* Volumes of a cluster {cluster}: what each is, and that none lies over another. */}}
{{- define "etcd-warden.checkVolumes" -}}
{{- $sources := include "etcd-warden.volumeSources" . | splitList " " }}
{{- range $index, $volume := .cluster.volumes }}
  {{- if has (trimSuffix "/" $volume.mountPath) (list "" "/etc" "/etc/etcd-warden" "/app" "/nodejs" "/usr" "/lib") }}
    {{- fail (printf "volumes[%d].mountPath %s would hide what the image or the chart has there: mount below it, for example at %s/%s" $index $volume.mountPath (trimSuffix "/" $volume.mountPath) $volume.name) }}
  {{- end }}
  {{- if has $volume.name (list "config" "tmp" "spool" "etcd-ca" "etcd-cert" "etcd-key" "etcd-client" "aws-token") }}
    {{- fail (printf "volumes[%d].name %s is taken by the chart: choose another one" $index $volume.name) }}
  {{- end }}
  {{- $given := omit $volume "name" "mountPath" "subPath" "readOnly" "jobs" | keys | sortAlpha }}
  {{- if or (ne (len $given) 1) (not (has (first $given) $sources)) }}
    {{- fail (printf "volumes[%d] (%s) has %s where one volume source belongs: write one such as secret, configMap, persistentVolumeClaim, hostPath, emptyDir, csi, nfs or projected, besides name, mountPath, subPath, readOnly and jobs" $index $volume.name (join " and " $given | default "nothing")) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Of a volume in a pod, as Kubernetes names them. */}}
{{- define "etcd-warden.volumeSources" -}}
awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI emptyDir ephemeral fc flexVolume flocker gcePersistentDisk gitRepo glusterfs hostPath image iscsi nfs persistentVolumeClaim photonPersistentDisk portworxVolume projected quobyte rbd scaleIO secret storageos vsphereVolume
{{- end }}

{{/*
Of a cluster {root, cluster, at, workloads}: a file that no volume of a pod holds is not there, and a directory on none could not be
written, for the root file system is read-only. Each pod must have what its command asks for.
*/}}
{{- define "etcd-warden.checkPaths" -}}
{{- range $workload := .workloads }}
  {{- $mounts := (include "etcd-warden.mounts" (dict "root" $.root "cluster" $.cluster "workload" $workload) | fromYaml).mounts }}
  {{- $command := ternary $workload.component (first ($workload.own.args | default list)) (eq (toString $workload.serves) "true") }}
  {{- range $file := include "etcd-warden.files" (dict "config" $.cluster.config "command" $command) | fromYamlArray }}
    {{- if not (regexMatch "[$][{]" $file.path) }}
      {{- $covered := include "etcd-warden.covers" (dict "mounts" $mounts "path" $file.path) }}
      {{- if and $file.isWritten (ne $covered "writable") }}
        {{- fail (printf "%s.%s %s is %s of %s: add an entry to volumes that mounts a volume there, with readOnly: false; its jobs, where it has any, must name %s" $.at $file.key $file.path (ternary "mounted read-only in a pod" "on no volume" (eq $covered "read-only")) $workload.component $workload.as) }}
      {{- else if not (or $covered (regexMatch "^/(etc/ssl|etc/pki|usr)/" $file.path)) }}
        {{- fail (printf "%s.%s is %s, which is on no volume of %s: add an entry to volumes that mounts what holds it; its jobs, where it has any, must name %s" $.at $file.key $file.path $workload.component $workload.as) }}
      {{- end }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
What {config, command} reads and writes: docs/permissions.md. The authorities of S3 and KMS are read by every command, whether or not it
asks them. YAML: [{key, path, isWritten}]
*/}}
{{- define "etcd-warden.files" -}}
{{- $config := .config }}
{{- $command := .command }}
{{- $files := list }}
{{- if has $command (list "backup" "defrag" "status" "exporter" "daemon") }}
  {{- range $key, $path := dig "cluster" "tls" dict $config }}
    {{- if hasSuffix "File" $key }}{{ $files = append $files (dict "key" (printf "cluster.tls.%s" $key) "path" $path) }}{{ end }}
  {{- end }}
  {{- $files = append $files (dict "key" "cluster.auth.passwordFile" "path" (dig "cluster" "auth" "passwordFile" "" $config)) }}
{{- end }}
{{- $files = append $files (dict "key" "aws.caFile" "path" (dig "aws" "caFile" "" $config)) }}
{{- if kindIs "map" $config.encryption }}
  {{- range $index, $key := $config.encryption.recipients }}
    {{- if has $command (ternary (list "backup" "verify" "restore" "daemon") (list "backup" "daemon") (eq $key.type "aes-key-file")) }}
      {{- $files = append $files (dict "key" (printf "encryption.recipients[%d].file" $index) "path" ($key.file | default "")) }}
    {{- end }}
  {{- end }}
  {{- if has $command (list "verify" "restore" "daemon") }}
    {{- range $index, $key := $config.encryption.identities }}{{ $files = append $files (dict "key" (printf "encryption.identities[%d].file" $index) "path" ($key.file | default "")) }}{{ end }}
  {{- end }}
{{- end }}
{{- $readers := list "backup" "list" "show" "verify" "restore" "prune" "hold" "release" "exporter" "daemon" }}
{{- if not (regexMatch "^0[a-z]*$" (dig "defrag" "requireBackupWithin" "0s" $config | toString)) }}{{ $readers = append $readers "defrag" }}{{ end }}
{{- range $index, $repository := $config.repositories }}
  {{- $at := printf "repositories[%d].store" $index }}
  {{- $files = append $files (dict "key" (printf "%s.caFile" $at) "path" ($repository.store.caFile | default "")) }}
  {{- if and (eq $repository.store.type "directory") (has $command $readers) }}
    {{- $files = append $files (dict "key" (printf "%s.path" $at) "path" $repository.store.path "isWritten" (has $command (list "backup" "prune" "hold" "release" "daemon"))) }}
  {{- end }}
{{- end }}
{{- $files = append $files (dict "key" "push.textfile" "path" (dig "push" "textfile" "" $config) "isWritten" true) }}
{{- $given := list }}
{{- range $files }}{{ if .path }}{{ $given = append $given . }}{{ end }}{{ end }}
{{- toYaml $given }}
{{- end }}
