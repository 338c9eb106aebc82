/** Whether the first part of a reference is a registry. */
export function isHost(text: string): boolean {
  return text === "localhost" || /[.:]/.test(text);
}
