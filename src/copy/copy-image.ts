import { bytesBlob } from "../content/blob.ts";
import type {
  CopyPlan,
  ImageSource,
  ImageTarget,
  PendingBlob,
  PendingKey,
  Seal,
  SettledRoot,
  TargetSession,
} from "../content/contracts.ts";
import type { OnProgress } from "../content/progress.ts";
import { settle } from "../content/settle.ts";
import { verified } from "../content/verified.ts";
import { InternalError } from "../errors.ts";
import { describeBytes } from "../oci/describe.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { runBounded } from "../util/bounded.ts";
import { atEnd, countedBlob, countedPending } from "./copy-ends.ts";
import type { DigestCache } from "./digest-cache.ts";

export interface CopyOptions {
  readonly plan: CopyPlan;
  readonly source: ImageSource;
  readonly target: ImageTarget;
  /** Names the source in messages. */
  readonly sourceName: string;
  readonly cache: DigestCache;
  /** Blobs under way at once. */
  readonly concurrency: number;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

type Work =
  | { readonly bytes: number; readonly blob: Descriptor }
  | { readonly bytes: number; readonly pending: PendingBlob };

/**
 * Copies a planned graph: layers and configs first, largest first; then manifests, children before parents; names last.
 * The first failure stops the siblings, and all have ended before it is thrown.
 *
 * @returns the roots with their digests, in the plan's order.
 */
export async function copyImages(options: CopyOptions): Promise<readonly SettledRoot[]> {
  const { plan, target, onProgress, signal } = options;
  onProgress({ kind: "planned", blobs: plan.blobs.length + plan.pending.length, bytes: plan.totalBytes });
  await using session = await atEnd("target", async () => await target.begin(plan, signal));
  const seals = new Map<PendingKey, Seal>();
  const work: Work[] = [
    ...plan.blobs.map(blob => ({ bytes: blob.size, blob })),
    ...plan.pending.map(pending => ({ bytes: pending.sourceBytes, pending })),
  ];
  work.sort((left, right) => right.bytes - left.bytes);
  await runBounded(
    work,
    options.concurrency,
    async (item, stop) => {
      if ("blob" in item) await copyBlob(options, session, item.blob, stop);
      else seals.set(item.pending.key, await copyPending(options, session, item.pending, stop));
    },
    signal,
  );
  const roots: SettledRoot[] = [];
  await atEnd("target", async () => {
    for (const { descriptor, bytes } of plan.manifests.values())
      await session.put(descriptor, bytesBlob(bytes), signal);
    for (const root of plan.roots) {
      if (root.kind === "settled") {
        roots.push(root);
        continue;
      }
      const manifest = settle(root.draft, seals);
      const descriptor = describeBytes(manifest.mediaType, manifest.bytes);
      await session.put(descriptor, bytesBlob(manifest.bytes), signal);
      roots.push({ kind: "settled", names: root.names, descriptor });
    }
    await session.commit(roots, signal);
  });
  onProgress({ kind: "committed", roots });
  return roots;
}

async function copyBlob(
  { source, sourceName, onProgress }: CopyOptions,
  session: TargetSession,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<void> {
  const { digest, size } = descriptor;
  const presence = await atEnd("target", async () => await session.has(descriptor, signal));
  if (presence !== "absent") {
    onProgress({ kind: "skipped", blob: digest, bytes: size, reason: presence });
    return;
  }
  const blob = await atEnd("source", async () => await source.blob(descriptor, signal));
  const counted = countedBlob(verified(descriptor, blob, sourceName), delta =>
    onProgress({ kind: "bytes", blob: digest, delta }),
  );
  await atEnd("target", async () => await session.put(descriptor, counted, signal));
  onProgress({ kind: "done", blob: digest, bytes: size });
}

async function copyPending(
  { cache, onProgress }: CopyOptions,
  session: TargetSession,
  pending: PendingBlob,
  signal: AbortSignal,
): Promise<Seal> {
  const { key, mediaType, sourceBytes } = pending;
  const cached = cache.find(key);
  if (cached !== undefined) {
    const descriptor = { mediaType, ...cached };
    const presence = await atEnd("target", async () => await session.has(descriptor, signal));
    if (presence !== "absent") {
      onProgress({ kind: "skipped", blob: key, bytes: sourceBytes, reason: presence, isCached: true });
      return { descriptor };
    }
  }
  const { putPending } = session;
  if (putPending === undefined) {
    throw new InternalError("Cannot copy raw layer to this target: it needs to know the digest before the first byte");
  }
  const onBytes = (delta: number): void => onProgress({ kind: "bytes", blob: key, delta });
  const seal = await atEnd(
    "target",
    async () => await putPending.call(session, countedPending(pending), signal, onBytes),
  );
  await cache.add(key, seal);
  onProgress({ kind: "sealed", blob: key, seal });
  onProgress(
    seal.presence === undefined
      ? { kind: "done", blob: key, bytes: seal.descriptor.size }
      : { kind: "skipped", blob: key, bytes: 0, reason: seal.presence },
  );
  return seal;
}
