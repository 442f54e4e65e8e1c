{{/* Where the pod of {cluster, at, workload, pod} is, against whom it asks and who asks it. */}}
{{- define "etcd-warden.checkNetwork" -}}
{{- if .pod.hostNetwork }}
  {{- if .cluster.values.networkPolicy.enabled }}
    {{- fail (printf "networkPolicy.enabled has no effect on %s, which is in the network of the host: set it to false, or pod.hostNetwork to false" .workload.component) }}
  {{- end }}
{{- else }}
  {{- /* Elsewhere something may stand in the pod that leads to etcd. */}}
  {{- if .cluster.usesNodes }}
    {{- range $endpoint := dig "cluster" "endpoints" list .cluster.config }}
      {{- if regexMatch "^https?://(localhost|127[.][0-9.]+|\\[::1\\])(:|/|$)" $endpoint }}
        {{- fail (printf "%s.cluster.endpoints has %s, where %s would ask its own pod and not the node, because pod.hostNetwork is false: list addresses of etcd that pods reach, or leave pod.hostNetwork as platform %s has it" $.at $endpoint $.workload.component $.cluster.values.platform) }}
      {{- end }}
    {{- end }}
  {{- end }}
  {{- if and .workload.serves (has (include "etcd-warden.host" .cluster.config) (list "127.0.0.1" "localhost" "[::1]")) }}
    {{- fail (printf "%s.http.listen is an address that is reached from inside the pod only, so neither the kubelet nor Prometheus could: leave it out, or listen at 0.0.0.0" .at) }}
  {{- end }}
{{- end }}
{{- end }}

{{/* In the network of a host every port is there once, for all clusters {root, cluster, at, workloads} of the release. */}}
{{- define "etcd-warden.checkHostPorts" -}}
{{- $owners := dict }}
{{- range $part := . }}
  {{- range $workload := .workloads }}
    {{- $pod := include "etcd-warden.mergePods" (list $part.cluster.pod ($workload.own.pod | default dict)) | fromYaml }}
    {{- if and $workload.serves $pod.hostNetwork }}
      {{- $port := include "etcd-warden.port" $part.cluster.config }}
      {{- with get $owners $port }}
        {{- fail (printf "%s.http.listen and %s.http.listen have the same port %s, which the network of a host has once: give each its own, or leave both out" . $part.at $port) }}
      {{- end }}
      {{- $_ := set $owners $port $part.at }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* With a policy of {cluster, at}: it lets the pods reach whatever the configuration names. */}}
{{- define "etcd-warden.checkPorts" -}}
{{- $policy := .cluster.values.networkPolicy }}
{{- $open := list }}
{{- range concat $policy.etcdPorts $policy.storePorts }}{{ $open = append $open (list (int .) (int .)) }}{{ end }}
{{- $isOpen := not $policy.enabled }}
{{- range $rule := $policy.extraEgress }}
  {{- if not $rule.ports }}{{ $isOpen = true }}{{ end }}
  {{- range $rule.ports }}
    {{- /* What a name stands for, the pods behind it say. */}}
    {{- if or (not .port) (kindIs "string" .port) }}{{ $isOpen = true }}
    {{- else }}{{ $open = append $open (list (int .port) (int (.endPort | default .port))) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- if not $isOpen }}
  {{- range $url := include "etcd-warden.urls" .cluster.config | fromYamlArray }}
    {{- $port := include "etcd-warden.portOf" $url.url | int }}
    {{- $isReached := not $port }}
    {{- range $open }}{{ if and (ge $port (first .)) (le $port (last .)) }}{{ $isReached = true }}{{ end }}{{ end }}
    {{- if not $isReached }}
      {{- fail (printf "%s.%s is at port %d, which networkPolicy lets no pod reach: add %d to networkPolicy.%s, or a rule to networkPolicy.extraEgress" $.at $url.key $port $port $url.list) }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Of a configuration. YAML: [{key, url, list}], list being the ports of a policy where that of the URL belongs. */}}
{{- define "etcd-warden.urls" -}}
{{- $urls := list }}
{{- $section := .cluster | default dict }}
{{- range $index, $url := $section.endpoints }}{{ $urls = append $urls (dict "key" (printf "cluster.endpoints[%d]" $index) "url" $url "list" "etcdPorts") }}{{ end }}
{{- range $advertised, $url := $section.endpointMap | default dict }}{{ $urls = append $urls (dict "key" (printf "cluster.endpointMap[%s]" $advertised) "url" $url "list" "etcdPorts") }}{{ end }}
{{- $urls = append $urls (dict "key" "cluster.metrics" "url" ($section.metrics | default "") "list" "etcdPorts") }}
{{- $aws := .aws | default dict }}
{{- if $aws.proxy }}
  {{- $urls = append $urls (dict "key" "aws.proxy" "url" $aws.proxy "list" "storePorts") }}
{{- else }}
  {{- range $key := list "s3Endpoint" "kmsEndpoint" }}{{ $urls = append $urls (dict "key" (printf "aws.%s" $key) "url" (get $aws $key | default "") "list" "storePorts") }}{{ end }}
  {{- range $index, $repository := .repositories }}{{ $urls = append $urls (dict "key" (printf "repositories[%d].store.endpoint" $index) "url" ($repository.store.endpoint | default "") "list" "storePorts") }}{{ end }}
{{- end }}
{{- $urls = append $urls (dict "key" "push.gateway" "url" (dig "push" "gateway" "" .) "list" "storePorts") }}
{{- toYaml $urls }}
{{- end }}

{{/* Of a URL; empty where it has none that is known here. */}}
{{- define "etcd-warden.portOf" -}}
{{- $origin := regexFind "^https?://[^/]+" . }}
{{- if and $origin (not (contains "${" .)) }}
{{- regexFind ":[0-9]+$" $origin | trimPrefix ":" | default (ternary "443" "80" (hasPrefix "https:" $origin)) }}
{{- end }}
{{- end }}
