const ID = /^[0-9a-f]{64}$/;

/** Whether a text is the id of a layer as Docker before 1.10 gave it: 64 hex digits. */
export function isLegacyId(text: string): boolean {
  return ID.test(text);
}
