import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../../../src/errors.ts";
import { parseReference, resolveDockerHub } from "../../../../src/oci/reference.ts";
import { type MirrorOptions, pullLocations } from "../../../../src/registry/mirrors/mirrors.ts";
import { readRegistriesConf } from "../../../../src/registry/mirrors/registries-conf.ts";
import { temporaryFolder } from "../../../support/images.ts";

let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
});

async function put(file: string, text: string): Promise<string> {
  const path = join(root, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

function options(more: MirrorOptions = {}): MirrorOptions {
  return { env: {}, home: join(root, "home"), root, ...more };
}

const DIGEST = `sha256:${"a".repeat(64)}`;

/** The locations as `registry/repository`, with what is special about them. */
async function locations(name: string, more: MirrorOptions = {}): Promise<readonly string[]> {
  const found = await pullLocations(resolveDockerHub(parseReference(name)), options(more));
  return found.map(({ registry, repository, isMirror, trust }) =>
    [`${registry}/${repository}`, ...(isMirror ? ["mirror"] : []), ...(trust === "checked" ? [] : [trust])].join(" "),
  );
}

describe("pullLocations()", () => {
  test("pullLocations() is the registry itself without any mirror", async () => {
    await expect(locations("registry.lan/team/app:1")).resolves.toEqual(["registry.lan/team/app"]);
  });

  test("pullLocations() puts named mirrors first, in their order, with paths and plain HTTP as asked", async () => {
    const mirrors = ["m.lan:5000", "https://harbor.lan/proxy/", "http://plain.lan"];
    await expect(locations("hello:1", { mirrors })).resolves.toEqual([
      "m.lan:5000/library/hello mirror",
      "harbor.lan/proxy/library/hello mirror",
      "plain.lan/library/hello mirror plain-http",
      "docker.io/library/hello",
    ]);
  });

  test.each(["", "http://", "a b", "user@m.lan", "m.lan?x", "m.lan//x"])(
    "pullLocations() refuses the mirror %j",
    async text => {
      await expect(locations("hello:1", { mirrors: [text] })).rejects.toThrow(UsageError);
    },
  );

  const CONF = `
unqualified-search-registries = ["docker.io"]
[[registry]]
location = "registry.lan"
[[registry.mirror]]
location = "m1.lan/cache"
[[registry.mirror]]
location = "m2.lan"
insecure = true
pull-from-mirror = "digest-only"
[[registry]]
prefix = "registry.lan/team"
location = "moved.lan:5000/other"
mirror-by-digest-only = true
  [[registry.mirror]]
  location = "m3.lan"
[[registry]]
prefix = "*.wild.lan"
insecure = true
[[registry]]
prefix = "bad.lan"
blocked = true
[[registry]]
location = "registry.lan:5000"
[[registry.mirror]]
location = "m5.lan"
`;

  test.each<[name: string, locations: readonly string[]]>([
    ["registry.lan/app:1", ["m1.lan/cache/app mirror", "registry.lan/app"]],
    [`registry.lan/app@${DIGEST}`, ["m1.lan/cache/app mirror", "m2.lan/app mirror insecure", "registry.lan/app"]],
    ["registry.lan/team/app:1", ["moved.lan:5000/other/app"]],
    [`registry.lan/team/app@${DIGEST}`, ["m3.lan/app mirror", "moved.lan:5000/other/app"]],
    // Whole parts of names only (security case A-07).
    ["registry.lan/teams/app:1", ["m1.lan/cache/teams/app mirror", "registry.lan/teams/app"]],
    ["xregistry.lan/app:1", ["xregistry.lan/app"]],
    ["registry.lan.evil.example/app:1", ["registry.lan.evil.example/app"]],
    ["a.wild.lan/app:1", ["a.wild.lan/app insecure"]],
    ["a.wild.lan:5000/app:1", ["a.wild.lan:5000/app insecure"]],
    ["wild.lan/app:1", ["wild.lan/app"]],
    ["registry.lan:5000/app:1", ["m5.lan/app mirror", "registry.lan:5000/app"]],
  ])("pullLocations() finds %s by registries.conf", async (name, expected) => {
    await put("etc/containers/registries.conf", CONF);
    await expect(locations(name)).resolves.toEqual(expected);
  });

  test("pullLocations() refuses what registries.conf blocks, mirrors or not", async () => {
    await put("etc/containers/registries.conf", CONF);
    const refused = locations("bad.lan/app:1", { mirrors: ["m.lan"] });
    await expect(refused).rejects.toThrow(
      "Cannot pull bad.lan/app:1: registries.conf blocks it, expected an allowed name",
    );
  });
});

describe("readRegistriesConf()", () => {
  const one = (location: string): string => `[[registry]]\nlocation = "${location}"\n`;

  test("readRegistriesConf() reads the user's file in place of the system's, then the folders", async () => {
    await put("etc/containers/registries.conf", one("system.lan"));
    await put("etc/containers/registries.conf.d/10.conf", `${one("dropped.lan")}insecure = true\n`);
    await put("etc/containers/registries.conf.d/90.conf", one("dropped.lan"));
    await put("etc/containers/registries.conf.d/notes.txt", "no TOML");
    await put("home/.config/containers/registries.conf", one("user.lan"));
    await put("home/.config/containers/registries.conf.d/a.conf", one("user-dropped.lan"));
    const found = await readRegistriesConf(options());
    expect(found.map(({ prefix, insecure }) => [prefix, insecure])).toEqual([
      ["user.lan", false],
      ["dropped.lan", false],
      ["user-dropped.lan", false],
    ]);
  });

  test("readRegistriesConf() reads the named file alone", async () => {
    await put("etc/containers/registries.conf.d/10.conf", one("dropped.lan"));
    const file = await put("own.conf", one("own.lan"));
    const found = await readRegistriesConf(options({ env: { CONTAINERS_REGISTRIES_CONF: file } }));
    expect(found.map(({ prefix }) => prefix)).toEqual(["own.lan"]);
    await expect(readRegistriesConf(options({ env: { CONTAINERS_REGISTRIES_CONF: "/dev/null" } }))).resolves.toEqual(
      [],
    );
  });

  test.each([
    ["[[registry]]\nlocation = 5\n", '"location" that is no string'],
    ["[[registry]]\ninsecure = true\n", '"registry" without "prefix" and "location"'],
    ['[[registry]]\nlocation = "a"\ninsecure = "yes"\n', '"insecure" that is neither true nor false'],
    ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\n', '"registry.mirror" without "location"'],
    ['registry = "a"\n', '"registry" that is no table'],
    ['[[registry]]\nlocation = "a\n', "malformed line 2"],
    ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "never"\n', "another"],
  ])("readRegistriesConf() refuses %j", async (text, found) => {
    await put("etc/containers/registries.conf", text);
    const refused = readRegistriesConf(options());
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(found);
  });

  test("registries.conf with dates, floats and strings of several lines is read, not refused", async () => {
    const text = `
changed = 2024-05-01T10:00:00Z
ratio = 1.5
big = 9223372036854775807
note = """
two
lines"""
path = '''c:\\mirrors'''
[["registry"]]
prefix = """registry.lan"""
mirror = [{ location = "m.lan", insecure = true, pull-from-mirror = 'tag-only' }]
`;
    await put("etc/containers/registries.conf", text);
    await expect(readRegistriesConf(options())).resolves.toEqual([
      {
        prefix: "registry.lan",
        location: "registry.lan",
        insecure: false,
        blocked: false,
        mirrors: [{ location: "m.lan", insecure: true, serves: "tag-only" }],
      },
    ]);
  });

  test.each<[text: string, line: number]>([
    ["a", 1],
    ["a = ", 1],
    ["a = 1 b = 2", 1],
    ["a = 1\na = 2", 2],
    ["[a]\n[a]", 2],
    ["a = 01", 1],
    ['a = "x', 1],
    ['\n\na = "\\q"', 3],
    ["[a", 1],
    ["[[a]\n", 1],
    ["a = 1\n[[a]]", 2],
    ["a = 1\n[a.b]", 2],
    [`a = ${"[".repeat(20)}${"]".repeat(20)}`, 1],
  ])("readRegistriesConf() reports file and line of %j", async (text, line) => {
    const file = await put("etc/containers/registries.conf", text);
    await expect(readRegistriesConf(options())).rejects.toThrow(
      `Cannot read mirrors from ${JSON.stringify(file)}: malformed line ${line}, column `,
    );
  });

  test("readRegistriesConf() never quotes the file, not even with --verbose", async () => {
    await put("etc/containers/registries.conf", "root:hunter2\n");
    const error = await readRegistriesConf(options()).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect(inspect(error, { depth: 9 })).not.toContain("hunter2");
  });

  test("readRegistriesConf() reads __proto__ as an ordinary key", async () => {
    await put("etc/containers/registries.conf", '[__proto__]\nregistry = 1\n[[registry]]\nlocation = "a.lan"\n');
    await expect(readRegistriesConf(options())).resolves.toMatchObject([{ prefix: "a.lan" }]);
  });

  test("readRegistriesConf() refuses long nonsense within the time limit of a test", async () => {
    for (const text of [
      "[".repeat(100_000),
      `a = "${"\\".repeat(100_001)}`,
      `${"a.".repeat(50_000)}=`,
      "#".repeat(100_000),
    ]) {
      await put("etc/containers/registries.conf", `${text}\nx`);
      await expect(readRegistriesConf(options())).rejects.toThrow("malformed line");
    }
  });
});
