/** `v1://HOST[:PORT][/NAMESPACE]/REPOSITORY[:TAG]`, or `v1+dir:FOLDER[//[NAMESPACE/]REPOSITORY[:TAG]]`. */
export interface V1Reference {
  /** Where the image is. */
  readonly store: V1StoreName;
  /** "library" if the text has none; absent where the text names a whole store. */
  readonly namespace?: string;
  /** Absent where the text names a whole store or namespace. */
  readonly name?: string;
  /** Absent if the text has none: latest for one image, all for a glob. */
  readonly tag?: string;
}

export type V1StoreName =
  | { readonly kind: "registry"; readonly host: string }
  | { readonly kind: "folder"; readonly path: string };

/** Whether a text names something of the v1 protocol: every other reader of references leaves it alone. */
export function isV1Reference(text: string): boolean {
  return text.startsWith("v1://") || text.startsWith("v1+dir:");
}
