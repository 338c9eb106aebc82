import { createHash } from "node:crypto";
import type { SettledRoot } from "../../content/contracts.ts";
import { isDigest } from "../../oci/digest.ts";
import { DOCKER_MANIFEST_FILE } from "../../oci/docker-manifest.ts";
import { MAX_ARCHIVE_INDEX_BYTES, MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { type Archive, readMetadata } from "../archive.ts";
import { BlobIndex } from "./blob-index.ts";

const VERSION_FILE = "version";
const BLOB_NAME = /^([0-9a-f]{64})(?:\.manifest\.json)?$/;

/** The "dir:" form of skopeo and podman: a registry's manifest as `manifest.json`, blobs named by the hex of their digest. */
export interface DirLayout {
  readonly root: SettledRoot;
  readonly slices: BlobIndex;
}

/** True when `manifest.json` is a registry's manifest and not docker's list. */
export async function isDirLayout(archive: Archive, signal?: AbortSignal): Promise<boolean> {
  if (!archive.entries.has(VERSION_FILE) || !archive.entries.has(DOCKER_MANIFEST_FILE)) return false;
  const bytes = await readMetadata(archive, DOCKER_MANIFEST_FILE, MAX_ARCHIVE_INDEX_BYTES, signal);
  return /^\s*\{/.test(Buffer.from(bytes.subarray(0, 512)).toString("latin1"));
}

/** The form keeps no name. @throws ArchiveError as `parseManifest`. */
export async function readDirLayout(archive: Archive, signal?: AbortSignal): Promise<DirLayout> {
  const bytes = await readMetadata(archive, DOCKER_MANIFEST_FILE, MAX_MANIFEST_BYTES, signal);
  const { mediaType } = parseManifest(bytes, { where: archive.what });
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as const;
  const slices = new BlobIndex(archive);
  slices.addMade(digest, bytes);
  for (const [name, entry] of archive.entries) {
    const hex = BLOB_NAME.exec(name)?.[1];
    const blob = `sha256:${hex ?? ""}`;
    if (entry.type === "file" && isDigest(blob)) slices.add(blob, entry);
  }
  return { root: { kind: "settled", names: [], descriptor: { mediaType, digest, size: bytes.length } }, slices };
}
