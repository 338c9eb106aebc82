import { noteTo } from "../../../content/progress.ts";
import { copyImages } from "../../../copy/copy-image.ts";
import { convertedNote, refusesManifest } from "../../../copy/copy-or-convert.ts";
import { gather } from "../../../copy/gather.ts";
import { IntegrityError, NotFoundError } from "../../../errors.ts";
import type { Descriptor } from "../../../oci/descriptor.ts";
import { DOCKER_MANIFEST, OCI_MANIFEST } from "../../../oci/media-types.ts";
import { resolveDigest } from "../../../registry/api/resolve-digest.ts";
import { readV1Image } from "../../../registry/v1/read-v1-image.ts";
import type { V1ChainLayer, V1Image } from "../../../registry/v1/v1-image.ts";
import type { V1Session } from "../../../registry/v1/v1-store.ts";
import { fixedPace } from "../../../util/pace/pace.ts";
import { allEnded } from "../../../util/promises.ts";
import { measuredLayer } from "../reading/measured-layer.ts";
import type { ReportedImage } from "../report/rescue-report.ts";
import { type PlannedImage, planImage } from "./planned-image.ts";
import type { RescueJob } from "./rescue-job.ts";
import type { RescueRun } from "./rescue-run.ts";
import type { TargetRepository } from "./target-repositories.ts";
import { verifyCopied } from "./verify-copied.ts";

export interface RescuedImage extends ReportedImage {
  /** Of the manifest. Absent as the digest. */
  readonly mediaType?: string | undefined;
  /** Of blobs that were looked at; 0 if the target had the image already. */
  readonly plannedBytes: number;
}

/**
 * Copies one tag: its chain, then each layer that no run has read yet, then what the target lacks. An image that the target
 * has under the tag costs its chain and one question.
 *
 * @throws NotFoundError, IntegrityError, AuthError, NetworkError, RegistryError, ArchiveError
 */
export async function rescueImage(run: RescueRun, job: RescueJob, signal: AbortSignal): Promise<RescuedImage> {
  const session = await job.session(signal);
  const image = await readV1Image(session, job.tag, signal);
  try {
    return await rescueRead(run, job, session, image, signal);
  } catch (error) {
    const isSource = error instanceof IntegrityError && error.origin === "source";
    if (!isSource || !run.known.forget(image)) throw error;
    noteTo(run.onProgress)(`${job.source} has other layers than in an earlier run: reading them again`);
    return await rescueRead(run, job, session, image, signal);
  }
}

async function rescueRead(
  run: RescueRun,
  job: RescueJob,
  session: V1Session,
  image: V1Image,
  signal: AbortSignal,
): Promise<RescuedImage> {
  const { known } = run;
  const row = { source: job.source, id: image.id, target: nameOf(job) };
  const bytes = (): number => image.chain.reduce((sum, layer) => sum + (known.sizeOf(layer) ?? 0), 0);
  const count = (): void => run.ledger.addLayers(image, layer => known.sizeOf(layer));
  count();
  const unread = known.unread(image);
  if (run.dryRun) {
    const plan = unread.length > 0 ? undefined : await planImage(session, image, known, signal);
    const found = plan && { ...plan.root.descriptor, config: plan.config.digest };
    const { digest, mediaType, config } = found ?? {};
    return { ...row, digest, mediaType, config, bytes: bytes(), plannedBytes: bytes() };
  }
  const to = await run.targets.open(job.to, signal);
  await readLayers(run, session, unread, to);
  // Servers state wrong sizes, or none.
  count();
  const plan = async (manifestType = to.manifestType): Promise<PlannedImage> =>
    await planImage(session, image, known, signal, manifestType);
  const there = unread.length > 0 ? undefined : await findThere(job, plan, to, signal);
  const { root, config, layers, plannedBytes } = there ?? (await copyOrConvert(run, job, plan, to, signal));
  const { digest, mediaType } = root.descriptor;
  if (run.verifies) {
    const content = { tag: job.to.tag, digest, config, layers };
    await verifyCopied(to.readable, content, to.checked, run.concurrency, signal);
  }
  return { ...row, digest, mediaType, config: config.digest, bytes: bytes(), plannedBytes };
}

function nameOf({ to: { registry, repository, tag } }: RescueJob): string {
  return `${registry}/${repository}:${tag}`;
}

/** Reads layers into the target, largest first, so that the last one to end is a small one. */
async function readLayers(
  { noChecksums, known, meter, onProgress }: RescueRun,
  session: V1Session,
  layers: readonly V1ChainLayer[],
  to: TargetRepository,
): Promise<void> {
  const sorted = layers.toSorted((left, right) => (right.json.size ?? 0) - (left.json.size ?? 0));
  const options = { repack: known.repack, noChecksums, onNote: noteTo(onProgress) };
  await allEnded(
    sorted.map(async layer => {
      await meter.read(layer.key, layer.json.id, () => measuredLayer(session, layer, options), to);
    }),
  );
}

/** By the type of its manifest; default: the one that the target takes, as far as that is known. */
type Plan = (manifestType?: string) => Promise<PlannedImage>;
type Copied = PlannedImage & Pick<RescuedImage, "plannedBytes">;

/** The image, if the target has it under its tag, also with the manifest that a registry without Docker's types got. */
async function findThere(
  job: RescueJob,
  plan: Plan,
  { repository }: TargetRepository,
  signal: AbortSignal,
): Promise<Copied | undefined> {
  let tagged: Descriptor["digest"];
  try {
    tagged = (await resolveDigest(repository, job.to.tag, signal)).digest;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
  const usual = await plan();
  if (usual.root.descriptor.digest === tagged) return { ...usual, plannedBytes: 0 };
  const other = await plan(OCI_MANIFEST);
  return other.root.descriptor.digest === tagged ? { ...other, plannedBytes: 0 } : undefined;
}

async function copyOrConvert(
  run: RescueRun,
  job: RescueJob,
  plan: Plan,
  to: TargetRepository,
  signal: AbortSignal,
): Promise<Copied> {
  const planned = await plan();
  try {
    return await copyPlanned(run, job, planned, to, signal);
  } catch (error) {
    if (!refusesManifest(error) || planned.root.descriptor.mediaType !== DOCKER_MANIFEST) throw error;
    noteTo(run.onProgress)(convertedNote(`${to.repository}`));
    to.manifestType = OCI_MANIFEST;
    return await copyPlanned(run, job, await plan(), to, signal);
  }
}

async function copyPlanned(
  { cache, concurrency, onProgress }: RescueRun,
  { source: sourceName, to: { tag } }: RescueJob,
  planned: PlannedImage,
  { target, present }: TargetRepository,
  signal: AbortSignal,
): Promise<Copied> {
  const { source } = planned;
  const root = { ...planned.root, names: [tag] };
  const whole = await gather(source, [root], signal);
  const blobs = whole.blobs.filter(({ digest }) => !present.has(digest));
  const totalBytes = blobs.reduce((sum, { size }) => sum + size, 0);
  const plan = { ...whole, blobs, totalBytes };
  await copyImages({ plan, source, target, sourceName, cache, pace: fixedPace(concurrency), onProgress, signal });
  return { ...planned, plannedBytes: whole.totalBytes };
}
