// What a pull leaves that ended in the middle, made without a kill.

import type { ResumeOptions } from "../../src/archive/partial/opened-partial.ts";
import { archiveFileTarget } from "../../src/archive/write/archive-file-target.ts";
import { bytesBlob } from "../../src/content/blob.ts";
import type { CopyPlan, ImageSource, TargetSession } from "../../src/content/contracts.ts";
import { gather } from "../../src/copy/gather.ts";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { partsBlob } from "../support/memory-blobs.ts";
import { PLATFORM, type TestImage } from "./pulling.ts";

export const COMMAND = "pull app:1";

export interface Begun {
  readonly session: TargetSession;
  /** Largest first. */
  readonly blobs: readonly Descriptor[];
  bytesOf(descriptor: Descriptor): Uint8Array;
}

export async function begin(image: TestImage, path: string, resume: ResumeOptions = {}): Promise<Begun> {
  const bytesOf = ({ digest }: Descriptor): Uint8Array => image.blobs.get(digest) ?? new Uint8Array();
  const plan = await planOf(image);
  const target = archiveFileTarget(path, { platform: PLATFORM, resume: { command: COMMAND, ...resume } });
  const blobs = plan.blobs.toSorted((one, two) => two.size - one.size);
  return { session: await target.begin(plan), blobs, bytesOf };
}

async function planOf(image: TestImage): Promise<CopyPlan> {
  const source: ImageSource = {
    async *roots() {
      yield image.root;
    },
    blob: async ({ digest }) => bytesBlob(image.blobs.get(digest) ?? new Uint8Array()),
    async [Symbol.asyncDispose]() {},
  };
  return await gather(source, [image.root]);
}

/** Leaves the first `bytes` of the largest blob, or all blobs but the smallest one. */
export async function leave(
  image: TestImage,
  path: string,
  { bytes, ...resume }: ResumeOptions & { readonly bytes?: number } = {},
): Promise<void> {
  const { session, blobs, bytesOf } = await begin(image, path, resume);
  const broken = new Error("cable pulled");
  try {
    for (const blob of bytes === undefined ? blobs.slice(0, -1) : blobs.slice(0, 1)) {
      const whole = bytesOf(blob);
      const options = bytes === undefined ? {} : { breaksWith: broken };
      await session.put(blob, partsBlob(whole.subarray(0, bytes), 64 * 1024, options)).catch(error => {
        if (error !== broken) throw error;
      });
    }
  } finally {
    await session[Symbol.asyncDispose]();
  }
}
