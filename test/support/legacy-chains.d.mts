/** 64 hex digits. @param index 0 is the base. */
export function layerId(index: number): string;
/** JSON of layers by the name of the case, base first. */
export const LEGACY_CHAINS: Readonly<Record<string, readonly string[]>>;
