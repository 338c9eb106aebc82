import type { SettledRoot } from "../../content/contracts.ts";
import { digestOf, isDigest } from "../../oci/digest.ts";
import { DOCKER_MANIFEST_FILE } from "../../oci/docker-manifest.ts";
import { parseManifest } from "../../oci/manifest.ts";
import type { Archive } from "../archive.ts";
import type { ArchiveMetadata } from "./archive-metadata.ts";
import { BlobIndex } from "./blob-index.ts";

const VERSION_FILE = "version";
const BLOB_NAME = /^([0-9a-f]{64})(?:\.manifest\.json)?$/;

/** skopeo's and podman's "dir:": a registry's manifest as `manifest.json`, blobs named by the hex of their digest. */
export interface DirView {
  /** Without a name: this dialect stores none. */
  readonly root: SettledRoot;
  readonly blobs: BlobIndex;
}

/** True when `manifest.json` is a registry's manifest and not docker's list. @throws ArchiveError if it cannot be read. */
export function isDirArchive(archive: Archive, metadata: ArchiveMetadata): boolean {
  if (!archive.entries.has(VERSION_FILE) || !metadata.has(DOCKER_MANIFEST_FILE)) return false;
  const start = metadata.bytes(DOCKER_MANIFEST_FILE).subarray(0, 512);
  return /^\s*\{/.test(Buffer.from(start).toString("latin1"));
}

/** @throws ArchiveError as `parseManifest`. */
export function dirView(archive: Archive, metadata: ArchiveMetadata): DirView {
  const bytes = metadata.bytes(DOCKER_MANIFEST_FILE);
  const { mediaType } = parseManifest(bytes, { where: archive.what });
  const digest = digestOf(bytes);
  const blobs = new BlobIndex(archive);
  blobs.addMade(digest, bytes);
  for (const [name, entry] of archive.entries) {
    const hex = BLOB_NAME.exec(name)?.[1];
    const blob = `sha256:${hex ?? ""}`;
    if (entry.type === "file" && isDigest(blob)) blobs.add(blob, entry);
  }
  return { root: { kind: "settled", names: [], descriptor: { mediaType, digest, size: bytes.length } }, blobs };
}
