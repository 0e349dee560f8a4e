"""Seeds mistakes in values files for charts, and counts those that `chart render --strict` finds.

    mistakes.py FOLDER… [--chart target/release/chart] [--count 200] [--seed 1] [--misses]

A mistake is a layer with one value that does nothing: set at its right path, the value changes what the chart renders
to; at the mistaken path it does not. Kinds: letters wrong, another style of the name, too high, too deep, under another
parent, in or out of a subchart's section.

    mistakes.py FOLDER… --alarms

prints what `chart check` says about values of the charts as they are, to be judged by a reader.
"""
import argparse, collections, json, pathlib, random, re, subprocess, tempfile

CODES = ("unknown-value", "unused-value", "values-schema")


def charts(folders):
    files = [file for folder in folders for file in sorted(pathlib.Path(folder).rglob("Chart.yaml"))]
    return [it.parent for it in files if not any((above / "Chart.yaml").exists() for above in it.parent.parents)]


def run(chart, *arguments):
    done = subprocess.run([chart, *map(str, arguments)], capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout, done.stderr


def findings(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, path + (key,))
    elif not isinstance(value, list):
        yield path, value


def mappings(value, path=()):
    """Those with entries: in an empty one the chart lets anything stand."""
    if isinstance(value, dict) and value:
        yield path
        for key, inner in value.items():
            yield from mappings(inner, path + (key,))


def has(value, path):
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True


def layer(path, value):
    for key in reversed(path):
        value = {key: value}
    return value


def changed(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return f"{value or ''}seeded" if value is not None else "seeded"


def misspelt(name, random):
    at = random.randrange(len(name))
    letter = random.choice("abcdefghijklmnopqrstuvwxyz")
    kinds = [name[:at] + name[at + 1:], name[:at] + name[at] + name[at:], name[:at] + letter + name[at + 1:],
             name[:at] + name[at + 1:at + 2] + name[at] + name[at + 2:]]
    return random.choice(kinds)


def restyled(name, random):
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)
    lower = [word.lower() for word in words]
    return random.choice(["_".join(lower), "-".join(lower), "".join(lower), "".join(word.title() for word in lower)])


def mistaken(kind, path, values, sections, random):
    """The path of a mistake, or nothing where this kind does not fit."""
    at = random.randrange(len(path))
    if kind == "misspelt":
        return path[:at] + (misspelt(path[at], random),) + path[at + 1:]
    if kind == "restyled":
        return path[:at] + (restyled(path[at], random),) + path[at + 1:]
    if kind == "too high" and len(path) > 1:
        at = random.randrange(len(path) - 1)
        return path[:at] + path[at + 1:]
    if kind == "too deep":
        parents = [it for it in mappings(values) if len(it) == len(path) and it[:-1] == path[:-1] and it != path]
        return random.choice(parents) + path[-1:] if parents else None
    if kind == "other parent" and len(path) > 1:
        parents = [it for it in mappings(values) if it and it != path[:-1]]
        return random.choice(parents) + path[-1:] if parents else None
    if kind == "subchart" and sections:
        return path[1:] if path[0] in sections else (random.choice(sections),) + path
    return None


KINDS = ["misspelt", "restyled", "too high", "too deep", "other parent", "subchart"]


class Bench:
    def __init__(self, arguments):
        self.chart = arguments.chart
        self.random = random.Random(arguments.seed)
        self.file = pathlib.Path(tempfile.mkdtemp()) / "layer.json"

    def render(self, chart, values=None):
        more = []
        if values is not None:
            self.file.write_text(json.dumps(values))
            more = ["-f", self.file]
        code, out, _ = run(self.chart, "render", "release", chart, "--no-validate", "--skip-schema-validation",
                           "--seed", "1", *more)
        return out if code == 0 else None

    def seed(self, chart, values, sections, plain, kind):
        """One mistake of a kind in a chart, as (right path, mistaken path, value)."""
        candidates = [(path, value) for path, value in leaves(values) if path]
        for _ in range(12):
            path, value = self.random.choice(candidates)
            wrong = mistaken(kind, path, values, sections, self.random)
            if not wrong or not all(wrong) or wrong == path or has(values, wrong):
                continue
            value = changed(value)
            right = self.render(chart, layer(path, value))
            if right is not None and right != plain and self.render(chart, layer(wrong, value)) == plain:
                return path, wrong, value
        return None

    def found(self, chart, wrong, value):
        self.file.write_text(json.dumps(layer(wrong, value)))
        _, _, err = run(self.chart, "render", "release", chart, "-f", self.file, "--strict", "--no-validate",
                        "--format", "json")
        said = [it for it in findings(err) if it["code"] in CODES and str(self.file) in json.dumps(it)]
        return said

    def mistakes(self, folders, count, misses):
        usable = []
        for chart in charts(folders):
            code, out, _ = run(self.chart, "values", chart, "-o", "json")
            plain = self.render(chart)
            if code == 0 and plain and any(True for _ in leaves(json.loads(out))):
                sections = [it.name for it in (chart / "charts").glob("*") if (it / "Chart.yaml").exists()]
                values = json.loads(out)
                usable.append((chart, values, [it for it in sections if it in values], plain))
        self.random.shuffle(usable)
        total, found, codes, hints = collections.Counter(), collections.Counter(), collections.Counter(), 0
        turn = 0
        while sum(total.values()) < count and turn < 40 * count:
            chart, values, sections, plain = usable[turn % len(usable)]
            kind = KINDS[(turn + turn // len(usable)) % len(KINDS)]
            turn += 1
            seeded = self.seed(chart, values, sections, plain, kind)
            if not seeded:
                continue
            right, wrong, value = seeded
            said = self.found(chart, wrong, value)
            total[kind] += 1
            found[kind] += bool(said)
            codes.update({it["code"] for it in said})
            hints += any(it["hints"] for it in said)
            if misses and not said:
                print(f"missed: {chart}: {'.'.join(wrong)} for {'.'.join(right)} ({kind})", flush=True)
        for kind in KINDS:
            print(f"{kind:14} {found[kind]:4} of {total[kind]:4}")
        print(f"{'all':14} {sum(found.values()):4} of {sum(total.values()):4}, {dict(codes)}, with a hint: {hints}")

    def alarms(self, folders):
        number, values, told = 0, 0, collections.Counter()
        for chart in charts(folders):
            code, out, _ = run(self.chart, "values", chart, "-o", "json")
            if code:
                continue
            number += 1
            values += sum(1 for _ in leaves(json.loads(out)))
            _, out, _ = run(self.chart, "check", chart, "--format", "json")
            for finding in findings(out):
                if finding["code"] in ("unknown-value", "unused-value"):
                    told[finding["code"]] += 1
                    place = finding["labels"][0]
                    print(f"{finding['code']}: {place['source']}:{place['start']['line']}: {finding['message']}", flush=True)
        print(f"{number} charts with {values} values: {dict(told)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--chart", default="target/release/chart")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--misses", action="store_true")
    parser.add_argument("--alarms", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    if arguments.alarms:
        bench.alarms(arguments.folders)
    else:
        bench.mistakes(arguments.folders, arguments.count, arguments.misses)


main()
