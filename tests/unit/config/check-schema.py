# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema accepts the configurations that load and rejects those that do not.

usage: check-schema.py PRINT-SCHEMA CONFIGS
"""
import json
import pathlib
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

# Not expressible in a schema: a relation between keys, instruments or files, a range of a quantity.
NOT_IN_SCHEMA = re.compile(
    r"yaml-|port-|calibration-(order|date)|profile-|sockets-(equal|long)|many-files|"
    r"laboratory-(pattern-|timezone)|journal-(sync-too-long|reserve|keep-age$|keep-size|segment)|instrument-(new-run|frames|technique-differs|"
    r"every-negative)|link-(address|host|usb-path|leading-zero)|method-step-twice|"
    r"setting-(range-in-unit|nothing)|text-seen|faults-")


class Loader(yaml.SafeLoader):
    """Reads scalars as YAML 1.2 does, like the editors: no yes, no dates, no base 60."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
        ("bool", r"true|false", "tf"),
        ("null", r"~|null|", ["~", "n", ""]),
        ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", "-+0123456789"),
        ("float", r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", "-+0123456789")):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^({pattern})$"), first)


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def main(program, configs):
    schema = json.loads(subprocess.run([program], check=True, stdout=subprocess.PIPE).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    failed = passed = rejected = 0
    for path in sorted(pathlib.Path(configs, "right").rglob("*.yaml")):
        if path.parent.name == "profiles" or path.name.startswith("."):
            continue
        errors = list(validator.iter_errors(load(path)))
        passed += not errors
        failed += bool(errors)
        for error in errors:
            print(f"{path}: {error.json_path}: {error.message}")
    for path in sorted(pathlib.Path(configs, "wrong").glob("*.yaml")):
        if NOT_IN_SCHEMA.match(path.stem):
            continue
        if validator.is_valid(load(path)):
            failed += 1
            print(f"{path}: the schema passes it")
        rejected += 1
    print(f"{passed} passed, {rejected} rejected as they should, {failed} failed")
    return failed != 0 or passed == 0 or rejected < 45


sys.exit(main(*sys.argv[1:]))
