// Where push puts an image is where each runtime looks for it, by the file that mirrors writes for it.
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse as parseToml } from "smol-toml";
import { afterAll, expect, test } from "vitest";
import { parseAllDocuments, parse as parseYaml } from "yaml";
import { containerdFiles } from "../../src/bundle/mirrors/containerd.ts";
import { dockerFiles } from "../../src/bundle/mirrors/docker.ts";
import { k3sFiles } from "../../src/bundle/mirrors/k3s.ts";
import { kustomizeFiles } from "../../src/bundle/mirrors/kustomize.ts";
import type { RuntimeFiles } from "../../src/bundle/mirrors/mirror-file.ts";
import { fullName, type MirrorPlan, planMirrors } from "../../src/bundle/mirrors/mirror-plan.ts";
import { openshiftFiles } from "../../src/bundle/mirrors/openshift.ts";
import { podmanFiles } from "../../src/bundle/mirrors/podman.ts";
import { mapImageName, parseNameMap } from "../../src/oci/names/image-mapping.ts";
import { familiarName, parseReference } from "../../src/oci/reference.ts";
import { pullLocations } from "../../src/registry/mirrors/mirrors.ts";

const TARGET = { registry: "mirror.lan:5000", scheme: "https", isInsecure: false } as const;

const registry = fc.constantFrom("docker.io", "quay.io", "reg.lan:5000", "a-b.c", "localhost", TARGET.registry);
const repository = fc.constantFrom(
  "app",
  "team/app",
  "team/app/web",
  "library/app",
  "team.x/app-1",
  "team-app",
  "docker.io/app",
);
const names = fc.uniqueArray(
  fc.tuple(registry, repository).map(parts => `${parts.join("/")}:1`),
  { minLength: 1, maxLength: 8 },
);
const mapping = fc.record({
  prefix: fc.constantFrom("", "mirror", "a/b"),
  layout: fc.constantFrom("path", "full", "flat"),
  maps: fc.uniqueArray(
    fc.constantFrom(
      "docker.io=",
      "docker.io/library=library",
      "quay.io/team=apps",
      "quay.io=quay",
      "reg.lan:5000/team=x/y",
    ),
    { maxLength: 2 },
  ),
});

/** By path. */
type Texts = ReadonlyMap<string, string>;

/** Where a runtime looks for a repository: `registry/repository`; undefined where it asks the original registry. */
type Look = (texts: Texts, registry: string, repository: string) => string | undefined | Promise<string | undefined>;

/** containerd, docs/hosts.md: the folders that are tried; a path replaces /v2 only if `override_path` is set. */
const lookAtHosts =
  (folder: string): Look =>
  (texts, host, repository) => {
    const names = [host.replace(/:(\d+)$/, "_$1_"), host];
    const text = names.map(name => texts.get(`${folder}${name}/hosts.toml`)).find(found => found !== undefined);
    if (text === undefined) return undefined;
    const file = parseToml(text) as { server: string; override_path?: boolean; host: Record<string, object> };
    const [[url = "", settings] = []] = Object.entries(file.host);
    expect({ url, settings }).toEqual({ url: file.server, settings: rest(file) });
    const { host: at, pathname } = new URL(url);
    const path = file.override_path === true ? pathname.replace(/^\/v2\//, "/") : pathname;
    return `${at}${path === "/" ? "" : path}/${repository}`;
  };

function rest({ server: _, host: __, ...settings }: { readonly server: string; readonly host: object }): object {
  return settings;
}

const lookAtK3s: Look = (texts, host, repository) => {
  const mirror = parseYaml(texts.get("registries.yaml") ?? "{}").mirrors?.[host];
  if (mirror === undefined) return undefined;
  const fitting = Object.entries<string>(mirror.rewrite ?? {}).filter(([pattern]) =>
    new RegExp(pattern).test(repository),
  );
  // The order of several is not defined.
  expect(fitting.length).toBeLessThan(2);
  const [[pattern = "", replacement = ""] = []] = fitting;
  const path = fitting.length === 0 ? repository : repository.replace(new RegExp(pattern), replacement);
  return `${new URL(mirror.endpoint[0]).host}/${path}`;
};

const folder = mkdtempSync(join(tmpdir(), "imgpack-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const lookAtRegistriesConf: Look = async (texts, host, repository) => {
  const path = join(folder, "registries.conf");
  await writeFile(path, texts.get("900-imgpack.conf") ?? "");
  const [found] = await pullLocations(
    { registry: host, repository, tag: "1" },
    { env: { CONTAINERS_REGISTRIES_CONF: path } },
  );
  return found === undefined ? undefined : `${found.registry}/${found.repository}`;
};

const lookAtSets: Look = (texts, host, repository) => {
  const [digests, tags] = parseAllDocuments(texts.get("imgpack-mirrors.yaml") ?? "").map(one => one.toJS());
  const source = `${host}/${repository}`;
  const [byDigest, byTag] = [digests.spec.imageDigestMirrors, tags.spec.imageTagMirrors].map(entries =>
    entries.find((entry: { source: string }) => entry.source === source),
  );
  expect(byTag).toEqual(byDigest);
  return byTag.mirrors[0];
};

/** kustomize compares the text of a manifest before its tag. */
const lookAtImages: Look = (texts, host, repository) => {
  const images: { name: string; newName: string }[] = parseYaml(texts.get("kustomization.yaml") ?? "").images;
  const written = [`${host}/${repository}`, familiarName({ registry: host, repository })];
  const found = written.map(name => images.find(image => image.name === name)?.newName);
  expect(new Set(found).size).toBe(1);
  return found[0];
};

/** Docker before 29. */
const lookAtDaemon: Look = (texts, _host, repository) => {
  const [mirror] = JSON.parse(texts.get("daemon.json") ?? "{}")["registry-mirrors"] ?? [];
  return mirror === undefined ? undefined : `${new URL(mirror).host}/${repository}`;
};

interface Runtime {
  readonly name: string;
  readonly filesOf: (plan: MirrorPlan) => RuntimeFiles;
  readonly look: Look;
  /** Whether what is not possible for some versions is not for this one. */
  readonly isOld?: boolean;
}

const RUNTIMES: readonly Runtime[] = [
  { name: "containerd", filesOf: containerdFiles, look: lookAtHosts("") },
  { name: "Docker", filesOf: dockerFiles, look: lookAtHosts("certs.d/") },
  { name: "Docker before 29", filesOf: dockerFiles, look: lookAtDaemon, isOld: true },
  { name: "k3s", filesOf: k3sFiles, look: lookAtK3s },
  { name: "podman", filesOf: podmanFiles, look: lookAtRegistriesConf },
  { name: "OpenShift", filesOf: openshiftFiles, look: lookAtSets },
  { name: "kustomize", filesOf: kustomizeFiles, look: lookAtImages },
];

test.each(RUNTIMES)(
  "$name looks for each image where push puts it, or it is listed",
  async ({ filesOf, look, isOld = false }) => {
    await fc.assert(
      fc.asyncProperty(names, mapping, async (wanted, { prefix, layout, maps }) => {
        const where = { prefix, layout, maps: maps.map(parseNameMap) };
        const plan = planMirrors(wanted.map(parseReference), where, TARGET);
        const { files, notPossible } = filesOf(plan);
        const texts = new Map(files.map(({ path, content }) => [path.join("/"), content(undefined, "")]));
        const isListed = (name: string): boolean =>
          notPossible.some(
            ({ repository, versions }) => fullName(repository) === name && (isOld || versions === undefined),
          );
        for (const { registry, repository, target } of plan.registries.flatMap(one => one.repositories)) {
          if (isListed(`${registry}/${repository}`)) continue;
          const at = mapImageName({ registry, repository }, { ...where, registry: TARGET.registry });
          expect(at.repository).toBe(target);
          // What another image has never takes its place.
          expect(await look(texts, registry, repository)).toBe(`${at.registry}/${at.repository}`);
        }
      }),
      { numRuns: 40 },
    );
  },
);

test("no runtime that is listed as not possible is led to another image", async () => {
  await fc.assert(
    fc.asyncProperty(names, mapping, async (wanted, { prefix, layout, maps }) => {
      const plan = planMirrors(wanted.map(parseReference), { prefix, layout, maps: maps.map(parseNameMap) }, TARGET);
      const all = plan.registries.flatMap(one => one.repositories);
      const { files, notPossible } = containerdFiles(plan);
      const texts = new Map(files.map(({ path, content }) => [path.join("/"), content(undefined, "")]));
      for (const { repository: one } of notPossible) {
        const asked = await lookAtHosts("")(texts, one.registry, one.repository);
        expect(all.filter(({ target }) => `${TARGET.registry}/${target}` === asked)).toEqual([]);
      }
    }),
  );
});
