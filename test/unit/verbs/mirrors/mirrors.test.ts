import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments, parse as parseYaml } from "yaml";
import {
  type MirrorRuntime,
  type MirrorsOptions,
  type MirrorsResult,
  mirrors,
  PartialError,
} from "../../../../src/index.ts";
import { runCommand } from "../../../support/command-line.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../../../support/images.ts";

const NAMES = ["docker.io/library/nginx:1.25", "quay.io/team/app:2", "reg.lan:5000/x/y:1"];
const TO = { to: "mirror.lan/m", layout: "full" } as const;

async function listOf(...names: readonly string[]): Promise<string> {
  const path = join(await temporaryFolder(), "list.txt");
  await writeFile(path, names.map(name => `${name}\n`).join(""));
  return path;
}

/** Writes for one runtime into a folder that has some files. */
async function written(
  runtime: MirrorRuntime,
  existing: Readonly<Record<string, string>> = {},
  options: Partial<MirrorsOptions> = {},
  names: readonly string[] = NAMES,
): Promise<MirrorsResult & { readonly folder: string; read(name: string): Promise<string> }> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(existing)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const result = await mirrors([await listOf(...names)], { ...TO, for: runtime, output: folder, ...options });
  return { ...result, folder, read: async name => await readFile(join(folder, name), "utf8") };
}

const HOSTS = `# Written by imgpack mirrors, which replaces this file when it runs again.
server = "https://mirror.lan/v2/m/quay.io"
capabilities = ["pull", "resolve"]
override_path = true

[host."https://mirror.lan/v2/m/quay.io"]
  capabilities = ["pull", "resolve"]
  override_path = true
`;

test("hosts.toml has the mirror as the only server, and each registry has a folder that any file system takes", async () => {
  const { files, read } = await written("containerd");
  expect(files.map(({ state }) => state)).toEqual(["new", "new", "new"]);
  expect(await read("quay.io/hosts.toml")).toBe(HOSTS);
  expect(await read("reg.lan_5000_/hosts.toml")).toContain('server = "https://mirror.lan/v2/m/reg.lan_5000"\n');
});

test("a mirror without a path has no override_path, and one without TLS no settings of TLS", async () => {
  const tls = { plainHttp: true, insecure: true, caFile: "/etc/ca.pem" };
  const { read } = await written("containerd", {}, { to: "mirror.lan", layout: "path", tls }, ["quay.io/a/b:1"]);
  const text = (await read("quay.io/hosts.toml")).split("\n").slice(1).join("\n");
  expect(text).toBe(
    'server = "http://mirror.lan"\ncapabilities = ["pull", "resolve"]\n\n[host."http://mirror.lan"]\n  capabilities = ["pull", "resolve"]\n',
  );
});

test("a mirror at an IPv6 address: hosts.toml that containerd 1.6 reads, and no file that a runtime cannot read", async () => {
  const options = { to: "[::1]:5700" };
  const { read } = await written("containerd", {}, options, ["quay.io/a/b:1"]);
  expect((await read("quay.io/hosts.toml")).split("\n").slice(1).join("\n")).toBe(
    `server = "http://[::1]:5700/v2/quay.io"
capabilities = ["pull", "resolve"]
override_path = true

[host]
  "http://[::1]:5700/v2/quay.io" = { capabilities = ["pull", "resolve"], override_path = true }
`,
  );
  for (const runtime of ["podman", "openshift", "k3s"] as const) {
    const error: unknown = await written(runtime, {}, options).catch((error: unknown) => error);
    expect(error).toMatchObject({ exitCode: 10, hint: undefined, result: { files: [], notes: [] } });
    expect((error as Error).message).toContain("reads no IPv6 address as a registry: give --to a name of the mirror");
  }
});

test("a file as -o is refused with a hint, and a list that is not there as such", async () => {
  const list = await listOf(...NAMES);
  await expect(mirrors([list], { ...TO, for: "containerd", output: list })).rejects.toMatchObject({
    exitCode: 9,
    message: expect.stringContaining("found a file where a folder should be, expected a folder"),
    hint: "Choose another folder with -o.",
  });
  await expect(mirrors([`${list}.no`], { ...TO, for: "containerd" })).rejects.toThrow(
    "found no such file, expected a list",
  );
});

test("no note about shared paths where each repository has an entry of its own", async () => {
  for (const runtime of ["podman", "openshift", "kustomize"] as const) {
    const { notes } = await written(runtime, {}, { to: "mirror.lan", layout: "path" });
    expect(notes.join()).not.toContain("have one path");
  }
  const { notes } = await written("k3s", {}, { to: "mirror.lan", layout: "path" });
  expect(notes.join()).toContain("have one path");
});

test("settings of TLS are in the file of each runtime that has a place for them", async () => {
  const tls = { insecure: true, caFile: "/etc/ca.pem" };
  const text = await (await written("containerd", {}, { tls })).read("quay.io/hosts.toml");
  expect(text.match(/ca = "\/etc\/ca.pem"\n *skip_verify = true/g)).toHaveLength(2);
  expect(await (await written("podman", {}, { tls })).read("900-imgpack.conf")).toContain("insecure = true");
  const k3s = parseYaml(await (await written("k3s", {}, { tls })).read("registries.yaml"));
  expect(k3s.configs).toEqual({ "mirror.lan": { tls: { ca_file: "/etc/ca.pem", insecure_skip_verify: true } } });
  const options = { to: "mirror.lan", map: "docker.io=", tls };
  const docker = JSON.parse(await (await written("docker", {}, options)).read("daemon.json"));
  expect(docker).toEqual({ "registry-mirrors": ["https://mirror.lan"], "insecure-registries": ["mirror.lan"] });
});

test.each<readonly [MirrorRuntime, string]>([
  ["containerd", "quay.io/hosts.toml"],
  ["podman", "900-imgpack.conf"],
  ["openshift", "imgpack-mirrors.yaml"],
])(
  "%s: a file with our mark is replaced, and a foreign one stops everything before a byte is written",
  async (runtime, name) => {
    const own = await written(runtime, { [name]: "# Written by imgpack mirrors, long ago\n" });
    expect(own.files.find(({ path }) => path.endsWith(name))?.state).toBe("changed");
    const folder = await temporaryFolder();
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), "mine\n");
    const before = await readdir(folder, { recursive: true });
    const list = await listOf(...NAMES);
    await expect(mirrors([list], { ...TO, for: ["k3s", runtime], output: folder })).rejects.toMatchObject({
      exitCode: 9,
      message: `Cannot write "${join(folder, name)}": found a file that imgpack did not write, expected none`,
    });
    expect(await readdir(folder, { recursive: true })).toEqual(before);
    expect(await readFile(join(folder, name), "utf8")).toBe("mine\n");
  },
);

test.each<MirrorRuntime>(["containerd", "k3s", "podman", "docker", "openshift", "kustomize"])(
  "%s: a second run changes nothing",
  async runtime => {
    const { folder, files } = await written(runtime, {}, { map: "docker.io=", to: "mirror.lan" });
    const list = await listOf(...NAMES);
    const again = await mirrors([list], {
      to: "mirror.lan",
      layout: "full",
      map: "docker.io=",
      for: runtime,
      output: folder,
    });
    expect(again.files.map(({ state }) => state)).toEqual(files.map(() => "unchanged"));
  },
);

const REGISTRIES = `# ours
mirrors:
  "*": # all others
    endpoint:
      - https://proxy.lan
configs:
  mirror.lan:
    auth:
      username: ci # a robot
      password: secret
`;

test("registries.yaml keeps what is there, with its comments", async () => {
  const { read } = await written("k3s", { "registries.yaml": REGISTRIES });
  const text = await read("registries.yaml");
  for (const comment of REGISTRIES.match(/# .*/g) ?? []) expect(text).toContain(comment);
  expect(parseYaml(text)).toEqual({
    mirrors: {
      "*": { endpoint: ["https://proxy.lan"] },
      "docker.io": { endpoint: ["https://mirror.lan"], rewrite: { "^(.*)$": "m/docker.io/$1" } },
      "quay.io": { endpoint: ["https://mirror.lan"], rewrite: { "^(.*)$": "m/quay.io/$1" } },
      "reg.lan:5000": { endpoint: ["https://mirror.lan"], rewrite: { "^(.*)$": "m/reg.lan_5000/$1" } },
    },
    configs: { "mirror.lan": { auth: { username: "ci", password: "secret" } } },
  });
});

test("registries.yaml: an entry of ours follows another mirror, and one of others is refused", async () => {
  const { folder, read } = await written("k3s");
  const list = await listOf(...NAMES);
  await mirrors([list], { to: "new.lan", layout: "flat", for: "k3s", output: folder });
  const { mirrors: found } = parseYaml(await read("registries.yaml"));
  expect(found["quay.io"]).toEqual({ endpoint: ["https://new.lan"], rewrite: { "^team/app$": "team-app" } });
  const foreign = "mirrors:\n  quay.io:\n    endpoint: [https://other.lan]\n";
  await expect(written("k3s", { "registries.yaml": foreign })).rejects.toMatchObject({
    exitCode: 9,
    message: expect.stringContaining("found a mirror of quay.io, expected none"),
  });
  await expect(written("k3s", { "registries.yaml": "mirrors: [" })).rejects.toThrow("found a YAML error");
  await expect(written("k3s", { "registries.yaml": "mirrors: [a]\n" })).rejects.toThrow("expected a map");
});

test("daemon.json keeps all other settings, their order and their indentation", async () => {
  const text = '{\n    "log-level": "info",\n    "registry-mirrors": ["https://old.lan"],\n    "dns": []\n}\n';
  const { read } = await written("docker", { "daemon.json": text }, { to: "mirror.lan", map: "docker.io=" });
  expect(await read("daemon.json")).toBe(
    '{\n    "log-level": "info",\n    "registry-mirrors": [\n        "https://mirror.lan",\n        "https://old.lan"\n    ],\n    "dns": []\n}\n',
  );
  for (const [bad, found] of [
    ["{", "no JSON object"],
    ["[]", "no JSON object"],
    ['{"registry-mirrors":1}', "something else in registry-mirrors"],
  ] as const) {
    await expect(written("docker", { "daemon.json": bad }, { to: "mirror.lan", map: "docker.io=" })).rejects.toThrow(
      found,
    );
  }
});

test("Docker before 29 has mirrors of Docker Hub without a path alone, and the rest is listed", async () => {
  const { notPossible, files } = await written("docker");
  expect(files.map(({ path }) => path.endsWith("hosts.toml"))).toEqual([true, true, true]);
  expect(notPossible.map(({ repository, why, versions }) => [repository, why, versions?.slice(0, 9)])).toEqual([
    ["docker.io/library/nginx", "a mirror of Docker Hub has no path", "before 29"],
    ["quay.io/team/app", "only Docker Hub has mirrors", "before 29"],
    ["reg.lan:5000/x/y", "only Docker Hub has mirrors", "before 29"],
  ]);
});

test("kustomization.yaml: images get a new name, tags stay, and each way to write Docker Hub has an entry", async () => {
  const mine = "resources: [app.yaml]\nimages:\n  - name: nginx # pinned\n    newTag: 1.25.3\n";
  const { read } = await written("kustomize", { "kustomization.yml": mine });
  const text = await read("kustomization.yml");
  expect(text).toContain("  - name: nginx # pinned\n    newTag: 1.25.3\n    newName: m");
  expect(parseYaml(text)).toEqual({
    resources: ["app.yaml"],
    images: [
      { name: "nginx", newTag: "1.25.3", newName: "mirror.lan/m/docker.io/library/nginx" },
      ...["library/nginx", "docker.io/nginx", "docker.io/library/nginx"].map(name => ({
        name,
        newName: "mirror.lan/m/docker.io/library/nginx",
      })),
      { name: "quay.io/team/app", newName: "mirror.lan/m/quay.io/team/app" },
      { name: "reg.lan:5000/x/y", newName: "mirror.lan/m/reg.lan_5000/x/y" },
    ],
  });
  const component = parseYaml(await (await written("kustomize")).read("kustomization.yaml"));
  expect(component).toMatchObject({ apiVersion: "kustomize.config.k8s.io/v1alpha1", kind: "Component" });
  const other = "images: [{name: quay.io/team/app, newName: other.lan/app}]\n";
  await expect(written("kustomize", { "kustomization.yaml": other })).rejects.toThrow(
    "found another newName for quay.io/team/app, expected none",
  );
});

/** config.openshift.io/v1, as the CustomResourceDefinitions of openshift/api have it. */
const LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const SOURCE = new RegExp(`^${LABEL}(?:\\.${LABEL})*(?::[0-9]+)?(?:/[a-z0-9]+(?:(?:[._]|__|-*)[a-z0-9]+)*)*$`);

test("OpenShift: what is written fits the published definitions, one entry for each repository", async () => {
  const names = [...NAMES, `quay.io/only/digests@sha256:${"a".repeat(64)}`];
  const { read } = await written("openshift", {}, {}, names);
  const sets = parseAllDocuments(await read("imgpack-mirrors.yaml")).map(one => one.toJS());
  expect(sets.map(({ kind }) => kind)).toEqual(["ImageDigestMirrorSet", "ImageTagMirrorSet"]);
  for (const { kind, apiVersion, metadata, spec, ...others } of sets) {
    expect([apiVersion, metadata, others]).toEqual(["config.openshift.io/v1", { name: "imgpack" }, {}]);
    const field = kind === "ImageDigestMirrorSet" ? "imageDigestMirrors" : "imageTagMirrors";
    expect(Object.keys(spec)).toEqual([field]);
    for (const {
      source,
      mirrors: [mirror],
      mirrorSourcePolicy,
    } of spec[field]) {
      expect(source).toMatch(SOURCE);
      expect(mirror).toMatch(SOURCE);
      expect(mirrorSourcePolicy).toBe("NeverContactSource");
    }
  }
  expect(sets[0].spec.imageDigestMirrors.map((one: { source: string }) => one.source)).toEqual([
    "docker.io/library/nginx",
    "quay.io/only/digests",
    "quay.io/team/app",
    "reg.lan:5000/x/y",
  ]);
  // Tags of a repository that has digests alone stay with their registry.
  expect(sets[1].spec.imageTagMirrors).toHaveLength(3);
});

test("compose: the services of a compose file get their images at the mirror, with tag and digest", async () => {
  const folder = await temporaryFolder();
  const digest = `sha256:${"b".repeat(64)}`;
  const compose = join(folder, "compose.yaml");
  await writeFile(
    compose,
    `services:\n  web: {image: "nginx:\${V:-1.25}"}\n  app: {image: "quay.io/team/app:2@${digest}"}\n  same: {image: "nginx:1.25"}\n  built: {build: .}\n`,
  );
  await mirrors([compose], { ...TO, for: "compose", output: folder, env: {} });
  expect(parseYaml(await readFile(join(folder, "compose.imgpack.yaml"), "utf8"))).toEqual({
    services: {
      web: { image: "mirror.lan/m/docker.io/library/nginx:1.25" },
      app: { image: `mirror.lan/m/quay.io/team/app:2@${digest}` },
      same: { image: "mirror.lan/m/docker.io/library/nginx:1.25" },
    },
  });
  const list = await listOf(...NAMES);
  await expect(mirrors([list], { ...TO, for: "compose", output: folder })).rejects.toMatchObject({ exitCode: 2 });
});

test("what containerd cannot do is listed with its reason, and the rest is written", async () => {
  const folder = await temporaryFolder();
  const list = await listOf(...NAMES, "docker.io/team/tool:1");
  const error = await mirrors([list], { to: "mirror.lan", for: "containerd", output: folder }).then(
    () => undefined,
    (thrown: unknown) => thrown as PartialError<MirrorsResult>,
  );
  expect(error).toBeInstanceOf(PartialError);
  expect(error).toMatchObject({
    exitCode: 10,
    failed: ["docker.io/library/nginx"],
    message:
      "Cannot write mirrors of 1 of 4 repositories: docker.io/library/nginx is not possible for containerd: it is at nginx, and hosts.toml leads to library/nginx: it can only put a path before the repository",
  });
  expect((await readdir(folder)).sort()).toEqual(["docker.io", "quay.io", "reg.lan_5000_"]);
  expect(error?.result?.notes.join()).toContain("docker.io, quay.io, reg.lan:5000 have one path at the mirror");
});

test("no name becomes a path: those that would are refused before, or not possible", async () => {
  const folder = await temporaryFolder();
  for (const name of ["../../etc/x:1", "..:5000/a:1", "a..b/c:1", "x.lan:5000:1/a", "reg.lan\\..\\x/a:1"]) {
    const list = await listOf(name);
    await expect(mirrors([list], { ...TO, for: "containerd", output: folder })).rejects.toMatchObject({ exitCode: 2 });
  }
  const archive = await fileWith(dockerArchive({ tags: ["[::1]:5000/a:1"] }));
  await expect(mirrors([archive], { ...TO, for: "containerd", output: folder })).rejects.toMatchObject({
    exitCode: 10,
  });
  expect(await readdir(folder)).toEqual([]);
});

test("a file that is a folder is refused, and a link of the user is followed", async () => {
  await expect(written("podman", { "900-imgpack.conf/x": "" })).rejects.toThrow("found something else than a file");
  const folder = await temporaryFolder();
  await writeFile(join(folder, "real"), "{}\n");
  await symlink(join(folder, "real"), join(folder, "daemon.json"));
  const list = await listOf("nginx:1");
  await mirrors([list], { to: "mirror.lan", map: "docker.io=", for: "docker", output: folder });
  expect(await readFile(join(folder, "real"), "utf8")).toContain("registry-mirrors");
});

test("images that are at the mirror under their own names need nothing", async () => {
  const { files } = await written("podman", {}, { to: "mirror.lan", layout: "path" }, [
    "mirror.lan/a:1",
    "quay.io/b:1",
  ]);
  expect(files[0]?.text).not.toContain('prefix = "mirror.lan');
});

test("the command prints with --dry-run, writes nothing, and takes archives", async () => {
  const folder = await temporaryFolder();
  const archive = join(folder, "site.tar");
  await writeFile(archive, dockerArchive({ tags: ["quay.io/team/app:2"] }));
  const words = [
    "mirrors",
    archive,
    "--to",
    "mirror.lan/m",
    "--layout",
    "full",
    "--for",
    "containerd",
    "--for",
    "podman",
  ];
  const dry = await runCommand(...words, "-o", join(folder, "out"), "--dry-run");
  expect(dry).toMatchObject({ exitCode: 0 });
  expect(dry.stdout).toContain(HOSTS);
  expect(await readdir(folder)).toEqual(["site.tar"]);
  const done = await runCommand(...words, "-o", join(folder, "out"), "--json");
  expect(JSON.parse(done.stdout)).toMatchObject({
    files: [
      { for: "containerd", state: "new" },
      { for: "podman", state: "new" },
    ],
    notPossible: [],
    dryRun: false,
  });
  const docker = [
    "mirrors",
    await listOf(...NAMES),
    "--to",
    "mirror.lan",
    "--layout",
    "full",
    "--for",
    "docker",
    "--dry-run",
  ];
  expect((await runCommand(...docker)).stderr).toContain(
    "2 repositories, such as quay.io/team/app, are not possible for docker before 29, unless it uses the containerd image store (28): only Docker Hub has mirrors\n",
  );
  expect((await runCommand(...words)).stderr).toContain("no -o given, expected a folder to write to");
  expect(await runCommand(...words, "--for", "nomad", "--dry-run")).toMatchObject({ exitCode: 2 });
});
