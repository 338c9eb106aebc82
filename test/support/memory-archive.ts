// The bytes of an archive that imgpack writes, without a file.
import { Writable } from "node:stream";
import type { ArchiveContentsOptions } from "../../src/archive/write/archive-contents.ts";
import { archiveStreamTarget } from "../../src/archive/write/archive-stream-target.ts";
import type { ImageSource, Root } from "../../src/content/contracts.ts";
import { gather } from "../../src/copy/gather.ts";

export async function archiveBytes(
  source: ImageSource,
  roots: readonly Root[],
  options: Partial<ArchiveContentsOptions> = {},
): Promise<Buffer> {
  const parts: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, onDone) {
      parts.push(Buffer.from(chunk));
      onDone();
    },
  });
  const plan = await gather(source, roots);
  const platform = { os: "linux", architecture: "amd64" };
  await using session = await archiveStreamTarget(sink, { platform, ...options }).begin(plan);
  for (const digest of session.order ?? []) {
    const blob = plan.blobs.find(one => one.digest === digest);
    if (blob !== undefined) await session.put(blob, await source.blob(blob));
  }
  await session.commit([]);
  return Buffer.concat(parts);
}
