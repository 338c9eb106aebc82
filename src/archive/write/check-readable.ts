import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { CopyPlan } from "../../content/contracts.ts";
import { ArchiveError } from "../../errors.ts";
import { DOCKER_MANIFEST_FILE } from "../../oci/docker-manifest.ts";
import { isArtifact } from "../../oci/is-artifact.ts";
import { MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import { MAX_ENTRIES } from "../../tar/tar-walk.ts";
import { exactBytes, quote } from "../../util/format.ts";
import { type JsonLimit, jsonExcess } from "../../util/json/json-excess.ts";
import { digestInName } from "../blob-name.ts";
import { DOCUMENT_LIMITS } from "../document-limits.ts";
import type { ArchiveContents } from "./archive-contents.ts";

/** Folders of a layout are entries too. */
const FOLDERS = 16;
const LIMITS: ReadonlyMap<string, JsonLimit> = new Map(Object.entries(DOCUMENT_LIMITS));
const FEWER_HINT = "Write several files with fewer images each.";
const VOLUMES_HINT = "Write volumes with --volume-size, or several files with fewer images each.";
const NO_LIST_HINT = `Write volumes with --volume-size, several files with fewer images each, or a file without ${DOCKER_MANIFEST_FILE} with --format oci.`;

/**
 * Refuses what imgpack could not read again, before anything is written. `manifest.json` has the limit of containerd, which
 * reads 20 MiB of it.
 *
 * @throws ArchiveError "too-large"
 */
export function checkReadable({ files }: ArchiveContents, { manifests }: CopyPlan): void {
  for (const { name, size, bytes } of files) {
    const limit = LIMITS.get(name);
    if (limit !== undefined) checkDocument(name, size, bytes, limit);
    else if (bytes !== undefined && digestInName(name) !== undefined)
      bound(`manifest ${quote(name)}`, size, MAX_MANIFEST_BYTES);
  }
  for (const { view } of manifests.values()) {
    if (view.kind !== "image" || isArtifact(view)) continue;
    bound(`config ${view.config.digest}`, view.config.size, MAX_CONFIG_BYTES);
  }
  const most = MAX_ENTRIES - FOLDERS;
  if (files.length > most) throw refused(`${files.length} files`, `at most ${most}`, VOLUMES_HINT);
}

function checkDocument(name: string, size: number, bytes: Uint8Array | undefined, limit: JsonLimit): void {
  const excess = jsonExcess(size, bytes, limit);
  if (excess === undefined) return;
  const hint = name === LOCK_FILE ? FEWER_HINT : name === DOCKER_MANIFEST_FILE ? NO_LIST_HINT : VOLUMES_HINT;
  throw refused(`${name} of ${excess.found}`, excess.expected, hint);
}

function bound(what: string, bytes: number, most: number): void {
  if (bytes > most) throw refused(`${what} of ${exactBytes(bytes)}`, `at most ${exactBytes(most)}`);
}

function refused(found: string, expected: string, hint?: string): ArchiveError {
  return new ArchiveError("too-large", `Cannot write archive: found ${found}, expected ${expected}`, { hint });
}
