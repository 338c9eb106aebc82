/** Writes a gzip member of the frozen profile to `target` and returns its length; see gzip-member.mjs. */
export function gzipMember(input: Uint8Array, level: number, target: Uint8Array): number;
