import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { openArchiveFile } from "../../src/archive/open/open-archive-file.ts";
import { type ScanOptions, StreamedArchive } from "../../src/archive/open/streamed-archive.ts";
import {
  ArchiveError,
  convert,
  doctor,
  importImage,
  type ProgressEvent,
  push,
  StorageError,
  verify,
} from "../../src/index.ts";
import { dockerArchive, fileWith, seededBytes, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";

function image(seed: string): Buffer {
  const layers = [tarArchive([tarEntry({ name: "file", body: seededBytes(seed, 300_000) })])];
  return gzipSync(dockerArchive({ tags: ["app:1"], layers }));
}

describe("F-03 an archive that changes while it is read", () => {
  test.each<[string, (path: string) => Promise<void>]>([
    ["is another one", async path => await writeFile(path, image("another"))],
    ["is cut", async path => await truncate(path, 100_000)],
    ["is empty", async path => await truncate(path, 0)],
    ["is rubbish", async path => await writeFile(path, seededBytes("rubbish", 301_000))],
  ])("F-03 an archive that %s when it is read for the second time tags nothing", async (_what, change) => {
    const path = await fileWith(image("one"));
    const registry = await ScriptedRegistry.start();
    let changing: Promise<void> | undefined;
    registry.addFault({
      on: /./,
      change: () => ({}),
      onRequest: () => {
        // The first request comes when the first reading is over.
        changing ??= change(path);
      },
    });
    const before = registry.content.answer.bind(registry.content);
    registry.content.answer = (...request) => before(...request);
    await expect(push([path], { registry: registry.host })).rejects.toMatchObject({
      exitCode: expect.toSatisfy((code: number) => [3, 6, 9].includes(code)) as number,
    });
    await changing;
    expect(registry.content.manifests.size).toBe(0);
  });
});

const LAYER = tarArchive([tarEntry({ name: "file", body: seededBytes("layer", 300_000) })]);
const PLAIN = dockerArchive({ tags: ["app:1"], layers: [LAYER] });
/** Before every other time of these tests: file systems count in ticks of some milliseconds. */
const LONG_AGO = new Date("2020-01-01T00:00:00Z");

async function oldFile(bytes: Uint8Array, name = "image.tar"): Promise<string> {
  const path = await fileWith(bytes, name);
  utimesSync(path, LONG_AGO, LONG_AGO);
  return path;
}

/** Writes over the middle of a file, which keeps its size. */
function overwrite(path: string, bytes: Uint8Array): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, Math.floor(statSync(path).size / 2));
  closeSync(file);
}

type Change = (path: string) => void;
const WRITTEN: readonly (readonly [string, Change])[] = [
  ["grows", path => appendFileSync(path, new Uint8Array(512))],
  ["shrinks", path => truncateSync(path, 100_000)],
  ["is empty all at once", path => truncateSync(path, 0)],
  ["is written over in place", path => overwrite(path, seededBytes("other", 50_000))],
  ["is written anew with the same bytes", path => writeFileSync(path, readFileSync(path))],
  ["is touched", path => utimesSync(path, new Date(), new Date())],
];
const REPLACED: readonly (readonly [string, Change])[] = [
  [
    "gets another file under its name",
    path => {
      writeFileSync(`${path}.new`, seededBytes("new", 1000));
      renameSync(`${path}.new`, path);
    },
  ],
  ["loses its name", path => rmSync(path)],
  ["is renamed", path => renameSync(path, `${path}.old`)],
];

const CHANGED = {
  exitCode: 9,
  origin: "source",
  message: expect.stringMatching(
    /^Cannot read archive ".*": file changed while it was read \(.*\), expected it to stay as it was$/,
  ),
  hint: "Wait until the program that writes it has finished, then run the same command again.",
};

/** Changes `path` when the registry is asked for the first time, and tells what came of the push. */
async function pushChanging(path: string, change: () => void, on = /./) {
  const registry = await ScriptedRegistry.start({ faults: [{ on, change: () => ({}), onRequest: change }] });
  const outcome = await push([path], { registry: registry.host, concurrency: 1 }).catch((error: unknown) => error);
  return {
    outcome,
    tags: [...registry.content.manifests.keys()].filter(name => !name.startsWith("sha256:")),
    registry,
  };
}

/** An `onProgress` that changes something when the first bytes were read. */
function whenReading(change: () => void): { onProgress(event: ProgressEvent): void } {
  let isChanged = false;
  return {
    onProgress({ kind }) {
      if (isChanged || (kind !== "planned" && kind !== "bytes")) return;
      isChanged = true;
      change();
    },
  };
}

describe.each([
  ["a plain archive", PLAIN],
  ["a compressed archive", gzipSync(PLAIN, { level: 0 })],
])("F-03 %s that changes while it is pushed", (_what, bytes) => {
  test.each(WRITTEN)("F-03 push of an archive that %s puts no manifest, and says so", async (_how, change) => {
    const path = await oldFile(bytes);
    const { outcome, registry } = await pushChanging(path, () => change(path));
    expect(outcome).toBeInstanceOf(StorageError);
    expect(outcome).toMatchObject(CHANGED);
    expect(registry.content.manifests.size).toBe(0);
    expect(registry.seen(/^PUT .*\/manifests\//)).toEqual([]);
  });

  test.each(REPLACED)("F-03 push of an archive that %s sends what was opened", async (_how, change) => {
    const path = await oldFile(bytes);
    const { outcome, tags } = await pushChanging(path, () => change(path));
    expect(outcome).toMatchObject({ images: [{ reference: expect.stringMatching(/app:1$/) as string }] });
    expect(tags).toEqual(["app:1"]);
  });
});

describe("F-03 a folder that changes while it is pushed", () => {
  async function folder(): Promise<{ readonly path: string; readonly layer: string }> {
    const path = join(await temporaryFolder(), "layout");
    await convert(await oldFile(PLAIN), { output: `${path}/`, layers: "gzip" });
    const blobs = join(path, "blobs", "sha256");
    const [layer = ""] = readdirSync(blobs)
      .map(name => join(blobs, name))
      .sort((left, right) => statSync(right).size - statSync(left).size);
    for (const name of readdirSync(blobs)) utimesSync(join(blobs, name), LONG_AGO, LONG_AGO);
    return { path, layer };
  }
  const asked = /^POST .*\/blobs\/uploads\//;
  const sent = /^PUT .*\/manifests\//;

  test.each(WRITTEN)("F-03 push of a folder whose layer %s puts no manifest", async (_how, change) => {
    const { path, layer } = await folder();
    // When the config is sent, the larger layer has been read.
    let uploads = 0;
    const registry = await ScriptedRegistry.start({
      faults: [
        {
          on: asked,
          times: 2,
          change: () => ({}),
          onRequest: () => {
            uploads += 1;
            if (uploads === 2) change(layer);
          },
        },
      ],
    });
    const outcome = await push([path], { registry: registry.host, concurrency: 1 }).catch((error: unknown) => error);
    expect(outcome).toMatchObject({ ...CHANGED, message: expect.stringContaining(`"${layer}": file changed while`) });
    expect(uploads).toBe(2);
    expect(registry.seen(sent)).toEqual([]);
  });

  test("F-03 push of a folder whose layer grew before it was read sends nothing of it", async () => {
    const { path, layer } = await folder();
    const { outcome, registry } = await pushChanging(path, () => appendFileSync(layer, "more"));
    expect(outcome).toMatchObject({ exitCode: 9, message: expect.stringContaining("file changed while it was read") });
    expect(registry.content.manifests.size).toBe(0);
  });

  test("F-03 push of a folder to which another image is added goes on", async () => {
    const { path } = await folder();
    const { outcome, tags } = await pushChanging(path, () => {
      writeFileSync(join(path, "index.json.new"), '{"schemaVersion":2,"manifests":[]}');
      renameSync(join(path, "index.json.new"), join(path, "index.json"));
      writeFileSync(join(path, "blobs", "sha256", "f".repeat(64)), "another");
    });
    expect(outcome).toMatchObject({ images: [{}] });
    expect(tags).toEqual(["app:1"]);
  });
});

describe.each(WRITTEN)("F-03 an archive that %s while it is read", (_how, change) => {
  test("F-03 convert leaves nothing under the output's name", async () => {
    const path = await oldFile(PLAIN);
    const output = join(dirname(path), "out.tar");
    await expect(convert(path, { output, ...whenReading(() => change(path)) })).rejects.toMatchObject(CHANGED);
    expect(readdirSync(dirname(path))).not.toContain("out.tar");
  });

  test("F-03 verify calls it neither right nor wrong", async () => {
    const path = await oldFile(PLAIN);
    await expect(
      verify(
        path,
        whenReading(() => change(path)),
      ),
    ).rejects.toMatchObject(CHANGED);
  });

  test("F-03 doctor has no diagnosis", async () => {
    const path = await oldFile(PLAIN);
    await expect(
      doctor(
        path,
        whenReading(() => change(path)),
      ),
    ).rejects.toMatchObject(CHANGED);
  });

  test.each([
    ["plain", LAYER],
    ["compressed", gzipSync(LAYER, { level: 0 })],
  ])("F-03 import of a %s file makes no image", async (_form, bytes) => {
    const path = await oldFile(bytes, "rootfs.tar");
    const output = join(dirname(path), "out.tar");
    const making = importImage(path, { output, tag: ["app:1"], ...whenReading(() => change(path)) });
    await expect(making).rejects.toMatchObject({
      exitCode: 9,
      message: expect.stringMatching(/^Cannot read file ".*": file changed while it was read/) as string,
    });
    expect(readdirSync(dirname(path))).toEqual(["rootfs.tar"]);
  });
});

test("F-03 an archive that is still being written when it is opened is told apart from a damaged one", async () => {
  const whole = gzipSync(PLAIN, { level: 0 });
  const path = await oldFile(whole.subarray(0, 200_000));
  const scan = async (scan: ScanOptions): Promise<StreamedArchive> => {
    appendFileSync(path, whole.subarray(200_000));
    return await StreamedArchive.scan(scan);
  };
  const error = await openArchiveFile(path, { scan }).catch((fault: unknown) => fault);
  expect(error).toMatchObject({ ...CHANGED, cause: expect.any(ArchiveError) as ArchiveError });
});
