// `imgpack inspect NEW --base HOST/P`: a registry is a base, under the names that push gives.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type CompareOptions, type Comparison, compareWithBase, lock, pull, push } from "../../src/index.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import { lockOf, storeIndex } from "./lock-support.ts";

ownEnvironment();
const PLATFORM = "linux/amd64";
const SINGLE = { architectures: ["amd64"] };

interface Site {
  /** Registry of the images; it is closed. */
  readonly host: string;
  readonly old: string;
  readonly next: string;
  readonly inside: ScriptedRegistry;
  /** Base. */
  readonly mirror: string;
}

/** team/a and team/b are in a mirror, by their full names; then team/b moves, and team/c comes. */
async function site(): Promise<Site> {
  const { host, content, ...registry } = await startRegistry();
  const inside = await ScriptedRegistry.start();
  const folder = await temporaryFolder();
  const [old, next] = [join(folder, "old.tar"), join(folder, "next.lock")];
  storeIndex(content, "team/a:1", SINGLE);
  storeIndex(content, "team/b:1", SINGLE);
  await pull([`${host}/team/a:1`, `${host}/team/b:1`], { output: old, platform: PLATFORM });
  const mirror = `${inside.host}/mirror`;
  await push([old], { to: mirror, layout: "full" });
  storeIndex(content, "team/b:1", { ...SINGLE, seed: "moved" });
  storeIndex(content, "team/c:1", SINGLE);
  const references = ["a", "b", "c"].map(name => `${host}/team/${name}:1`);
  await writeFile(next, (await lock(references, { platform: PLATFORM })).text);
  await registry.close();
  inside.requests.length = 0;
  return { host, old, next, inside, mirror };
}

async function startRegistry(): Promise<Pick<ScriptedRegistry, "host" | "content" | "close">> {
  const registry = await ScriptedRegistry.start();
  const { host, content } = registry;
  return { host, content, close: async () => await registry.close() };
}

const statesOf = ({ images }: Comparison): readonly string[] => images.map(({ state }) => state);

test("a registry has what was pushed to it, and is asked by HEAD for what the bundle names alone", async () => {
  const { host, old, next, inside, mirror } = await site();
  const options: CompareOptions = { base: mirror, layout: "full" };
  const found = await compareWithBase(next, options);
  const archived = await compareWithBase(next, { base: old });
  expect(statesOf(found)).toEqual(["unchanged", "changed", "new"]);
  expect(found.images).toEqual(archived.images);
  expect(found.bytes).toEqual({ ...archived.bytes, gone: 0 });
  expect(found.base).toEqual([{ source: mirror, kind: "registry", images: 2, blobs: 5, hasRawLayers: false }]);

  const below = `/v2/mirror/${host.replace(":", "_")}/team/`;
  expect(inside.requests.filter(({ path }) => path !== "/v2/" && !path.startsWith(below))).toEqual([]);
  // GET alone says that there is no such manifest.
  expect(new Set(inside.seen(/^(?!HEAD)/).map(({ method, path }) => `${method} ${path.split("/").at(-2)}`))).toEqual(
    new Set(["GET manifests"]),
  );
  const requests = inside.requests.map(({ method, path }) => `${method} ${path}`);
  expect(requests.length).toBe(new Set(requests).size);
});

test("without the layout of the push the registry has none of the images", async () => {
  const { next, mirror } = await site();
  const run = await runCommand("inspect", next, "--base", mirror);
  expect(run.stdout).toContain("\n3 new, 0 changed, 0 unchanged, 0 gone\n");
  expect(run.stderr).toContain("A registry is asked only for what the bundle names");
});

test("--map, several bases, and a blob that the registry has lost", async () => {
  const { host, old, next, inside, mirror } = await site();
  const map = `${host}=mirror/${host.replace(":", "_")}`;
  const union = await compareWithBase(next, { base: [inside.host, next], map });
  expect(union.bytes.new).toBe(0);
  expect(new Set(statesOf(union))).toEqual(new Set(["unchanged"]));

  const layer = (await lockOf(old)).blobs.find(
    ({ kind, repositories }) => kind === "layer" && repositories.length === 1,
  );
  if (layer === undefined) throw new Error("no layer");
  inside.addFault({
    on: new RegExp(`/blobs/${layer.digest}`),
    times: Number.POSITIVE_INFINITY,
    reply: { status: 404 },
  });
  const found = await compareWithBase(old, { base: mirror, layout: "full" });
  expect(found.bytes).toMatchObject({ new: layer.size, gone: 0 });
  expect(found.images.map(({ state, bytes }) => [state, bytes]).sort()).toEqual([
    ["unchanged", 0],
    ["unchanged", layer.size],
  ]);
});

test("a registry that refuses or does not answer is an error, not an empty base", async () => {
  const { next, inside, mirror } = await site();
  const refused: Fault = { on: /manifests/, times: Number.POSITIVE_INFINITY, reply: { status: 403 } };
  inside.addFault(refused);
  const words = ["inspect", next, "--base", mirror, "--layout", "full"];
  const run = await runCommand(...words);
  expect(run).toMatchObject({ exitCode: 4, stdout: "" });
  expect(said(run)[0]).toContain("Cannot read manifest");
  await inside.close();
  expect(await runCommand(...words)).toMatchObject({ exitCode: 7, stdout: "" });
});
