import type { CopyPlan } from "../../content/contracts.ts";
import { InternalError } from "../../errors.ts";
import { encodeSlotHeader, type TarPlan } from "../../tar/tar-plan.ts";
import type { ArchivePlan, PlannedBlob } from "../partial/archive-plan.ts";
import { hash } from "../partial/open-journal.ts";
import {
  type ArchiveContents,
  type ArchiveContentsOptions,
  archiveContents,
  planArchiveTar,
} from "./archive-contents.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { checkReadable } from "./check-readable.ts";

/** What a file contains, where, and as its journal describes it. */
export interface PlannedArchive {
  readonly contents: ArchiveContents;
  readonly tar: TarPlan;
  readonly archive: ArchivePlan;
}

/** @throws ArchiveError as `archiveContents` and `checkReadable` */
export function plannedArchive(plan: CopyPlan, options: ArchiveContentsOptions): PlannedArchive {
  const contents = archiveContents(plan, options);
  checkReadable(contents, plan);
  const tar = planArchiveTar(contents);
  return { contents, tar, archive: archivePlan(contents, tar) };
}

/** A file as its journal describes it. */
export function archivePlan(contents: ArchiveContents, tar: TarPlan): ArchivePlan {
  const [first] = tar.slots.values();
  if (first === undefined) throw new InternalError("Cannot write archive: it is empty, expected oci-layout");
  const identity = contents.files.map(file => [file.name, file.size, identityOf(file)]);
  return {
    id: hash(JSON.stringify(identity)),
    totalBytes: tar.totalBytes,
    firstBlock: encodeSlotHeader(first),
    blobs: plannedBlobs(contents, tar),
  };
}

/** What must be the same in another run; a signature of the same key need not. */
function identityOf(file: ArchiveFile): string | undefined {
  if (file.bytes === undefined) return undefined;
  return file.signature?.id ?? hash(file.bytes);
}

/** Blobs that come from the source. */
function plannedBlobs(contents: ArchiveContents, tar: TarPlan): readonly PlannedBlob[] {
  return [...contents.names].flatMap(([digest, name]) => {
    const slot = tar.slots.get(name);
    return slot === undefined ? [] : [{ digest, size: slot.size, offset: slot.bodyOffset }];
  });
}
