import { neededPieces, type PieceSlot, patchTarget, wholeBlobs } from "../../archive/patch/patch-target.ts";
import { formatNeed } from "../../bundle/need/format-need.ts";
import type { Need } from "../../bundle/need/need.ts";
import type { CopyPlan } from "../../content/contracts.ts";
import { noteTo, underWay } from "../../content/progress.ts";
import { copyImages } from "../../copy/copy-image.ts";
import { openDigestCache } from "../../copy/digest-cache.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { counted, formatBytes, quote, shortId } from "../../util/format.ts";
import { DEFAULT_CONCURRENCY } from "../../util/options/option-limits.ts";
import type { Pace } from "../../util/pace/pace.ts";
import { runPaced } from "../../util/pace/run-paced.ts";
import { runBounded } from "../../util/task-group.ts";
import type { OpenedOutput } from "../output/open-output.ts";
import type { PullOptions, PullResult } from "../pull-options.ts";
import { RegistryPool } from "../shared/registry-pool.ts";
import { describedBy, NeededSource, repositoryAt } from "./needed-source.ts";
import { readNeed } from "./read-need.ts";

/** Options that choose what is pulled: a need list has chosen. */
const CHOICES = [
  "platform",
  "layers",
  "for",
  "lock",
  "base",
  "layout",
  "map",
  "sparse",
  "foreign",
  "requireReferrers",
  "keepGoing",
  "sign",
  "withTool",
  "report",
  "volumeSize",
  "volume",
] as const satisfies readonly (keyof PullOptions)[];

/**
 * Pulls what a need list names: whole blobs, and pieces of blobs. Tags play no part.
 *
 * @throws NotFoundError that names each blob that no repository of the list has any more; UsageError for options that make
 * no sense with a need list.
 */
export async function pullPatch(options: PullOptions, output: OpenedOutput): Promise<PullResult> {
  const started = performance.now();
  checkOptions(options, output);
  const need = await readNeed(options.need ?? "", options);
  checkRepositories(need);
  const { onProgress = () => undefined, signal } = options;
  const hosts = [...new Set(need.blobs.flatMap(blob => blob.repositories.map(name => repositoryAt(name).registry)))];
  // A file names the registries: credentials of the call are for those that the options name.
  await using pool = new RegistryPool(options, [], onProgress);
  pool.admit(hosts);
  await using source = new NeededSource(need.blobs, pool);
  const blobs = wholeBlobs(need).map(describedBy);
  const pieces = neededPieces(need);
  const wholeBytes = blobs.reduce((sum, { size }) => sum + size, 0);
  const pieceBytes = pieces.reduce((sum, { range: { start, end } }) => sum + end - start, 0);
  for (const note of notesOf(need, pieces.length, pieceBytes)) noteTo(onProgress)(note);
  if (options.dryRun !== true) {
    const plan: CopyPlan = { roots: [], pending: [], blobs, manifests: new Map(), totalBytes: wholeBytes };
    const resume = { command: JSON.stringify(["pull need", formatNeed(need)]), restart: options.restart };
    const target = patchTarget(output.name, need, {
      resume: { ...resume, onNote: noteTo(onProgress) },
      putPieces: async (slots, own) => await putPieces(slots, source, pool.pace, options, own),
    });
    onProgress({ kind: "planned", blobs: pieces.length, bytes: pieceBytes });
    const copy = {
      plan,
      source,
      target,
      sourceName: "the registry",
      cache: await openDigestCache(undefined),
      pace: pool.pace,
      onProgress,
      signal,
    };
    await namingGone(need, source, async () => void (await copyImages(copy)), signal);
  }
  const { requests } = await pool.traffic();
  return {
    output: output.name,
    images: [],
    blobBytes: wholeBytes + pieceBytes,
    blobs: blobs.length + pieces.length,
    requests,
    platforms: [],
    patch: { of: need.of, blobs: blobs.length, pieces: pieces.length, images: need.images },
    seconds: (performance.now() - started) / 1000,
    tools: [],
  };
}

async function putPieces(
  slots: readonly PieceSlot[],
  source: NeededSource,
  pace: Pace,
  { onProgress }: PullOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  await runPaced(slots, { pace, signal }, async (slot, own) => {
    const { digest, kept, range } = slot;
    const { start, end } = range;
    if (kept < end - start) {
      const onBytes = (delta: number): void => onProgress?.({ kind: "bytes", blob: digest, delta });
      const write = async (part: Uint8Array, position: number): Promise<void> => {
        await slot.write(part, position);
        pace.moved(part.length);
        onBytes(part.length);
      };
      await underWay(onProgress, { blob: digest, bytes: end - start }, async () => {
        if (kept > 0) onBytes(kept);
        await source.range(digest, { start: start + kept, end }, write, own);
      });
      onProgress?.({ kind: "done", blob: digest, bytes: end - start });
    } else onProgress?.({ kind: "skipped", blob: digest, bytes: end - start, reason: "kept" });
  });
}

/** As for a lock: the error names everything that has gone, and not only the first of it. */
async function namingGone(
  { of, blobs }: Need,
  source: NeededSource,
  copy: () => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await copy();
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    const gone = new Set<Digest>();
    await runBounded(
      blobs,
      DEFAULT_CONCURRENCY,
      async (blob, own) => {
        if (!(await source.has(blob, own))) gone.add(blob.digest);
      },
      signal,
    );
    const rows = blobs.filter(({ digest }) => gone.has(digest));
    if (rows.length === 0) throw cause;
    const found = rows.map(({ kind, digest, repositories }) => `${kind} ${digest} from ${repositories.join(", ")}`);
    throw new NotFoundError(
      `Cannot pull what bundle ${shortId(of)} needs: no longer there: ${found.join("; ")}; expected all of it`,
      { cause, hint: "These bytes cannot be fetched again: pull the images once more, and carry all of them." },
    );
  }
}

/** @throws NotFoundError before a request is sent. */
function checkRepositories({ of, blobs }: Need): void {
  const rows = blobs.filter(({ repositories }) => repositories.length === 0);
  if (rows.length === 0) return;
  const found = rows.map(({ kind, digest }) => `${kind} ${digest}`).join(", ");
  throw new NotFoundError(
    `Cannot pull what bundle ${shortId(of)} needs: no repository is known for ${found}, expected one for each blob`,
    { hint: "The images did not come from a registry: copy the archive again from its source." },
  );
}

function notesOf({ of, images }: Need, pieces: number, bytes: number): readonly string[] {
  const names = images.length > 0 ? `: ${images.slice(0, 10).join(", ")}${images.length > 10 ? ", …" : ""}` : "";
  return [
    `For bundle ${shortId(of)}, ${counted(images.length, "image")}${names}`,
    ...(pieces === 0
      ? []
      : [
          `${counted(pieces, "piece")} of blobs, ${formatBytes(bytes)}: what these are is checked when the patch is used, because a digest ` +
            "covers whole blobs only",
        ]),
  ];
}

function checkOptions(options: PullOptions, { kind, name }: OpenedOutput): void {
  const given = CHOICES.find(option => options[option] !== undefined);
  if (given !== undefined) {
    throw new UsageError(`Cannot use ${given} with a need list: found both, expected the list alone`, {
      hint: "A need list says which bytes are needed: leave the option out.",
    });
  }
  if (kind === "file") return;
  const found = kind === "stream" ? "stdout" : `a folder, ${quote(name)}`;
  throw new UsageError(`Cannot write a patch to ${found}, expected a file`);
}
