{{/* Seconds of a duration as the agent reads it, rounded up. */}}
{{- define "etcd-warden.seconds" -}}
{{- $count := regexFind "^[0-9]+" . | int }}
{{- $unit := regexFind "[a-z]+$" . }}
{{- if eq $unit "ms" }}{{ div (add $count 999) 1000 }}
{{- else }}{{ mul $count (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) }}
{{- end }}
{{- end }}

{{/* How long a run may take to end once it was told to, by the configuration. */}}
{{- define "etcd-warden.shutdownSeconds" -}}
{{- $written := .shutdownTimeout | default "25s" | toString }}
{{- if regexMatch "^[0-9]+(ms|s|m|h|d)$" $written }}{{ include "etcd-warden.seconds" $written }}
{{- else }}25
{{- end }}
{{- end }}

{{/*
When a run of {config, own} gives up by itself: before its Job is ended, after a minute to be scheduled and started, with time to
release what it holds.
*/}}
{{- define "etcd-warden.deadlineSeconds" -}}
{{- sub .own.activeDeadlineSeconds (add 60 (include "etcd-warden.shutdownSeconds" .config | int)) }}
{{- end }}

{{/*
How many seconds lie between two runs of a cron expression at most; never less than that, and exact where a job runs once in
its hour, day or week. Months count as the longest ones.
*/}}
{{- define "etcd-warden.intervalSeconds" -}}
{{- $fields := regexSplit "\\s+" (trim .) -1 }}
{{- $minuteGap := include "etcd-warden.gap" (dict "field" (index $fields 0) "from" 0 "to" 59) | int }}
{{- $hourGap := include "etcd-warden.gap" (dict "field" (index $fields 1) "from" 0 "to" 23) | int }}
{{- $days := include "etcd-warden.fieldInNumbers" (list "day of week" (index $fields 4)) }}
{{- $dayGap := include "etcd-warden.gap" (dict "field" $days "from" 0 "to" 6) | int }}
{{- $months := include "etcd-warden.fieldInNumbers" (list "month" (index $fields 3)) }}
{{- /* Not every month has these days. */}}
{{- $times := ternary 2 1 (regexMatch "^(29|3[01])([,-](29|3[01]))*$" (index $fields 2)) }}
{{- if ne $months "*" }}{{ mul $times 31 86400 (include "etcd-warden.gap" (dict "field" $months "from" 1 "to" 12)) }}
{{- else if ne (index $fields 2) "*" }}{{ mul $times 86400 (include "etcd-warden.gap" (dict "field" (index $fields 2) "from" 1 "to" 31)) }}
{{- else if gt $dayGap 1 }}{{ mul $dayGap 86400 }}
{{- else if gt $hourGap 1 }}{{ mul $hourGap 3600 }}
{{- else }}{{ mul $minuteGap 60 }}
{{- end }}
{{- end }}

{{/* The widest gap between two values of one field, counted around the end of its range. */}}
{{- define "etcd-warden.gap" -}}
{{- $width := int (add1 (sub .to .from)) }}
{{- $hits := dict }}
{{- range $part := splitList "," .field }}
  {{- $step := splitList "/" $part }}
  {{- $range := index $step 0 | replace "*" (printf "%d-%d" (int $.from) (int $.to)) | splitList "-" }}
  {{- $first := index $range 0 | atoi }}
  {{- $last := last $range | atoi }}
  {{- if and (eq (len $range) 1) (gt (len $step) 1) }}{{ $last = int $.to }}{{ end }}
  {{- /* Bounded, whatever is written. */}}
  {{- range $value := untilStep $first (int (add1 (min $last (add $.to 1)))) (ternary (max 1 (last $step | atoi) | int) 1 (gt (len $step) 1)) }}
    {{- $_ := set $hits (toString (mod (sub $value $.from) $width)) true }}
  {{- end }}
{{- end }}
{{- $gap := 0 }}
{{- $run := 0 }}
{{- /* Twice around, so that the gap over the end is seen whole; what comes before the first value is a part of it. */}}
{{- range $value := until (int (mul 2 $width)) }}
  {{- $run = add1 $run }}
  {{- if hasKey $hits (toString (mod $value $width)) }}
    {{- $gap = max $gap $run }}
    {{- $run = 0 }}
  {{- end }}
{{- end }}
{{- $gap }}
{{- end }}
