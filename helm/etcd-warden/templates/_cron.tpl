{{/*
What is wrong with {cron, agent}, in words; nothing if nothing is. With `agent` as the agent reads it, which takes seconds too and
Sunday as 7; else as Kubernetes does.
*/}}
{{- define "etcd-warden.cronFault" -}}
{{- $texts := regexSplit "\\s+" (trim .cron) -1 }}
{{- $fields := list (list "minute" 0 59) (list "hour" 0 23) (list "day of month" 1 31) (list "month" 1 12) (list "day of week" 0 (ternary 7 6 .agent)) }}
{{- if and .agent (eq (len $texts) 6) }}{{ $fields = prepend $fields (list "second" 0 59) }}{{ end }}
{{- $faults := list }}
{{- if ne (len $texts) (len $fields) }}
  {{- $faults = list (printf "it takes five fields (minute, hour, day of month, month, day of week)%s, such as 7 * * * *" (ternary ", or six with seconds first" "" .agent)) }}
{{- else }}
  {{- range $index, $field := $fields }}
    {{- $text := index $texts $index }}
    {{- range $part := splitList "," (include "etcd-warden.fieldInNumbers" (list (first $field) $text)) }}
      {{- $faults = append $faults (include "etcd-warden.partFault" (dict "part" $part "name" (first $field) "lowest" (index $field 1) "highest" (last $field) "text" $text "agent" $.agent)) }}
    {{- end }}
  {{- end }}
  {{- if and .agent (ne (index $texts (sub (len $texts) 3 | int)) "*") (ne (last $texts) "*") }}
    {{- $faults = append $faults "day of month and day of week cannot both be set: it is unclear whether both or either must match" }}
  {{- end }}
{{- end }}
{{- with compact $faults }}{{ first . }}{{ end }}
{{- end }}

{{/* Of (list name text): a field with numbers for the names of months and days. */}}
{{- define "etcd-warden.fieldInNumbers" -}}
{{- $text := last . | lower }}
{{- $names := dict "month" (splitList " " "- jan feb mar apr may jun jul aug sep oct nov dec") "day of week" (splitList " " "sun mon tue wed thu fri sat") }}
{{- range $number, $name := get $names (first .) | default list }}
  {{- if ne $name "-" }}{{ $text = replace $name (toString $number) $text }}{{ end }}
{{- end }}
{{- $text }}
{{- end }}

{{/* What is wrong with one part of a field: {part, name, lowest, highest, text, agent}. */}}
{{- define "etcd-warden.partFault" -}}
{{- $step := splitList "/" .part }}
{{- $range := first $step | splitList "-" }}
{{- $from := first $range | atoi }}
{{- $to := last $range | atoi }}
{{- $isAll := eq (first $step) "*" }}
{{- if or (not (regexMatch "^([*]|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?$" .part)) (and (not $isAll) (or (lt $from .lowest) (gt $to .highest) (gt $from .highest))) -}}
{{ .name }} takes {{ .lowest }} to {{ .highest }}, ranges, lists and steps, not `{{ .text }}`
{{- if and (eq .name "day of week") (eq $to 7) }}; Sunday is 0{{ end }}
{{- else if gt $from $to -}}
{{ .name }} `{{ .text }}` counts down: write two ranges, or one from the lower to the higher
{{- else if gt (len $step) 1 }}
{{- if and .agent (not $isAll) (eq (len $range) 1) -}}
{{ .name }} `{{ .text }}` has a step but no range: write {{ $from }}-{{ .highest }} before the step
{{- else if or (lt (last $step | atoi) 1) (gt (last $step | atoi) (sub .highest .lowest | int)) -}}
the step of {{ .name }} `{{ .text }}` is not from 1 to {{ sub .highest .lowest }}
{{- end }}
{{- end }}
{{- end }}
