import { NetworkError, RegistryError } from "../errors.ts";
import type { RegistryClient } from "./registry-client.ts";

/** How a registry takes uploads, as far as this run has found out. */
export interface UploadForm {
  /** False once a whole blob in one PUT was refused for its size. */
  takesWhole: boolean;
  takesChunks: boolean;
  /** Bytes of a chunk that went well, or that is tried next. */
  chunkBytes: number;
}

const MOST_BYTES = 8 * 1024 * 1024;
const LEAST_BYTES = 1024 * 1024;

const forms = new WeakMap<RegistryClient, UploadForm>();

/** The same for all uploads of a run to one registry, so that a refusal is met once. */
export function uploadFormOf(client: RegistryClient): UploadForm {
  const form = forms.get(client) ?? { takesWhole: true, takesChunks: true, chunkBytes: MOST_BYTES };
  forms.set(client, form);
  return form;
}

export function canShrink({ chunkBytes }: UploadForm): boolean {
  return chunkBytes > LEAST_BYTES;
}

export function shrinkChunks(form: UploadForm): void {
  form.chunkBytes = Math.max(LEAST_BYTES, form.chunkBytes / 2);
}

/** Proxies at the edge of the large clouds end bodies beyond 100 MB without a word. */
const SUSPECT_BYTES = 95 * 1024 * 1024;

/** A blob in one request was refused for its size, or may have been. */
export function isTooLarge(error: unknown, size: number): boolean {
  if (error instanceof RegistryError) return error.status === 413 || error.codes.includes("SIZE_INVALID");
  return error instanceof NetworkError && size > SUSPECT_BYTES;
}
