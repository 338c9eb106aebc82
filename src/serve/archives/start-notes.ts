import type { ImageArchive } from "../../archive/archive-source.ts";
import { volumesText } from "../../bundle/set/check-volumes.ts";
import type { Root } from "../../content/contracts.ts";
import { idOf } from "../../content/root-id.ts";
import { mayBeManifestType } from "../../oci/media-types.ts";
import { capital, counted, quote, shortId } from "../../util/format.ts";
import { hasServedLayers } from "./served-draft.ts";

/** Names in a note: an archive may have thousands. */
const MAX_NAMED = 5;

/** What of the archives cannot be pulled, for people: one sentence for each reason. */
export function startNotes({ images, absent, volumes, what }: ImageArchive): readonly string[] {
  const notes: string[] = [];
  const unnamed = images.filter(({ names }) => names.length === 0);
  if (unnamed.length > 0) {
    const which = unnamed.length === 1 ? "image has no name" : "images have no name";
    notes.push(
      `${unnamed.length} ${which} and cannot be pulled (${listed(unnamed.map(labelOf))}); imgpack convert --tag gives one`,
    );
  }
  const unnamable = images.filter(root => root.kind === "draft" && !hasServedLayers(root.draft));
  if (unnamable.length > 0) {
    notes.push(
      `${counted(unnamable.length, "image")} cannot be pulled, because no manifest can name layers of xz or bzip2 (${listed(unnamable.map(labelOf))}); imgpack convert makes others`,
    );
  }
  const untyped = images.filter(root => root.kind === "settled" && !mayBeManifestType(root.descriptor.mediaType));
  if (untyped.length > 0) {
    notes.push(
      `${counted(untyped.length, "image")} cannot be pulled, because no manifest has such a media type (${listed(untyped.map(labelOf))})`,
    );
  }
  const lost = absent.filter(({ why }) => why === "volume");
  if (volumes !== undefined && lost.length > 0) {
    const are = volumes.missing.length === 1 ? "is" : "are";
    notes.push(
      volumes.missing.length === 0
        ? `Volumes of bundle ${shortId(volumes.bundle)} lack ${counted(lost.length, "blob")}: the images that need them are answered with 404`
        : `${capital(volumesText(volumes.missing, volumes))} of bundle ${shortId(volumes.bundle)} ${are} missing: the images that need ${counted(lost.length, "blob")} there are answered with 404`,
    );
  }
  const assumed = absent.filter(({ why }) => why === "assumed");
  if (assumed.length > 0) {
    notes.push(
      `${capital(what)} is a delta without its base: the images that need ${counted(assumed.length, "blob")} of the base are answered with 404`,
    );
  }
  return notes;
}

function labelOf(root: Root): string {
  const [name = root.badNames?.[0]] = root.names;
  return name === undefined ? shortId(idOf(root)) : quote(name);
}

function listed(labels: readonly string[]): string {
  const more = labels.length - MAX_NAMED;
  return `${labels.slice(0, MAX_NAMED).join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}
