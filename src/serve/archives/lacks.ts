import { basename } from "node:path";
import type { AbsentBlob, ImageArchive } from "../../archive/archive-source.ts";
import { volumesText } from "../../bundle/set/check-volumes.ts";
import { counted, quote, shortId } from "../../util/format.ts";
import type { FoundDamage, Lack } from "../content/served-registry.ts";

/** What is in a volume or in a base that is not served. */
export function absentLack({ volumes }: Pick<ImageArchive, "volumes">, absent: readonly AbsentBlob[]): Lack {
  const lost = absent.filter(({ why }) => why === "volume");
  if (volumes === undefined || lost.length === 0) {
    return {
      kind: "base",
      found: `${counted(absent.length, "blob")} of it ${absent.length === 1 ? "is" : "are"} in the base of the delta, which is not served`,
      hint: "Start the registry with the base, too.",
    };
  }
  const numbers = [...new Set(lost.flatMap(blob => blob.volumes))].sort((left, right) => left - right);
  const missing = numbers.filter(number => volumes.missing.includes(number));
  const named = missing.length > 0 ? missing : numbers;
  const state = missing.length > 0 ? "missing" : "damaged";
  return {
    kind: "volume",
    found: `${volumesText(named, volumes)} of bundle ${shortId(volumes.bundle)} ${named.length === 1 ? "is" : "are"} ${state}`,
    hint: "Start the registry with all volumes.",
    volumes: named,
  };
}

export function damageLack({ path, range }: FoundDamage): Lack {
  const where = range === undefined ? "" : ` in bytes ${range.start} to ${range.end - 1} of it`;
  const file = basename(path);
  return {
    kind: "damage",
    found: `file ${quote(file)} is damaged${where}`,
    hint: 'Run "imgpack verify --need" with the files: it says what to fetch again.',
    file,
  };
}

/** What is in a file that is not what it was at the start. @param path of the file */
export function changedLack(path: string): Lack {
  const file = basename(path);
  return {
    kind: "changed",
    found: `file ${quote(file)} has changed since this registry was started`,
    hint: "start it again",
    file,
  };
}

export const LAYERS_LACK: Lack = {
  kind: "layers",
  found: "its layers are compressed with xz or bzip2, which no manifest can name",
  hint: "Convert the archive with imgpack, and serve the result.",
};
