/** A function that writes a gzip member of the frozen profile to `target` and returns its length; see gzip-member.mjs. */
export function memberWriter(level: number): Promise<(input: Uint8Array, target: Uint8Array) => number>;
