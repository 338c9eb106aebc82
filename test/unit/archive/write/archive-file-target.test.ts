import { createHash } from "node:crypto";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, describe as suite, test } from "vitest";
import { openArchive } from "../../../../src/archive/open-archive.ts";
import { archiveFileTarget } from "../../../../src/archive/write/archive-file-target.ts";
import { bytesBlob } from "../../../../src/content/blob.ts";
import type { CopyPlan, ImageSource, Root, TargetSession } from "../../../../src/content/contracts.ts";
import { readBlob } from "../../../../src/content/pump.ts";
import { verified } from "../../../../src/content/verified.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { IntegrityError, InternalError } from "../../../../src/errors.ts";
import type { Descriptor } from "../../../../src/oci/descriptor.ts";
import { OCI_INDEX, OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import { watchOperations } from "../../../../src/util/operation-hook.ts";
import { type Blob, blobOf, configOf, describe, indexOf, layerOf, makeFolder, manifestOf } from "../archive-builder.ts";

const raw = layerOf("content");
const layer = blobOf(gzipSync(raw.bytes));
const arm = { architecture: "arm64" };
const [configAmd, configArm] = [configOf([raw]), configOf([raw], arm)];
const [manifestAmd, manifestArm] = [manifestOf(configAmd, [layer]), manifestOf(configArm, [layer])];
const index = indexOf([
  describe(manifestArm, OCI_MANIFEST, { platform: { os: "linux", ...arm } }),
  describe(manifestAmd, OCI_MANIFEST, { platform: { os: "linux", architecture: "amd64" } }),
]);
const blobs = [raw, layer, configAmd, configArm, manifestAmd, manifestArm, index];
const platform = { os: "linux", architecture: "amd64" };

function rootOf(blob: Blob, mediaType: string, ...names: string[]): Root {
  return { kind: "settled", names, descriptor: { mediaType, digest: blob.digest, size: blob.bytes.length } };
}

const indexRoot = rootOf(index, OCI_INDEX, "registry.lan/multi:2", "registry.lan/multi:1");
const imageRoot = rootOf(manifestArm, OCI_MANIFEST);

const source: ImageSource = {
  roots: async function* () {
    yield* [];
  },
  blob: async ({ digest }) => bytesBlob(blobs.find(blob => blob.digest === digest)?.bytes ?? new Uint8Array()),
  [Symbol.asyncDispose]: async () => undefined,
};

async function write(path: string, roots: readonly Root[], reverse = false): Promise<CopyPlan> {
  const plan = await gather(source, roots);
  await using session = await archiveFileTarget(path, { platform }).begin(plan);
  const all: Descriptor[] = [...plan.blobs, ...[...plan.manifests.values()].map(({ descriptor }) => descriptor)];
  for (const blob of reverse ? all.reverse() : all) await session.put(blob, await source.blob(blob));
  await session.commit([]);
  return plan;
}

test("archiveFileTarget() puts metadata first, then manifests, configs and layers, each sorted by digest, and sums last", async () => {
  const path = join(await makeFolder(), "out.tar");
  await write(path, [indexRoot]);
  await using archive = await openArchive(path);
  const sorted = (...group: readonly Blob[]): readonly string[] => group.map(({ hex }) => `blobs/sha256/${hex}`).sort();
  expect([...archive.archive.entries.keys()]).toEqual([
    "oci-layout",
    "index.json",
    "manifest.json",
    "imgpack.json",
    ...sorted(index, manifestAmd, manifestArm),
    ...sorted(configAmd, configArm),
    ...sorted(layer),
    "imgpack/sums",
  ]);
  expect([...archive.archive.entries.values()].every(({ type }) => type === "file")).toBe(true);
});

test("archiveFileTarget() gives one image both names in both views, the asked platform in manifest.json", async () => {
  const path = join(await makeFolder(), "out.tar");
  await write(path, [indexRoot]);
  await using archive = await openArchive(path);
  const names = ["registry.lan/multi:1", "registry.lan/multi:2"];
  expect(archive.images).toMatchObject([{ kind: "settled", names, descriptor: { digest: index.digest } }]);
  expect(archive.docker?.images).toMatchObject([{ names, config: { digest: configAmd.digest } }]);
  expect(archive.oci?.index.view.manifests.map(({ annotations }) => annotations)).toEqual([
    { "io.containerd.image.name": names[0], "org.opencontainers.image.ref.name": "1" },
    { "io.containerd.image.name": names[1], "org.opencontainers.image.ref.name": "2" },
  ]);
});

test("archiveFileTarget() gives an image without a name no tag", async () => {
  const path = join(await makeFolder(), "out.tar");
  await write(path, [imageRoot]);
  await using archive = await openArchive(path);
  expect(archive.docker?.images).toMatchObject([{ names: [], config: { digest: configArm.digest } }]);
  expect(archive.images).toMatchObject([{ names: [], descriptor: { digest: manifestArm.digest } }]);
});

test("archiveFileTarget() writes the same bytes whatever the order of roots and blobs", async () => {
  const folder = await makeFolder();
  await write(join(folder, "a.tar"), [indexRoot, imageRoot]);
  const swapped = { ...indexRoot, names: [...indexRoot.names].reverse() };
  await write(join(folder, "b.tar"), [imageRoot, swapped], true);
  const [first, second] = await Promise.all(["a.tar", "b.tar"].map(name => readFile(join(folder, name))));
  expect(first).toEqual(second);
  expect(first?.length).toBeGreaterThan(5000);
});

test("archiveFileTarget() keeps every blob's bytes", async () => {
  const path = join(await makeFolder(), "out.tar");
  const plan = await write(path, [indexRoot]);
  const bytes = await readFile(path);
  await using archive = await openArchive(path);
  const written = [...archive.archive.entries.values()].filter(({ name }) => name.startsWith("blobs/"));
  expect(written).toHaveLength(plan.blobs.length + plan.manifests.size);
  for (const { name, bodyOffset, size } of written) {
    const hex = createHash("sha256")
      .update(bytes.subarray(bodyOffset, bodyOffset + size))
      .digest("hex");
    expect(name).toBe(`blobs/sha256/${hex}`);
  }
});

test("archiveFileTarget() leaves the old file alone until it is committed, and no partial file behind", async () => {
  const folder = await makeFolder();
  const path = join(folder, "out.tar");
  await writeFile(path, "old");
  const plan = await gather(source, [imageRoot]);
  {
    await using session = await archiveFileTarget(path, { platform }).begin(plan);
    await session.put({ mediaType: "", digest: layer.digest, size: layer.bytes.length }, bytesBlob(layer.bytes));
    await expect(session.commit([])).rejects.toThrow(InternalError);
    expect(await readdir(folder)).toEqual(["out.tar", "out.tar.partial", "out.tar.partial.journal"]);
  }
  expect(await readdir(folder)).toEqual(["out.tar"]);
  expect(await readFile(path, "utf8")).toBe("old");
  await write(path, [imageRoot]);
  expect((await stat(path)).size % 512).toBe(0);
});

suite("the session of archiveFileTarget()", () => {
  const bytes = Buffer.alloc(1_500_000, "layer of some length ");
  const big = blobOf(bytes);
  const bigConfig = configOf([raw]);
  const bigManifest = manifestOf(bigConfig, [big]);
  const bigSource: ImageSource = {
    ...source,
    blob: async ({ digest }) =>
      bytesBlob([big, bigConfig, bigManifest].find(blob => blob.digest === digest)?.bytes ?? new Uint8Array()),
  };
  const wanted = { mediaType: "", digest: big.digest, size: bytes.length };
  const begin = async (path: string): Promise<TargetSession> => {
    const plan = await gather(bigSource, [rootOf(bigManifest, OCI_MANIFEST)]);
    return await archiveFileTarget(path, { platform, resume: { command: "pull" } }).begin(plan);
  };
  const left = async (): Promise<string> => {
    const path = join(await makeFolder(), "out.tar");
    await using session = await begin(path);
    await session.put(wanted, bytesBlob(bytes));
    return path;
  };
  const changed = async (path: string): Promise<void> => {
    const file = await readFile(`${path}.partial`);
    const at = file.indexOf(bytes.subarray(0, 512)) + 700_000;
    file[at] = (file[at] ?? 0) ^ 1;
    await writeFile(`${path}.partial`, file);
  };

  test("has a blob that an earlier run wrote whole, and hands its bytes out", async () => {
    await using session = await begin(await left());
    expect(await session.has(wanted)).toBe("kept");
    const kept = session.kept?.(wanted);
    expect(kept && bytes.equals(await readBlob(kept, bytes.length))).toBe(true);
  });

  test("has nothing of a blob that was changed in the partial file, and keeps nothing of it", async () => {
    const path = await left();
    await changed(path);
    await using session = await begin(path);
    expect(session.kept?.(wanted)?.size).toBe(bytes.length);
    expect(await session.has(wanted)).toBe("absent");
    expect(session.kept?.(wanted)).toBeUndefined();
  });

  test("keeps nothing of a blob that was forgotten, or whose bytes turned out to be wrong", async () => {
    const path = await left();
    {
      await using session = await begin(path);
      await session.forget?.(wanted);
      expect(session.kept?.(wanted)).toBeUndefined();
    }
    await using session = await begin(path);
    const wrong = verified(wanted, bytesBlob(Buffer.alloc(bytes.length, 1)), "registry.lan");
    await expect(session.put(wanted, wrong)).rejects.toThrow(IntegrityError);
    expect(session.kept?.(wanted)).toBeUndefined();
  });

  test("writes no byte again that is kept", async () => {
    const path = await left();
    await changed(path);
    const before = await readFile(`${path}.partial`);
    {
      await using session = await begin(path);
      await session.put(wanted, bytesBlob(bytes));
    }
    const after = await readFile(`${path}.partial`);
    expect(after.equals(before)).toBe(true);
  });

  test("knows nothing of blobs that the archive does not have", async () => {
    await using session = await begin(join(await makeFolder(), "out.tar"));
    const foreign = { mediaType: "", digest: raw.digest, size: raw.bytes.length };
    expect(await session.has(foreign)).toBe("absent");
    expect(session.kept?.(foreign)).toBeUndefined();
    await session.forget?.(foreign);
  });
});

test("archiveFileTarget() writes a small blob with header and padding at once", async () => {
  const path = join(await makeFolder(), "out.tar");
  const few = [configAmd, layer];
  const writes: number[] = [];
  watchOperations(async (operation, run) => {
    if (operation.kind === "write" && operation.target === `${path}.partial`) writes.push(operation.position ?? -1);
    return await run();
  });
  try {
    await write(path, [rootOf(manifestAmd, OCI_MANIFEST)]);
  } finally {
    watchOperations(undefined);
  }
  await using archive = await openArchive(path);
  for (const { hex } of few) {
    const { bodyOffset = 0 } = archive.archive.entries.get(`blobs/sha256/${hex}`) ?? {};
    expect(writes).toContain(bodyOffset - 512);
  }
  // The marker, what is before the blobs, the sums with their header and the end, and the first block.
  expect(writes).toHaveLength(few.length + 6);
});
