// A pull from memory into an archive, whole in this process.
import { constants } from "node:fs";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiveFileTarget } from "../../src/archive/write/archive-file-target.ts";
import { bytesBlob } from "../../src/content/blob.ts";
import type { ImageSource, ImageTarget, Root } from "../../src/content/contracts.ts";
import { copyImages } from "../../src/copy/copy-image.ts";
import { openDigestCache } from "../../src/copy/digest-cache.ts";
import { gather } from "../../src/copy/gather.ts";
import { type Descriptor, describeBytes } from "../../src/oci/descriptor.ts";
import type { Digest } from "../../src/oci/digest.ts";
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../src/oci/media-types.ts";
import { fixedPace } from "../../src/util/pace/pace.ts";
import { seededBytes } from "../support/images.ts";

export const PLATFORM = { os: "linux", architecture: "amd64" } as const;

export interface TestImage {
  readonly root: Root;
  /** Manifest, config and layers. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  /** Of config and layers: what a pull fetches. */
  readonly bytes: number;
  /** How a journal names them. */
  readonly prefixes: ReadonlyMap<string, Uint8Array>;
}

/** @param layers a seed and a size each; the same give the same layer. */
export function testImage(layers: readonly (readonly [seed: string, bytes: number])[]): TestImage {
  const blobs = new Map<Digest, Uint8Array>();
  const add = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const descriptor = describeBytes(mediaType, bytes);
    blobs.set(descriptor.digest, bytes);
    return descriptor;
  };
  const contents = layers.map(([seed, size]) => seededBytes(seed, size));
  const described = contents.map(bytes => add(OCI_LAYER_GZIP, bytes));
  const json = (document: object): Uint8Array => Buffer.from(JSON.stringify(document));
  const diffIds = described.map(({ digest }) => digest);
  const config = add(OCI_CONFIG, json({ ...PLATFORM, rootfs: { type: "layers", diff_ids: diffIds } }));
  const fetched = [...blobs];
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: described };
  const descriptor = add(OCI_MANIFEST, json(document));
  return {
    root: { kind: "settled", names: ["registry.lan/app:1"], descriptor },
    blobs,
    bytes: fetched.reduce((sum, [, bytes]) => sum + bytes.length, 0),
    prefixes: new Map(fetched.map(([digest, bytes]) => [digest.slice("sha256:".length).slice(0, 32), bytes])),
  };
}

export interface PullChoices {
  /** null for a run that nobody means to go on with. */
  readonly command?: string | null | undefined;
  readonly restart?: boolean;
  readonly checkpointBytes?: number;
  /** Default 0: the clock counts for nothing. */
  readonly checkpointMs?: number;
  readonly writebackBytes?: number;
  readonly concurrency?: number;
  readonly notes?: string[];
  readonly signal?: AbortSignal;
  /** Instead of an archive. */
  readonly target?: ImageTarget;
}

/** @returns bytes of configs and layers that were asked for. */
export async function pullImage(image: TestImage, path: string, choices: PullChoices = {}): Promise<number> {
  const {
    command = "pull app:1",
    restart,
    checkpointBytes = 16 * 1024,
    checkpointMs = 0,
    writebackBytes,
    concurrency = 3,
    notes = [],
  } = choices;
  let fetched = 0;
  const source: ImageSource = {
    async *roots() {
      yield image.root;
    },
    async blob({ digest }) {
      const bytes = image.blobs.get(digest);
      if (bytes === undefined) throw new Error(`no blob ${digest} in the image`);
      const blob = bytesBlob(bytes);
      const isCounted = digest !== (image.root.kind === "settled" ? image.root.descriptor.digest : "");
      return {
        size: bytes.length,
        async open(range, signal) {
          const { start, end } = range ?? { start: 0, end: bytes.length };
          if (isCounted) fetched += end - start;
          return await blob.open(range, signal);
        },
      };
    },
    async [Symbol.asyncDispose]() {},
  };
  const onNote = (text: string): void => void notes.push(text);
  const resume = { command: command ?? undefined, restart, checkpointBytes, checkpointMs, writebackBytes, onNote };
  await copyImages({
    plan: await gather(source, [image.root]),
    source,
    target: choices.target ?? archiveFileTarget(path, { platform: PLATFORM, resume }),
    sourceName: "registry.lan",
    cache: await openDigestCache(undefined),
    pace: fixedPace(concurrency),
    onProgress: () => undefined,
    signal: choices.signal,
  });
  return fetched;
}

/** What an undisturbed run writes. */
export async function referenceOf(image: TestImage): Promise<Buffer> {
  const folder = await scratchFolder();
  try {
    await pullImage(image, join(folder, "out.tar"));
    return await readFile(join(folder, "out.tar"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** In memory where the system has such a place: nothing here asks for a real disk. */
export async function scratchFolder(): Promise<string> {
  const place = await access("/dev/shm", constants.W_OK).then(
    () => "/dev/shm",
    () => tmpdir(),
  );
  return await mkdtemp(join(place, "imgpack-crash-"));
}
