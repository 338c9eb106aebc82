import type { ImageArchive } from "../../archive/archive-source.ts";
import type { Root } from "../../content/contracts.ts";
import { readBlob } from "../../content/pump.ts";
import { verified } from "../../content/verified.ts";
import { addReferrers } from "../../copy/add-referrers.ts";
import { gather } from "../../copy/gather.ts";
import { ImgpackError, InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseReferrersTag, referrersTag } from "../../oci/referrers/referrers-tag.ts";
import type { PublicKey } from "../../oci/signatures/public-key.ts";
import { isSignatureLayer, MAX_SIGNED_BYTES, signedDigests } from "../../oci/signatures/signed-digest.ts";
import { quote } from "../../util/format.ts";

/** A signature that does not count. */
export interface RefusedSignature {
  /** Of the manifest that contains it, or of the image if nothing of it could be read. */
  readonly manifest: Digest;
  /** A full sentence. */
  readonly message: string;
}

/** What public keys say about an image of an archive. */
export interface CheckedSignatures {
  /** Full names; empty for an image without a name. */
  readonly names: readonly string[];
  /** Of the manifest or index; absent for an image without a manifest, which no one can have signed. */
  readonly digest?: Digest;
  /** Number of signatures of this digest that one of the keys made. */
  readonly valid: number;
  readonly refused: readonly RefusedSignature[];
}

/** What a check with a key leaves out. */
export const UNCHECKED_SIGNATURES =
  "the transparency log of signatures, certificates, the name in signatures (docker-reference), attestations, and who holds the key";

/** Checks cosign's signatures of each image offline, with each of some keys. A signature of an index covers its platforms: it names their digests. */
export async function checkSignatures(
  archive: ImageArchive,
  keys: readonly PublicKey[],
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<readonly CheckedSignatures[]> {
  const checked: CheckedSignatures[] = [];
  for (const root of archive.images) {
    const { names } = root;
    if (root.kind === "draft") {
      checked.push({ names, valid: 0, refused: [] });
      continue;
    }
    const { digest } = root.descriptor;
    try {
      checked.push({ names, digest, ...(await checkRoot(archive, root, digest, keys, onNote, signal)) });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ImgpackError)) throw error;
      checked.push({ names, digest, valid: 0, refused: [{ manifest: digest, message: error.message }] });
    }
  }
  return checked;
}

async function checkRoot(
  archive: ImageArchive,
  root: Root,
  image: Digest,
  keys: readonly PublicKey[],
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<Pick<CheckedSignatures, "valid" | "refused">> {
  const alone = await gather(archive, [root], signal, () => []);
  const plan = await addReferrers(archive, alone, { originals: [root], onNote, signal });
  const refused: RefusedSignature[] = [];
  let valid = 0;
  for (const { descriptor, subject, tag } of plan.roots.flatMap(({ referrers }) => referrers?.found ?? [])) {
    const view = plan.manifests.get(descriptor.digest)?.view;
    const isAbout = subject === image || parseReferrersTag(tag ?? "")?.stem === referrersTag(image);
    // What refers to a referrer signs that.
    if (view?.kind !== "image" || !isAbout) continue;
    for (const layer of view.layers.filter(isSignatureLayer)) {
      try {
        const digests = digestsByAny(layer, await readLayer(archive, layer, signal), keys);
        if (digests === undefined) continue;
        if (digests.includes(image)) valid += 1;
        else refused.push({ manifest: descriptor.digest, message: foreign(image, digests) });
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof ImgpackError)) throw error;
        refused.push({ manifest: descriptor.digest, message: `Cannot accept signature of ${image}: ${error.message}` });
      }
    }
  }
  return { valid, refused };
}

/** @throws what the last key says, if none of them made the signature. */
function digestsByAny(
  layer: Descriptor,
  bytes: Uint8Array,
  [key, ...others]: readonly PublicKey[],
): ReturnType<typeof signedDigests> {
  if (key === undefined) throw new InternalError("Cannot check signature: no key, expected at least one");
  try {
    return signedDigests(layer, bytes, key);
  } catch (error) {
    if (!(error instanceof ImgpackError) || others.length === 0) throw error;
    return digestsByAny(layer, bytes, others);
  }
}

async function readLayer(
  archive: ImageArchive,
  layer: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const where = `layer ${layer.digest}`;
  return await readBlob(verified(layer, await archive.blob(layer, signal), where), MAX_SIGNED_BYTES, signal);
}

function foreign(image: Digest, digests: readonly string[]): string {
  return `Cannot accept signature of ${image}: the key signed ${digests.map(quote).join(", ")}, expected this image`;
}
