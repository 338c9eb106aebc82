import type { Shard } from "../../bundle/shards/shard.ts";
import type { CopyPlan, ImageTarget } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import { counted } from "../../util/format.ts";
import { openPartialArchive } from "../partial/open-partial-archive.ts";
import type { ResumeOptions } from "../partial/opened-partial.ts";
import { ArchiveSession } from "../write/archive-file-target.ts";
import { findVolumes, removeSurplus } from "./found-volumes.ts";
import { LeftVolumes } from "./left-volumes.ts";
import { type PlannedSet, type PlannedVolume, planVolumes, type VolumesOptions } from "./plan-volumes.ts";
import { removeEarlierSet } from "./remove-earlier-set.ts";
import { VolumeNames } from "./volume-names.ts";
import { type OpenVolume, VolumesSession } from "./volumes-session.ts";

export interface VolumesTargetOptions extends VolumesOptions {
  /** Writes this volume alone; from 1. */
  readonly number?: number | undefined;
  /** Writes the volumes of this shard alone, each as if it were written alone. */
  readonly shard?: Shard | undefined;
  readonly resume?: ResumeOptions | undefined;
}

/**
 * Writes images into several files, none larger than asked for. Each is an archive of its own; together they are one bundle.
 * No file gets its name before all are whole.
 *
 * @param output `site.tar` for `site.v01.tar` and so on.
 */
export function volumesTarget(output: string, options: VolumesTargetOptions): ImageTarget {
  return {
    async begin(plan, signal) {
      const isAlone = options.number !== undefined || options.shard !== undefined;
      const { set, volumes } = await chosenVolumes(plan, options, signal);
      const names = new VolumeNames(output);
      const { of } = set.set;
      const { resume = {} } = options;
      const sumsOf = ({ number }: PlannedVolume): string => names.sums(isAlone ? { number, of } : undefined);
      const { command, restart } = resume;
      const find = { names, sumsPaths: [...new Set(volumes.map(sumsOf))], isAlone, command, restart };
      const wanted = volumes.map(volume => ({
        volume,
        path: names.volume(volume.number, of),
        planned: set.plan(volume),
      }));
      const found = await findVolumes(wanted, find);
      const left = new LeftVolumes(output, resume.onNote);
      const opened: OpenVolume[] = [];
      try {
        for (const { path, volume, planned } of wanted) {
          const isRenamed = found.whole.has(path);
          const own = { ...resume, isRenamed, onKept: isRenamed ? () => undefined : left.add };
          const archive = await openPartialArchive(path, planned.archive, own, signal);
          opened.push({ path, volume, session: new ArchiveSession(archive, planned) });
        }
      } catch (error) {
        for (const { session } of opened) await session[Symbol.asyncDispose]();
        left.tell();
        throw error;
      }
      const bytes = opened.reduce((sum, { session }) => sum + session.keptBytes, 0);
      left.resumed(bytes, wanted);
      return new VolumesSession(opened, {
        sumsOf,
        signSums: options.signLock,
        prepare: async () => {
          const paths = wanted.map(({ path }) => path);
          await removeSurplus(found, paths, find);
          if (options.shard !== undefined && restart === true) await removeEarlierSet(names, set.set);
        },
        onLeft: () => left.tell(),
      });
    },
  };
}

/** @throws UsageError for a volume that the set does not have; as `planVolumes`. */
export async function chosenVolumes(
  plan: CopyPlan,
  { number, shard, ...options }: VolumesTargetOptions,
  signal: AbortSignal | undefined,
): Promise<{ readonly set: PlannedSet; readonly volumes: readonly PlannedVolume[] }> {
  const set = await planVolumes(plan, options, signal);
  if (shard !== undefined) {
    const { index, of } = shard;
    return { set, volumes: set.volumes.filter(volume => (volume.number - 1) % of === index) };
  }
  if (number === undefined) return { set, volumes: set.volumes };
  const volume = set.volumes[number - 1];
  if (volume !== undefined) return { set, volumes: [volume] };
  const { of } = set.set;
  throw new UsageError(
    `Cannot write volume ${number}: found a set of ${counted(of, "volume")}, expected ${of === 1 ? "volume 1" : `a volume from 1 to ${of}`}`,
    {
      hint: "The images and the size decide how many volumes there are. Give every run the same lock and the same --volume-size.",
    },
  );
}
