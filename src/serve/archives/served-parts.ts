import { basename } from "node:path";
import type { ArchiveSource } from "../../archive/archive-source.ts";
import type { BaseBlob, Bundle, BundleImage } from "../../bundle/base/bundle.ts";
import { lockedBundle } from "../../bundle/base/locked-bundle.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import { idOf } from "../../content/root-id.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ServedPart } from "../content/served-registry.ts";
import type { ArchiveContent } from "./archive-content.ts";
import { readClosure } from "./closure.ts";

/** The bundles that files are of: volumes of one have one lock, and a patch is no bundle. */
export async function servedParts(
  members: readonly ArchiveSource[],
  content: ArchiveContent,
  signal: AbortSignal | undefined,
): Promise<readonly ServedPart[]> {
  const found = new Map<Digest | ArchiveSource, { readonly lock: Lock | undefined; readonly of: ArchiveSource[] }>();
  for (const member of members) {
    if (member.part?.kind === "patch") continue;
    const lock = member.part?.lock ?? (await member.lock(signal));
    const key = lock?.id ?? member;
    const { of } = found.get(key) ?? { of: [] };
    found.set(key, { lock, of: [...of, member] });
  }
  return [...found.values()].flatMap(({ lock, of }) => {
    const [first] = of;
    if (first === undefined) return [];
    return {
      id: lock?.id,
      files: of.map(({ archive }) => basename(archive.path)),
      isDelta: (lock?.assumes ?? []).length > 0,
      bases: lock?.bases ?? [],
      contents: async () =>
        lock === undefined ? await unlockedBundle(first, content) : lockedBundle(lock, first.archive.path),
    };
  });
}

/** What the manifests of a file say. Those that are damaged say nothing. */
async function unlockedBundle(member: ArchiveSource, content: ArchiveContent): Promise<Bundle> {
  const blobs = new Map<Digest, BaseBlob>();
  const images: BundleImage[] = [];
  for (const root of member.images) {
    const closure = await readClosure([root], member, content);
    const manifests = [...closure.manifests.values(), ...closure.incomplete.values()];
    for (const { digest, size } of manifests) blobs.set(digest, { size, kind: "manifest", repositories: [] });
    // Configs among them: nothing here asks which they are.
    for (const [digest, size] of closure.blobs) blobs.set(digest, { size, kind: "layer", repositories: [] });
    const digest = closure.digests.get(root) ?? idOf(root);
    const parts = [[...manifests.map(manifest => manifest.digest), ...closure.blobs.keys()]];
    for (const name of root.names.length === 0 ? [""] : root.names) images.push({ name, digest, parts });
  }
  return { where: member.archive.path, kind: "archive", images, blobs, hasRawLayers: false };
}
