import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { inspect, push, type RunningRegistry, serve } from "../../src/index.ts";
import { type ShapeArchive, shapeArchives } from "../support/shape-archives.ts";
import { converts, inspects, verifies } from "./matrix/archive-verbs.ts";
import { dialects } from "./matrix/dialects.ts";
import { contentOf, loads } from "./matrix/loads.ts";
import {
  type Pulled,
  type PushedRoot,
  pulls,
  pushes,
  pushesFromStdin,
  type Registry,
} from "./matrix/registry-verbs.ts";
import { type Peers, preparePeers, type Runtime } from "./matrix/runtimes.ts";
import { fixtureSubject, type Subject, shapeSubject } from "./matrix/subject.ts";
import { type Column, formatsTable, otherVersions, tableInDocument, writeTable } from "./matrix/table.ts";
import { describeWith } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { goldens } from "./peers/goldens.ts";
import { createTempFolder, type TempFolder } from "./peers/temp-folder.ts";

/** Part of a name: for one archive alone. */
const only = process.env["IMGPACK_MATRIX_ONLY"];
const isUpdate = process.env["IMGPACK_UPDATE_FORMATS"] === "1";

const peers: Peers = await preparePeers();
for (const { name, missing } of peers) if (missing !== undefined) console.warn(`SKIPPED matrix, ${name}: ${missing}`);
const results = new Map<string, Map<Column, string>>();
/** What the table says, by runtime and content of the archive. */
const loaded = new Map<string, string>();

describeWith(["docker-registry"], "every archive there is", () => {
  let temp: TempFolder;
  let registry: DockerRegistry;
  let served: RunningRegistry;
  const runtimes = new Map<string, Runtime>();
  beforeAll(async () => {
    temp = await createTempFolder();
    vi.stubEnv("DOCKER_CONFIG", join(temp.path, "docker"));
    registry = await startDockerRegistry();
    served = await serve({ store: join(temp.path, "store") });
    for (const { name, missing, start } of peers) if (missing === undefined) runtimes.set(name, await start());
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await Promise.all([registry, served, ...runtimes.values()].map(peer => peer?.close()));
    await temp?.remove();
  });

  test("the table of dialects names every fixture and every generated archive once", () => {
    const named = dialects.flatMap(({ fixtures = [], shapes = [] }) => [...fixtures, ...shapes]);
    const there = [...Object.keys(goldens), ...shapeArchives().map(({ name }) => name)];
    expect([...named].sort()).toEqual(there.sort());
  });

  /** Tests of one archive, each after the one that it needs. */
  function takeThrough(name: string, key: string, subjectOf: () => Subject, registryOf: () => Registry): void {
    const isFolder = name.startsWith("dirs/");
    const cells = new Map<Column, string>();
    results.set(name, cells);
    let roots: readonly PushedRoot[] = [];
    let pulled: Pulled | undefined;

    test("imgpack inspect and verify say of it what its producer says", async () => {
      await inspects(subjectOf());
      await verifies(subjectOf());
      cells.set("read", "yes");
    });

    test("imgpack push brings all of it to the registry", async () => {
      roots = await pushes(subjectOf(), registryOf(), `m${key}`);
      cells.set("push", "yes");
    });

    if (isFolder) cells.set("stdin", "–");
    else
      test("imgpack push - gives the same digests", async () => {
        expect(roots).not.toEqual([]);
        cells.set("stdin", await pushesFromStdin(subjectOf(), registryOf(), `s${key}`, roots));
      });

    test("imgpack pull brings it back", async () => {
      expect(roots).not.toEqual([]);
      pulled = await pulls(subjectOf(), registryOf(), roots, join(temp.path, "pulled.tar"));
      cells.set("pull", "yes");
    });

    for (const { name: runtime, missing } of peers) {
      test.skipIf(missing !== undefined)(`${runtime} loads what imgpack pull wrote`, async () => {
        const started = runtimes.get(runtime);
        if (started === undefined || pulled === undefined) throw new Error("nothing was pulled");
        const key = `${runtime} ${contentOf(subjectOf(), pulled)}`;
        const cell =
          loaded.get(key) ?? (await loads(started, subjectOf(), registryOf(), pulled, join(temp.path, "again.tar")));
        loaded.set(key, cell);
        cells.set(runtime, cell);
      });
    }

    for (const format of ["docker", "oci"] as const) {
      test(`imgpack convert keeps it in the ${format} form`, async () => {
        cells.set("convert", await converts(subjectOf(), join(temp.path, "converted.tar"), format));
      });
    }
  }

  for (const [position, [file, golden]] of Object.entries(goldens).entries()) {
    if (only !== undefined && !file.includes(only)) continue;
    describe(`${file} (${golden.producer})`, () => {
      const subject = fixtureSubject(file, golden);
      takeThrough(
        file,
        `${position}`,
        () => subject,
        () => registry,
      );
    });
  }

  function setAll(name: string, read: string, rest: string): void {
    const columns = ["push", "stdin", "docker", "podman", "containerd"] as const;
    results.set(name, new Map([["read", read], ...columns.map(column => [column, rest] as const)]));
  }

  function refuses({ name, expected }: ShapeArchive, subjectOf: () => Subject): void {
    test("imgpack inspect and push refuse it, and say why", async () => {
      const { path } = subjectOf();
      const reason = "refused" in expected ? expected.refused : /^$/;
      await expect(inspect(path)).rejects.toThrow(reason);
      const tags = [`${registry.host}/refused/never:1`];
      await expect(push([path], { tag: tags })).rejects.toThrow(reason);
      expect((await fetch(`${registry.url}/v2/refused/never/tags/list`)).status).toBe(404);
      setAll(name, "refused", "–");
    });
  }

  /** RegistryPool name what is pushed under a tag by sha256, and 128 digits do not fit a tar's 100 characters. */
  function onlyReads(name: string, subjectOf: () => Subject): void {
    test("imgpack inspect and verify read it; push and convert refuse", async () => {
      const subject = subjectOf();
      await inspects(subject);
      await verifies(subject);
      const tags = [`${registry.host}/long:1`];
      await expect(push([subject.path], { tag: tags })).rejects.toThrow(/expected sha512:[0-9a-f]{128}/);
      await expect(converts(subject, join(temp.path, "converted.tar"), "oci")).rejects.toThrow("expected at most 100");
      setAll(name, "yes", "refused");
    });
  }

  for (const [position, shape] of shapeArchives().entries()) {
    if (only !== undefined && !shape.name.includes(only)) continue;
    describe(`${shape.name} (generated)`, () => {
      const subjectOf = (): Subject => {
        const path = join(temp.path, `shape${position}.tar`);
        writeFileSync(path, shape.bytes);
        return shapeSubject(shape, path);
      };
      if ("refused" in shape.expected) refuses(shape, subjectOf);
      else if (shape.name === "blobs named by sha512") onlyReads(shape.name, subjectOf);
      else takeThrough(shape.name, `g${position}`, subjectOf, () => ({ ...served, host: new URL(served.url).host }));
    });
  }

  test("docs/FORMATS.md has the table that these results give", context => {
    const versions = Object.fromEntries([...runtimes].map(([name, { version }]) => [name, version]));
    const { docker, podman, containerd } = versions;
    const unlike = peers.filter(({ missing, isSubstitute }) => missing !== undefined || isSubstitute);
    const skip = (reason: string): void => {
      console.warn(`SKIPPED the table of docs/FORMATS.md: ${reason}`);
      context.skip(reason);
    };
    if (only !== undefined) return skip(`only ${only} was taken`);
    if (docker === undefined || podman === undefined || containerd === undefined || unlike.length > 0)
      return skip(`without Debian's ${unlike.map(({ name }) => name).join(", ")}`);
    const table = formatsTable(results, { docker, podman, containerd });
    if (isUpdate) writeTable(table);
    const other = otherVersions(table);
    if (other !== undefined) return skip(other);
    expect(table.split("\n")).toEqual(tableInDocument().split("\n"));
  });
});
