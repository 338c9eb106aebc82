// The tables of events in docs/LIBRARY.md and of the log in docs/OUTPUT.md, compared with what calls report.
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { copy, lock, type ProgressEvent, pull, push, verify } from "../../src/index.ts";
import { runCommand } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

const LIBRARY = read("LIBRARY.md");
const EVENTS = fieldsIn(LIBRARY.split("\n## Events\n")[1]?.split("\n## ")[0] ?? "");
/** A kind that is added to the type fails to compile until it is added here. */
const KINDS: Readonly<Record<ProgressEvent["kind"], true>> = {
  planned: true,
  step: true,
  image: true,
  started: true,
  stopped: true,
  bytes: true,
  skipped: true,
  done: true,
  reading: true,
  retry: true,
  waiting: true,
  resumed: true,
  note: true,
};
/** These come only from registries that fail. */
const OF_FAULTS = ["stopped", "retry", "waiting", "resumed"];

function read(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
}

interface Fields {
  readonly needed: readonly string[];
  readonly optional: readonly string[];
}

/** What the rows of a table say of each kind: `name`, or `name?` for a field that may be absent. */
function fieldsIn(section: string): ReadonlyMap<string, Fields> {
  const rows = section.split("\n").flatMap(line => {
    const [, kind, fields] = /^\| `(\w+)` \| ([^|]+) \|/.exec(line) ?? [];
    return kind === undefined || fields === undefined || kind === "kind" ? [] : [{ kind, fields }];
  });
  return new Map(
    rows.map(({ kind, fields }) => {
      const names = [...fields.matchAll(/`(\w+\??)`/g)].map(([, name = ""]) => name);
      const optional = names.flatMap(name => (name.endsWith("?") ? [name.slice(0, -1)] : []));
      return [kind, { needed: names.filter(name => !name.endsWith("?")), optional }];
    }),
  );
}

function checkFields(event: object, fields: ReadonlyMap<string, Fields>, more: readonly string[] = []): void {
  const { kind, ...others } = event as { readonly kind: string };
  const { needed, optional } = fields.get(kind) ?? { needed: ["no row of this kind"], optional: [] };
  const names = Object.keys(others).filter(name => !more.includes(name));
  expect(names, JSON.stringify(event)).toEqual(expect.arrayContaining([...needed]));
  expect([...needed, ...optional], JSON.stringify(event)).toEqual(expect.arrayContaining(names));
}

async function allEvents(): Promise<readonly ProgressEvent[]> {
  const events: ProgressEvent[] = [];
  const onProgress = (event: ProgressEvent): void => void events.push(event);
  const { host } = await ScriptedRegistry.start();
  const layer = tarArchive([tarEntry({ name: "data", body: seededBytes("progress", 600 * 1024) })]);
  const archive = dockerArchive({ tags: ["app:1"], layers: [Buffer.from(layer)] });
  const path = await fileWith(archive);
  const folder = await temporaryFolder();
  await push([path], { registry: host, onProgress });
  await push([path], { tag: `${host}/app:2`, onProgress });
  await push([await fileWith(gzipSync(archive))], { tag: `${host}/other:1`, onProgress });
  await push(["-"], { stdin: Readable.from([archive], { objectMode: false }), tag: `${host}/third:1`, onProgress });
  await copy(`${host}/app:1`, `${host}/fourth:1`, { onProgress });
  await copy(`${host}/app:1`, `${host}/fourth:1`, { onProgress });
  await lock([`${host}/app:1`], { onProgress });
  await pull([`${host}/app:1`], { output: join(folder, "out.tar"), platform: "all", onProgress });
  await verify(join(folder, "out.tar"), { onProgress });
  await verify(path, { onProgress });
  return events;
}

/** A step that is added to the type fails to compile until it is added here. */
const STEPS: Readonly<Record<Extract<ProgressEvent, { kind: "step" }>["step"], true>> = {
  images: true,
  manifests: true,
  configs: true,
  referrers: true,
  names: true,
  blobs: true,
  commit: true,
};

describe("documentation of events", () => {
  test("has a row for each kind", () => {
    expect([...EVENTS.keys()].sort()).toEqual(Object.keys(KINDS).sort());
  });

  test("names each step", () => {
    const row = LIBRARY.split("\n").find(line => line.startsWith("| `step` |")) ?? "";
    const named = [...(row.split("|")[3] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(named.sort()).toEqual(Object.keys(STEPS).sort());
  });

  test("has the fields of what push, copy, lock, pull and verify report", async () => {
    const events = await allEvents();
    for (const event of events) checkFields(event, EVENTS);
    const seen = new Set<string>(events.map(({ kind }) => kind));
    expect(Object.keys(KINDS).filter(kind => !seen.has(kind) && !OF_FAULTS.includes(kind))).toEqual([]);
  });

  test("has an example of --progress json with these fields", () => {
    const [, example = ""] = /```json\n([\s\S]*?)```/.exec(LIBRARY.split("\n## Events\n")[1] ?? "") ?? [];
    const events = example
      .trimEnd()
      .split("\n")
      .map(line => JSON.parse(line) as object);
    expect(events.length).toBeGreaterThan(5);
    for (const event of events) checkFields(event, EVENTS);
  });

  test("has the fields of the log of push and of a run that fails", async () => {
    const rows = fieldsIn(read("OUTPUT.md").split("\n## The log\n")[1]?.split("\n## ")[0] ?? "");
    expect([...rows.keys()]).toEqual(["start", "end"]);
    const { host } = await ScriptedRegistry.start();
    const path = await fileWith(dockerArchive({ tags: ["app:1"] }));
    const log = join(await temporaryFolder(), "run.log");
    await runCommand("push", path, "--registry", host, "--log", log);
    await runCommand("push", `${path}.absent`, "--registry", host, "--log", log);
    const text = await readFile(log, "utf8");
    for (const line of text.trimEnd().split("\n"))
      checkFields(JSON.parse(line) as object, new Map([...EVENTS, ...rows]), ["time", "run"]);
  });
});
