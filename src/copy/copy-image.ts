import { bytesBlob } from "../content/blob.ts";
import type {
  BlobSource,
  CopyPlan,
  ImageSource,
  ImageTarget,
  PendingBlob,
  PendingKey,
  Presence,
  Seal,
  SettledRoot,
  StreamedBlobs,
  TargetSession,
} from "../content/contracts.ts";
import { draftManifest } from "../content/draft-manifest.ts";
import { type OnProgress, underWay } from "../content/progress.ts";
import { spliced } from "../content/pump.ts";
import { verified } from "../content/verified.ts";
import { IntegrityError, InternalError } from "../errors.ts";
import { type Descriptor, describeBytes } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Pace } from "../util/pace/pace.ts";
import { runPaced } from "../util/pace/run-paced.ts";
import { labelOf } from "./blob-label.ts";
import type { BlobClaims } from "./claims/blob-claims.ts";
import { PlannedBlobs } from "./claims/planned-blobs.ts";
import { runClaimed } from "./claims/run-claimed.ts";
import type { Place } from "./claims/run-images.ts";
import { atEnd, countedBlob, countedPending } from "./copy-ends.ts";
import { keyOf, orderWork, originOf, type Work } from "./copy-work.ts";
import type { DigestCache } from "./digest-cache.ts";
import { paced } from "./events/paced.ts";
import { uncounted } from "./events/uncounted.ts";
import { planNotes } from "./plan-notes.ts";

export interface CopyOptions {
  readonly plan: CopyPlan;
  readonly source: ImageSource;
  readonly target: ImageTarget;
  /** Names the source in messages. */
  readonly sourceName: string;
  readonly cache: DigestCache;
  /** The limit of all transfers of the call. */
  readonly pace: Pace;
  /** Never more blobs at once than this. Default: no other limit. */
  readonly atMost?: number | undefined;
  /** Of the target's repository, if several copies go to its registry. */
  readonly claims?: BlobClaims | undefined;
  /** That the copy has among those of its call. */
  readonly place?: Place | undefined;
  readonly onProgress: OnProgress;
  /** Blobs that an earlier step of the call has counted: no event is about them. */
  readonly counted?: ReadonlySet<Digest> | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Copying extends CopyOptions {
  readonly session: TargetSession;
  readonly seals: Map<PendingKey, Seal>;
}

/**
 * Copies a planned graph: layers and configs first, largest first; then manifests, children before parents; names last.
 * The first failure stops the others, and is thrown after all have ended.
 *
 * @returns the roots with their digests, in the plan's order.
 */
export async function copyImages(given: CopyOptions): Promise<readonly SettledRoot[]> {
  const planned = given.claims?.planned ?? new PlannedBlobs();
  const listener = given.claims === undefined ? given.onProgress : planned.counting(given.onProgress);
  const options = { ...given, onProgress: paced(given.pace, uncounted(listener, given.counted)) };
  const { plan, target, onProgress, signal, source, counted, claims } = options;
  for (const message of planNotes(plan, options.sourceName)) onProgress({ kind: "note", message });
  const left = plan.blobs.filter(({ digest }) => !counted?.has(digest));
  onProgress(planned.plan({ blobs: left, pending: plan.pending }));
  await using session = await atEnd("target", async () => await target.begin(plan, signal));
  const copying: Copying = { ...options, session, seals: new Map() };
  const work = orderWork(plan, session);
  const copyOne = async (item: Work, stop: AbortSignal): Promise<void> => {
    const attempt = async <T>(step: string, task: () => Promise<T>): Promise<T> =>
      claims === undefined ? await task() : await claims.attempt(step, keyOf(item), task, stop);
    if (await attempt("find", async () => await isPresent(copying, item, stop))) return;
    await attempt("send", async () => await copyWork(copying, item, undefined, stop));
  };
  const kept = [...plan.manifests.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  const aside = async (wait: () => Promise<void>): Promise<void> =>
    given.place === undefined ? await wait() : await given.place.aside(kept, wait, signal);
  if (source.streamed === undefined) await runClaimed(work, { ...options, aside, keyOf }, copyOne);
  else await copyStreamed(copying, source.streamed, work);
  await atEnd("source", async () => await source.confirm?.(signal));
  const roots: SettledRoot[] = [];
  await atEnd("target", async () => {
    for (const { descriptor, bytes } of plan.manifests.values())
      await session.put(descriptor, bytesBlob(bytes), signal);
    for (const root of plan.roots) {
      if (root.kind === "settled") {
        roots.push(root);
        continue;
      }
      const manifest = draftManifest(root.draft, copying.seals);
      const descriptor = describeBytes(manifest.mediaType, manifest.bytes);
      await session.put(descriptor, bytesBlob(manifest.bytes), signal);
      roots.push({ kind: "settled", names: root.names, badNames: root.badNames, descriptor });
    }
    await session.commit(roots, signal);
  });
  return roots;
}

/** Asks the target for all blobs first, then copies missing ones in the order of the archive. */
async function copyStreamed(copying: Copying, streamed: StreamedBlobs, work: readonly Work[]): Promise<void> {
  const { session, signal } = copying;
  if (session.order !== undefined)
    throw new InternalError("Cannot copy a streamed archive to a stream: both decide the order of blobs");
  const wanted = new Map<Digest, Work[]>();
  const held: Work[] = [];
  await runPaced(work, copying, async (item, stop) => {
    if (await isPresent(copying, item, stop)) return;
    const origin = originOf(item);
    if (streamed.holds(origin.digest)) held.push(item);
    else wanted.set(origin.digest, [...(wanted.get(origin.digest) ?? []), item]);
  });
  await runPaced(held, copying, async (item, stop) => await copyWork(copying, item, undefined, stop));
  // A blob that is needed as it is, and compressed in addition, is read twice.
  for (let left = wanted; left.size > 0; left = new Map([...left].filter(([, items]) => items.length > 0))) {
    await streamed.read(
      new Set(left.keys()),
      async (digest, blob, stop) => {
        const item = left.get(digest)?.pop();
        if (item !== undefined) await copyWork(copying, item, blob, stop);
      },
      signal,
    );
  }
}

async function isPresent(copying: Copying, item: Work, signal: AbortSignal): Promise<boolean> {
  const { session, cache, seals, onProgress } = copying;
  const ask = async (descriptor: Descriptor): Promise<Presence> =>
    await atEnd("target", async () => await session.has(descriptor, signal));
  if ("blob" in item) {
    const { digest, size } = item.blob;
    const presence = await ask(item.blob);
    if (presence === "absent") return false;
    onProgress({ kind: "skipped", blob: digest, bytes: size, reason: presence });
    return true;
  }
  const { key, mediaType, sourceBytes } = item.pending;
  const cached = cache.find(key);
  if (cached === undefined) return false;
  const descriptor = { mediaType, ...cached };
  const presence = await ask(descriptor);
  if (presence === "absent") return false;
  const blob = labelOf(item.pending);
  onProgress({ kind: "skipped", blob, bytes: sourceBytes, reason: presence, isCached: true });
  seals.set(key, { descriptor });
  return true;
}

/** @param from the bytes, if the source is streamed. */
async function copyWork(
  copying: Copying,
  item: Work,
  from: BlobSource | undefined,
  signal: AbortSignal,
): Promise<void> {
  if ("blob" in item) await copyBlob(copying, item.blob, from, signal);
  else copying.seals.set(item.pending.key, await copyPending(copying, item.pending, from, signal));
}

async function copyBlob(
  copying: Copying,
  descriptor: Descriptor,
  from: BlobSource | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { source, target, onProgress } = copying;
  const { digest, size } = descriptor;
  const blob = from ?? (await atEnd("source", async () => await source.blob(descriptor, signal)));
  const started = { blob: digest, bytes: size, from: blob.host, to: target.host };
  await underWay(onProgress, started, async () => await sendBlob(copying, descriptor, blob, signal));
  onProgress({ kind: "done", blob: digest, bytes: size });
}

async function sendBlob(
  { sourceName, onProgress, session }: Copying,
  descriptor: Descriptor,
  blob: BlobSource,
  signal: AbortSignal,
): Promise<void> {
  const { digest } = descriptor;
  let counted = 0;
  const onBytes = (delta: number): void => {
    counted += delta;
    onProgress({ kind: "bytes", blob: digest, delta });
  };
  const put = async (sent: BlobSource): Promise<void> => {
    const read = countedBlob(verified(descriptor, sent, sourceName), onBytes, blob);
    await atEnd("target", async () => await session.put(descriptor, read, signal));
  };
  const kept = blob.isOneShot === true ? undefined : session.kept?.(descriptor);
  if (kept === undefined) await session.forget?.(descriptor);
  try {
    await put(kept === undefined ? blob : spliced(kept, blob));
  } catch (error) {
    // The kept bytes or the network may be at fault. Bytes that a stream has sent cannot be taken back.
    const isWorthRetry = kept !== undefined || (blob.isRemote === true && session.order === undefined);
    if (!(error instanceof IntegrityError) || !isWorthRetry) throw error;
    const fault = kept === undefined ? error.message : `Blob ${digest} does not match the bytes that were kept of it`;
    onProgress({ kind: "note", message: `${fault}; fetching it again` });
    onBytes(-counted);
    await session.forget?.(descriptor);
    await put(blob);
  }
}

async function copyPending(
  { cache, target, onProgress, session }: Copying,
  pending: PendingBlob,
  from: BlobSource | undefined,
  signal: AbortSignal,
): Promise<Seal> {
  const { key } = pending;
  const { putPending } = session;
  if (putPending === undefined) {
    throw new InternalError("Cannot copy raw layer to this target: it needs to know the digest before the first byte");
  }
  const blob = labelOf(pending);
  const onBytes = (delta: number): void => onProgress({ kind: "bytes", blob, delta });
  const send = async (): Promise<Seal> =>
    await putPending.call(session, countedPending(pending, from), signal, onBytes);
  const started = { blob, bytes: pending.sourceBytes, from: from?.host, to: target.host };
  const seal = await underWay(onProgress, started, async () => await atEnd("target", send));
  await cache.add(key, seal);
  onProgress(
    seal.presence === undefined
      ? { kind: "done", blob, bytes: seal.descriptor.size }
      : { kind: "skipped", blob, bytes: 0, reason: seal.presence },
  );
  return seal;
}
