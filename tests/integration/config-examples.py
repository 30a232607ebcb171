# SPDX-License-Identifier: Apache-2.0
"""The shipped configuration and every example load with the real drivers, and pass the schema.

usage: config-examples.py ASSAYD ASSAYCTL ASSAY-WORKER DRIVERS CONFIG
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# As an editor reads YAML: no yes, no dates, no base 60.
RESOLVERS = (("bool", r"true|false", "tf"),
             ("null", r"~|null|", ["~", "n", ""]),
             ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", "-+0123456789"),
             ("float", r"[-+]?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", "-+0123456789"))


def load_yaml(yaml, path):
    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {}
    for tag, pattern, first in RESOLVERS:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^({pattern})$"), first)
    return yaml.load(path.read_text(encoding="utf-8"), Loader)


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, timeout=60)


def missing_parts(path, drivers, profiles):
    """Drivers and profiles of an example that this build does not have."""
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"^\s*driver: ([a-z0-9-]+)", text, re.M):
        if not (drivers / f"{name}.so").exists():
            yield f"driver {name}"
    for name in re.findall(r"^\s*profile: ([a-z0-9-]+)$", text, re.M):
        if not (profiles / f"{name}.yaml").exists():
            yield f"profile {name}"


def validator(assayctl, args, *options):
    try:
        import jsonschema
        import yaml
    except ImportError as missing:
        print(f"without the schema: {missing}")
        return None
    shown = run(assayctl, *args, "schema", *options)
    assert shown.returncode == 0, shown.stderr
    schema = json.loads(shown.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    checker = jsonschema.Draft7Validator(schema)
    return lambda path: [f"{e.json_path}: {e.message}"
                         for e in checker.iter_errors(load_yaml(yaml, path))]


def check_wrong(assayd, args, folder):
    path = folder / "wrong.yaml"
    path.write_text("laboratory: {site: lab, node: bench}\n"
                    "instruments:\n"
                    "  x: {driver: skeletom}\n", encoding="utf-8")
    done = run(assayd, *args, "--config", str(path), "--check")
    assert done.returncode == 1, done
    assert f"{path}:3:15: there is no driver 'skeletom'" in done.stderr, done.stderr


def check_warning(assayd, assayctl, args, folder):
    """Exit status 0, on both programs, and the same in JSON."""
    path = folder / "warning.yaml"
    path.write_text("laboratory: {site: lab, node: bench}\n"
                    "instruments:\n"
                    "  x: {driver: amptek-dp5, link: {type: udp, host: 127.0.0.1}}\n", encoding="utf-8")
    line = f"{path}:3:51: warning: 127.0.0.1 is this computer"
    for done in (run(assayd, *args, "--config", str(path), "--check"), run(assayctl, *args, "check", str(path))):
        assert done.returncode == 0 and line in done.stderr and "no errors" in done.stdout, done
    told = json.loads(run(assayctl, *args, "--json", "check", str(path)).stdout)
    assert told["errors"] == [] and len(told["warnings"]) == 1, told
    warning = told["warnings"][0]
    assert (warning["file"], warning["line"], warning["column"]) == (str(path), 3, 51), told


def check_both(assayctl, args, folder):
    """A profile alone; its errors and warnings in one list, apart in JSON."""
    path = folder / "alone.yaml"
    path.write_text("driver: modbus-map\n"
                    "settings:\n"
                    "  points:\n"
                    "    - {name: sginal, table: input, address: 0}\n", encoding="utf-8")
    done = run(assayctl, *args, "check", str(path))
    assert (done.returncode, done.stdout) == (0, f"{path}: a profile, no errors\n"), done
    with path.open("a", encoding="utf-8") as file:
        file.write("    - {name: a, table: outptu, address: 1}\n")
    done = run(assayctl, *args, "check", str(path))
    assert done.returncode == 1 and f"{path}:4:14: warning: " in done.stderr and f"{path}:5:24: " in done.stderr, done
    told = json.loads(run(assayctl, *args, "--json", "check", str(path)).stdout)
    assert [[e["line"] for e in told[k]] for k in ("errors", "warnings")] == [[5], [4]], told


def check_profiles(assayd, args, profiles, drivers, folder):
    """Every profile serves an instrument as it is, on a link of its driver."""
    failed = 0
    for profile in sorted(profiles.glob("*.yaml")):
        text = profile.read_text(encoding="utf-8")
        driver = re.search(r"^driver: ([a-z0-9-]+)", text, re.M)
        if driver is None or not (drivers / f"{driver[1]}.so").exists():
            continue
        link = ("type: modbus-tcp, host: 192.0.2.1" if driver[1] == "modbus-map"
                else "type: folder, path: /srv/reports" if driver[1] == "file-import"
                else "type: serial, port: /dev/ttyUSB0" if "baud:" in text
                else "type: tcp, host: 192.0.2.1, port: 4001")
        path = folder / "profile.yaml"
        path.write_text("laboratory: {site: lab, node: bench}\n"
                        "instruments:\n"
                        f"  x: {{driver: {driver[1]}, profile: {profile},\n"
                        f"    link: {{{link}}}}}\n", encoding="utf-8")
        done = run(assayd, *args, "--config", str(path), "--check")
        if done.returncode != 0:
            print(f"{profile.name}: {done.stderr}")
            failed += 1
    return failed


# Each makes a right profile wrong: a line, and another one in its place.
SLIPS = [("driver: text-map", "driver: text-mop"), ("driver: text-map", ""), ("technique: weighing", "technique: Weighing Up"),
         ("link: {baud: 9600}", "link: {boud: 9600}"), ("link: {baud: 9600}", "link: {baud: fast}"),
         ("  timeout: 2 s", "  timeuot: 2 s"), ("  timeout: 2 s", "  timeout: 2 V"), ("  values: [{name: mass}]", "  values: [{nmae: mass}]"),
         ("  values: [{name: mass}]", "  values: {name: mass}"), ("make: Example", "maker: Example")]
PROFILE = """driver: text-map
make: Example
technique: weighing
link: {baud: 9600}
settings:
  timeout: 2 s
  requests: [{ask: SI, reply: ['S {mass number}']}]
  values: [{name: mass}]
"""


def check_profile_schema(passes_schema, profiles, folder):
    """An editor takes every shipped profile, and finds each slip."""
    failed = 0
    for profile in sorted(profiles.glob("*.yaml")):
        for error in passes_schema(profile):
            print(f"{profile.name}: {error}")
            failed += 1
    path = folder / "slip.yaml"
    for right, wrong in [("", ""), *SLIPS]:
        assert right in PROFILE, right
        path.write_text(PROFILE.replace(right, wrong, 1), encoding="utf-8")
        if bool(passes_schema(path)) != (right != wrong):
            print(f"the schema of profiles: {right!r}, {wrong!r}: {passes_schema(path)}")
            failed += 1
    return failed


def main(assayd, assayctl, worker, drivers, config):
    config, drivers = pathlib.Path(config), pathlib.Path(drivers)
    args = ["--worker", worker, "--drivers", str(drivers)]
    passes_schema = validator(assayctl, args)
    checked = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if (config / "profiles").is_dir():
            shutil.copytree(config / "profiles", folder / "profiles")
        for source in sorted([config / "assayd.yaml", *config.glob("examples/*.yaml")]):
            missing = list(missing_parts(source, drivers, config / "profiles"))
            if missing:
                print(f"{source.name}: left out, there is no {', no '.join(missing)}")
                continue
            path = folder / source.name
            shutil.copy(source, path)
            done = run(assayd, *args, "--config", str(path), "--check")
            errors = [] if done.returncode == 0 else [done.stderr]
            # Their adapters are not plugged in here, their calibrations end, the file to start with is empty.
            errors += [line for line in done.stderr.splitlines()
                       if not re.search("is not there now|ended on|no instrument is", line)]
            if passes_schema is not None:
                errors += passes_schema(path)
            for error in errors:
                print(f"{source.name}: {error}")
            checked += 1
            failed += bool(errors)
        check_wrong(assayd, args, folder)
        check_both(assayctl, args, folder)
        check_warning(assayd, assayctl, args, folder)
        if passes_schema is not None:
            failed += check_profile_schema(validator(assayctl, args, "--profile"), config / "profiles", folder)
        failed += check_profiles(assayd, args, config / "profiles", drivers, folder)
    print(f"{checked} files checked, {failed} failed")
    return failed != 0 or checked < 2


sys.exit(main(*sys.argv[1:]))
