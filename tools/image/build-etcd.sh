#!/bin/sh
# Builds etcd and etcdutl of every folder here that holds a go.mod (3.5, 3.6, …) into etcd/3.5, etcd/3.6, …: static programs, and
# beside them the licences of all that was linked into them and a bill of it.
set -eu
export CGO_ENABLED=0 LC_ALL=C

main() {
  for file in */go.mod; do
    minor=${file%/go.mod}
    out=$PWD/etcd/$minor
    mkdir -p "$out"
    (
      cd "$minor"
      go build -trimpath -ldflags '-s -w' -o "$out/" go.etcd.io/etcd/server/v3 go.etcd.io/etcd/etcdutl/v3
      mv "$out/server" "$out/etcd"
      list_modules >modules
      write_licences <modules >"$out/LICENSES"
      write_bill <modules >"$out/sbom.cdx.json"
    )
  done
}

# Name, version and folder of each module that is in the programs, and of Go's own library.
list_modules() {
  echo "stdlib $(go env GOVERSION | sed 's/^go//') $(go env GOROOT)"
  go list -deps -f '{{with .Module}}{{.Path}} {{.Version}} {{.Dir}}{{end}}' \
    go.etcd.io/etcd/server/v3 go.etcd.io/etcd/etcdutl/v3 >packages
  sort -u packages
}

write_licences() {
  while read -r name version folder; do
    for text in "$folder"/LICENSE* "$folder"/NOTICE* "$folder"/PATENTS*; do
      [ ! -f "$text" ] || {
        printf '==== %s %s: %s\n\n' "$name" "$version" "${text##*/}"
        cat "$text"
        echo
      }
    done
  done
}

write_bill() {
  etcd_version=$(go list -m -f '{{.Version}}' go.etcd.io/etcd/server/v3)
  printf '{"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,\n'
  printf '"metadata": {"component": {"type": "application", "name": "etcd", "version": "%s", ' "${etcd_version#v}"
  printf '"licenses": [{"license": {"id": "Apache-2.0"}}]}},\n"components": [\n'
  separator=
  while read -r name version _; do
    printf '%s{"type": "library", "name": "%s", "version": "%s", ' "$separator" "$name" "$version"
    printf '"purl": "pkg:golang/%s@%s"}' "$name" "$version"
    separator=',
'
  done
  printf '\n]}\n'
}

main
