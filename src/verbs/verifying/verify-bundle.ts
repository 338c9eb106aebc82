import { checkFrame } from "../../archive/damage/check-frame.ts";
import { openLayout } from "../../archive/damage/open-layout.ts";
import type { KnownLocks } from "../../archive/lock/known-locks.ts";
import { openArchive } from "../../archive/open-archive.ts";
import { openMerged } from "../../archive/set/open-archives.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import { noteTo } from "../../content/progress.ts";
import { ImgpackError, StorageError } from "../../errors.ts";
import { append } from "../../util/append.ts";
import { counted, quote } from "../../util/format.ts";
import { checkUnchanged } from "../../util/input-guard.ts";
import { listOf } from "../options/option-values.ts";
import { type CheckedSignatures, checkSignatures, UNCHECKED_SIGNATURES } from "../referrers/check-signatures.ts";
import { type BundleSignature, bundleSignature, parsePublicKeys } from "../signed/bundle-signature.ts";
import type { ChooseBlobs } from "./blob-shard.ts";
import { checkBundle, type OpenedBundle } from "./check-bundle.ts";
import { collectClaims } from "./collect-claims.ts";
import { verifyArchive } from "./verify-archive.ts";
import type { MissingVolumes, VerifyOptions, VerifyResult } from "./verify-options.ts";

/** The files of a bundle that were given: an archive, or volumes of one set. */
export interface BundleFiles {
  readonly id: string;
  readonly files: OpenedBundle[];
}

/**
 * Opens an archive that imgpack wrote, or a volume.
 *
 * @param locks of the same call.
 * @returns undefined for any other archive, also for one whose lock is not what its other files say: these decide.
 * @throws ArchiveError for an archive that nothing damaged, and that contradicts itself.
 */
export async function openBundle(
  path: string,
  locks: KnownLocks,
  signal: AbortSignal | undefined,
): Promise<OpenedBundle | undefined> {
  const opened = await openLayout(path, locks, signal);
  if (opened === undefined) return undefined;
  let isTaken = false;
  try {
    const frame = await checkFrame(opened.file, opened.layout, signal);
    const absent = frame.length === 0 ? await absentFrom(path, locks, signal) : NOTHING_ABSENT;
    if (absent === undefined) return undefined;
    isTaken = true;
    // The bytes of the lock are not needed any more, and each volume of a large set has as many.
    const { lockBytes: _, ...layout } = opened.layout;
    return { ...opened, layout, frame, absent };
  } finally {
    if (!isTaken) await opened[Symbol.asyncDispose]();
  }
}

const NOTHING_ABSENT: OpenedBundle["absent"] = { texts: [], notes: [] };

/** Undefined if the images are not those of the lock. Damage of blobs is found later. */
async function absentFrom(
  path: string,
  locks: KnownLocks,
  signal: AbortSignal | undefined,
): Promise<OpenedBundle["absent"] | undefined> {
  let isDamaged = false;
  const onDamage = (): void => {
    isDamaged = true;
  };
  try {
    await using source = await openArchive(path, { signal, onDamage, locks });
    const lock = await source.lock(signal);
    if (isDamaged || lock?.set !== undefined) return NOTHING_ABSENT;
    if (lock === undefined) return undefined;
    const [texts, notes]: [string[], string[]] = [[], []];
    await collectClaims(source, [], texts, note => void notes.push(note), signal, false);
    return { texts, notes };
  } catch (error) {
    if (isDamaged || error instanceof StorageError) return NOTHING_ABSENT;
    throw error;
  }
}

export interface BundleOptions extends VerifyOptions {
  readonly isOneOfSeveral: boolean;
  /** Of the same call. */
  readonly locks: KnownLocks;
  /** Default: all blobs are hashed. */
  readonly choose?: ChooseBlobs | undefined;
}

/** Checks what `openBundle` opened. */
export async function verifyBundle({ files }: BundleFiles, options: BundleOptions): Promise<VerifyResult> {
  const { onProgress = () => undefined, signal, diffIds = false } = options;
  const all = files.flatMap(({ layout }) =>
    layout.slots.flatMap(({ digest, size }) => (digest === undefined ? [] : [{ digest, size }])),
  );
  const own = options.choose?.(all);
  const slots = all.filter(({ digest }) => own?.has(digest) ?? true);
  const manifests = new Set(
    files.flatMap(({ layout }) => layout.lock.blobs.flatMap(({ kind, digest }) => (kind === "manifest" ? digest : []))),
  );
  const bytes = slots.reduce((sum, { size }) => sum + size, 0);
  onProgress({ kind: "planned", blobs: slots.length, bytes });
  const check = await checkBundle(files, {
    isOneOfSeveral: options.isOneOfSeveral,
    withPieces: diffIds,
    // Which images are harmed, the manifests say: they must be right for all shards.
    isHashed: digest => own?.has(digest) !== false || manifests.has(digest),
    onProgress: event => {
      if (!("blob" in event) || own?.has(event.blob) !== false) onProgress(event);
    },
    signal,
  });
  const { lock, faults, need, unharmed, harmed } = check;
  for (const { file } of files) checkUnchanged(`archive ${quote(file.path)}`, file.stats, await file.handle.stat());
  const volumes = need?.volumes ?? [];
  const more: VerifyResult[] = [];
  if (diffIds && faults.length === 0)
    for (const { file } of files) more.push(await verifyArchive(file.path, options, own));
  const signatures = await signaturesOf(files, lock, options);
  const absent = faults.length === 0 ? files.map(file => file.absent) : [];
  for (const note of absent.flatMap(({ notes }) => notes)) noteTo(onProgress)(note);
  const unchecked = [...absent.flatMap(({ texts }) => texts), ...uncheckedOf(lock, options.key !== undefined)];
  return {
    archive: files.map(({ file }) => file.path).join(", "),
    images: new Set(lock.images.map(({ digest, written = digest }) => written)).size,
    // A blob may be in parts.
    blobs: new Set(slots.map(({ digest }) => digest)).size,
    bytes,
    faults: [...faults, ...more.flatMap(result => result.faults)],
    ...(volumes.length === 0 ? {} : { missing: [missingOf(lock, volumes)] }),
    ...(own === undefined ? { unharmed } : { shard: own.summary }),
    harmed,
    ...(need === undefined ? {} : { needs: [need] }),
    unchecked: more.length > 0 ? more.flatMap(result => result.unchecked) : unchecked,
    ...signatures,
    seconds: 0,
  };
}

function missingOf({ id, set }: Lock, volumes: readonly number[]): MissingVolumes {
  return { bundle: id, volumes: [...volumes].sort((left, right) => left - right), of: set?.of ?? 1 };
}

/** What is not looked at, because other things decide. */
function uncheckedOf({ blobs, assumes = [] }: Lock, hasKey: boolean): readonly string[] {
  const layers = blobs.filter(({ kind }) => kind === "layer").length;
  const absent = assumes.length;
  return [
    ...(layers === 0
      ? []
      : [
          `what ${counted(layers, "layer")} ${layers === 1 ? "inflates" : "inflate"} to, because the digests decide (--diff-ids checks it, too)`,
        ]),
    ...(absent === 0 ? [] : [`${counted(absent, "layer")} that the base of this delta has`]),
    ...(hasKey ? [UNCHECKED_SIGNATURES] : []),
  ];
}

async function signaturesOf(
  files: readonly OpenedBundle[],
  lock: Lock,
  options: BundleOptions,
): Promise<Pick<VerifyResult, "bundle" | "signatures">> {
  if (options.key === undefined) return {};
  const { signal, locks } = options;
  const keys = parsePublicKeys(listOf(options.key), "key");
  const onNote = noteTo(options.onProgress);
  const opening = { signal, locks, onDamage: () => undefined };
  const bundles: BundleSignature[] = [];
  const signatures: CheckedSignatures[] = [];
  try {
    for (const { file } of files) {
      await using source = await openArchive(file.path, opening);
      bundles.push(await bundleSignature(source, { keys, locks }, signal));
      if (files.length === 1) append(signatures, await checkSignatures(source, keys, onNote, signal));
    }
    if (files.length > 1) {
      // A volume alone names only the images that are whole in it.
      await using merged = await openMerged(
        files.map(({ file }) => file.path),
        opening,
      );
      append(signatures, await checkSignatures(merged, keys, onNote, signal));
    }
  } catch (error) {
    // Too damaged to be opened as it is.
    if (!(error instanceof ImgpackError)) throw error;
    bundles.push({ state: "refused", message: error.message });
  }
  append(signatures, uncheckedImages(lock, signatures));
  const bundle = leastSigned(bundles);
  return { ...(bundle === undefined ? {} : { bundle }), signatures };
}

/** Images of the lock that the files do not name, as those of a lone volume: of these, no signature was seen. */
function uncheckedImages({ images }: Lock, checked: readonly CheckedSignatures[]): readonly CheckedSignatures[] {
  const known = new Set(checked.flatMap(({ digest, names }) => [digest, ...names]));
  return images.flatMap(({ name, digest, written = digest }): readonly CheckedSignatures[] =>
    known.has(written) || known.has(name)
      ? []
      : [{ names: name === "" ? [] : [name], digest: written, valid: 0, refused: [] }],
  );
}

/** What can be said of all of them. */
export function leastSigned(bundles: readonly BundleSignature[]): BundleSignature | undefined {
  const states: readonly BundleSignature["state"][] = ["refused", "unsigned", "signed"];
  return states.map(state => bundles.find(one => one.state === state)).find(one => one !== undefined);
}
